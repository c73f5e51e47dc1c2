#include "engine/lvm/lvm1_driver.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "base/reached.h"
#include "engine/lvm/lvm1_trace.h"
#include "engine/lvm/lvm1_volume.h"

namespace dmsim::lvm1 {
namespace {

DmResult<> refuse(int errno_value, std::string reason) { return Failure{DmError{errno_value, std::move(reason)}}; }

}  // namespace

ActiveGroup::ActiveGroup(Group group) : data(std::move(group)) {
  for (const PhysicalVolume& disk : data.disks) transit.emplace_back(disk.extents);
}

Driver::Driver(const EngineEnvironment& environment, Lvm1Switches switches)
    : env_(environment),
      switches_(switches),
      io_(environment.scheduler),
      tracking_(environment.scheduler, "objects that track bios of LVM1", kTrackingReserve),
      transit_over_(environment.scheduler, "I/O in transit to a locked extent to end") {}

Driver::~Driver() = default;

void Driver::activate(Group group) {
  CHECK(this->group(group.name) == nullptr, group.name);
  buffer_.resize(std::max<std::size_t>(buffer_.size(), group.extent_sectors * kSectorBytes));
  groups_.push_back(std::make_unique<ActiveGroup>(std::move(group)));
  ActiveGroup& up = *groups_.back();
  for (std::size_t i = 0; i < up.data.volumes.size(); ++i) {
    volumes_.push_back(std::make_unique<Volume>(*this, up, i));
  }
  ++map_generation_;
}

const Group* Driver::group(std::string_view name) const {
  for (const auto& each : groups_) {
    if (each->data.name == name) return &each->data;
  }
  return nullptr;
}

ActiveGroup& Driver::active(std::string_view name) {
  for (const auto& each : groups_) {
    if (each->data.name == name) return *each;
  }
  CHECK(false, name);
  return *groups_.front();
}

Volume* Driver::find(std::string_view device) const {
  for (const auto& each : volumes_) {
    if (each->name() == device) return each.get();
  }
  return nullptr;
}

std::optional<Group> Driver::read_map(std::string_view group, const std::vector<std::string>& disks) {
  return newest(group, disks, [this](const std::string& name, Sector first, std::byte* out) {
    BlockDevice* const disk = env_.devices.find_disk(name);
    return disk != nullptr && io_.read(*disk, first, {out, kPageBytes});
  });
}

Place Driver::place_of(const Move& move) {
  const LogicalVolume* const volume = active(move.group).data.find(move.volume);
  CHECK(volume != nullptr, move.volume);
  return volume->map.at(move.extent);
}

void Driver::take_lock(const Move& move) {
  const Place place = place_of(move);
  Volume* const volume = find(device_name(move.group, move.volume));
  const Actor by = env_.scheduler.current_actor();
  lock_ = Lock{place, volume, move.extent, by};
  const Actor disk = env_.scheduler.trace().actors().intern(volume->group().data.disks[place.disk].name);
  env_.scheduler.trace().emit(kLock, by, static_cast<std::uint64_t>(volume->actor()), move.extent,
                              static_cast<std::uint64_t>(disk), place.extent);
}

// Nothing runs between the last look at the buffer cache and the lock: what it knows of is through.
DmResult<> Driver::lock(const Move& move) {
  Volume* const volume = find(device_name(move.group, move.volume));
  if (lock_) return refuse(EBUSY, "an extent is locked already");
  if (!switches_.tracked || !switches_.locked_copy) {
    env_.scheduler.trace().emit(kFsyncDev, env_.scheduler.current_actor(), static_cast<std::uint64_t>(volume->actor()));
    do {
      surroundings_->fsync_dev(volume->name());
    } while (surroundings_->knows_of_writes_under_way(volume->name()));
    if (lock_) return refuse(EBUSY, "an extent is locked already");
  }
  take_lock(move);
  drain();
  return Done{};
}

void Driver::drain() {
  const bool tracked = switches_.tracked && switches_.locked_copy;
  const std::uint64_t* const left = &lock_->volume->group().transit_at(lock_->place);
  const std::uint64_t before = *left;
  if (tracked) {
    if (before > 0) REACHED("a lock on an extent waits for I/O in transit");
    wait_until(transit_over_, [left] { return *left == 0; });
  }
  env_.scheduler.trace().emit(kDrained, env_.scheduler.current_actor(),
                              static_cast<std::uint64_t>(lock_->volume->actor()), tracked, before);
}

void Driver::unlock() {
  CHECK(lock_.has_value());
  const Lock lock = *lock_;
  std::vector<Part*> released;
  released.swap(held_);
  lock_.reset();
  env_.scheduler.trace().emit(kUnlock, env_.scheduler.current_actor(), static_cast<std::uint64_t>(lock.volume->actor()),
                              lock.extent, released.size());
  for (Part* part : released) dispatch(*part);
}

void Driver::remap(const Move& move) {
  Volume* const volume = find(device_name(move.group, move.volume));
  Group& group = volume->group().data;
  volume->data().map.at(move.extent) = move.to;
  ++map_generation_;
  const Actor disk = env_.scheduler.trace().actors().intern(group.disks[move.to.disk].name);
  env_.scheduler.trace().emit(kRemap, env_.scheduler.current_actor(), static_cast<std::uint64_t>(volume->actor()),
                              move.extent, static_cast<std::uint64_t>(disk), move.to.extent);
}

bool Driver::write(const Group& group) {
  const std::vector<std::byte> page = encode(group);
  for (const PhysicalVolume& volume : group.disks) {
    BlockDevice* const disk = env_.devices.find_disk(volume.name);
    if (disk == nullptr || !io_.write(*disk, map_sector(group.sequence), page) || !io_.flush(*disk)) return false;
  }
  env_.scheduler.trace().emit(kCommit, env_.scheduler.current_actor(), group.sequence);
  return true;
}

// What cannot be written everywhere is taken back everywhere: a still newer version says what the older did.
bool Driver::write_map(const Move& move) {
  Group& group = active(move.group).data;
  Group after = group;
  after.find(move.volume)->map.at(move.extent) = move.to;
  ++after.sequence;
  group.sequence = after.sequence;
  if (write(after)) return true;
  REACHED("a map of extents cannot be written to every disk");
  ++group.sequence;
  write(group);
  return false;
}

// With memory that was there before, unless the switch says otherwise.
bool Driver::copy(const Move& move) {
  Group& group = active(move.group).data;
  const Place from = place_of(move);
  BlockDevice* const source = env_.devices.find_disk(group.disks[from.disk].name);
  BlockDevice* const target = env_.devices.find_disk(group.disks[move.to.disk].name);
  Trace& trace = env_.scheduler.trace();
  const Actor self = env_.scheduler.current_actor();
  const Actor source_actor = trace.actors().intern(source->name());
  const Actor target_actor = trace.actors().intern(target->name());
  const std::span<std::byte> bytes(buffer_.data(), group.extent_sectors * kSectorBytes);
  const std::uint64_t frames = bytes.size() / kPageBytes;
  if (!switches_.memory_reserved) {
    trace.emit(kNeedsMemory, self, frames);
    surroundings_->take_memory(frames);
  }
  trace.emit(switches_.direct_copy ? kCopy : kCopyBuffered, self, static_cast<std::uint64_t>(source_actor),
             group.sector_of(from), static_cast<std::uint64_t>(target_actor), group.sector_of(move.to),
             group.extent_sectors);
  const bool read = switches_.direct_copy ? io_.read(*source, group.sector_of(from), bytes)
                                          : surroundings_->read_buffered(source->name(), group.sector_of(from), bytes);
  const bool written = read && io_.write(*target, group.sector_of(move.to), bytes) && io_.flush(*target);
  if (!switches_.memory_reserved) surroundings_->give_back_memory(frames);
  return written;
}

DmResult<> Driver::locked_copy(const Move& move) {
  if (!switches_.locked_copy) return refuse(EOPNOTSUPP, "no such ioctl");
  if (auto locked = lock(move); !locked) return locked;
  bool done = copy(move);
  if (done && switches_.commit_before_unlock) done = write_map(move);
  if (!done) {
    REACHED("a locked copy fails and leaves the extent where it was");
    unlock();
    return refuse(EIO, "the extent could not be copied, or its map not be written");
  }
  remap(move);
  unlock();
  if (!switches_.commit_before_unlock && !write_map(move)) return refuse(EIO, "the map could not be written");
  return Done{};
}

void Driver::dispatch(Part& part) {
  Volume& volume = *part.request->volume;
  const Place place = volume.data().map[volume.extent_at(part)];
  const Bio& bio = *part.request->user;
  if (lock_ && &lock_->volume->group() == &volume.group() && lock_->place == place) {
    REACHED("new I/O to a locked extent is held");
    env_.scheduler.trace().emit_caused(kHold, volume.actor(), part.request->trace_id,
                                       static_cast<std::uint64_t>(bio.op), bio.sector + part.first, part.count);
    held_.push_back(&part);
    return;
  }
  if (switches_.tracked && switches_.locked_copy) {
    if (!tracking_.try_take()) {
      REACHED("a bio waits for an object to be tracked by");
      waiting_.push_back(&part);
      return;
    }
    part.tracked = true;
    ++volume.group().transit_at(place);
    ++stats_.tracked;
    stats_.tracked_most = std::max(stats_.tracked_most, tracking_.in_use());
  }
  part.place = place;
  send(part);
}

void Driver::send(Part& part) {
  Volume& volume = *part.request->volume;
  const Group& group = volume.group().data;
  BlockDevice* const disk = env_.devices.find_disk(group.disks[part.place.disk].name);
  CHECK(disk != nullptr, group.disks[part.place.disk].name);
  Bio& clone = *env_.bios.clone(*part.request->user, part.first, part.count);
  clone.sector = group.sector_of(part.place) + (part.request->user->sector + part.first) % group.extent_sectors;
  clone.context = &part;
  clone.end_io = &Driver::on_end;
  const Actor lower = env_.scheduler.trace().actors().intern(disk->name());
  clone.trace_id = env_.scheduler.trace().emit_caused(
      kDmMap, volume.actor(), part.request->trace_id, static_cast<std::uint64_t>(lower),
      static_cast<std::uint64_t>(clone.op), clone.sector, clone.sectors, clone.fua);
  disk->submit(clone);
}

void Driver::on_end(Bio& bio) {
  Part& part = *static_cast<Part*>(bio.context);
  Driver& driver = *part.driver;
  Volume& volume = *part.request->volume;
  const BlockStatus status = bio.status;
  if (volume.data().map[volume.extent_at(part)] != part.place) {
    if (bio.op == Op::kWrite) REACHED("a write ends on an extent that was moved away meanwhile");
    const Actor disk = driver.env_.scheduler.trace().actors().intern(volume.group().data.disks[part.place.disk].name);
    driver.env_.scheduler.trace().emit_caused(kLate, volume.actor(), bio.trace_id, static_cast<std::uint64_t>(bio.op),
                                              part.request->user->sector + part.first, part.count,
                                              static_cast<std::uint64_t>(disk));
  }
  driver.env_.bios.free(&bio);
  if (part.tracked) {
    std::uint64_t& left = volume.group().transit_at(part.place);
    CHECK(left > 0);
    if (--left == 0) driver.transit_over_.wake_all();
    driver.tracking_.give_back();
  }
  volume.part_ended(part, status);
  driver.let_waiting_go();
}

void Driver::let_waiting_go() {
  if (waiting_.empty() || tracking_.in_use() == kTrackingReserve) return;
  Part* const part = waiting_.front();
  waiting_.erase(waiting_.begin());
  dispatch(*part);
}

std::vector<std::string> Driver::leaks() const {
  std::vector<std::string> out;
  if (tracking_.in_use() > 0) out.push_back(fmt::format("{} objects that track bios of LVM1", tracking_.in_use()));
  if (lock_) out.push_back(fmt::format("a lock on an extent of {}", lock_->volume->name()));
  return out;
}

}  // namespace dmsim::lvm1
