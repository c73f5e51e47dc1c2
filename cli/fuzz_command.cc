// dmsim fuzz: a campaign (cli/campaign.h), its progress line, its report and its JUnit file.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>

#include "base/nearest.h"
#include "cli/campaign.h"
#include "cli/chosen_variants.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/terminal.h"
#include "cli/vocabulary.h"
#include "harness/engine_factory.h"
#include "scenarios/scenario_loader.h"

namespace dmsim {
namespace {

using Clock = std::chrono::steady_clock;

std::string xml_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default:
        if (c == '\n' || c == '\t' || static_cast<unsigned char>(c) >= 0x20) out += c;
    }
  }
  return out;
}

std::string times(std::uint64_t count) { return count == 1 ? "once" : fmt::format("{} times", count); }

std::optional<SwitchValues> parse_switches(const std::vector<std::string>& words) {
  SwitchValues values;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    const auto& all = all_switches();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const SwitchInfo& info) { return info.name == name; });
    if (found == all.end()) {
      std::vector<std::string_view> names;
      for (const SwitchInfo& info : all) names.push_back(info.name);
      std::fprintf(stderr, "dmsim fuzz: no switch '%s'%s; dmsim list switches shows all\n", name.c_str(),
                   did_you_mean(name, names).c_str());
      return std::nullopt;
    }
    if (std::find(found->values.begin(), found->values.end(), value) == found->values.end()) {
      std::fprintf(stderr, "dmsim fuzz: switch %s has no value '%s'; it has %s\n", name.c_str(),
                   value.c_str(), fmt::format("{}", fmt::join(found->values, ", ")).c_str());
      return std::nullopt;
    }
    values[name] = value;
  }
  return values;
}

// What generated plans are to be about.
std::optional<std::vector<PlanSubject>> parse_subjects(const FuzzCommand& command) {
  const auto names = plan_subject_names();
  std::vector<PlanSubject> out;
  if (command.plans.empty()) return out;
  if (!command.paths.empty()) {
    std::fprintf(stderr, "dmsim fuzz: --plans is for generated plans, and here are scenarios\n");
    return std::nullopt;
  }
  if (command.plans == "all") {
    for (const std::string_view name : names) {
      const PlanSubject subject = *plan_subject(name);
      // LVM1 is beside the engine: whose plans are to be found out about is a kernel's.
      const bool beside = subject == PlanSubject::kLvm1 && !command.engine.empty() && command.engine != "native";
      if (!beside) out.push_back(subject);
    }
    return out;
  }
  if (const auto subject = plan_subject(command.plans)) return std::vector{*subject};
  std::vector<std::string_view> known(names.begin(), names.end());
  known.push_back("all");
  std::fprintf(stderr, "dmsim fuzz: there are no plans about '%s'%s; there are %s\n", command.plans.c_str(),
               did_you_mean(command.plans, known).c_str(), fmt::format("{}", fmt::join(known, ", ")).c_str());
  return std::nullopt;
}

bool load_plans(const FuzzCommand& command, std::vector<Plan>* plans) {
  if (command.paths.empty()) return true;
  auto files = find_scenarios(command.paths);
  if (!files.ok()) {
    std::fprintf(stderr, "%s\n", files.error().to_string().c_str());
    return false;
  }
  ChosenVariants chosen(command.variant, command.engine);
  for (const std::string& file : *files) {
    auto loaded = load_scenario(file, program_vocabulary());
    if (!loaded.ok()) {
      std::fprintf(stderr, "%s\n", loaded.error().to_string().c_str());
      return false;
    }
    for (Plan& plan : *loaded) {
      if (chosen.take(&plan)) plans->push_back(std::move(plan));
    }
  }
  if (!plans->empty()) return true;
  std::fprintf(stderr, "dmsim fuzz: %s\n", chosen.why_none().c_str());
  return false;
}

// Engines are built here, before there are workers.
bool can_run(const FuzzCommand& command, const std::vector<Plan>& plans) {
  std::string why = command.coverage ? why_no_coverage(command.engine) : "";
  if (why.empty() && !command.engine.empty()) why = why_no_engine(command.engine);
  for (const Plan& plan : plans) {
    if (why.empty()) why = why_no_engine(plan.engine);
  }
  if (!why.empty()) std::fprintf(stderr, "dmsim fuzz: %s\n", why.c_str());
  return why.empty();
}

// One line on stderr: over and over on a terminal, now and then into a file.
class Progress {
 public:
  Progress(const FuzzCommand& command, const Campaign& campaign)
      : command_(command), campaign_(campaign), terminal_(isatty(STDERR_FILENO) != 0) {}

  void show(bool last) {
    const auto now = Clock::now();
    const auto pause = terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10'000);
    if (!last && now - shown_ < pause) return;
    shown_ = now;
    const double seconds = std::max(campaign_.seconds_of_session(), 0.001);
    const CampaignState& state = campaign_.state();
    std::string line = fmt::format(
        "{} runs, {:.0f} runs/s, {:.0f} states/s, {} finding{}, {} transitions, {} plans kept, {}",
        state.statistics.runs, static_cast<double>(campaign_.runs_of_session()) / seconds,
        static_cast<double>(campaign_.states_of_session()) / seconds, state.unexplained(),
        state.unexplained() == 1 ? "" : "s",
        state.transitions.size(), campaign_.plans_kept(), time_words(seconds));
    show_progress(std::move(line), last);
  }

