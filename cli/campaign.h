// A campaign: runs without an end of their own, done in rounds, and what they found.
//
// Runs are numbered by their seeds. What the runs of a round do depends on what earlier rounds have found
// (plans that reached something new are changed and tried again), never on the runs beside them: the result
// is the same for any number of workers. At the end of a round its runs are gone through in order, findings
// are told apart and made smaller, and all of it is stored at once.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/campaign_run.h"
#include "cli/campaign_store.h"
#include "cli/campaign_workers.h"

namespace dmsim {

class Campaign {
 public:
  Campaign(const FuzzCommand& command, std::vector<Plan> scenarios, GeneratorOptions generator);

  // Takes up what the database has. In words what is wrong; nothing: all is well.
  std::optional<std::string> begin();
  // Until there is nothing left to do, or time is over. `progress` is called often.
  void run(const std::function<void()>& progress);

  const CampaignState& state() const { return state_; }
  std::uint64_t runs_of_session() const { return state_.statistics.runs - before_.runs + under_way_; }
  std::uint64_t states_of_session() const {
    return state_.statistics.crash_states - before_.crash_states + states_under_way_;
  }
  double seconds_of_session() const;
  std::size_t plans_kept() const { return plans_.kept(); }
  bool generated() const { return plans_.generated(); }
  // How to see the finding again, as one line for a shell.
  std::string command_for(const Finding& finding) const;
  std::string crash_file_of(const Finding& finding) const;

 private:
  std::string identity() const;
  std::uint64_t end_seed() const;
  bool goes_on() const;
  bool out_of_time() const;
  void do_round(const std::function<void()>& progress);
  void take(const RunAnswer& answer, CampaignStore::Round* round);
  void add_finding(const RunAnswer& answer, const RunReport& report, CampaignStore::Round* round);
  void write_files(const Finding& finding) const;
  void make_smaller(Finding& finding) const;
  bool explain_smaller(Finding& finding);
  void merge_known(std::size_t first, CampaignStore::Round* round);
  std::string plan_file_text(std::uint64_t seed, const std::string& name) const;
  std::string file_of(const Finding& finding, std::string_view ending) const;

  const FuzzCommand& command_;
  CampaignPlans plans_;
  KnownTransitions known_;
  std::set<std::string> signatures_;
  CampaignRuns runs_;
  CampaignStore store_;
  CampaignState state_;
  RunStatistics before_;        // of earlier sessions
  double seconds_before_ = 0;
  std::chrono::steady_clock::time_point begun_;
  std::uint64_t under_way_ = 0;         // runs of the round that have ended
  std::uint64_t states_under_way_ = 0;
};

}  // namespace dmsim
