// Tasks that read, write, flush, discard and store at a pace.
#include <vector>

#include "harness/tasks/task_body.h"
#include "models/memory/direct_io.h"

namespace dmsim::tasks {
namespace {

SectorRange whole_if_empty(SectorRange range, std::uint64_t device_sectors) {
  return range.empty() ? SectorRange{0, device_sectors} : range;
}

// Keeps at most `limit` requests under way: takes and gives back what has ended.
void make_room(DirectIo& io, std::uint32_t limit) {
  while (io.in_flight() >= limit || io.any_done()) io.release(io.wait_any());
}

void drain(DirectIo& io) {
  while (io.in_flight() > 0 || io.any_done()) io.release(io.wait_any());
}

void flush_direct(DirectIo& io) {
  DirectRequest& request = io.flush();
  io.wait(request);
  io.release(request);
}

// Case 1 of the 2008 mail: the application stores to the buffer that it has handed to the kernel.
void scribble(Self& self, DirectIo& io, DirectRequest& request) {
  Scheduler& scheduler = self.host.scheduler();
  scheduler.sleep(scheduler.choices().duration(kScribble, self.actor, Duration(),
                                               Duration::microseconds(200)));
  if (request.done()) return;
  Reference* reference = self.host.device(io.device().name()).reference();
  if (reference != nullptr) reference->note_application_scribble(request.range());
  std::vector<std::byte> bytes(kSectorBytes);
  for (Sector sector = request.range().begin; sector < request.range().end; ++sector) {
    stamp_sector(bytes.data(), self.next_stamp(sector));
    io.scribble(request, sector, bytes);
  }
}

void write_direct(Self& self, const WriteTask& task) {
  Scheduler& scheduler = self.host.scheduler();
  WatchedDevice& device = self.host.device(task.device);
  DirectIo io(scheduler, self.host.pages(), device, self.actor);
  for (std::uint64_t round = 0; round < task.pace.count; ++round) {
    if (round > 0) pause_between(self, task.pace.every);
    make_room(io, task.in_flight);
    const SectorRange range = block_of_round(self, task.area, device.sectors(), round);
    // A page that somebody dirties meanwhile may stay: the caches' users are on their own, as in Linux.
    if (task.heeds_cache) self.host.cache(task.device).write_and_wait(range);
    Stamper stamper(self.next_stamp(range.begin));
    DirectRequest& request = io.write(range, {.fua = task.fua, .preflush = task.preflush},
                                      [&](std::byte* out, Sector) { stamper.next(out); });
    if (task.scribble) scribble(self, io, request);
    if (task.in_flight == 1) drain(io);
    if (task.heeds_cache) self.host.cache(task.device).invalidate(range);
    if (task.flush_every != 0 && (round + 1) % task.flush_every == 0) {
      drain(io);
      flush_direct(io);
    }
  }
  drain(io);
}

void write_buffered(Self& self, const WriteTask& task) {
  PageCache& cache = self.host.cache(task.device);
  OpenFile file = cache.open();
  const std::uint64_t sectors = self.host.device(task.device).sectors();
  std::vector<std::byte> bytes(std::size_t{task.area.block_sectors} * kSectorBytes);
  for (std::uint64_t round = 0; round < task.pace.count; ++round) {
    if (round > 0) pause_between(self, task.pace.every);
    const SectorRange range = block_of_round(self, task.area, sectors, round);
    stamp_sectors(bytes, self.next_stamp(range.begin));
    cache.write(range.begin * kSectorBytes, bytes);
    if (task.path == Path::kUnlisted) cache.write_unlisted(range);
    if (task.flush_every != 0 && (round + 1) % task.flush_every == 0) cache.fsync(file);
  }
}

}  // namespace

void pause_between(Self& self, const DurationRange& every) {
  Scheduler& scheduler = self.host.scheduler();
  const Duration pause =
      scheduler.choices().duration(kPause, self.actor, every.least, every.most);
  if (pause > Duration()) {
    scheduler.sleep(pause);
  } else {
    scheduler.preempt_point();
  }
}

SectorRange block_of_round(Self& self, const Area& area, std::uint64_t device_sectors,
                           std::uint64_t round) {
  const SectorRange range = whole_if_empty(area.range, device_sectors);
  const std::uint64_t blocks = range.count() / area.block_sectors;
  CHECK(blocks > 0, range.begin, range.end, area.block_sectors);
  const std::uint64_t block = area.sequential
                                  ? round % blocks
                                  : self.host.scheduler().choices().draw(kBlock, self.actor, blocks);
  const Sector begin = range.begin + block * area.block_sectors;
  return {begin, begin + area.block_sectors};
}

void run(Self& self, const WriteTask& task) {
  self.host.scheduler().sleep(task.pace.start);
  if (task.path == Path::kDirect) {
    write_direct(self, task);
  } else {
    write_buffered(self, task);
  }
}

void run(Self& self, const ReadTask& task) {
  Scheduler& scheduler = self.host.scheduler();
  scheduler.sleep(task.pace.start);
  WatchedDevice& device = self.host.device(task.device);
  if (task.path == Path::kBuffered) {
    PageCache& cache = self.host.cache(task.device);
    std::vector<std::byte> bytes(std::size_t{task.area.block_sectors} * kSectorBytes);
    for (std::uint64_t round = 0; round < task.pace.count; ++round) {
      if (round > 0) pause_between(self, task.pace.every);
      const SectorRange range = block_of_round(self, task.area, device.sectors(), round);
      cache.read(range.begin * kSectorBytes, bytes);
    }
    return;
  }
  DirectIo io(scheduler, self.host.pages(), device, self.actor);
  for (std::uint64_t round = 0; round < task.pace.count; ++round) {
    if (round > 0) pause_between(self, task.pace.every);
    make_room(io, task.in_flight);
    io.read(block_of_round(self, task.area, device.sectors(), round));
    if (task.in_flight == 1) drain(io);
  }
  drain(io);
}

void run(Self& self, const DiscardTask& task) {
  Scheduler& scheduler = self.host.scheduler();
  scheduler.sleep(task.pace.start);
  WatchedDevice& device = self.host.device(task.device);
  DirectIo io(scheduler, self.host.pages(), device, self.actor);
  for (std::uint64_t round = 0; round < task.pace.count; ++round) {
    if (round > 0) pause_between(self, task.pace.every);
    io.discard(block_of_round(self, task.area, device.sectors(), round));
    drain(io);
  }
}

void run(Self& self, const FlushTask& task) {
  Scheduler& scheduler = self.host.scheduler();
  scheduler.sleep(task.pace.start);
  DirectIo io(scheduler, self.host.pages(), self.host.device(task.device), self.actor);
  OpenFile file;
  if (task.path == Path::kBuffered) file = self.host.cache(task.device).open();
  for (std::uint64_t round = 0; round < task.pace.count; ++round) {
    if (round > 0) pause_between(self, task.pace.every);
    if (task.path == Path::kBuffered) {
      self.host.cache(task.device).fsync(file);
    } else {
      flush_direct(io);
    }
  }
}

void run(Self& self, const MmapStoreTask& task) {
  Scheduler& scheduler = self.host.scheduler();
  scheduler.sleep(task.pace.start);
  PageCache& cache = self.host.cache(task.device);
  const std::uint64_t sectors = self.host.device(task.device).sectors();
  const SectorRange range = whole_if_empty(task.range, sectors);
  std::vector<std::byte> bytes(task.store_bytes);
  const std::uint64_t places = range.count() * kSectorBytes / task.store_bytes;
  for (std::uint64_t round = 0; round < task.pace.count; ++round) {
    if (round > 0) pause_between(self, task.pace.every);
    const std::uint64_t place = scheduler.choices().draw(kBlock, self.actor, places);
    const std::uint64_t offset = range.begin * kSectorBytes + place * task.store_bytes;
    const Stamp stamp = self.next_stamp(offset / kSectorBytes);
    if (task.store_bytes >= kSectorBytes) {
      stamp_sectors(bytes, stamp);
    } else {
      stamp_bytes(bytes, stamp, static_cast<std::uint32_t>(offset % kSectorBytes));
    }
    cache.store(offset, bytes);
  }
}

}  // namespace dmsim::tasks
