// SPDX-License-Identifier: GPL-2.0-only
// What the tests of this folder share: lives of a kernel image on simulated disks a and b (and what else is
// asked for), verbs in fibers, and requests from above. A test includes "models/disk/disk.h" before this:
// only tests may know both sides.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/linux/host/linux_engine.h"

namespace dmsim::kernel_test {

// What outlives single lives.
struct Shop {
  StackPool stacks;
  PagePool pages;
  DiskPool disks;
  std::map<std::string, std::unique_ptr<Pristine>> pristine;
};

struct LifeOptions {
  std::uint64_t seed = 1;
  std::vector<std::string> disks{"a", "b"};
  std::uint64_t disk_sectors = 1024;
  std::vector<FaultOptions> faults;
  kernel::MachineOptions machine;
  SchedulerOptions scheduler;
  Trace::Keep keep = Trace::Keep::kTail;
};

// One request from above, and what came of it. The sectors lie in frames of their own.
struct Request {
  Bio bio;
  std::vector<Frame> frames;
  std::vector<Segment> segments;
  int ended = 0;

  Request(Op op, Sector sector, std::uint32_t sectors) {
    bio.op = op;
    bio.sector = sector;
    bio.sectors = sectors;
    bio.context = this;
    bio.end_io = [](Bio& done) { ++static_cast<Request*>(done.context)->ended; };
    if (op != Op::kRead && op != Op::kWrite) return;
    frames.resize((sectors + kPageSectors - 1) / kPageSectors);
    for (std::uint32_t at = 0; at < sectors; at += kPageSectors) {
      const std::uint32_t count = std::min(kPageSectors, sectors - at);
      segments.push_back({&frames[at / kPageSectors], nullptr, 0, count * kSectorBytes});
    }
    bio.segments = segments.data();
    bio.segment_count = static_cast<std::uint32_t>(segments.size());
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  void fill(PageSpace& pages, int value) {
    for (Frame& frame : frames) {
      std::byte* bytes = nullptr;
      PageRef page = pages.make(&bytes);
      std::memset(bytes, value, kPageBytes);
      frame.set(std::move(page));
    }
  }
};

class Life final : private DeviceLookup {
 public:
  // `media`: what the disks held when the life before this one ended; empty: pristine.
  Life(kernel::KernelImage& image, Shop& shop, LifeOptions options = {}, std::vector<Image> media = {})
      : options_(std::move(options)),
        choices_(options_.seed),
        trace_(options_.keep),
        scheduler_(shop.stacks, choices_, trace_, options_.scheduler),
        pages_(shop.pages, 0) {
    for (std::size_t i = 0; i < options_.disks.size(); ++i) {
      DiskOptions disk;
      disk.name = options_.disks[i];
      disk.sectors = options_.disk_sectors;
      Image start = media.empty() ? Image(pristine_of(disk, shop), shop.disks.images) : std::move(media[i]);
      disks_.push_back(std::make_unique<Disk>(scheduler_, pages_, shop.disks, trace_.actors().intern(disk.name),
                                              disk, std::move(start), options_.faults));
    }
    engine_ = std::make_unique<kernel::LinuxEngine>(
        image, EngineEnvironment{scheduler_, pages_, bios_, *this}, options_.machine);
  }
  ~Life() { scheduler_.shut_down(); }

  kernel::LinuxEngine& engine() { return *engine_; }
  Scheduler& scheduler() { return scheduler_; }
  PageSpace& pages() { return pages_; }
  Trace& trace() { return trace_; }
  Disk& disk(std::size_t number) { return *disks_[number]; }

  // Starts `body` in a fiber of that name.
  Fiber& start(std::string_view name, std::function<void()> body) {
    return scheduler_.spawn(trace_.actors().intern(name), FiberRole::kTask, std::move(body));
  }
  // Runs until nothing is left to run, or so many steps.
  void run(std::uint64_t most = 1'000'000) {
    for (std::uint64_t i = 0; i < most && scheduler_.run(1); ++i) {
    }
  }
  // Runs `body` in a fiber to its end.
  void in_fiber(std::function<void()> body) {
    bool ended = false;
    start("test", [&] {
      body();
      ended = true;
    });
    for (std::uint64_t i = 0; i < 10'000'000 && !ended && scheduler_.run(1); ++i) {
    }
    EXPECT_TRUE(ended) << stuck();
  }
  std::string stuck() {
    std::string out;
    for (const StuckFiber& fiber : scheduler_.stuck()) {
      out += trace_.actors().name(fiber.actor) + " waits for " + fiber.waits_for + "\n";
    }
    return out;
  }
  // In a fiber: creates, loads and resumes; the test fails where a verb does.
  void bring_up(std::string_view device, std::string_view table) {
    in_fiber([&, this] {
      expect_ok(engine().create(device));
      expect_ok(engine().load(device, table));
      expect_ok(engine().resume(device));
    });
  }
  template <typename Value>
  static void expect_ok(const DmResult<Value>& result) {
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : std::to_string(result.error().errno_value) + " " +
                                                        result.error().reason);
  }
  // One request, from its start to its end.
  BlockStatus ask(std::string_view device, Request& request) {
    in_fiber([&, this] { engine().find(device)->submit(request.bio); });
    for (std::uint64_t i = 0; i < 10'000'000 && request.ended == 0 && scheduler_.run(1); ++i) {
    }
    EXPECT_EQ(request.ended, 1) << bio_notation(request.bio) << " has not ended";
    return request.bio.status;
  }
  // Everything that the disks hold, caches included.
  std::vector<Image> images() const {
    std::vector<Image> out;
    for (const auto& disk : disks_) out.push_back(disk->current_image());
    return out;
  }

 private:
  BlockDevice* find_disk(std::string_view name) override {
    for (const auto& disk : disks_) {
      if (disk->name() == name) return disk.get();
    }
    return nullptr;
  }
  static const Pristine& pristine_of(const DiskOptions& disk, Shop& shop) {
    auto& made = shop.pristine[disk.name + "/" + std::to_string(disk.sectors)];
    if (made == nullptr) made = std::make_unique<Pristine>(shop.pages, disk);
    return *made;
  }

  LifeOptions options_;
  RandomChoices choices_;
  Trace trace_;
  Scheduler scheduler_;
  PageSpace pages_;
  BioPool bios_;
  std::vector<std::unique_ptr<Disk>> disks_;
  std::unique_ptr<kernel::LinuxEngine> engine_;
};

}  // namespace dmsim::kernel_test
