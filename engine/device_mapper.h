// DeviceMapper: the upper seam. The verbs of libdevmapper, the same for every engine.
//
// All verbs run in a fiber and may block, as ioctls do. Table lines are dmsetup's own syntax:
// "START LENGTH TARGET ARGS", one target a line; devices are named by the names of the scenario.
// Errors are Linux's errno values, with the engine's own explanation where it has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "block/device.h"
#include "sim/scheduler.h"

namespace dmsim {

struct DmError {
  int errno_value = 0;   // EINVAL, EBUSY, ENXIO, EIO, EINTR, ENOMEM, ENODEV, EEXIST, EOPNOTSUPP
  std::string reason;    // "Invalid number of mirrors"; may be empty
};
template <typename Value = Done>
using DmResult = Result<Value, DmError>;

struct SuspendOptions {
  bool noflush = false;      // DM_NOFLUSH_FLAG: failing bios are pushed back, not errored
  bool skip_lockfs = false;  // DM_SKIP_LOCKFS_FLAG: the file system is not frozen
  friend bool operator==(const SuspendOptions&, const SuspendOptions&) = default;
};

enum class TableSlot { kLive, kInactive };

// One region's state as a mirror claims it: the material of the oracles that watch a mirror.
struct MirrorRegion {
  bool in_sync = false;     // the log says all legs are equal
  bool clean = false;       // no write is under way, as far as the log's clean bit in memory says
  bool recovering = false;
  std::uint32_t pending = 0;  // writes under way
  bool tracked = false;       // an entry exists in the region hash
};

// What a mirror target claims about itself, for oracles. Never used by the engine.
class MirrorView {
 public:
  struct Leg {
    std::string device;
    Sector offset;
    bool failed;  // carries an error flag (status letter other than A)
  };
  virtual ~MirrorView() = default;
  virtual Sector begin() const = 0;  // of the target in its device
  virtual std::uint64_t sectors() const = 0;
  virtual std::uint32_t region_sectors() const = 0;
  virtual std::uint64_t region_count() const = 0;
  virtual const std::vector<Leg>& legs() const = 0;
  virtual std::string log_device() const = 0;  // empty: core log
  virtual MirrorRegion region(std::uint64_t index) const = 0;
  // Entries in the region hash, and of those how many are out of sync: for no-leak.
  virtual std::uint64_t tracked_regions() const = 0;
  virtual std::uint64_t held_bios() const = 0;
  // Grows whenever any region's claim may have changed; equal values: nothing to look at.
  virtual std::uint64_t claim_generation() const = 0;
  // Bytes copied so that legs cannot differ (bounce copies): the price of that cure, for statistics.
  virtual std::uint64_t bytes_copied() const { return 0; }
};

// What a clone target claims about itself, for oracles. Never used by the engine.
class CloneView {
 public:
  // Copies `count` sectors from `first` of the metadata device to `out`.
  using ReadMetadata = std::function<void(Sector first, std::uint32_t count, std::byte* out)>;
  virtual ~CloneView() = default;
  virtual Sector begin() const = 0;  // of the target in its device
  virtual std::uint64_t sectors() const = 0;
  virtual std::uint32_t region_sectors() const = 0;
  virtual std::uint64_t region_count() const = 0;
  virtual std::string metadata_device() const = 0;
  virtual std::string destination_device() const = 0;
  virtual std::string source_device() const = 0;
  // The region is read from the destination now: copied, overwritten or discarded.
  virtual bool hydrated(std::uint64_t region) const = 0;
  // Grows whenever hydrated() of some region may have changed.
  virtual std::uint64_t claim_generation() const = 0;
  // The regions that an activation from this content of the metadata device would take for hydrated.
  // Failure, in words: it would be refused.
  virtual Result<std::vector<bool>, std::string> hydrated_by(const ReadMetadata& metadata) const = 0;
  // Nothing is left to be done by itself: no copy, no commit.
  virtual bool settled() const { return true; }
};

// Something that went wrong inside an engine and is nobody's answer: a BUG, a WARN, a sleep in
// interrupt context, memory used after it was freed.
struct EngineTrouble {
  std::string kind;    // "BUG", "WARN", "use after free"
  std::string where;   // "drivers/md/dm-raid1.c:612"
  std::string what;    // in the engine's own words
  bool fatal = false;  // who ran into it does not run on
};

class DeviceMapper {
 public:
  virtual ~DeviceMapper() = default;

