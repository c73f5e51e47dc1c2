// Target: one row of a mapped device's table, and what dm core and a target are to each other.
// The contract is that of Linux's struct target_type (include/linux/device-mapper.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

// A clone on its way through a target. Allocated and freed by core.
struct TargetBio {
  Bio bio;                         // addresses on the device of the target's table until remapped
  BlockDevice* device = nullptr;   // set by map() when it answers kRemapped
  std::uint32_t duplicate = 0;     // of a flush or discard sent several times: 0 .. n-1
  void* original = nullptr;        // core's own
  std::uint64_t words[4] = {};     // the target's own, zero at map()
};

enum class StatusKind : std::uint8_t { kInfo, kTable };

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
  // Ends a TargetBio that map() or end_io kept, with the status core shall see.
  virtual void finish(TargetBio& bio, BlockStatus status) = 0;
  virtual Actor device_actor() const = 0;
  virtual const std::string& device_name() const = 0;

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

  virtual void presuspend() {}
  virtual void presuspend_undo() {}
  virtual void postsuspend() {}
  virtual DmResult<> preresume() { return Done{}; }
  virtual void resume() {}

  // What follows "START LENGTH TYPE " in status and table lines.
  virtual std::string status(StatusKind kind) = 0;
  virtual DmResult<std::string> message(std::span<const std::string_view> words) {
    (void)words;
    return Failure{DmError{22, ""}};
  }
  // For oracles; null for anything but a mirror.
  virtual const MirrorView* mirror_view() const { return nullptr; }
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
