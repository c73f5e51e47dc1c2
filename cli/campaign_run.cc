#include "cli/campaign_run.h"

#include <nlohmann/json.hpp>

#include "cli/campaign_store.h"
#include "crash-replay/crash_file.h"
#include "harness/engine_factory.h"
#include "harness/known_faults.h"
#include "harness/run.h"

namespace dmsim {
namespace {

using Json = nlohmann::json;

// Kept from run to run of one worker: stacks, pages and nodes are used again.
Workshop& workshop() {
  static Workshop kWorkshop;
  return kWorkshop;
}

// Which of a crash's violations counts, and how it is told apart: the first that no known fault of Linux
// explains, if there is one.
struct Told {
  const Violation* violation;
  std::string signature;
};

Told tell(const Crash& crash, const std::function<void()>& on_step) {
  const Violation& first = crash.violations.front();
  if (crash.plan.engine == "native") return {&first, signature(first, crash.plan)};
  std::string known;
  KnownFaultOptions options;
  options.on_attempt = on_step;
  for (const Violation& violation : crash.violations) {
    const std::string explains = known_fault(crash.plan, violation, workshop(), options);
    if (explains.empty()) return {&violation, signature(violation, crash.plan)};
    if (known.empty()) known = explains;
  }
  return {&first, std::string(kKnownFault) + known};
}

}  // namespace

std::string CampaignRuns::perform(std::uint64_t seed, const std::function<void()>& on_step) const {
  const CampaignPlans::Made made = plans_.make(seed);
  CoverageListener coverage(known_);
  RunOptions options;
  options.seed = seed;
  options.runs = 1;
  options.cuts = command_.cuts;
  options.listener = &coverage;
  const VariantResult result = run_variant(made.plan, workshop(), options);
  if (command_.coverage) take_coverage(made.plan.engine, [&](std::size_t place) { coverage.on_place(place); });
  const RunStatistics& statistics = result.verdict.statistics;
  Json json{{"cuts", statistics.power_cuts},
            {"states", statistics.crash_states},
            {"fresh", coverage.take_fresh()}};
  const bool anything = plans_.generated() || !command_.variant.empty();
  if (!result.refused.empty()) {
    json["signature"] = "refused";
    json["sentence"] = result.refused;
  } else if (result.crash && (anything || !meets(made.plan.expect, result.verdict))) {
    const Told told = tell(*result.crash, on_step);
    const std::string& told_apart = told.signature;
    json["signature"] = told_apart;
    json["sentence"] = told.violation->sentence;
    if (!signatures_.contains(told_apart)) json["crash"] = write_crash(*result.crash);
  }
  return json.dump();
}

RunReport run_report(const std::string& text) {
  const Json json = Json::parse(text);
  RunReport report;
  report.statistics.runs = 1;
  report.statistics.power_cuts = json.at("cuts").get<std::uint64_t>();
  report.statistics.crash_states = json.at("states").get<std::uint64_t>();
  report.fresh = json.at("fresh").get<std::vector<std::uint64_t>>();
  report.signature = json.value("signature", "");
  report.sentence = json.value("sentence", "");
  report.crash_text = json.value("crash", "");
  return report;
}

}  // namespace dmsim