  virtual DmResult<> create(std::string_view device) = 0;
  // Parses `table` into the inactive slot, replacing what was there.
  virtual DmResult<> load(std::string_view device, std::string_view table) = 0;
  // Drains the device. A signal to the calling fiber ends it with EINTR, the device runs on.
  virtual DmResult<> suspend(std::string_view device, SuspendOptions options) = 0;
  // Swaps in the inactive table, if there is one (suspending with the default options first, when
  // the device is not suspended, as dmsetup does), and starts it.
  virtual DmResult<> resume(std::string_view device) = 0;
  virtual DmResult<> remove(std::string_view device) = 0;
  // One line per target: "START LENGTH TARGET STATUS", letter for letter as Linux prints it, with
  // device names in place of major:minor.
  virtual DmResult<std::string> status(std::string_view device) = 0;
  virtual DmResult<std::string> table(std::string_view device, TableSlot slot) = 0;
  virtual DmResult<std::string> message(std::string_view device, Sector sector,
                                        std::string_view text) = 0;
  // Blocks until the device's event number exceeds `seen`; returns it. A signal ends it with EINTR.
  virtual DmResult<std::uint32_t> wait_event(std::string_view device, std::uint32_t seen) = 0;
  virtual DmResult<std::uint32_t> event_number(std::string_view device) = 0;

  // The mapped device to submit bios to; null when there is none of that name. Valid until removed.
  virtual BlockDevice* find(std::string_view device) = 0;
  // What to freeze on suspend without skip_lockfs; null: nothing is mounted. Not owned.
  virtual void set_freezer(std::string_view device, Freezer* freezer) = 0;

  // Grows whenever the live table of any device is swapped in or dropped: what was learnt of tables and
  // views before is void.
  virtual std::uint64_t table_generation() const = 0;
  // Mirror targets of the live table, for oracles; valid until the table goes. Empty: none.
  virtual std::vector<const MirrorView*> mirrors(std::string_view device) = 0;
  // Clone targets of the live table, likewise.
  virtual std::vector<const CloneView*> clones(std::string_view device) {
    (void)device;
    return {};
  }
  // What went wrong inside the engine so far, oldest first; only ever grows.
  virtual const std::vector<EngineTrouble>& troubles() const {
    static const std::vector<EngineTrouble> kNone;
    return kNone;
  }
  // Bios that entered mapped devices and have not ended.
  virtual std::uint64_t bios_in_flight() const = 0;
  // In words, every resource that is not back at its baseline although nothing is under way
  // ("2 bios of mempool mirror reads"); empty: none.
  virtual std::vector<std::string> leaks() = 0;
};

// What an engine is given: the world around it. Everything outlives the engine.
class DeviceLookup {
 public:
  // A simulated disk of that name; null when there is none.
  virtual BlockDevice* find_disk(std::string_view name) = 0;

 protected:
  ~DeviceLookup() = default;
};

// The memory that an engine's own allocations come from. What it takes is given back at once: all that counts is
// that a page frame can be had.
class KernelMemory {
 public:
  virtual void need_frame() = 0;  // GFP_KERNEL: may wait for pages to be written

 protected:
  ~KernelMemory() = default;
};

struct EngineEnvironment {
  Scheduler& scheduler;
  PageSpace& pages;
  BioPool& bios;
  DeviceLookup& devices;
  KernelMemory* memory = nullptr;  // null: there is always enough
};

}  // namespace dmsim
