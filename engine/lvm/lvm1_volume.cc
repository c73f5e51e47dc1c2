#include "engine/lvm/lvm1_volume.h"

#include <algorithm>

#include "base/reached.h"
#include "engine/lvm/lvm1_trace.h"

namespace dmsim::lvm1 {

Volume::Volume(Driver& driver, ActiveGroup& group, std::size_t index)
    : driver_(driver),
      group_(group),
      index_(index),
      name_(device_name(group.data.name, group.data.volumes[index].name)),
      actor_(driver.env_.scheduler.trace().actors().intern(name_)) {}

std::uint64_t Volume::sectors() const { return data().map.size() * group_.data.extent_sectors; }

BlockLimits Volume::limits() const {
  BlockLimits out;
  out.volatile_cache = true;
  return out;
}

std::uint32_t Volume::extent_at(const Part& part) const {
  return static_cast<std::uint32_t>((part.request->user->sector + part.first) / group_.data.extent_sectors);
}

void Volume::submit(Bio& bio) {
  Scheduler& scheduler = driver_.env_.scheduler;
  scheduler.preempt_point();
  Request& request = requests_.take();
  request.user = &bio;
  request.volume = this;
  request.left = 1;
  request.trace_id = scheduler.trace().emit_caused(
      kDmSubmit, actor_, bio.trace_id != 0 ? bio.trace_id : scheduler.trace().cause(),
      static_cast<std::uint64_t>(bio.op), bio.sector, bio.sectors, bio.fua, bio.issuer);
  bio.trace_id = request.trace_id;
  driver_.stats_.in_flight_most = std::max(driver_.stats_.in_flight_most, ++driver_.in_flight_);
  if (bio.sectors > sectors() || bio.sector > sectors() - bio.sectors) {
    return drop(request, BlockStatus::of(BlockStatus::Code::kIoError));
  }
  const bool preflush = bio.op == Op::kWrite && bio.preflush;
  request.sends_data = preflush;
  if (preflush || bio.op == Op::kFlush) {
    send_flushes(request);
  } else {
    send_data(request);
  }
  drop(request, BlockStatus::okay());
}

void Volume::send_flushes(Request& request) {
  std::vector<bool> sent(group_.data.disks.size());
  for (const Place place : data().map) {
    if (sent[place.disk]) continue;
    sent[place.disk] = true;
    BlockDevice* const disk = driver_.env_.devices.find_disk(group_.data.disks[place.disk].name);
    CHECK(disk != nullptr, group_.data.disks[place.disk].name);
    Bio& flush = *driver_.env_.bios.allocate();
    flush.op = Op::kFlush;
    flush.issuer = request.user->issuer;
    flush.trace_id = request.trace_id;
    flush.context = &request;
    flush.end_io = &Volume::on_flush_end;
    ++request.left;
    disk->submit(flush);
  }
}

void Volume::on_flush_end(Bio& bio) {
  Request& request = *static_cast<Request*>(bio.context);
  const BlockStatus status = bio.status;
  request.volume->driver_.env_.bios.free(&bio);
  request.volume->drop(request, status);
}

void Volume::send_data(Request& request) {
  const Bio& bio = *request.user;
  for (std::uint32_t first = 0; first < bio.sectors;) {
    const std::uint32_t extent = group_.data.extent_sectors;
    Part& part = parts_.take();
    part.driver = &driver_;
    part.request = &request;
    part.first = first;
    part.count = std::min(bio.sectors - first, extent - static_cast<std::uint32_t>((bio.sector + first) % extent));
    first += part.count;
    ++request.left;
    driver_.dispatch(part);
  }
}

void Volume::part_ended(Part& part, BlockStatus status) {
  Request& request = *part.request;
  part = Part();
  parts_.give_back(part);
  drop(request, status);
}

// One of what the request waits for is over.
void Volume::drop(Request& request, BlockStatus status) {
  if (!status.ok() && request.status.ok()) request.status = status;
  CHECK(request.left > 0);
  if (--request.left > 0) return;
  if (request.sends_data && request.status.ok()) {
    request.sends_data = false;
    request.left = 1;
    send_data(request);
    return drop(request, BlockStatus::okay());
  }
  Bio& bio = *request.user;
  const BlockStatus outcome = request.status;
  driver_.env_.scheduler.trace().emit_caused(kDmComplete, actor_, request.trace_id,
                                             static_cast<std::uint64_t>(outcome.code), outcome.injected);
  request = Request();
  requests_.give_back(request);
  CHECK(driver_.in_flight_ > 0);
  --driver_.in_flight_;
  bio.complete(outcome);
}

}  // namespace dmsim::lvm1
