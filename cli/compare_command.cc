#include "cli/compare_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/vocabulary.h"
#include "cli/workers.h"
#include "harness/differential.h"
#include "harness/engine_factory.h"
#include "scenarios/scenario_loader.h"

namespace dmsim {
namespace {

using Json = nlohmann::ordered_json;

std::string title(const Plan& plan) {
  return plan.variant.empty() ? plan.scenario : plan.scenario + "/" + plan.variant;
}

Json to_json(const Comparison& comparison) {
  Json disagreements = Json::array();
  for (const Disagreement& one : comparison.disagreements) {
    disagreements.push_back({{"facet", one.facet}, {"left", one.left}, {"right", one.right}});
  }
  return {{"runs", comparison.runs},
          {"agreed", comparison.agreed.size()},
          {"undetermined", comparison.undetermined},
          {"disagreements", std::move(disagreements)}};
}

class CompareSession {
 public:
  explicit CompareSession(const CompareCommand& command) : command_(command) {}

  int run() {
    for (const std::string* engine : {&command_.left, &command_.right}) {
      const std::string why = why_no_engine(*engine);
      if (why.empty()) continue;
      std::fprintf(stderr, "dmsim compare: %s\n", why.c_str());
      return kExitBadInput;
    }
    if (!load()) return kExitBadInput;
    if (plans_.empty()) {
      std::fprintf(stderr, "dmsim compare: nothing to compare\n");
      return kExitBadInput;
    }
    WorkerOptions options;
    options.at_once =
        command_.jobs != 0 ? command_.jobs : std::max(1u, std::thread::hardware_concurrency());
    options.seconds_to_live = command_.seconds_per_variant;
    run_workers(
        plans_.size(), options,
        [this](std::size_t i) {
          Workshop workshop;
          return to_json(compare_engines(plans_[i], command_.left, command_.right, workshop, command_.seed,
                                         command_.runs, [] { return interrupted(); }))
              .dump();
        },
        [this](std::size_t i, const WorkerAnswer& answer) { take(plans_[i], answer); });
    fmt::print("\n{} compared, {} disagree, {} left out\n", compared_, disagree_, left_out_);
    if (failed_ > 0) return kExitNoProgress;
    if (disagree_ > 0) return kExitViolation;
    return interrupted() ? kExitInterrupted : kExitHeld;
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
        if (!command_.variant.empty() && plan.variant != command_.variant) continue;
        if (plan.engine != command_.left && plan.engine != command_.right) continue;
        const std::string why = why_not_comparable(plan);
        if (why.empty()) {
          plans_.push_back(std::move(plan));
          continue;
        }
        ++left_out_;
        std::fprintf(stderr, "%s is left out: %s\n", title(plan).c_str(), why.c_str());
      }
    }
    return true;
  }

  void take(const Plan& plan, const WorkerAnswer& answer) {
    if (answer.end != WorkerAnswer::End::kAnswered) {
      ++failed_;
      fmt::print("{}: the worker {}\n", title(plan), answer.message);
      std::fprintf(stderr, "%s\n", answer.stderr_tail.c_str());
      return;
    }
    const Json json = Json::parse(answer.text);
    const Json& disagreements = json.at("disagreements");
    ++compared_;
    fmt::print("{}: {} facets agree in {} runs", title(plan), json.at("agreed").get<std::size_t>(),
               json.at("runs").get<std::uint64_t>());
    const Json& undetermined = json.at("undetermined");
    for (std::size_t i = 0; i < undetermined.size(); ++i) {
      fmt::print("{}{}", i == 0 ? "; chance decides " : ", ", undetermined[i].get<std::string>());
    }
    fmt::print("{}\n", disagreements.empty() ? "" : "  <-- disagree");
    if (!disagreements.empty()) ++disagree_;
    for (const Json& one : disagreements) {
      fmt::print("  {}\n", one.at("facet").get<std::string>());
      print_values(command_.left, one.at("left"));
      print_values(command_.right, one.at("right"));
    }
    std::fflush(stdout);
  }

  // One value a line; of many, the first few.
  static void print_values(const std::string& engine, const Json& values) {
    constexpr std::size_t kMost = 3;
    if (values.empty()) fmt::print("    {}: nothing of the kind\n", engine);
    for (std::size_t i = 0; i < std::min(kMost, values.size()); ++i) {
      fmt::print("    {}: {}\n", engine, values[i].get<std::string>());
    }
    if (values.size() > kMost) fmt::print("    {}: and {} others\n", engine, values.size() - kMost);
  }

  const CompareCommand& command_;
  std::vector<Plan> plans_;
  std::size_t compared_ = 0;
  std::size_t disagree_ = 0;
  std::size_t left_out_ = 0;
  std::size_t failed_ = 0;
};

}  // namespace

int compare_command(const CompareCommand& command) {
  install_interrupt_handler();
  return CompareSession(command).run();
}

}  // namespace dmsim
