// A machine for the clone's tests: dm core with a clone "lv" of 16 regions of 8 sectors on disks whose every
// answer the test can hold back or choose. Time moves only in settle().
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "engine/native/clone/clone_target.h"
#include "engine/native/core/core_test_rig.h"

namespace dmsim::native {

class CloneRig final : private DeviceLookup {
 public:
  static constexpr Sector kSectors = 128;
  static constexpr const char* kTable = "0 128 clone meta dest src 8";
  static constexpr const char* kIdle = "0 128 clone meta dest src 8 1 no_hydration";

  explicit CloneRig(SwitchValues switches = {})
      : meta("meta", 64, pages), dest("dest", kSectors, pages), src("src", kSectors, pages) {
    const TargetType types[] = {kCloneType};
    dm = std::make_unique<NativeDeviceMapper>(EngineEnvironment{scheduler, pages, bios, *this},
                                              std::move(switches), types);
    for (Sector sector = 0; sector < kSectors; ++sector) {
      std::memset(src.sector(sector), 0x50, kSectorBytes);
      std::memset(dest.sector(sector), 0xDD, kSectorBytes);
    }
  }
  CloneRig(const CloneRig&) = delete;
  CloneRig& operator=(const CloneRig&) = delete;
  ~CloneRig() { scheduler.shut_down(); }

  // Lets time pass.
  void settle(Duration time = Duration::milliseconds(10)) {
    bool over = false;
    scheduler.after(time, [](void* flag, std::uint64_t) { *static_cast<bool*>(flag) = true; }, &over);
    while (!over && scheduler.step()) {
    }
  }
  void commit_period() { settle(Duration::milliseconds(2100)); }
  // Runs `body` in a fiber; false: it has not ended.
  bool run(std::function<void()> body) {
    auto ended = std::make_shared<bool>(false);
    scheduler.spawn(trace.actors().intern("admin"), FiberRole::kTask, [body = std::move(body), ended] {
      body();
      *ended = true;
    });
    settle();
    return *ended;
  }
  // The refusal's words; empty: well.
  std::string load(const std::string& table) {
    std::string out;
    run([&] {
      if (dm->find("lv") == nullptr) {
        EXPECT_TRUE(dm->create("lv").ok());
      }
      const auto loaded = dm->load("lv", table);
      if (!loaded.ok()) out = fmt::format("{} {}", loaded.error().errno_value, loaded.error().reason);
    });
    return out;
  }
  // The verbs may go on when these return false.
  bool suspend() {
    auto ok = std::make_shared<bool>(false);
    run([this, ok] { *ok = dm->suspend("lv", {}).ok(); });
    return *ok;
  }
  bool resume() {
    auto ok = std::make_shared<bool>(false);
    run([this, ok] { *ok = dm->resume("lv").ok(); });
    return *ok;
  }
  void boot(const std::string& table = kTable) {
    ASSERT_EQ(load(table), "");
    ASSERT_TRUE(resume());
  }
  std::string status() {
    std::string out;
    run([&] { out = dm->status("lv").value(); });
    return out;
  }
  // Errno; 0: well.
  int message(const std::string& text) {
    int out = -1;
    run([&] {
      const auto answer = dm->message("lv", 0, text);
      out = answer.ok() ? 0 : answer.error().errno_value;
    });
    return out;
  }
  const CloneView& view() { return *dm->clones("lv").at(0); }
  std::string hydrated() {
    std::string out;
    for (std::uint64_t region = 0; region < view().region_count(); ++region) {
      out += view().hydrated(region) ? '1' : '0';
    }
    return out;
  }
  // What the metadata on disk say; FakeDisk has no cache.
  std::string on_disk() {
    const auto bits = view().hydrated_by([&](Sector first, std::uint32_t count, std::byte* out) {
      std::memcpy(out, meta.sector(first), count * kSectorBytes);
    });
    if (!bits.ok()) return bits.error();
    std::string out;
    for (const bool bit : *bits) out += bit ? '1' : '0';
    return out;
  }

  // Sends it; it may be on its way when this returns.
  TestBio& send(Op op, Sector sector, std::uint32_t sectors, std::byte fill = std::byte{0xAB},
                bool fua = false) {
    sent_.push_back(std::make_unique<TestBio>());
    TestBio& test = *sent_.back();
    test.memory.assign(sectors * kSectorBytes, fill);
    test.segment = {nullptr, test.memory.data(), 0, sectors * kSectorBytes};
    test.orders = &orders_;
    Bio& bio = test.bio;
    bio.op = op;
    bio.fua = fua;
    bio.sector = sector;
    bio.sectors = sectors;
    if (op == Op::kRead || op == Op::kWrite) {
      bio.segments = &test.segment;
      bio.segment_count = 1;
    }
    bio.context = &test;
    bio.end_io = [](Bio& ended) {
      auto& its = *static_cast<TestBio*>(ended.context);
      EXPECT_FALSE(its.done) << "ended twice";
      its.done = true;
      its.order = ++*its.orders;
    };
    run([&] { dm->find("lv")->submit(bio); });
    return test;
  }
  TestBio& write(Sector sector, std::uint32_t sectors, std::byte fill = std::byte{0xAB}) {
    return send(Op::kWrite, sector, sectors, fill);
  }
  TestBio& flush() { return send(Op::kFlush, 0, 0); }
  std::byte read(Sector sector) {
    TestBio& test = send(Op::kRead, sector, 1);
    EXPECT_TRUE(test.done && test.bio.status.ok());
    return test.memory[0];
  }
  std::vector<std::string> leaks() { return dm->leaks(); }

  StackPool stacks;
  PlainChoices choices;
  Trace trace{Trace::Keep::kAll};
  Scheduler scheduler{stacks, choices, trace};
  PagePool pool;
  PageSpace pages{pool, 0};
  BioPool bios;
  FakeDisk meta;
  FakeDisk dest;
  FakeDisk src;

 private:
  BlockDevice* find_disk(std::string_view name) override {
    for (FakeDisk* disk : {&meta, &dest, &src}) {
      if (disk->name() == name) return disk;
    }
    return nullptr;
  }
  std::vector<std::unique_ptr<TestBio>> sent_;
  int orders_ = 0;

 public:
  std::unique_ptr<NativeDeviceMapper> dm;  // last: the first to go
};

inline bool ended_well(const TestBio& test) { return test.done && test.bio.status.ok(); }
inline bool ended_in_error(const TestBio& test) { return test.done && !test.bio.status.ok(); }
inline bool asked(const FakeDisk& disk, std::string_view notation) {
  return std::find(disk.log.begin(), disk.log.end(), notation) != disk.log.end();
}

}  // namespace dmsim::native
