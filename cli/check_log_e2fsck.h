// Crash states of a recorded ext4, each held against e2fsck, in worker processes.
//
// A state passes if `e2fsck -p` has no more to do than a mount would (replay the journal, see to
// orphans: exit 0 or 1 and no other line of output), and `e2fsck -fn` then finds nothing (exit 0). So a
// state that only a repair would save fails. e2fsck is told one fixed time of day, so that what it says
// does not depend on the clock.
//
// Of all states half of a sample is spread evenly over their numbers, half drawn at random: first a
// moment, then one of its states. What is looked at does not depend on how many workers there are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/check_log_command.h"
#include "harness/log_states.h"

namespace dmsim {

struct E2fsckOptions {
  LogStateOptions states{};
  std::uint64_t sample = 500;  // >= 1
  std::uint64_t seed = 1;
  unsigned jobs = 0;           // 0: one per processor
};

struct E2fsckFailure {
  StateName state;
  std::string sentence;
  std::vector<std::string> details;  // what survived, what e2fsck said
};

struct E2fsckReport {
  std::uint64_t all_states = 0;   // numbers there are, duplicates among them
  std::uint64_t duplicates = 0;   // in the sample
  std::uint64_t checked = 0;
  std::uint64_t workers_failed = 0;
  std::vector<E2fsckFailure> failures;  // in order of state
};

// An error if e2fsck is not there or a temporary image cannot be written.
Result<E2fsckReport> check_with_e2fsck(const WriteLog& log, const E2fsckOptions& options);

// The lines of e2fsck -p's output that say more than that journal and orphans were seen to.
std::vector<std::string> repairs_beyond_mount(const std::string& output);

}  // namespace dmsim
