// What the tests of this folder share: a machine with one disk, scripted chance, and simple I/O.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/disk/disk.h"

namespace dmsim::disk_test {

// Chance that a test dictates: values queued for a choice point come out in order, all else is 0.
class ScriptedChoices final : public ChoiceSource {
 public:
  void script(std::string point, std::vector<std::uint64_t> values) {
    auto& queue = values_[std::move(point)];
    queue.insert(queue.end(), values.begin(), values.end());
  }
  std::size_t left(const std::string& point) { return values_[point].size(); }

 private:
  std::uint64_t choose(const ChoicePoint& point, Actor, std::uint64_t bound) override {
    auto& queue = values_[std::string(point.name)];
    if (queue.empty()) return 0;
    const std::uint64_t value = queue.front();
    queue.pop_front();
    CHECK(value < bound, point.name, value, bound);
    return value;
  }
  std::map<std::string, std::deque<std::uint64_t>> values_;
};

// One request with memory of its own.
struct Io {
  Bio bio;
  std::vector<Frame> frames;
  std::vector<Segment> segments;
  bool ended = false;

  Bio& prepare(Op op, Sector sector, std::uint32_t sectors) {
    bio.op = op;
    bio.sector = sector;
    bio.sectors = sectors;
    bio.context = this;
    bio.end_io = [](Bio& done) { static_cast<Io*>(done.context)->ended = true; };
    if (op == Op::kRead || op == Op::kWrite) {
      frames.resize((sectors + kPageSectors - 1) / kPageSectors);
      for (std::uint32_t at = 0; at < sectors; at += kPageSectors) {
        const std::uint32_t count = std::min(kPageSectors, sectors - at);
        segments.push_back({&frames[at / kPageSectors], nullptr, 0, count * kSectorBytes});
      }
      bio.segments = segments.data();
      bio.segment_count = static_cast<std::uint32_t>(segments.size());
    }
    return bio;
  }
};

inline PageRef filled_page(PageSpace& space, char fill) {
  std::byte* bytes = nullptr;
  PageRef page = space.make(&bytes);
  std::memset(bytes, fill, kPageBytes);
  return page;
}

// Power comes on in the constructor. The disk's content is pristine unless `media` is given.
struct Machine {
  explicit Machine(DiskOptions disk_options, std::vector<FaultOptions> plan = {})
      : options(std::move(disk_options)), faults(std::move(plan)), pristine(pool, options) {
    boot(Image(pristine, disk_pool.images), nullptr);
  }
  ~Machine() {
    scheduler->shut_down();
    disk.reset();
  }

  // Cuts the power, leaving `media`, and boots the same disk from it.
  void reboot(Image media) {
    const FaultMemory memory = disk->fault_memory();
    boot(std::move(media), &memory);
  }
  void boot(Image media, const FaultMemory* memory) {
    const Instant now = scheduler != nullptr ? scheduler->now() : Instant();
    if (scheduler != nullptr) scheduler->shut_down();
    disk.reset();
    scheduler = std::make_unique<Scheduler>(stacks, choices, trace);
    scheduler->start_at(now);
    disk = std::make_unique<Disk>(*scheduler, space, disk_pool, trace.actors().intern(options.name),
                                  options, std::move(media), faults, memory);
  }

  void run() {
    while (scheduler->step()) {
    }
  }
  // Runs to the first instant after `duration`, doing what is due until then.
  void run_for(Duration duration) {
    const Instant until = scheduler->now() + duration;
    bool over = false;
    scheduler->at(until, [](void* flag, std::uint64_t) { *static_cast<bool*>(flag) = true; }, &over);
    while (!over) scheduler->step();
  }

  Io& start(Op op, Sector sector, std::uint32_t sectors, char fill = 'x') {
    ios.push_back(std::make_unique<Io>());
    Io& io = *ios.back();
    io.prepare(op, sector, sectors);
    if (op == Op::kWrite) {
      for (Frame& frame : io.frames) frame.set(filled_page(space, fill));
    }
    return io;
  }
  Io& submit(Op op, Sector sector = 0, std::uint32_t sectors = 0, char fill = 'x') {
    Io& io = start(op, sector, sectors, fill);
    disk->submit(io.bio);
    return io;
  }
  Io& write_fua(Sector sector, std::uint32_t sectors, char fill) {
    Io& io = start(Op::kWrite, sector, sectors, fill);
    io.bio.fua = true;
    disk->submit(io.bio);
    return io;
  }
  // Submits and runs until nothing is left to do.
  BlockStatus perform(Op op, Sector sector = 0, std::uint32_t sectors = 0, char fill = 'x') {
    Io& io = submit(op, sector, sectors, fill);
    run();
    CHECK(io.ended);
    return io.bio.status;
  }

  // The first byte of each sector, '.' for pristine ones ('p').
  std::string letters(const Image& image, SectorRange range) const {
    std::string out;
    for (Sector sector = range.begin; sector < range.end; ++sector) {
      const PageRef& page = image.page(sector / kPageSectors);
      const char letter = static_cast<char>(page.sector_bytes(sector % kPageSectors)[0]);
      out += letter == 'p' ? '.' : letter == 0 ? '0' : letter;
    }
    return out;
  }
  std::string media(SectorRange range) const { return letters(disk->media(), range); }
  std::string current(SectorRange range) const { return letters(disk->current_image(), range); }
  // What a read of the range delivers, as letters; and its status.
  std::string read(SectorRange range, BlockStatus* status = nullptr) {
    Io& io = submit(Op::kRead, range.begin, static_cast<std::uint32_t>(range.count()));
    run();
    if (status != nullptr) *status = io.bio.status;
    std::string out;
    for (std::uint32_t sector = 0; sector < range.count(); ++sector) {
      const Frame& frame = io.frames[sector / kPageSectors];
      const char letter = frame.empty() ? '-' : static_cast<char>(frame.page().sector_bytes(sector % kPageSectors)[0]);
      out += letter == 'p' ? '.' : letter == 0 ? '0' : letter;
    }
    return out;
  }
  CrashSpace cut() {
    CrashSpace space_now(disk->media());
    disk->crash_space(space, &space_now);
    return space_now;
  }
  std::string trace_tail() const { return trace.render_tail(); }

  PagePool pool;
  DiskPool disk_pool;
  StackPool stacks;
  ScriptedChoices choices;
  Trace trace;
  PageSpace space{pool, 0};
  DiskOptions options;
  std::vector<FaultOptions> faults;
  Pristine pristine;
  std::vector<std::unique_ptr<Io>> ios;
  std::unique_ptr<Scheduler> scheduler;
  std::unique_ptr<Disk> disk;
};

inline DiskOptions small_disk(std::string name = "leg0") {
  DiskOptions options;
  options.name = std::move(name);
  options.sectors = 1024;
  return options;
}

}  // namespace dmsim::disk_test
