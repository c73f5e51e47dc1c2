// What can be said about the simulated machine: the options of disks, faults and memory. Plain
// values, filled by a plan, read by the models. Every field lists its legal values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ratio.h"
#include "block/sector.h"
#include "sim/time.h"

namespace dmsim {

// How long something takes: a fresh draw from [least, most] each time.
struct DurationRange {
  Duration least;
  Duration most;  // >= least
  friend bool operator==(const DurationRange&, const DurationRange&) = default;
};

enum class CacheMode : std::uint8_t {
  kWriteBack,     // volatile cache: a write completes before it is durable
  kWriteThrough,  // no volatile cache: a completed write is durable, a flush never reaches the disk
};

enum class DiskContent : std::uint8_t {
  kOwn,   // every sector starts with bytes that no other sector of any disk has
  kZero,
};

struct DiskOptions {
  std::string name;
  std::uint64_t sectors = 16384;    // a multiple of 8
  CacheMode cache = CacheMode::kWriteBack;
  std::uint32_t atomic_sectors = 1; // 1 or 8: what a torn write is torn into
  std::uint64_t cache_sectors = 0;  // dirty sectors the cache holds before it must evict; 0: no limit
  DurationRange read{Duration::microseconds(20), Duration::microseconds(200)};
  DurationRange write{Duration::microseconds(20), Duration::microseconds(200)};
  DurationRange flush{Duration::microseconds(100), Duration::milliseconds(2)};
  DurationRange discard{Duration::microseconds(20), Duration::microseconds(200)};
  // Mean time between spontaneous evictions of one cached write; zero: none.
  Duration evict_every{};
  bool discard_supported = true;
  // A transfer moves a request's pages at up to this many instants; 1: all at one.
  std::uint32_t transfer_steps = 1;
  DiskContent content = DiskContent::kOwn;
  friend bool operator==(const DiskOptions&, const DiskOptions&) = default;
};

enum class FaultKind : std::uint8_t {
  kReadError,        // EIO, nothing delivered (sectors before the bad one may have been)
  kWriteError,       // EIO; the sectors before the bad one may have landed (no range: all may have)
  kFlushError,       // EIO, cached data may or may not have become durable
  kDiscardError,     // EIO, the data stays
  kDiscardRefused,   // EOPNOTSUPP although the disk says it understands discards
  kWriteLandsFails,  // EIO, but the data landed
  kDies,             // every request fails from some instant on, also after a power cut
  kRevives,          // dies; after the next power cut or at `heals`, it is back with its old content
  kLyingFlush,       // flush and FUA are acknowledged without effect
  kBitRot,           // a read delivers, and goes on delivering, a flipped bit until it is rewritten
  kMisdirectedWrite, // a write lands at another sector
};

struct FaultOptions {
  std::string disk;
  FaultKind kind = FaultKind::kReadError;
  std::optional<SectorRange> range{};       // only requests that touch it; none: all
  Duration from{};                        // not before this instant
  std::optional<Duration> heals{};          // over at this instant; none: never
  std::uint64_t skip = 0;                 // matching requests let through first
  std::optional<std::uint64_t> count{};     // strikes at most this often; none: always
  Ratio probability{1, 1};                // of striking a matching request
  bool after_reboot = false;              // still in force after a power cut
  friend bool operator==(const FaultOptions&, const FaultOptions&) = default;
};

struct MemoryOptions {
  std::uint64_t pages = 4096;      // page frames for caches, >= 8
  std::uint64_t low_pages = 0;     // kswapd wakes when fewer are free; 0: pages / 8
  std::uint64_t high_pages = 0;    // and works until this many are; 0: pages / 4
  bool stable_pages = false;       // writers wait while a page is under writeback
  friend bool operator==(const MemoryOptions&, const MemoryOptions&) = default;
};

struct PdflushOptions {
  Duration interval = Duration::seconds(5);  // between two passes; > 0
  Duration expire = Duration::seconds(30);   // age from which a dirty page is written
  bool nonblocking = false;                  // it passes by a device that is congested, as Linux 2.6 did
  friend bool operator==(const PdflushOptions&, const PdflushOptions&) = default;
};

}  // namespace dmsim
