// Which promises may be held against an engine that runs the plan. Everything that Linux does not promise
// under the plan's circumstances is left out here, and nothing else: each line says why.
#include <algorithm>

#include "harness/generate_draft.h"
#include "harness/oracle_names.h"

namespace dmsim::generate {
namespace {

bool fails_writes(const Draft& draft) {
  switch (draft.trouble) {
    case Trouble::kOneLeg:
    case Trouble::kFirstLeg:
    case Trouble::kRecovery:
    case Trouble::kMomentary:
    case Trouble::kLog: return true;
    default: return false;
  }
}

// Writes that failed on a leg wait for a repair (handle_errors without keep_log).
bool writes_may_be_held(const Draft& draft) {
  return draft.errors == Errors::kHandled && fails_writes(draft);
}

bool check_liveness(const Draft& draft) {
  if (draft.trouble == Trouble::kWild) return false;       // held, and nobody repairs
  if (draft.trouble == Trouble::kDishonest) return false;  // a broken log holds writes as well
  if (!writes_may_be_held(draft)) return true;
  return draft.repairs || draft.trouble == Trouble::kMomentary;
}

// Of a mirror's leg, or of its log.
bool fails_flushes(const Draft& draft) {
  if (draft.trouble == Trouble::kBeside) return false;
  return std::any_of(draft.plan.faults.begin(), draft.plan.faults.end(), [](const FaultOptions& fault) {
    return fault.kind == FaultKind::kFlushError || fault.kind == FaultKind::kDies ||
           fault.kind == FaultKind::kRevives;
  });
}

// Regions that the mirror calls in sync have equal legs, but for what was discarded.
bool legs_agree(const Draft& draft) {
  if (draft.trouble == Trouble::kWild) return false;
  // Without handle_errors a copy that failed counts as made (for pvmove), and a log that failed is ignored.
  // With keep_log writes go on after a failed flush, to the default leg alone, in regions that the log still
  // calls in sync.
  if (draft.errors == Errors::kKeepLog && fails_flushes(draft)) return false;
  return draft.errors != Errors::kIgnored || draft.trouble == Trouble::kNone ||
         draft.trouble == Trouble::kBeside || draft.trouble == Trouble::kDishonest;
}

// The newest content is on some leg, and the mirror knows on which.
bool check_contents(const Draft& draft) {
  if (draft.trouble == Trouble::kWild) return false;
  // Where legs differ, only the first one is to be read.
  if (draft.balances_reads() && !legs_agree(draft)) return false;
  // Without handle_errors a region whose source cannot be read counts as copied; with keep_log another leg
  // becomes the source, in sync or not.
  const bool unreadable = draft.trouble == Trouble::kReads || draft.trouble == Trouble::kAllDie;
  const bool cut = draft.plan.power_cut.when != PowerCutPlan::When::kNever;
  if (draft.errors != Errors::kHandled && unreadable && cut) return false;
  // Without handle_errors, or with keep_log, writes that the first leg failed are acknowledged all the
  // same; the first leg is believed again by whoever starts the mirror anew, and read for regions out of sync.
  return draft.trouble != Trouble::kFirstLeg || draft.errors == Errors::kHandled;
}

bool check_no_false_error(const Draft& draft) {
  if (!check_contents(draft)) return false;
  if (draft.trouble == Trouble::kDishonest) return false;  // what follows a broken log is honest of the engine
  // A suspend without noflush, or one that is interrupted, gives what is held back as errors.
  if (writes_may_be_held(draft) && (draft.suspends_with_flush || draft.interrupts)) return false;
  // keep_log: a log that fails ends writes with errors.
  return draft.trouble != Trouble::kLog || draft.errors != Errors::kKeepLog;
}

// Without handle_errors, or with keep_log, a first leg that failed and is believed again is copied over the leg
// that took a write meanwhile, perhaps before the rest of that write has ended.
bool check_no_false_success(const Draft& draft) {
  return draft.errors == Errors::kHandled || (draft.trouble != Trouble::kWild && check_contents(draft));
}

// Legs are equal where the mirror says so.
bool check_legs(const Draft& draft) {
  return legs_agree(draft) && !draft.discards();  // what was discarded may be one thing here and another there
}

bool check_stable_read(const Draft& draft) {
  return check_legs(draft) && check_contents(draft) &&
         (draft.errors == Errors::kHandled || draft.trouble == Trouble::kNone);
}

// After a failed flush a region keeps its entry, out of sync for good, although the log knows nothing of it:
// that is how it never becomes clean.
bool check_leaks(const Draft& draft) {
  // Where errors are handled the flush is held, and nothing comes to rest, until the mirror is replaced; or
  // until a suspend gives it back as an error.
  return !fails_flushes(draft) || draft.repairs;
}

// Whole pages of all legs are looked at when a write ends: before the first synchronisation, and where a leg
// has failed, a leg holds something else.
bool check_torn(const Draft& draft) {
  if (draft.trouble != Trouble::kNone || draft.reloads) return false;
  if (!draft.plan.machine.memory.stable_pages) return false;
  return std::all_of(draft.plan.tasks.begin(), draft.plan.tasks.end(), [&](const TaskPlan& task) {
    const auto* write = std::get_if<WriteTask>(&task.body);
    if (write != nullptr) return write->pace.start >= draft.synced;
    const auto* store = std::get_if<MmapStoreTask>(&task.body);
    if (store != nullptr) return store->pace.start >= draft.synced;
    const auto* script = std::get_if<IoTask>(&task.body);
    return script == nullptr || script->start >= draft.synced;
  });
}

}  // namespace

void make_checks(Draft& draft) {
  std::vector<std::string>& checks = draft.plan.checks;
  const auto add = [&](bool sound, std::string_view name) {
    if (sound) checks.emplace_back(name);
  };
  add(check_legs(draft), oracle::kLegsIdentical);
  // delayed-clean keeps a region dirty until its legs are equal, which is no promise before that.
  add(check_legs(draft) && !draft.cleans_late(), oracle::kNoFalseSync);
  add(check_contents(draft), oracle::kReadYourWrites);
  add(check_stable_read(draft), oracle::kStableRead);
  add(check_contents(draft), oracle::kDurability);
  add(check_contents(draft), oracle::kUntouched);
  add(check_no_false_error(draft), oracle::kNoFalseError);
  add(check_no_false_success(draft), oracle::kNoFalseSuccess);
  add(check_liveness(draft), oracle::kLiveness);
  add(check_leaks(draft), oracle::kNoLeak);
  add(draft.trouble != Trouble::kWild, oracle::kAnswers);
  add(check_torn(draft), oracle::kVersion);
}

}  // namespace dmsim::generate
