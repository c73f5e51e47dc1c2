// Target: one row of a mapped device's table, and what dm core and a target are to each other.
// The contract is that of Linux's struct target_type (include/linux/device-mapper.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "engine/device_mapper.h"
#include "engine/switches.h"

namespace dmsim::native {

// What a target did with a bio handed to map().
enum class MapResult : std::uint8_t {
  kSubmitted,  // the target keeps it and will complete it (DM_MAPIO_SUBMITTED)
  kRemapped,   // core submits it to `bio.device` (DM_MAPIO_REMAPPED)
  kRequeue,    // core pushes it back (DM_MAPIO_REQUEUE)
  kKill,       // core fails it with EIO (DM_MAPIO_KILL)
};

// What a target's end_io makes of a finished clone.
enum class EndResult : std::uint8_t {
  kDone,        // pass `status` up (DM_ENDIO_DONE)
  kIncomplete,  // the target has taken it back and will complete it again (DM_ENDIO_INCOMPLETE)
  kRequeue,     // push the original back (DM_ENDIO_REQUEUE)
};

class Target;

// A clone on its way through a target. Allocated and freed by core. Until the target has answered
// kRemapped, called TargetHost::submit() or TargetHost::finish(), bio.next is the target's to queue by.
struct TargetBio {
  Bio bio;                         // addresses on the device of the target's table until remapped
  BlockDevice* device = nullptr;   // set by map() when it answers kRemapped
  std::uint32_t duplicate = 0;     // of a flush or discard sent several times: 0 .. n-1
  void* original = nullptr;        // core's own
  std::uint64_t words[4] = {};     // the target's own, zero at map()
  Target* target = nullptr;        // core's own: whose clone this is
};

// The clone whose first member `bio` is: how a target that queues clones in a BioList gets them back.
inline TargetBio& target_bio_of(Bio& bio) {
  static_assert(std::is_standard_layout_v<TargetBio>);
  return reinterpret_cast<TargetBio&>(bio);
}

// A stretch of a lower device that a target's data lives on (what iterate_devices tells of).
struct TargetDevice {
  BlockDevice* device;
  Sector begin;           // on that device
  std::uint64_t length;   // in sectors, > 0
};

enum class StatusKind : std::uint8_t { kInfo, kTable };

// What the targets of one engine share among themselves, across tables and devices: Linux keeps such
// things in lists of the module. Goes with the engine, after all targets.
class SharedState {
 public:
  virtual ~SharedState() = default;
};
using MakeSharedState = std::unique_ptr<SharedState> (*)(const EngineEnvironment& environment);

// A device that was stopped for another target's sake. It exists until it is let go on.
class InternallySuspended {
 public:
  virtual void internal_resume() = 0;

 protected:
  ~InternallySuspended() = default;
};

// What core offers to a target. Outlives it.
class TargetHost {
 public:
  virtual const EngineEnvironment& environment() = 0;
  // The lower device of that name, disk or mapped device; null when there is none. Constructors only:
  // core counts the table as its user from then on.
  virtual BlockDevice* open(std::string_view device) = 0;
  // A noflush suspend has begun: failing bios may be pushed back (dm_noflush_suspending).
  virtual bool noflush_suspending() const = 0;
  virtual bool suspended() const = 0;
  // Raises the device's event number and wakes waiters (dm_table_event).
  virtual void event() = 0;
  // Ends a TargetBio that map() or end_io kept, with the status core shall see: kRequeue pushes it
  // back. The target's end_io is not called for it. Anywhere, also from within map().
  virtual void finish(TargetBio& bio, BlockStatus status) = 0;
  // Submits a TargetBio that map() or end_io kept to `bio.device`, at the address the target wrote
  // into it; when it ends, end_io is called, as after kRemapped (dm_submit_bio_remap). Anywhere.
  virtual void submit(TargetBio& bio) {
    (void)bio;
    UNMODELLED("TargetHost::submit");
  }
  virtual Actor device_actor() const = 0;
  virtual const std::string& device_name() const = 0;
  // The state of that name, made by `make` when it is first asked for.
  virtual SharedState& shared(std::string_view name, MakeSharedState make) {
    (void)name, (void)make;
    UNMODELLED("TargetHost::shared");
  }
  // Stops the whole device for another target's sake, out of the administrator's sight, until it is let
  // go on: new bios are deferred, those inside are waited for, no target is told
  // (dm_internal_suspend_fast, dm_internal_resume_fast). In a fiber; the same one ends what it began.
  // This host may be gone when it returns.
  virtual InternallySuspended& internal_suspend() { UNMODELLED("TargetHost::internal_suspend"); }

