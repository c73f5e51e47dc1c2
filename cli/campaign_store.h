// A campaign's database: what has been run and found, kept so that a campaign goes on where it stood,
// whatever ended it. One SQLite file may hold several campaigns; equal identities are one campaign.
//
// A round of runs is one transaction: it is there as a whole, or it is run again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "harness/verdict.h"
#include "sim/choice.h"

struct sqlite3;
struct sqlite3_stmt;

namespace dmsim {

// How the signature of a finding begins that a known fault of Linux explains (harness/known_faults.h). It is
// counted and kept, and is no reason to fail.
inline constexpr std::string_view kKnownFault = "known/";

struct Finding {
  std::string signature;
  bool known() const { return signature.starts_with(kKnownFault); }
  std::string sentence;
  std::uint64_t first_seed = 0;
  std::uint64_t count = 0;
  std::string crash_text;      // a crash file; empty: the worker died or hung
  std::string plan_text;       // of that run, as a scenario; only when there is no crash file
  std::string minimised_text;  // a crash file; empty: not minimised (yet)
  std::string said;            // the end of what a worker that died said
};

struct RunRow {
  std::uint64_t seed = 0;
  bool changed = false;        // the plan was made from one that was kept
  std::uint64_t states = 0;
  std::uint64_t fresh = 0;     // transitions that no run before had reached
  std::string signature;       // empty: nothing was broken
};

struct CampaignState {
  std::uint64_t next_seed = 0;
  double seconds = 0;          // of all sessions
  RunStatistics statistics;    // runs, power cuts and crash states only
  std::vector<Finding> findings;                   // in order of first seed
  // Those that no known fault of Linux explains.
  std::size_t unexplained() const {
    return static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(),
                                                  [](const Finding& each) { return !each.known(); }));
  }
  std::vector<std::uint64_t> transitions;          // in order of discovery
  std::vector<std::vector<LabelledChoice>> kept;   // in order of seed
};

class CampaignStore {
 public:
  ~CampaignStore();
  CampaignStore() = default;
  CampaignStore(const CampaignStore&) = delete;
  CampaignStore& operator=(const CampaignStore&) = delete;

  // Opens or creates the file. In words what is wrong; nothing: it is open.
  std::optional<std::string> open(const std::string& path);
  // The campaign of that identity as it was left; begins it at `first_seed` when there is none.
  CampaignState load(const std::string& identity, std::uint64_t first_seed);

  struct Round {
    std::vector<RunRow> runs;
    std::vector<std::uint64_t> transitions;
    std::vector<std::vector<LabelledChoice>> kept;
    std::vector<std::size_t> changed_findings;  // indices into the state's
  };
  // All that a round has changed; `state` as it is after it. Where the database takes it no more (the disk is full,
  // somebody else goes on with the same campaign), the program ends, and says so.
  void save(const CampaignState& state, const Round& round);

 private:
  class Statement;
  void execute(const char* sql);

  sqlite3* db_ = nullptr;
  std::int64_t campaign_ = 0;
  std::uint64_t saved_next_seed_ = 0;  // as the database has it, unless somebody else goes on with the campaign
};

}  // namespace dmsim
