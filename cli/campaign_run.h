// One run of a campaign, as a worker does it and tells its parent.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "cli/campaign_coverage.h"
#include "cli/campaign_plans.h"
#include "cli/commands.h"
#include "harness/verdict.h"

namespace dmsim {

struct RunReport {
  RunStatistics statistics;          // power cuts and crash states only
  std::vector<std::uint64_t> fresh;  // transitions that the campaign did not know when the round began
  std::string signature;             // empty: nothing was broken that was not expected
  std::string sentence;
  std::string crash_text;            // a crash file, when the signature was not known
};

class CampaignRuns {
 public:
  // All outlive it. What is known may grow between rounds, not during one.
  CampaignRuns(const FuzzCommand& command, const CampaignPlans& plans, const KnownTransitions& known,
               const std::set<std::string>& signatures)
      : command_(command), plans_(plans), known_(known), signatures_(signatures) {}

  // Does the run of that seed; returns its report as text without newlines. What is known of Linux is tried
  // afterwards, in runs of the native engine; `on_step` is called before those of each attempt.
  std::string perform(std::uint64_t seed, const std::function<void()>& on_step) const;

 private:
  const FuzzCommand& command_;
  const CampaignPlans& plans_;
  const KnownTransitions& known_;
  const std::set<std::string>& signatures_;
};

RunReport run_report(const std::string& text);

}  // namespace dmsim