 private:
  std::string time_words(double seconds) const {
    if (command_.seconds == 0) return fmt::format("{:.0f} s", seconds);
    return fmt::format("{:.0f} s left", std::max(0.0, command_.seconds - seconds));
  }

  const FuzzCommand& command_;
  const Campaign& campaign_;
  bool terminal_;
  Clock::time_point shown_{};
};

// "coverage: dm-raid1.c 81% of 950 places", a line for each of the kernel's files of which anything was reached.
void print_coverage(const FuzzCommand& command, const CampaignState& state) {
  if (!command.coverage) return;
  struct Count {
    std::size_t places = 0;
    std::size_t reached = 0;
  };
  std::map<std::string, Count> files;
  const KnownTransitions known(state.transitions.begin(), state.transitions.end());
  const std::vector<CoveredPlace> places = coverage_of(command.engine);
  for (std::size_t i = 0; i < places.size(); ++i) {
    Count& count = files[places[i].file];
    ++count.places;
    count.reached += known.contains(place_as_transition(i)) ? 1 : 0;
  }
  for (const auto& [file, count] : files) {
    if (count.reached == 0) continue;
    fmt::print("coverage: {} {}% of {} places\n", file.substr(std::string_view("drivers/md/").size()),
               count.reached * 100 / count.places, count.places);
  }
}

void print_report(const FuzzCommand& command, const Campaign& campaign) {
  const CampaignState& state = campaign.state();
  fmt::print("{} runs from seed {}, {} power cuts, {} crash states, {} transitions, {} finding{}\n",
             state.statistics.runs, command.seed, state.statistics.power_cuts,
             state.statistics.crash_states, state.transitions.size(), state.unexplained(),
             state.unexplained() == 1 ? "" : "s");
  print_coverage(command, state);
  for (const Finding& finding : state.findings) {
    if (finding.known()) continue;
    fmt::print("\n{}\n  {}\n  first at run {}, {}\n  {}\n", finding.signature, finding.sentence,
               finding.first_seed - command.seed + 1, times(finding.count), campaign.command_for(finding));
  }
  for (const Finding& finding : state.findings) {
    if (!finding.known()) continue;
    fmt::print("\nknown fault of Linux, {}\n  {}\n  first at run {}, {}\n  {}\n",
               finding.signature.substr(kKnownFault.size()), finding.sentence,
               finding.first_seed - command.seed + 1, times(finding.count), campaign.command_for(finding));
  }
}

std::string junit(const Campaign& campaign) {
  const CampaignState& state = campaign.state();
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"dmsim fuzz\" tests=\"{}\" "
      "failures=\"{}\" time=\"{:.3f}\">\n",
      std::max<std::size_t>(1, state.unexplained()), state.unexplained(), state.seconds);
  for (const Finding& finding : state.findings) {
    if (finding.known()) continue;
    out += fmt::format(
        "  <testcase classname=\"dmsim.fuzz\" name=\"{}\">\n    <failure message=\"{}\">first seed {}, {}"
        "\n{}\n{}</failure>\n  </testcase>\n",
        xml_text(finding.signature), xml_text(finding.sentence), finding.first_seed, times(finding.count),
        xml_text(campaign.command_for(finding)), xml_text(finding.said));
  }
  if (state.unexplained() == 0) {
    out += fmt::format("  <testcase classname=\"dmsim.fuzz\" name=\"{} runs\"/>\n",
                       state.statistics.runs);
  }
  return out + "</testsuite>\n";
}

bool write_junit(const std::string& path, const Campaign& campaign) {
  if (path.empty()) return true;
  std::ofstream out(path);
  out << junit(campaign);
  if (out.flush()) return true;
  std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
  return false;
}

}  // namespace

int fuzz_command(const FuzzCommand& command) {
  install_interrupt_handler();
  const auto switches = parse_switches(command.switches);
  const auto subjects = parse_subjects(command);
  std::vector<Plan> plans;
  if (!switches || !subjects || !load_plans(command, &plans)) return kExitBadInput;
  if (!can_run(command, plans)) return kExitBadInput;
  Campaign campaign(command, std::move(plans), {*switches, *subjects});
  if (const auto wrong = campaign.begin()) {
    std::fprintf(stderr, "%s\n", wrong->c_str());
    return kExitBadInput;
  }
  Progress progress(command, campaign);
  campaign.run([&] { progress.show(false); });
  progress.show(true);
  print_report(command, campaign);
  if (!write_junit(command.junit_file, campaign)) return kExitBadInput;
  if (campaign.state().unexplained() > 0) return kExitViolation;
  return interrupted() ? kExitInterrupted : kExitHeld;
}

}  // namespace dmsim
