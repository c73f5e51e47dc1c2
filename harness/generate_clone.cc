// Generated plans about clones: a clone alone, below a linear device or beside one, with every feature; users
// as in any other plan; an administrator who tunes hydration, suspends, and loads tables; one kind of trouble.
//
// What may be promised differs from mirrors: a failed commit takes regions back to the source, by design, so
// whatever follows from it is left out.
#include <algorithm>

#include <fmt/format.h>

#include "harness/generate_draft.h"
#include "harness/oracle_names.h"

namespace dmsim::generate {
namespace {

constexpr ChoicePoint kTroubleKind{"plan.clone.trouble"};
constexpr ChoicePoint kRegionSize{"plan.clone.region"};
constexpr ChoicePoint kRegionCount{"plan.clone.regions"};
constexpr ChoicePoint kShortRegion{"plan.clone.short-region"};
constexpr ChoicePoint kManyRegions{"plan.clone.many-regions"};
constexpr ChoicePoint kNoHydration{"plan.clone.no-hydration"};
constexpr ChoicePoint kNoPassdown{"plan.clone.no-passdown"};
constexpr ChoicePoint kThreshold{"plan.clone.threshold"};
constexpr ChoicePoint kBatch{"plan.clone.batch"};
constexpr ChoicePoint kLayout{"plan.clone.layout"};
constexpr ChoicePoint kAdminSteps{"plan.clone.admin"};
constexpr ChoicePoint kAdminVerb{"plan.clone.admin.verb"};
constexpr ChoicePoint kAdminStart{"plan.clone.admin.start"};
constexpr ChoicePoint kAdminSleep{"plan.clone.admin.sleep"};
constexpr ChoicePoint kNoflush{"plan.clone.admin.noflush"};
constexpr ChoicePoint kFaultKind{"plan.clone.fault"};
constexpr ChoicePoint kFaultDisk{"plan.clone.fault.disk"};
constexpr ChoicePoint kFaultSkip{"plan.clone.fault.skip"};
constexpr ChoicePoint kFaultCount{"plan.clone.fault.count"};
constexpr ChoicePoint kFaultFrom{"plan.clone.fault.from"};

constexpr ChoicePoint kRaceRegion{"plan.clone.race.region"};
constexpr ChoicePoint kRaceStart{"plan.clone.race.start"};

enum class CloneTrouble : std::uint8_t {
  kNone,
  kDiscards,   // users discard; the destination may refuse
  kSource,     // reads of the source fail
  kWrites,     // writes to the destination fail
  kCommits,    // the metadata's disk fails, or the destination's flushes
  kDishonest,  // disks lie
};

// A kernel's metadata are a tree of blocks, of which a transaction needs two generations.
constexpr Sector kMetadataSectors = 512;
constexpr Sector kPlainSectors = 40;  // of a linear target in front of the clone

// The clone's line, without its begin, and its sizes.
std::string draw_line(Draft& draft, std::uint64_t* sectors, std::uint64_t* region_sectors) {
  const auto region = draft.among<std::uint64_t>(kRegionSize, {16, 8, 32, 64});
  // Now and then more than one word of bits.
  const bool many = draft.odds(kManyRegions, 1, 6);
  const std::uint64_t regions =
      many ? draft.between(kRegionCount, 60, 70) : draft.between(kRegionCount, 64 / region + 2, 24);
  *sectors = regions * std::min<std::uint64_t>(region, many ? 8 : 64);
  const std::uint64_t size = many ? 8 : region;
  *region_sectors = size;
  if (size > 8 && draft.odds(kShortRegion, 1, 4)) *sectors -= 8;
  std::string features;
  std::uint64_t count = 0;
  if (draft.odds(kNoHydration, 1, 3)) features += " no_hydration", ++count;
  if (draft.odds(kNoPassdown, 1, 4)) features += " no_discard_passdown", ++count;
  return fmt::format("{} clone meta dest src {} {}{} 4 hydration_threshold {} hydration_batch_size {}",
                     *sectors, size, count, features, draft.among(kThreshold, {1, 4, 16, 2}),
                     draft.among(kBatch, {1, 1, 4, 3}));
}

// Returns where in "lv" the clone begins.
Sector make_clone_devices(Draft& draft, std::string* table, std::uint64_t* region_sectors) {
  std::uint64_t sectors = 0;
  const std::string line = draw_line(draft, &sectors, region_sectors);
  add_disk(draft, "src", sectors);
  add_disk(draft, "dest", sectors);
  add_disk(draft, "meta", kMetadataSectors);
  draft.disk("meta").content = DiskContent::kZero;
  *table = "0 " + line;
  draft.user = "lv";
  draft.user_sectors = sectors;
  const std::uint64_t layout = draft.pick(kLayout, 6);
  if (layout == 5) {
    add_disk(draft, "plain", kPlainSectors);
    *table = fmt::format("0 {0} linear plain 0\n{0} {1}", kPlainSectors, line);
    draft.user_sectors += kPlainSectors;
  }
  draft.plan.devices.push_back({"lv", *table, true});
  if (layout == 4) {
    draft.user = "top";
    draft.user_sectors -= 16;
    draft.plan.devices.push_back({"top", fmt::format("0 {} linear lv 8", draft.user_sectors), true});
  }
  draft.synced = Duration::milliseconds(30);
  return layout == 5 ? kPlainSectors : 0;
}

void add_fault(Draft& draft, const std::string& disk, FaultKind kind) {
  FaultOptions fault;
  fault.disk = disk;
  fault.kind = kind;
  // Devices come up well: refusing to is no finding. A clone reads its metadata twice at most, and may make them.
  const DiskOptions& meta = draft.disk("meta");
  fault.from = Duration::milliseconds(static_cast<std::int64_t>(draft.between(kFaultFrom, 25, 60))) +
               meta.read.most * 8 + meta.write.most * 4 + meta.flush.most * 2;
  fault.skip = draft.among<std::uint64_t>(kFaultSkip, {0, 1, 3, 8});
  fault.count = draft.among<std::optional<std::uint64_t>>(kFaultCount, {1, std::nullopt, 3});
  if (kind == FaultKind::kDies) fault.skip = 0, fault.count = std::nullopt;
  draft.plan.faults.push_back(std::move(fault));
}

void make_clone_faults(Draft& draft, CloneTrouble trouble) {
  switch (trouble) {
    case CloneTrouble::kNone: return;
    case CloneTrouble::kDiscards:
      if (draft.odds(kFaultKind, 1, 3)) add_fault(draft, "dest", FaultKind::kDiscardRefused);
      return;
    case CloneTrouble::kSource: return add_fault(draft, "src", FaultKind::kReadError);
    case CloneTrouble::kWrites:
      return add_fault(draft, "dest", draft.among(kFaultKind, {FaultKind::kWriteError,
                                                               FaultKind::kWriteLandsFails}));
    case CloneTrouble::kCommits: {
      const std::string disk = draft.among<std::string>(kFaultDisk, {"meta", "meta", "dest"});
      const FaultKind kind =
          disk == "dest" ? FaultKind::kFlushError
                         : draft.among(kFaultKind, {FaultKind::kWriteError, FaultKind::kFlushError,
                                                    FaultKind::kWriteLandsFails, FaultKind::kDies});
      return add_fault(draft, disk, kind);
    }
    case CloneTrouble::kDishonest:
      return add_fault(draft, draft.among<std::string>(kFaultDisk, {"dest", "meta"}),
                       FaultKind::kLyingFlush);
  }
  UNMODELLED("kind of trouble of a clone");
}

// A write brings about a copy, and the region is discarded and written to while that is under way.
void make_race(Draft& draft, Sector clone_begin, std::uint64_t region_sectors) {
  const Sector shift = draft.user == "top" ? 8 : 0;
  // Whole regions that users reach, but for the first, of which they may not see the begin.
  const std::uint64_t regions = (draft.user_sectors - clone_begin + shift) / region_sectors - 1;
  const Sector region = clone_begin + (1 + draft.pick(kRaceRegion, regions)) * region_sectors - shift;
  const std::string whole = fmt::format("D{}+{}", region, region_sectors);
  const std::string part = fmt::format("{}+2", region + 4);
  IoTask task;
  task.device = draft.user;
  task.start = Duration::milliseconds(draft.among(kRaceStart, {1, 2, 5, 10}));
  task.script = fmt::format("W{0}+1 {1} c({1}) W{2} c(W{2}) F c(F) R{2}", region, whole, part);
  draft.plan.tasks.push_back({"racer", std::move(task)});
}

// Tunes, suspends, and loads the same table anew while the old one is at work.
void make_clone_administrator(Draft& draft, const std::string& table, Sector clone_begin) {
  const std::uint64_t count = draft.pick(kAdminSteps, 5);
  if (count == 0) return;
  DmsetupTask admin;
  admin.start = Duration::milliseconds(draft.among(kAdminStart, {1, 5, 20}));
  const auto add = [&](DmsetupStep::Verb verb, std::string text = {}) {
    DmsetupStep step;
    step.verb = verb;
    step.device = verb == DmsetupStep::Verb::kSleep ? "" : "lv";
    step.text = std::move(text);
    if (verb == DmsetupStep::Verb::kMessage) step.sector = clone_begin;
    admin.steps.push_back(std::move(step));
  };
  const auto sleep = [&] {
    add(DmsetupStep::Verb::kSleep);
    admin.steps.back().duration = Duration::milliseconds(draft.among(kAdminSleep, {2, 10, 1}));
  };
  for (std::uint64_t i = 0; i < count; ++i) {
    switch (draft.pick(kAdminVerb, 7)) {
      case 0: add(DmsetupStep::Verb::kStatus); break;
      case 1: add(DmsetupStep::Verb::kMessage, "enable_hydration"); break;
      case 2: add(DmsetupStep::Verb::kMessage, "disable_hydration"); break;
      case 3: add(DmsetupStep::Verb::kMessage, "hydration_threshold 8"); break;
      case 4: add(DmsetupStep::Verb::kMessage, "hydration_batch_size 2"); break;
      case 5:
        add(DmsetupStep::Verb::kSuspend);
        admin.steps.back().suspend.noflush = draft.odds(kNoflush, 1, 3);
        sleep();
        add(DmsetupStep::Verb::kResume);
        break;
      case 6:
        draft.reloads = true;
        add(DmsetupStep::Verb::kLoad, table);
        sleep();
        add(DmsetupStep::Verb::kResume);
        break;
    }
    sleep();
  }
  draft.plan.tasks.push_back({"admin", std::move(admin)});
}

// A commit that fails gives its regions back to the source: what was written there since is gone, as after a
// power cut, although nobody was told.
void make_clone_checks(Draft& draft, CloneTrouble trouble) {
  std::vector<std::string>& checks = draft.plan.checks;
  const auto add = [&](bool sound, std::string_view name) {
    if (sound) checks.emplace_back(name);
  };
  const bool commits_fail = trouble == CloneTrouble::kCommits;
  const bool dishonest = trouble == CloneTrouble::kDishonest;
  // A new table knows nothing of a commit that failed under the old one: it flushes, and that succeeds.
  const bool forgets = commits_fail && draft.reloads;
  // A disk of metadata that is dead, or has forgotten both slots, is no clone any more.
  const bool comes_up = !commits_fail && !dishonest;
  add(!dishonest && !forgets, oracle::kCommittedDurable);
  add(!commits_fail, oracle::kReadYourWrites);
  add(!commits_fail, oracle::kStableRead);
  add(!forgets, oracle::kDurability);
  add(true, oracle::kUntouched);
  add(!commits_fail, oracle::kNoFalseError);
  add(!commits_fail, oracle::kNoFalseSuccess);
  add(comes_up, oracle::kLiveness);
  add(!commits_fail, oracle::kNoLeak);
  add(trouble == CloneTrouble::kNone, oracle::kAnswers);
}

}  // namespace

void make_clone_plan(Draft& draft) {
  const auto trouble = draft.among(
      kTroubleKind, {CloneTrouble::kNone, CloneTrouble::kNone, CloneTrouble::kNone, CloneTrouble::kDiscards,
                     CloneTrouble::kDiscards, CloneTrouble::kSource, CloneTrouble::kWrites,
                     CloneTrouble::kCommits, CloneTrouble::kCommits, CloneTrouble::kDishonest});
  draft.trouble = trouble == CloneTrouble::kNone       ? Trouble::kNone
                  : trouble == CloneTrouble::kDiscards ? Trouble::kDiscards
                                                       : Trouble::kWild;
  std::string table;
  std::uint64_t region = 0;
  const Sector begin = make_clone_devices(draft, &table, &region);
  make_clone_faults(draft, trouble);
  // Copies that fail are tried again at once, for ever, as in Linux: that never comes to rest.
  if (!draft.plan.faults.empty()) draft.plan.machine.settle = Duration::seconds(3);
  make_tasks(draft);
  if (trouble == CloneTrouble::kDiscards && draft.plan.faults.empty()) make_race(draft, begin, region);
  make_clone_administrator(draft, table, begin);
  make_power_cut(draft);
  make_clone_checks(draft, trouble);
}

}  // namespace dmsim::generate
