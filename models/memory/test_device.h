// TestDevice: the simplest block device that page cache and direct I/O can be tested against, and a
// world small enough to hold it. Every bio ends after one delay, or when the test says so; data is
// moved at that instant, so whatever was stored in flight arrives. Not the real disk: no cache, no
// choices, no trace.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "block/device.h"
#include "models/memory/page_cache.h"
#include "models/memory/stamp.h"
#include "sim/scheduler.h"

namespace dmsim {

class TestDevice final : public BlockDevice {
 public:
  TestDevice(Scheduler& scheduler, PageSpace& pages, std::uint64_t sectors)
      : scheduler_(scheduler), pages_(pages), media_(sectors * kSectorBytes), sectors_(sectors) {
    for (Sector sector = 0; sector < sectors; ++sector) {
      stamp_sector(media_.data() + sector * kSectorBytes, {99999, 0, sector});
    }
  }

  const std::string& name() const override { return name_; }
  std::uint64_t sectors() const override { return sectors_; }
  BlockLimits limits() const override { return limits_; }
  void submit(Bio& bio) override {
    if (keep_log) log.push_back(bio_notation(bio));
    CHECK(bio.range().end <= sectors_);
    CHECK(bio.sectors <= limits_.max_sectors || bio.op == Op::kDiscard);
    if (holding) {
      held.push_back(&bio);
    } else {
      scheduler_.after(delay, &TestDevice::due, this, reinterpret_cast<std::uint64_t>(&bio));
    }
  }
  bool congested() override {
    if (asked) asked();
    return busy;
  }
  // Ends the oldest held bio now.
  void release_one() {
    Bio* const bio = held.front();
    held.erase(held.begin());
    end(*bio);
  }
  void release_all() {
    holding = false;
    while (!held.empty()) release_one();
  }
  // Lets `function` answer bios with an error; empty: all succeed.
  std::function<BlockStatus(const Bio&)> verdict;

  std::vector<std::byte> bytes_at(Sector sector, std::uint32_t count) const {
    const auto from = media_.begin() + static_cast<std::ptrdiff_t>(sector * kSectorBytes);
    return {from, from + static_cast<std::ptrdiff_t>(count * kSectorBytes)};
  }
  void shrink(std::uint64_t sectors) { sectors_ = sectors; }

  BlockLimits limits_;
  Duration delay = Duration::microseconds(100);
  bool holding = false;
  bool keep_log = true;
  bool busy = false;            // what congested() answers
  std::function<void()> asked;  // happens whenever somebody asks that
  std::vector<Bio*> held;
  std::vector<std::string> log;  // submissions "W0+8" and completions "c(W0+8)", in order

 private:
  static void due(void* device, std::uint64_t bio) {
    static_cast<TestDevice*>(device)->end(*reinterpret_cast<Bio*>(bio));
  }
  void end(Bio& bio) {
    if (keep_log) log.push_back("c(" + bio_notation(bio) + ")");
    BlockStatus status;
    if (verdict) status = verdict(bio);
    if (status.ok()) transfer(bio);
    bio.complete(status);
  }
  void transfer(const Bio& bio) {
    if (bio.op != Op::kRead && bio.op != Op::kWrite) return;
    DataCursor cursor(bio);
    DataPiece piece;
    while (cursor.next(&piece)) {
      std::byte* const at = media_.data() + piece.device_sector * kSectorBytes;
      if (bio.op == Op::kWrite) {
        read_piece(piece, at);
      } else {
        write_piece(piece, pages_, at);
      }
    }
  }

  Scheduler& scheduler_;
  PageSpace& pages_;
  std::string name_ = "lv";
  std::vector<std::byte> media_;
  std::uint64_t sectors_;
};

// A machine of one device and one cache.
struct TestWorld {
  explicit TestWorld(MemoryOptions memory_options = {}, PageCacheOptions cache_options = {},
                     std::uint64_t device_sectors = 1024, Trace::Keep keep = Trace::Keep::kAll)
      : trace(keep),
        scheduler(stacks, choices, trace, {}),
        pages(pool, 1000),
        device(scheduler, pages, device_sectors),
        memory(scheduler, memory_options),
        cache(std::make_unique<PageCache>(scheduler, memory, pages, device,
                                          trace.actors().intern("pagecache lv"), cache_options)) {}
  ~TestWorld() { scheduler.shut_down(); }

  Fiber& task(const std::string& name, std::function<void()> body) {
    return scheduler.spawn(trace.actors().intern(name), FiberRole::kTask, std::move(body));
  }
  // Runs until all tasks have ended. False: they are stuck.
  bool run_tasks() {
    while (scheduler.live_tasks() > 0) {
      if (!scheduler.step()) return false;
    }
    return true;
  }
  // Runs everything that is due within `duration`.
  void run_for(Duration duration) {
    bool over = false;
    scheduler.after(duration, [](void* flag, std::uint64_t) { *static_cast<bool*>(flag) = true; },
                    &over);
    while (!over) scheduler.step();
  }
  // Events of a kind, rendered arguments apart.
  std::vector<TraceEvent> events(const TraceKind& kind) const {
    std::vector<TraceEvent> out;
    for (const TraceEvent& event : trace.kept()) {
      if (event.kind == &kind) out.push_back(event);
    }
    return out;
  }

  StackPool stacks;
  PlainChoices choices;
  Trace trace;
  PagePool pool;
  Scheduler scheduler;
  PageSpace pages;
  TestDevice device;
  Memory memory;
  std::unique_ptr<PageCache> cache;
};

// One page of stamped bytes: recognisable by `write`.
inline std::vector<std::byte> stamped(std::uint64_t write, Sector sector, std::uint32_t count = 8) {
  std::vector<std::byte> out(count * kSectorBytes);
  stamp_sectors(out, {1, write, sector});
  return out;
}

}  // namespace dmsim
