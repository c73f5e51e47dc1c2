// What the administrator does: routines of a few verbs, each of which leaves the device running. Where a
// leg or a log fails and writes are held for it, one of them may be the repair that dmeventd would make.
#include <algorithm>

#include <fmt/format.h>

#include "harness/generate_draft.h"

namespace dmsim::generate {
namespace {

constexpr ChoicePoint kRoutines{"plan.admin.routines"};
constexpr ChoicePoint kRoutine{"plan.admin.routine"};
constexpr ChoicePoint kDevice{"plan.admin.device"};
constexpr ChoicePoint kStart{"plan.admin.start"};
constexpr ChoicePoint kSleep{"plan.admin.sleep"};
constexpr ChoicePoint kNoflush{"plan.admin.noflush"};
constexpr ChoicePoint kSkipLockfs{"plan.admin.skip-lockfs"};
constexpr ChoicePoint kInterrupt{"plan.admin.interrupted"};
constexpr ChoicePoint kRepairs{"plan.admin.repairs"};
constexpr ChoicePoint kRepairDelay{"plan.admin.repair-delay"};
constexpr ChoicePoint kOddJobs{"plan.admin.odd-jobs"};

using Verb = DmsetupStep::Verb;
using Steps = std::vector<DmsetupStep>;

DmsetupStep step(Verb verb, const std::string& device) {
  DmsetupStep out;
  out.verb = verb;
  out.device = device;
  return out;
}

DmsetupStep sleep(Duration duration) {
  DmsetupStep out;
  out.verb = Verb::kSleep;
  out.duration = duration;
  return out;
}

DmsetupStep sleep_a_while(Draft& draft) {
  return sleep(draft.among<Duration>(kSleep, {Duration::milliseconds(1), Duration::microseconds(50),
                                              Duration::milliseconds(5), Duration::milliseconds(20)}));
}

DmsetupStep load(const std::string& device, std::string table) {
  DmsetupStep out = step(Verb::kLoad, device);
  out.text = std::move(table);
  return out;
}

DmsetupStep draw_suspend(Draft& draft, const std::string& device) {
  DmsetupStep out = step(Verb::kSuspend, device);
  out.suspend.noflush = draft.odds(kNoflush, 1, 2);
  out.suspend.skip_lockfs = draft.odds(kSkipLockfs, 1, 3);
  draft.suspends = true;
  if (!out.suspend.noflush) draft.suspends_with_flush = true;
  return out;
}

const std::string& table_of(const Draft& draft, const std::string& device) {
  const auto found = std::find_if(draft.plan.devices.begin(), draft.plan.devices.end(),
                                  [&](const DevicePlan& each) { return each.name == device; });
  CHECK(found != draft.plan.devices.end(), device);
  return found->table;
}

// The first leg's troubles, and an unreadable one, are mended by a leg that is in sync; a mirror that is
// loaded anew may have forgotten which that is.
bool may_reload(const Draft& draft) {
  // Nor may the leg that a repair has thrown out come back.
  return !draft.repairs && draft.trouble != Trouble::kFirstLeg && draft.trouble != Trouble::kReads &&
         draft.trouble != Trouble::kAllDie;
}

void suspend_and_resume(Draft& draft, const std::string& device, Steps& steps) {
  steps.push_back(draw_suspend(draft, device));
  steps.push_back(sleep_a_while(draft));
  steps.push_back(step(Verb::kResume, device));
}

void reload(Draft& draft, const std::string& device, Steps& steps) {
  draft.reloads = true;
  steps.push_back(load(device, table_of(draft, device)));
  steps.push_back(sleep_a_while(draft));
  suspend_and_resume(draft, device, steps);
}

// resume suspends by itself.
void reload_and_resume(Draft& draft, const std::string& device, Steps& steps) {
  draft.reloads = draft.suspends = draft.suspends_with_flush = true;
  steps.push_back(load(device, table_of(draft, device)));
  steps.push_back(step(Verb::kResume, device));
}

void interrupted_suspend(Draft& draft, const std::string& device, Steps& steps) {
  draft.interrupts = true;
  DmsetupStep interrupted = draw_suspend(draft, device);
  interrupted.interrupted_after =
      Duration::microseconds(static_cast<std::int64_t>(draft.between(kInterrupt, 1, 2000)));
  interrupted.answer = "any";
  steps.push_back(interrupted);
  steps.push_back(sleep_a_while(draft));
  steps.push_back(draw_suspend(draft, device));
  steps.push_back(step(Verb::kResume, device));
}

void refused_freeze(Draft& draft, const std::string& device, Steps& steps) {
  DmsetupStep refused = step(Verb::kSuspend, device);
  refused.freeze_fails = true;
  // A page cache that is opened meanwhile brings a file system of its own, which does freeze.
  refused.answer = draft.uses_page_cache() ? "any" : "EIO";
  draft.suspends = draft.suspends_with_flush = true;
  steps.push_back(refused);
  steps.push_back(sleep_a_while(draft));
  steps.push_back(draw_suspend(draft, device));
  steps.push_back(step(Verb::kResume, device));
}

void look(Draft& draft, const std::string& device, Steps& steps) {
  steps.push_back(step(Verb::kStatus, device));
  steps.push_back(sleep_a_while(draft));
  steps.push_back(step(Verb::kTable, device));
}

void add_routine(Draft& draft, Steps& steps) {
  // Of the devices that users' requests pass through.
  std::vector<std::string> devices;
  for (auto each = draft.plan.devices.rbegin(); each != draft.plan.devices.rend(); ++each) {
    if (each->boot) devices.push_back(each->name);
  }
  const std::string device = devices[draft.pick(kDevice, devices.size())];
  switch (draft.pick(kRoutine, 6)) {
    case 0: return suspend_and_resume(draft, device, steps);
    case 1: return look(draft, device, steps);
    case 2:
      return may_reload(draft) ? reload(draft, device, steps) : look(draft, device, steps);
    case 3:
      return may_reload(draft) ? reload_and_resume(draft, device, steps)
                               : look(draft, device, steps);
    case 4: return interrupted_suspend(draft, device, steps);
    case 5: return refused_freeze(draft, device, steps);
    default: UNMODELLED("routine of an administrator");
  }
}

// The table without the legs that fail, or with the log in memory. Mirrors without trouble stay.
std::string repaired_table(const Draft& draft) {
  std::string out;
  const auto fails = [&](const std::string& disk) {
    return std::any_of(draft.plan.faults.begin(), draft.plan.faults.end(),
                       [&](const FaultOptions& fault) { return fault.disk == disk; });
  };
  const std::string& old = table_of(draft, "lv");
  for (std::size_t at = 0; at < old.size();) {
    const std::size_t end = std::min(old.find('\n', at), old.size());
    std::string line = old.substr(at, end - at);
    at = end + 1;
    for (const MirrorDraft& mirror : draft.mirrors) {
      if (mirror_line(mirror, draft.errors) != line) continue;
      MirrorDraft left = mirror;
      std::erase_if(left.legs, [&](const LegDraft& leg) { return fails(leg.disk); });
      if (!left.log_disk.empty() && fails(left.log_disk)) left.log_disk.clear();
      CHECK(!left.legs.empty());
      line = left.legs.size() > 1
                 ? mirror_line(left, draft.errors)
                 : fmt::format("{} {} linear {} {}", left.begin, left.sectors, left.legs[0].device,
                               left.legs[0].offset);
    }
    out += (out.empty() ? "" : "\n") + line;
  }
  return out;
}

void repair(Draft& draft, Steps& steps) {
  Duration after = draft.synced;
  for (const FaultOptions& fault : draft.plan.faults) after = std::max(after, fault.from);
  steps.push_back(sleep(after + draft.among<Duration>(kRepairDelay, {Duration::milliseconds(30),
                                                                     Duration::milliseconds(5),
                                                                     Duration::milliseconds(100)})));
  steps.push_back(load("lv", repaired_table(draft)));
  DmsetupStep suspend = step(Verb::kSuspend, "lv");
  suspend.suspend.noflush = true;
  steps.push_back(suspend);
  steps.push_back(step(Verb::kResume, "lv"));
}

// The trouble is over: once more, and now everything is synchronised.
void try_again(Draft& draft, Steps& steps) {
  draft.restarts_later = true;
  steps.push_back(sleep(draft.trouble_ends + Duration::milliseconds(5)));
  DmsetupStep suspend = step(Verb::kSuspend, "lv");
  suspend.suspend.noflush = true;
  steps.push_back(suspend);
  steps.push_back(step(Verb::kResume, "lv"));
  for (const MirrorDraft& mirror : draft.mirrors) {
    DmsetupStep wait = step(Verb::kWaitStatus, "lv");
    wait.text = fmt::format("{}/{}", mirror.regions(), mirror.regions());
    wait.duration = Duration::milliseconds(1);
    steps.push_back(wait);
  }
}

DiskOptions plain_disk(std::string name, std::uint64_t sectors) {
  DiskOptions disk;
  disk.name = std::move(name);
  disk.sectors = sectors;
  return disk;
}

// A device that nobody uses comes and goes while it is being synchronised.
void come_and_go(Draft& draft, Steps& steps) {
  draft.plan.disks.push_back(plain_disk("spare0", 256));
  draft.plan.disks.push_back(plain_disk("spare1", 256));
  const std::string table = "0 256 mirror core 1 32 2 spare0 0 spare1 0 1 handle_errors";
  draft.plan.devices.push_back({"spare", table, false});
  steps.push_back(step(Verb::kCreate, "spare"));
  steps.push_back(load("spare", table));
  steps.push_back(step(Verb::kResume, "spare"));
  steps.push_back(sleep_a_while(draft));
  steps.push_back(step(Verb::kRemove, "spare"));
}

// 32768 regions want 4 KiB of bits behind the log's header, and the disk has 4 KiB for both.
void too_small_log(Draft& draft, Steps& steps) {
  draft.plan.disks.push_back(plain_disk("wide", 131072));
  draft.plan.disks.push_back(plain_disk("tiny", 8));
  const std::string table = "0 65536 mirror disk 2 tiny 2 2 wide 0 wide 65536 1 handle_errors";
  draft.plan.devices.push_back({"wide-lv", table, false});
  steps.push_back(step(Verb::kCreate, "wide-lv"));
  steps.push_back(load("wide-lv", table));
  steps.back().answer = "EINVAL";
  steps.push_back(step(Verb::kRemove, "wide-lv"));
}

void add_task(Draft& draft, const std::string& name, Duration start, Steps steps) {
  if (steps.empty()) return;
  draft.plan.tasks.push_back({name, DmsetupTask{start, std::move(steps)}});
}

}  // namespace

void make_administrator(Draft& draft) {
  const bool may_hold = draft.errors == Errors::kHandled &&
                        (draft.trouble == Trouble::kOneLeg || draft.trouble == Trouble::kFirstLeg ||
                         draft.trouble == Trouble::kLog || draft.trouble == Trouble::kRecovery);
  draft.repairs = may_hold && draft.odds(kRepairs, 1, 2);

  // One after the other: two administrators of one device would be a matter of their own.
  Steps steps;
  // Nobody touches the device before its repair: a suspend from above, or one that freezes, would wait for the
  // writes that are held.
  const bool mends = draft.repairs || draft.trouble == Trouble::kMomentary;
  // A suspend leaves dirty what is not yet clean, to be recovered from a leg that may not be readable.
  const bool stays_up = draft.cleans_late() && draft.trouble == Trouble::kReads;
  const std::uint64_t routines =
      mends || stays_up ? 0 : draft.among<std::uint64_t>(kRoutines, {0, 0, 1, 2, 3});
  const Duration start =
      mends ? Duration()
            : draft.among<Duration>(kStart, {Duration::milliseconds(4), Duration(),
                                             Duration::milliseconds(1), draft.synced,
                                             draft.synced + Duration::milliseconds(15)});
  for (std::uint64_t i = 0; i < routines; ++i) add_routine(draft, steps);
  if (draft.repairs) repair(draft, steps);
  if (draft.trouble == Trouble::kMomentary) try_again(draft, steps);
  add_task(draft, "admin", start, std::move(steps));

  steps.clear();
  switch (draft.pick(kOddJobs, 12)) {
    case 10: come_and_go(draft, steps); break;
    case 11: too_small_log(draft, steps); break;
    default: break;
  }
  add_task(draft, "odd-jobs", Duration::milliseconds(1), std::move(steps));
}

}  // namespace dmsim::generate
