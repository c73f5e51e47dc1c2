// Driver: LVM1 in the kernel, as of 2.4. It maps the volumes' bios to physical extents, one lookup each, and it lets
// pvmove have one extent to itself.
//
// A lock on a physical extent holds new I/O to it, reads and writes, on a queue until it is unlocked. What was on its
// way already is another matter. Either every bio in transit carries an object from a mempool, counted by extent, and
// the lock waits until the count is zero (the cure); or fsync_dev is all there is, which writes and awaits what the
// volume's buffer cache knows of.
//
// The cure's ioctl locks, waits, copies past all caches with memory that was there before, writes the map down,
// changes the map in memory and unlocks, in one call. The old way has a call for each.
//
// There is one lock in all of LVM1: whoever comes second is told EBUSY.
//
// Not modelled: snapshots, reads ahead (which a lock fails instead of holding), changes of a group that is up.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/device_mapper.h"
#include "engine/lvm/lvm1_group.h"
#include "engine/lvm/lvm1_switches.h"
#include "engine/lvm/sector_io.h"
#include "sim/wait.h"

namespace dmsim::lvm1 {

// The rest of the machine, as LVM1 and its tools need it: buffer caches and memory. All may block.
class Surroundings {
 public:
  // The buffer cache of a volume: writes what is dirty, waits for what it knows to be under way.
  virtual void fsync_dev(const std::string& device) = 0;
  virtual bool knows_of_writes_under_way(const std::string& device) = 0;
  // The buffer cache of a disk, which has nothing to do with those of the volumes upon it. False: an I/O error.
  virtual bool read_buffered(const std::string& disk, Sector first, std::span<std::byte> out) = 0;
  virtual bool write_buffered(const std::string& disk, Sector first, std::span<const std::byte> bytes) = 0;
  virtual bool sync_buffered(const std::string& disk) = 0;
  // Page frames of a process: reclaimed from whoever has some.
  virtual void take_memory(std::uint64_t frames) = 0;
  virtual void give_back_memory(std::uint64_t frames) = 0;

 protected:
  ~Surroundings() = default;
};

// What moving is about: logical extent `extent` of a volume, and where it is to go.
struct Move {
  std::string group;
  std::string volume;
  std::uint32_t extent = 0;
  Place to;
};

struct DriverStats {
  std::uint64_t in_flight_most = 0;  // bios of users under way at once
  std::uint64_t tracked = 0;         // objects pushed onto bios in transit, ever
  std::uint64_t tracked_most = 0;    // and at once
};

class Volume;
struct Part;

// A group that is up.
struct ActiveGroup {
  explicit ActiveGroup(Group group);
  Group data;
  // By disk and extent: parts on their way, as far as they are counted.
  std::vector<std::vector<std::uint64_t>> transit;
  std::uint64_t& transit_at(Place place) { return transit[place.disk][place.extent]; }
};

class Driver {
 public:
  static constexpr std::uint64_t kTrackingReserve = 256;  // objects to be pushed

  Driver(const EngineEnvironment& environment, Lvm1Switches switches);
  ~Driver();
  void set_surroundings(Surroundings* surroundings) { surroundings_ = surroundings; }

  // Brings up the group's volumes. Requires that it is not up.
  void activate(Group group);
  const Group* group(std::string_view name) const;
  Volume* find(std::string_view device) const;
  const std::vector<std::unique_ptr<Volume>>& volumes() const { return volumes_; }
  // The newest map that stands on the disks; nothing: none that is whole. In a fiber.
  std::optional<Group> read_map(std::string_view group, const std::vector<std::string>& disks);

  // The ioctls; in a fiber. Errors: EBUSY, EIO; EOPNOTSUPP of locked_copy() where the kernel has none.
  DmResult<> locked_copy(const Move& move);
  DmResult<> lock(const Move& move);
  void remap(const Move& move);
  void unlock();
  // What the tool does by itself in the old way: writes down the map that remap() will bring about.
  bool write_map(const Move& move);

  struct Lock {
    Place place;
    Volume* volume;
    std::uint32_t extent;  // of the volume
    Actor by;
  };
  const std::optional<Lock>& locked() const { return lock_; }
  // Bios held by the lock.
  std::uint64_t held() const { return held_.size(); }

  const Lvm1Switches& switches() const { return switches_; }
  Surroundings& surroundings() { return *surroundings_; }
  Scheduler& scheduler() { return env_.scheduler; }
  const DriverStats& stats() const { return stats_; }
  std::uint64_t map_generation() const { return map_generation_; }
  std::uint64_t bios_in_flight() const { return in_flight_; }
  std::vector<std::string> leaks() const;

 private:
  friend class Volume;

  ActiveGroup& active(std::string_view name);
  Place place_of(const Move& move);
  void take_lock(const Move& move);
  void drain();
  bool copy(const Move& move);
  bool write(const Group& group);
  // From here on a part is the driver's; it ends by Volume::part_ended().
  void dispatch(Part& part);
  void send(Part& part);
  static void on_end(Bio& bio);
  void let_waiting_go();

  EngineEnvironment env_;
  Lvm1Switches switches_;
  Surroundings* surroundings_ = nullptr;
  lvm::SectorIo io_;
  std::vector<std::unique_ptr<ActiveGroup>> groups_;
  std::vector<std::unique_ptr<Volume>> volumes_;
  std::optional<Lock> lock_;
  std::vector<Part*> held_;      // by the lock, oldest first
  std::vector<Part*> waiting_;   // for an object to be tracked by, oldest first
  Mempool tracking_;
  WaitQueue transit_over_;
  std::vector<std::byte> buffer_;  // an extent: there before anything is locked
  std::uint64_t map_generation_ = 1;
  std::uint64_t in_flight_ = 0;
  DriverStats stats_;
};

}  // namespace dmsim::lvm1
