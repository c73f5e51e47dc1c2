#include "cli/campaign.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "base/digest.h"
#include "cli/interrupt.h"
#include "cli/vocabulary.h"
#include "harness/engine_factory.h"
#include "scenarios/plan_yaml.h"

namespace dmsim {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kRoundRuns = 256;

bool found_something(const RunAnswer& answer) {
  return answer.end != RunAnswer::End::kAnswered || !run_report(answer.text).signature.empty();
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (out.flush()) return true;
  std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
  return false;
}

std::string without_numbers(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }, '#');
  return text;
}

// "no-false-sync/engine/in sync" -> "no-false-sync-engine-in-sync".
std::string file_name_of(const std::string& signature) {
  std::string out;
  for (const char c : signature) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (plain) out += c;
    if (!plain && !out.empty() && out.back() != '-') out += '-';
    if (out.size() > 60) break;
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

// A failed CHECK says what went wrong in its first line; that tells crashes of workers apart.
std::string complaint(const std::string& said) {
  for (std::size_t at = 0; at < said.size();) {
    const std::size_t end = std::min(said.find('\n', at), said.size());
    const std::string line = said.substr(at, end - at);
    at = end + 1;
    if (line.find("CHECK failed") != std::string::npos ||
        line.find("UNMODELLED") != std::string::npos || line.find("ERROR: ") != std::string::npos) {
      return line;
    }
  }
  return said.empty() ? "says nothing" : said.substr(0, said.find('\n'));
}

unsigned jobs_of(const FuzzCommand& command) {
  return command.jobs != 0 ? command.jobs : std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

Campaign::Campaign(const FuzzCommand& command, std::vector<Plan> scenarios, GeneratorOptions generator)
    : command_(command),
      plans_(std::move(scenarios), std::move(generator), command.engine),
      runs_(command_, plans_, known_, signatures_),
      begun_(Clock::now()) {}

double Campaign::seconds_of_session() const {
  return std::chrono::duration<double>(Clock::now() - begun_).count();
}

// What makes two campaigns the same: the program, and all that decides what a seed means.
std::string Campaign::identity() const {
  const std::string program = read_file("/proc/self/exe");
  std::string scenarios;
  for (const std::string& path : command_.paths) scenarios += " " + path;
  if (!scenarios.empty()) scenarios += fmt::format(" {:016x}", plans_.digest_of_scenarios());
  std::string engine;
  if (!command_.engine.empty()) {
    const std::string image = read_file(engine_file(command_.engine));
    engine = fmt::format("; engine {} {:016x}", command_.engine, digest_bytes(image.data(), image.size()));
  }
  return fmt::format("program {:016x}; seed {}; cuts {}; variant '{}'; plans '{}'; switches {}; scenarios{}{}",
                     digest_bytes(program.data(), program.size()), command_.seed, command_.cuts,
                     command_.variant, command_.plans, fmt::join(command_.switches, " "), scenarios, engine);
}

std::optional<std::string> Campaign::begin() {
  if (auto wrong = store_.open(command_.database)) return wrong;
  std::error_code failed;
  std::filesystem::create_directories(command_.crash_folder, failed);
  if (failed) return fmt::format("{}: {}", command_.crash_folder, failed.message());
  state_ = store_.load(identity(), command_.seed);
  known_.insert(state_.transitions.begin(), state_.transitions.end());
  for (const auto& draws : state_.kept) plans_.keep(draws);
  for (const Finding& finding : state_.findings) signatures_.insert(finding.signature);
  before_ = state_.statistics;
  seconds_before_ = state_.seconds;
  if (state_.next_seed > command_.seed) {
    fmt::print(stderr, "goes on at seed {}: {} runs and {} findings are in {}\n", state_.next_seed,
               state_.statistics.runs, state_.findings.size(), command_.database);
  }
  return std::nullopt;
}

std::uint64_t Campaign::end_seed() const {
  constexpr std::uint64_t kEnd = std::uint64_t{1} << 63;  // as far as the database counts
  const std::uint64_t left = kEnd - std::min(command_.seed, kEnd);
  return command_.runs == 0 || command_.runs > left ? kEnd : command_.seed + command_.runs;
}

bool Campaign::goes_on() const {
  if (interrupted() || state_.next_seed >= end_seed()) return false;
  if (out_of_time()) return false;
  return !command_.until_found || state_.unexplained() == 0;
}

bool Campaign::out_of_time() const {
  return command_.seconds != 0 && seconds_of_session() >= command_.seconds;
}

void Campaign::run(const std::function<void()>& progress) {
  while (goes_on()) do_round(progress);
}

void Campaign::do_round(const std::function<void()>& progress) {
  const std::size_t found_before = state_.findings.size();
  const std::uint64_t begin = state_.next_seed;
  const std::uint64_t end = begin + std::min(kRoundRuns, end_seed() - begin);
  const CampaignWorkers workers{jobs_of(command_), 32, command_.seconds_per_run};
  std::map<std::uint64_t, RunAnswer> answers;
  std::uint64_t gap = begin;                   // the first run that has not answered
  std::uint64_t found = ~std::uint64_t{0};     // the first that has found something
  workers.run(
      begin, end,
      [this](std::uint64_t seed, const std::function<void()>& on_step) { return runs_.perform(seed, on_step); },
      [&](RunAnswer answer) {
        ++under_way_;
        if (found_something(answer)) found = std::min(found, answer.run);
        answers[answer.run] = std::move(answer);
        while (answers.contains(gap)) ++gap;
        progress();
      },
      [&] { return out_of_time() || (command_.until_found && found < gap); });
  under_way_ = 0;
  CampaignStore::Round round;
  // After an interrupt, and at the end of the time: as far as it came without a gap.
  for (auto at = answers.begin(); at != answers.end() && at->first == state_.next_seed; ++at) {
    take(at->second, &round);
    ++state_.next_seed;
    if (command_.until_found && at->first == found) break;  // whatever others have done meanwhile
  }
  for (const auto& draws : round.kept) plans_.keep(draws);
  bool explained = false;
  for (const std::size_t index : round.changed_findings) {
    Finding& finding = state_.findings[index];
    if (finding.crash_text.empty() || !finding.minimised_text.empty()) continue;
    if (finding.known() || interrupted()) continue;
    make_smaller(finding);
    if (index >= found_before && explain_smaller(finding)) explained = true;
  }
  if (explained) merge_known(found_before, &round);
  state_.seconds = seconds_before_ + seconds_of_session();
  store_.save(state_, round);
  progress();
}

void Campaign::take(const RunAnswer& answer, CampaignStore::Round* round) {
  RunReport report;
  if (answer.end == RunAnswer::End::kAnswered) {
    report = run_report(answer.text);
  } else {
    const std::string words = answer.message + ": " + complaint(answer.stderr_tail);
    report.statistics.runs = 1;
    report.sentence = "the program " + words;
    report.signature = "program/" + without_numbers(words);
  }
  state_.statistics.add(report.statistics);
  RunRow row;
  row.seed = answer.run;
  row.states = report.statistics.crash_states;
  row.signature = report.signature;
  for (const std::uint64_t transition : report.fresh) {
    if (!known_.insert(transition).second) continue;
    ++row.fresh;
    state_.transitions.push_back(transition);
    round->transitions.push_back(transition);
  }
  if (plans_.generated()) {
    CampaignPlans::Made made = plans_.make(answer.run);
    row.changed = made.changed;
    if (row.fresh > 0) round->kept.push_back(std::move(made.draws));
  }
  if (!report.signature.empty()) add_finding(answer, report, round);
  round->runs.push_back(std::move(row));
}

void Campaign::add_finding(const RunAnswer& answer, const RunReport& report,
                           CampaignStore::Round* round) {
  const auto known = std::find_if(state_.findings.begin(), state_.findings.end(), [&](const Finding& each) {
    return each.signature == report.signature;
  });
  const auto index = static_cast<std::size_t>(known - state_.findings.begin());
  if (known == state_.findings.end()) {
    Finding finding;
    finding.signature = report.signature;
    finding.sentence = report.sentence;
    finding.first_seed = answer.run;
    finding.crash_text = report.crash_text;
    finding.said = answer.stderr_tail;
    if (finding.crash_text.empty()) {
      finding.plan_text = plan_file_text(
          answer.run, std::filesystem::path(file_of(finding, ".plan.yaml")).stem().string());
    }
    state_.findings.push_back(std::move(finding));
    signatures_.insert(report.signature);
    write_files(state_.findings.back());
  }
  ++state_.findings[index].count;
  auto& changed = round->changed_findings;
  if (std::find(changed.begin(), changed.end(), index) == changed.end()) changed.push_back(index);
}

// The plan as a scenario of its own. A resolved plan has two keys that a scenario has not.
std::string Campaign::plan_file_text(std::uint64_t seed, const std::string& name) const {
  Plan plan = plans_.make(seed).plan;
  plan.scenario = name;
  std::istringstream all(write_plan(plan));
  std::string out;
  for (std::string line; std::getline(all, line);) {
    if (line.starts_with("variant:") || line.starts_with("directory:")) continue;
    out += line + "\n";
  }
  return out;
}

std::string Campaign::file_of(const Finding& finding, std::string_view ending) const {
  return fmt::format("{}/{}-{}{}", command_.crash_folder, file_name_of(finding.signature),
                     finding.first_seed, ending);
}

std::string Campaign::crash_file_of(const Finding& finding) const {
  if (!finding.minimised_text.empty()) return file_of(finding, ".min.yaml");
  return file_of(finding, finding.crash_text.empty() ? ".plan.yaml" : ".yaml");
}

std::string Campaign::command_for(const Finding& finding) const {
  const std::string file = crash_file_of(finding);
  if (!finding.crash_text.empty()) return "./dmsim replay " + file;
  return fmt::format("./dmsim run {} --seed {} --runs 1 --cuts {}", file, finding.first_seed,
                     command_.cuts);
}

void Campaign::write_files(const Finding& finding) const {
  if (!finding.crash_text.empty()) write_file(file_of(finding, ".yaml"), finding.crash_text);
  if (!finding.plan_text.empty()) write_file(file_of(finding, ".plan.yaml"), finding.plan_text);
  if (!finding.minimised_text.empty()) write_file(file_of(finding, ".min.yaml"), finding.minimised_text);
}

}  // namespace dmsim
