// A plan in the making: the plan itself, and what the makers of its parts must know of each other. Used by
// generate*.cc only.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "harness/generate.h"

namespace dmsim::generate {

// What goes wrong below. One kind of trouble a plan, since what may be promised depends on it.
enum class Trouble : std::uint8_t {
  kNone,
  kOneLeg,      // a leg other than the first fails writes, flushes or everything
  kReads,       // reads fail, on all legs but one at most
  kFirstLeg,    // the first leg fails, after the mirror is in sync
  kLog,         // the log's disk fails
  kDiscards,    // discards are refused
  kRecovery,    // a leg other than the first fails during the first synchronisation
  kMomentary,   // a leg other than the first fails once, and the administrator tries again
  kAllDie,      // every leg dies, before anybody uses the device
  kBeside,      // the disk of a linear target beside a mirror fails flushes
  kDishonest,   // disks lie
  kWild,        // anything, anywhere
};
inline constexpr std::uint64_t kTroubles = 12;

inline constexpr const char* kPlainDisk = "plain";  // of a linear target beside the mirrors

enum class Errors : std::uint8_t { kHandled, kIgnored, kKeepLog };

struct LegDraft {
  std::string device;  // as the table names it: a disk, or a linear device over one
  Sector offset = 0;
  std::string disk;
};

struct MirrorDraft {
  std::string device;            // the mapped device that holds it
  Sector begin = 0;              // there
  std::uint64_t sectors = 0;
  std::uint32_t region_sectors = 64;
  std::vector<LegDraft> legs;    // 2 or 3
  std::string log_disk;          // empty: core log
  std::uint64_t regions() const { return (sectors + region_sectors - 1) / region_sectors; }
};

struct Draft {
  Draft(ChoiceSource& source, const GeneratorOptions& generator_options)
      : choices(source), options(generator_options) {}

  // [0, bound)
  std::uint64_t pick(const ChoicePoint& point, std::uint64_t bound) {
    return choices.draw(point, Actor::kNobody, bound);
  }
  // least when drawn plain
  std::uint64_t between(const ChoicePoint& point, std::uint64_t least, std::uint64_t most) {
    return least + pick(point, most - least + 1);
  }
  bool odds(const ChoicePoint& point, std::uint32_t part, std::uint32_t whole) {
    return choices.chance(point, Actor::kNobody, {part, whole});
  }
  template <typename T>
  T among(const ChoicePoint& point, std::initializer_list<T> values) {
    return values.begin()[pick(point, values.size())];
  }

  // A switch has that value, and not because it is the fixed one.
  bool planted(const std::string& name, std::string_view value) const {
    const auto found = options.switches.find(name);
    return found != options.switches.end() && found->second == value;
  }
  // Reads go to any leg that the mirror takes for good, not to the first one.
  bool balances_reads() const {
    return planted("mirror.read_balance", "round-robin") || planted("mirror.read_balance", "chosen");
  }
  // Regions stay dirty for long, and their legs differ as long.
  bool cleans_late() const { return planted("mirror.buffer", "delayed-clean"); }
  bool uses_page_cache() const;
  bool discards() const;
  DiskOptions& disk(const std::string& name);

  ChoiceSource& choices;
  const GeneratorOptions& options;
  Plan plan;

  Trouble trouble = Trouble::kNone;
  Errors errors = Errors::kHandled;
  std::vector<MirrorDraft> mirrors;   // at least 1
  std::string user;                   // the device that tasks use: the top of the stack
  std::uint64_t user_sectors = 0;
  SectorRange beside;                 // of the linear target that fails flushes, on `user`; mostly empty
  bool stacked = false;               // users use another device than the mirrors' own
  bool legs_are_disks = true;         // else linear devices
  Duration synced;                    // the first synchronisation has ended by then, left alone
  Duration trouble_begins;
  Duration trouble_ends;              // zero: never
  Duration last_start;                // the latest start of a task

  // What the administrator does, for what may be promised.
  bool suspends = false;
  bool suspends_with_flush = false;   // a suspend that fails what is held
  bool interrupts = false;
  bool reloads = false;
  bool repairs = false;               // ends without the leg, or with a log in memory: no write is held for good
  bool restarts_later = false;        // the device is suspended and resumed again after the trouble
};

// Devices, faults, tasks and checks of a plan about a clone, in place of all that follows; the same about
// snapshots, and about volume groups of LVM2.
void make_clone_plan(Draft& draft);
void make_snapshot_plan(Draft& draft);
void make_lvm_plan(Draft& draft);

// The same about LVM1, and about pvmove of LVM2.
void make_lvm1_plan(Draft& draft);
void make_pvmove_plan(Draft& draft);

void make_devices(Draft& draft);
void make_trouble(Draft& draft);
void make_tasks(Draft& draft);
void make_administrator(Draft& draft);
void make_power_cut(Draft& draft);
void make_checks(Draft& draft);

// The table of the mapped device as made, with each mirror's line as `line` says; used by reloads.
std::string mirror_line(const MirrorDraft& mirror, Errors errors);

// What is drawn of a disk besides its latencies.
struct DiskDraws {
  Ratio write_through = {1, 6};  // how often it has no volatile cache
  bool sizes = true;             // of its cache, and of what it transfers at once
  bool kinds = true;             // sectors of 4 KiB, no discards
};
// The disk stands last in the plan.
DiskOptions& add_disk(Draft& draft, std::string name, std::uint64_t sectors, const DiskDraws& draws = {});
void draw_latencies(Draft& draft, DiskOptions& disk);

// Those who read a part of a device, or store to its pages.
inline TaskBody reader_of(std::string device, SectorRange part, Pace pace) {
  ReadTask read;
  read.device = std::move(device);
  read.area.range = part;
  read.pace = pace;
  return read;
}
inline TaskBody storer_to(std::string device, SectorRange part, Pace pace) {
  MmapStoreTask store;
  store.device = std::move(device);
  store.range = part;
  store.pace = pace;
  return store;
}

}  // namespace dmsim::generate
