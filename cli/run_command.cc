// dmsim run: every variant of the scenarios, one row each, then what was broken and how to see it again.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <thread>

#include "cli/check_twice.h"
#include "cli/chosen_variants.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/result_json.h"
#include "cli/variant_job.h"
#include "cli/vocabulary.h"
#include "cli/workers.h"
#include "harness/engine_factory.h"
#include "scenarios/scenario_loader.h"

namespace dmsim {
namespace {

using Json = nlohmann::ordered_json;

std::string title(const Plan& plan) {
  return plan.variant.empty() ? plan.scenario : plan.scenario + "/" + plan.variant;
}

// A name of a file may be no text.
std::string text_of(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

bool write_file(const std::string& path, const std::string& text) {
  if (path.empty()) return true;
  std::ofstream out(path);
  out << text;
  if (out.flush()) return true;
  std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
  return false;
}

bool is_as_expected(const VariantReport& report) { return report.as_expected && !report.nondeterministic; }

// The table on stdout. Widths come from what is known before anything has run.
class Table {
 public:
  explicit Table(const std::vector<Plan>& plans) {
    for (const Plan& plan : plans) {
      name_ = std::max(name_, title(plan).size());
      words_ = std::max(words_, expectation_words(plan.expect).size());
    }
  }
  void header() const {
    fmt::print("{:<{}}  {:<{}}  {:<{}}  {:>6} {:>8} {:>7}\n", "scenario", name_, "expected", words_,
               "got", words_, "cuts", "states", "time");
  }
  void row(const VariantReport& report) const {
    const std::string name =
        report.variant.empty() ? report.scenario : report.scenario + "/" + report.variant;
    const std::string mark = report.stopped           ? "  (interrupted)"
                             : is_as_expected(report) ? ""
                                                      : "  <-- not as expected";
    fmt::print("{:<{}}  {:<{}}  {:<{}}  {:>6} {:>8} {:>6.2f}s{}\n", name, name_, report.expected,
               words_, report.got, words_, report.statistics.power_cuts,
               report.statistics.crash_states, report.seconds, mark);
    std::fflush(stdout);
  }

 private:
  std::size_t name_ = 8;
  std::size_t words_ = 8;
};

void print_statistics(const VariantReport& report) {
  const RunStatistics& s = report.statistics;
  fmt::print("  statistics: {} runs, {} user bios, {} disk writes ({} to logs), {} flushes, {} sectors "
             "written, {} bytes copied, {} pages dirtied again under writeback, writers waited {} us, {} "
             "breaches excused as somebody else's, {} lives that hung unchecked\n",
             s.runs, s.user_bios, s.disk_writes, s.log_writes, s.disk_flushes, s.sectors_written,
             s.bytes_copied, s.redirtied, s.writers_waited.count_ns() / 1000, s.excused, s.hangs);
  if (s.in_flight_most > 0) {
    fmt::print("  volumes of LVM1: at most {} bios in flight at once, {} of them tracked; {} objects pushed onto bios "
               "in all\n",
               s.in_flight_most, s.tracked_most, s.tracked);
  }
  if (report.seconds <= 0) return;
  fmt::print("  speed: {:.0f} user bios/s, {:.0f} events/s, {:.0f} crash states/s; {} crash states "
             "were equal to one already checked; {} of {} cuts were tried with every set of survivors\n",
             static_cast<double>(s.user_bios) / report.seconds,
             static_cast<double>(s.events + s.slices) / report.seconds,
             static_cast<double>(s.crash_states) / report.seconds, s.duplicate_states, s.exhaustive_cuts,
             s.power_cuts);
}

void print_violations(const std::vector<VariantReport>& reports) {
  for (const VariantReport& report : reports) {
    if (report.violations.empty() && report.as_expected) continue;
    const std::string name =
        report.variant.empty() ? report.scenario : report.scenario + "/" + report.variant;
    if (report.violations.empty()) {
      if (report.stopped || report.bad_input || report.worker_failed) continue;
      fmt::print("\n{}: expected '{}', but nothing was broken in {} runs\n", name, report.expected,
                 report.statistics.runs);
      continue;
    }
    const Violation& first = report.violations.front();
    fmt::print("\n{}: {} ({})\n", name, first.sentence, first.oracle);
    for (const std::string& detail : first.details) fmt::print("  {}\n", detail);
    if (!report.crash_file.empty()) fmt::print("  ./dmsim replay {}\n", report.crash_file);
  }
}

// The last line of many.
void print_sum(const std::vector<VariantReport>& reports) {
  if (reports.size() < 2) return;
  std::string others;
  std::size_t stopped = 0;
  for (const VariantReport& report : reports) {
    stopped += report.stopped ? 1 : 0;
    if (report.stopped || is_as_expected(report)) continue;
    others += fmt::format("  {}{}{}\n", report.scenario, report.variant.empty() ? "" : "/", report.variant);
  }
  fmt::print("\n{} variants{}{}\n{}", reports.size(), stopped > 0 ? fmt::format(", {} interrupted", stopped) : "",
             others.empty() ? ": all as expected" : "; not as expected:", others);
}

class RunSession {
 public:
  explicit RunSession(const RunCommand& command) : command_(command), chosen_(command.variant, command.engine) {}

  int run() {
    if (const auto strategy = parse_strategy(command_.strategy); !strategy.ok()) {
      std::fprintf(stderr, "dmsim run: %s\n", strategy.error().to_string().c_str());
      return kExitBadInput;
    }
    if (!load()) return kExitBadInput;
    if (plans_.empty()) {
      std::fprintf(stderr, "dmsim run: %s\n", chosen_.why_none().c_str());
      return kExitBadInput;
    }
    const Table table(plans_);
    table.header();
    WorkerOptions options;
    options.at_once = command_.jobs != 0 ? command_.jobs
                                         : std::max(1u, std::thread::hardware_concurrency());
    options.seconds_to_live = command_.seconds_per_variant;
    const std::size_t rounds = command_.check_twice ? 2 : 1;
    run_workers(
        plans_.size() * rounds, options,
        [&](std::size_t i) { return text_of(VariantJob(command_, plans_[i / rounds], plans_.size() == 1).run()); },
        [&](std::size_t i, WorkerAnswer answer) {
          VariantReport report = understand(plans_[i / rounds], answer);
          if (i % rounds == 1) {
            compare(plans_[i / rounds], report);
          } else {
            reports_.push_back(std::move(report));
          }
          if (i % rounds == rounds - 1) {
            table.row(reports_.back());
            if (!reports_.back().search.empty()) fmt::print("  {}\n", reports_.back().search);
            if (command_.stats) print_statistics(reports_.back());
          }
        });
    for (const Difference& difference : differences_) show(difference, options);
    print_violations(reports_);
    print_sum(reports_);
    if (!write_files()) return kExitBadInput;
    return conclude();
  }

 private:
  bool load() {
    auto files = find_scenarios(command_.paths);
    if (!files.ok()) {
      std::fprintf(stderr, "%s\n", files.error().to_string().c_str());
      return false;
    }
    for (const std::string& file : *files) {
      auto plans = load_scenario(file, program_vocabulary());
      if (!plans.ok()) {
        std::fprintf(stderr, "%s\n", plans.error().to_string().c_str());
        return false;
      }
      for (Plan& plan : *plans) {
        if (!chosen_.take(&plan)) continue;
        if (const auto error = why_not_runnable(plan)) {
          std::fprintf(stderr, "%s\n", error->to_string().c_str());
          return false;
        }
        plans_.push_back(std::move(plan));
      }
    }
    const std::string left_out = chosen_.left_out();
    if (!plans_.empty() && !left_out.empty()) std::fprintf(stderr, "%s\n", left_out.c_str());
    return true;
  }

  VariantReport understand(const Plan& plan, const WorkerAnswer& answer) {
    if (answer.end == WorkerAnswer::End::kAnswered) {
      const Json json = Json::parse(answer.text);
      if (json.contains("reached")) {
        for (const auto& [mark, count] : json.at("reached").items()) {
          reached_[mark] += count.get<std::uint64_t>();
        }
      }
      if (!answer.stderr_tail.empty()) std::fputs(answer.stderr_tail.c_str(), stderr);
      VariantReport report = report_from_json(json);
      if (report.bad_input) std::fprintf(stderr, "%s: %s\n", title(plan).c_str(), report.got.c_str());
      return report;
    }
    VariantReport report;
    report.scenario = plan.scenario;
    report.variant = plan.variant;
    report.expected = expectation_words(plan.expect);
    report.got = "worker " + answer.message;
    report.worker_failed = true;
    std::fprintf(stderr, "%s: the worker %s. The last it said:\n%s\n", title(plan).c_str(),
                 answer.message.c_str(), answer.stderr_tail.c_str());
    return report;
  }

  void compare(const Plan& plan, const VariantReport& second) {
    VariantReport& first = reports_.back();
    if (first.stopped || second.stopped || first.fingerprint == second.fingerprint) return;
    first.nondeterministic = true;
    std::fprintf(stderr, "%s/%s: two runs of the same plan and seed differ: fingerprints %s and %s\n",
                 first.scenario.c_str(), first.variant.c_str(), first.fingerprint.c_str(),
                 second.fingerprint.c_str());
    const std::uint64_t run = first_differing_run(first.run_fingerprints, second.run_fingerprints);
    if (run > 0) differences_.push_back({&plan, run});
    first.run_fingerprints.clear();
  }

  // A variant whose two executions differed, and the first run that did.
  struct Difference {
    const Plan* plan;
    std::uint64_t run;
  };

  // Executes it twice more for the traces of that run.
  void show(const Difference& difference, const WorkerOptions& options) {
    std::vector<VariantReport> more;
    run_workers(
        2, options,
        [&](std::size_t) {
          VariantJob job(command_, *difference.plan, true);
          job.keep_run(difference.run);
          return text_of(job.run());
        },
        [&](std::size_t, WorkerAnswer answer) { more.push_back(understand(*difference.plan, answer)); });
    std::fprintf(stderr, "%s, %s\n", title(*difference.plan).c_str(),
                 describe_parting(difference.run, more[0].kept_trace, more[1].kept_trace).c_str());
  }

  bool write_files() const {
    Json variants = Json::array();
    for (const VariantReport& report : reports_) variants.push_back(to_json(report));
    const Json all = {{"format", 1}, {"variants", variants}};
    std::string reached;
    for (const auto& [mark, count] : reached_) reached += fmt::format("{}\t{}\n", count, mark);
    return write_file(command_.json_file, text_of(all, 2) + "\n") &&
           write_file(command_.reached_file, reached);
  }

  int conclude() const {
    const auto any = [&](auto predicate) {
      return std::any_of(reports_.begin(), reports_.end(), predicate);
    };
    if (interrupted()) {
      std::fprintf(stderr, "interrupted: %zu of %zu variants\n", reports_.size(), plans_.size());
    }
    if (any([](const VariantReport& r) { return r.bad_input || r.unwritten; })) return kExitBadInput;
    if (any([](const VariantReport& r) { return r.worker_failed; })) return kExitNoProgress;
    if (any([](const VariantReport& r) { return r.nondeterministic; })) return kExitNondeterminism;
    const bool unexpected = any([](const VariantReport& r) {
      return !r.as_expected && !r.stopped && !r.violations.empty();
    });
    if (unexpected) return kExitViolation;
    const bool missed = any([](const VariantReport& r) { return !r.as_expected && !r.stopped; });
    if (missed) return kExitMissedBug;
    return interrupted() ? kExitInterrupted : kExitHeld;
  }

  const RunCommand& command_;
  std::vector<Plan> plans_;
  ChosenVariants chosen_;
  std::vector<VariantReport> reports_;
  std::vector<Difference> differences_;
  std::map<std::string, std::uint64_t> reached_;
};

}  // namespace

int run_command(const RunCommand& command) {
  install_interrupt_handler();
  return RunSession(command).run();
}

}  // namespace dmsim