 protected:
  ~TargetHost() = default;
};

class Target {
 public:
  virtual ~Target() = default;

  virtual std::string_view type() const = 0;  // "mirror"
  Sector begin() const { return begin_; }
  std::uint64_t length() const { return length_; }

  // Runs in the submitter's context, never blocks in interrupt context. Bio addresses are those of the
  // mapped device; the target subtracts begin() itself.
  virtual MapResult map(TargetBio& bio) = 0;
  // A clone this target let core submit (kRemapped) has ended. Interrupt context.
  virtual EndResult end_io(TargetBio& bio, BlockStatus& status) {
    (void)bio, (void)status;
    return EndResult::kDone;
  }

  virtual std::uint32_t flush_bios() const { return 1; }    // num_flush_bios
  virtual std::uint32_t discard_bios() const { return 1; }  // num_discard_bios; 0: not supported
  // Longest piece a bio is split into, and the boundary it must not cross, in sectors from begin();
  // 0: no limit (max_io_len).
  virtual std::uint32_t split_sectors() const { return 0; }
  // True: split_sectors() is not asked once for all, but split_sectors_for() of every bio, discards
  // included. Asked when the table is made.
  virtual bool split_varies() const { return false; }
  virtual std::uint32_t split_sectors_for(Op op) const {
    (void)op;
    return split_sectors();
  }

  // The data devices and which part of them is used: limits are stacked over these and checked
  // against their sizes. Logs and other metadata devices do not belong here. Empty: the target does not
  // tell, then core stacks the limits of whatever its constructor opened, without looking at sizes.
  virtual std::vector<TargetDevice> data_devices() const { return {}; }

  // Pages must not change while they are being written through this target: core reports
  // BlockLimits::stable_writes for the mapped device, whatever the lower devices say.
  virtual bool stable_writes() const { return false; }

  // The target has something of its own to do at a flush, or to make of a discard, whatever the devices below
  // it can (flush_supported, discards_supported).
  virtual bool flush_supported() const { return false; }
  virtual bool discards_supported() const { return false; }

  virtual void presuspend() {}
  virtual void presuspend_undo() {}
  virtual void postsuspend() {}
  virtual DmResult<> preresume() { return Done{}; }
  virtual void resume() {}
  // The target is about to be destroyed, in a fiber, and may block: what is still under way on behalf of
  // other devices is waited for here. Not called when a world ends, nor for a table that was refused.
  virtual void before_destroy() {}

  // What follows "START LENGTH TYPE " in status and table lines.
  virtual std::string status(StatusKind kind) = 0;
  virtual DmResult<std::string> message(std::span<const std::string_view> words) {
    (void)words;
    return Failure{DmError{22, ""}};
  }
  // For oracles; null for anything but a mirror.
  virtual const MirrorView* mirror_view() const { return nullptr; }
  // Likewise, for anything but a clone.
  virtual const CloneView* clone_view() const { return nullptr; }
  virtual void list_leaks(std::vector<std::string>& out) const { (void)out; }

 protected:
  Target(Sector begin, std::uint64_t length) : begin_(begin), length_(length) {}

 private:
  Sector begin_;
  std::uint64_t length_;
};

// "mirror": parses the arguments after the type's name. Errors carry dm's own words.
struct TargetArguments {
  Sector begin = 0;
  std::uint64_t length = 0;
  std::span<const std::string_view> words;
  TargetHost& host;
  const SwitchValues& switches;  // of the plan
};
using TargetConstructor = DmResult<std::unique_ptr<Target>> (*)(const TargetArguments& arguments);

struct TargetType {
  std::string_view name;
  TargetConstructor construct;
};

}  // namespace dmsim::native
