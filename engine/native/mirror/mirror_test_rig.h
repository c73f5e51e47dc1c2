// A small machine for the mirror's tests: disks with a volatile cache whose every delay and failure
// is set by hand, and a host that does for one target what dm core would.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/native/mirror/mirror_set.h"
#include "engine/native/mirror/mirror_target.h"

namespace dmsim::native {

using Bytes = std::vector<std::byte>;

class TestDisk final : public BlockDevice {
 public:
  TestDisk(std::string name, std::uint64_t sectors, Scheduler& scheduler, PageSpace& pages)
      : durable(sectors * kSectorBytes),
        cached(sectors * kSectorBytes),
        name_(std::move(name)),
        sectors_(sectors),
        scheduler_(scheduler),
        pages_(pages) {}

  const std::string& name() const override { return name_; }
  std::uint64_t sectors() const override { return sectors_; }
  BlockLimits limits() const override {
    BlockLimits limits;
    limits.discard = discards;
    limits.volatile_cache = true;
    return limits;
  }
  void submit(Bio& bio) override {
    EXPECT_LE(bio.sector + bio.sectors, sectors_) << name_;
    history.push_back(bio_notation(bio));
    const Duration more = bio.op == Op::kWrite ? write_delay : Duration();
    scheduler_.after(transfer_after + more, &TestDisk::transfer, this,
                     reinterpret_cast<std::uintptr_t>(&bio));
  }
  bool asked(std::string_view notation) const { return count(notation) > 0; }
  long count(std::string_view notation) const {
    return std::count(history.begin(), history.end(), notation);
  }
  std::byte at(Sector sector) const { return cached[sector * kSectorBytes]; }

  Bytes durable;
  Bytes cached;
  bool discards = true;
  bool dead = false;
  bool fail_reads = false;
  bool fail_writes = false;
  bool fail_flushes = false;
  Duration transfer_after = Duration::microseconds(5);
  Duration complete_after = Duration::microseconds(5);  // after the transfer
  Duration read_delay;   // more, before a read completes: slows recovery down
  Duration write_delay;  // more, before a write's data move
  std::vector<std::string> history;

 private:
  bool fails(Op op) const {
    return dead || (op == Op::kRead && fail_reads) || (op == Op::kWrite && fail_writes) ||
           (op == Op::kFlush && fail_flushes);
  }
  static void transfer(void* self, std::uint64_t argument) {
    TestDisk& disk = *static_cast<TestDisk*>(self);
    Bio& bio = *reinterpret_cast<Bio*>(static_cast<std::uintptr_t>(argument));
    bio.status =
        disk.fails(bio.op) ? BlockStatus{BlockStatus::Code::kIoError, true} : BlockStatus::okay();
    if (bio.status.ok()) disk.move_data(bio);
    const Duration more = bio.op == Op::kRead ? disk.read_delay : Duration();
    disk.scheduler_.after(disk.complete_after + more, &TestDisk::complete, self, argument);
  }
  static void complete(void*, std::uint64_t argument) {
    Bio& bio = *reinterpret_cast<Bio*>(static_cast<std::uintptr_t>(argument));
    bio.complete(bio.status);
  }
  void move_data(const Bio& bio) {
    const std::size_t at = bio.sector * kSectorBytes;
    if (bio.op == Op::kFlush) durable = cached;
    if (bio.op == Op::kDiscard) std::memset(cached.data() + at, 0, bio.sectors * kSectorBytes);
    if (bio.op != Op::kRead && bio.op != Op::kWrite) return;
    DataCursor cursor(bio);
    DataPiece piece;
    while (cursor.next(&piece)) {
      std::byte* where = cached.data() + piece.device_sector * kSectorBytes;
      if (bio.op == Op::kRead) {
        write_piece(piece, pages_, where);
      } else {
        read_piece(piece, where);
        if (bio.fua) {
          std::memcpy(durable.data() + piece.device_sector * kSectorBytes, where,
                      piece.sectors * kSectorBytes);
        }
      }
    }
  }

  std::string name_;
  std::uint64_t sectors_;
  Scheduler& scheduler_;
  PageSpace& pages_;
};

class TestRequest {
 public:
  TargetBio target_bio;
  Frame frames[16];
  Segment segments[16];
  bool done = false;
  BlockStatus status;
  bool ok() const { return done && status.ok(); }
  bool failed() const { return done && status.code == BlockStatus::Code::kIoError; }
  bool requeued() const { return done && status.code == BlockStatus::Code::kRequeue; }
  std::byte first_byte() const { return frames[0].page().bytes()[0]; }
};

// Draws what is set for its point, 0 for every other.
class SetChoices final : public ChoiceSource {
 public:
  std::map<std::string_view, std::uint64_t> values;

 private:
  std::uint64_t choose(const ChoicePoint& point, Actor, std::uint64_t bound) override {
    const auto found = values.find(point.name);
    return found == values.end() ? 0 : std::min(found->second, bound - 1);
  }
};

class MirrorRig : private DeviceLookup, private TargetHost {
 public:
  static constexpr std::uint64_t kSectors = 1024;  // of the mirror: 16 regions of 64 sectors
  static constexpr const char* kDiskTable = "disk 2 log0 64 2 leg0 0 leg1 0 1 handle_errors";
  static constexpr const char* kNoErrorsTable = "disk 2 log0 64 2 leg0 0 leg1 0";
  static constexpr const char* kCoreTable = "core 1 64 2 leg0 0 leg1 0 1 handle_errors";
  static constexpr const char* kNosyncTable =
      "disk 3 log0 64 nosync 2 leg0 0 leg1 0 1 handle_errors";

  explicit MirrorRig(SwitchValues switches = {}) : switches_(std::move(switches)) {
    for (const char* name : {"leg0", "leg1", "leg2"}) add_disk(name, kSectors);
    add_disk("log0", 64);
    add_disk("tiny", 2);
    for (Sector sector = 0; sector < kSectors; ++sector) {
      for (int leg = 0; leg < 3; ++leg) {
        TestDisk& d = disk("leg" + std::to_string(leg));
        const auto value = static_cast<int>(0x10 * (leg + 1));
        std::memset(d.cached.data() + sector * kSectorBytes, value, kSectorBytes);
        std::memset(d.durable.data() + sector * kSectorBytes, value, kSectorBytes);
      }
    }
  }
  ~MirrorRig() { scheduler.shut_down(); }

  TestDisk& add_disk(const std::string& name, std::uint64_t sectors) {
    return *(disks_[name] = std::make_unique<TestDisk>(name, sectors, scheduler, pages));
  }
  TestDisk& disk(const std::string& name) { return *disks_.at(name); }
  TestDisk& leg0() { return disk("leg0"); }
  TestDisk& leg1() { return disk("leg1"); }
  TestDisk& log() { return disk("log0"); }
  // Power fails: caches are lost. Call on the machine that takes the disks over.
  void take_durable_from(MirrorRig& before) {
    for (auto& [name, d] : before.disks_) {
      disk(name).durable = d->durable;
      disk(name).cached = d->durable;
    }
  }

  // The error's reason; empty: constructed.
  std::string load(const std::string& table, std::uint64_t sectors = kSectors) {
    words_text_ = table;
    std::vector<std::string_view> words;
    for (std::size_t at = 0; at < words_text_.size();) {
      const std::size_t end = std::min(words_text_.find(' ', at), words_text_.size());
      if (end > at) words.push_back(std::string_view(words_text_).substr(at, end - at));
      at = end + 1;
    }
    auto result = construct_mirror({target_begin, sectors, words, *this, switches_});
    if (!result) return result.error().reason;
    target_ = std::move(result).value();
    return "";
  }
  MirrorSet& mirror() { return static_cast<MirrorSet&>(*target_); }
  std::string info() { return mirror().status(StatusKind::kInfo); }
  std::string table() { return mirror().status(StatusKind::kTable); }

  // Runs `body` as a task; false: it had not ended after `patience`.
  bool run(std::function<void()> body, Duration patience = Duration::seconds(5)) {
    auto done = std::make_shared<bool>(false);
    const Actor actor = trace.actors().intern("test");
    scheduler.spawn(actor, FiberRole::kTask, [body = std::move(body), done] {
      body();
      *done = true;
    });
    const Instant deadline = scheduler.now() + patience;
    while (!*done && scheduler.now() < deadline && scheduler.step()) {
    }
    return *done;
  }
  void settle(Duration time = Duration::seconds(1)) {
    run([&] { scheduler.sleep(time); }, time * 2);
  }
  bool resume() {
    return run([&] { mirror().resume(); });
  }
  bool presuspend() {
    return run([&] { mirror().presuspend(); });
  }
  bool postsuspend() {
    return run([&] { mirror().postsuspend(); });
  }
  bool suspend(bool noflush = false) {
    noflush_ = noflush;
    suspended_ = true;
    const bool ended = presuspend() && run([&] { wait_drained(); }) && postsuspend();
    return ended;
  }
  // Loads, resumes, and lets the first synchronisation run to its end.
  void start(const std::string& table = kDiskTable) {
    ASSERT_EQ(load(table), "");
    ASSERT_TRUE(resume());
    settle();
  }

  TestRequest& begin(Op op, Sector sector, std::uint32_t sectors = 8, int fill = 0x77) {
    TestRequest& request = requests_.emplace_back();
    Bio& bio = request.target_bio.bio;
    bio.op = op;
    bio.sector = sector;
    bio.sectors = op == Op::kFlush ? 0 : sectors;
    if (op == Op::kRead || op == Op::kWrite) {
      const std::uint32_t pages_needed = (sectors + 7) / 8;
      for (std::uint32_t i = 0; i < pages_needed; ++i) {
        std::byte* bytes = nullptr;
        PageRef page = pages.make(&bytes);
        std::memset(bytes, op == Op::kWrite ? fill : 0xEE, kPageBytes);
        request.frames[i].set(std::move(page));
        request.segments[i] = {&request.frames[i], nullptr, 0,
                               std::min(sectors - i * 8, 8u) * kSectorBytes};
      }
      bio.segments = request.segments;
      bio.segment_count = pages_needed;
    }
    request.target_bio.original = &request;
    ++in_flight_;
    switch (target_->map(request.target_bio)) {
      case MapResult::kSubmitted: break;
      case MapResult::kRemapped: submit(request.target_bio); break;
      case MapResult::kRequeue:
        finish(request.target_bio, BlockStatus::of(BlockStatus::Code::kRequeue));
        break;
      case MapResult::kKill:
        finish(request.target_bio, BlockStatus::of(BlockStatus::Code::kIoError));
        break;
    }
    return request;
  }
  TestRequest& write(Sector sector, int fill = 0x77, std::uint32_t sectors = 8) {
    TestRequest& request = begin(Op::kWrite, sector, sectors, fill);
    settle(Duration::milliseconds(50));
    return request;
  }
  TestRequest& read(Sector sector, std::uint32_t sectors = 8) {
    TestRequest& request = begin(Op::kRead, sector, sectors);
    settle(Duration::milliseconds(50));
    return request;
  }
  TestRequest& flush() {
    TestRequest& request = begin(Op::kFlush, 0);
    settle(Duration::milliseconds(50));
    return request;
  }
  bool legs_equal(const char* a = "leg0", const char* b = "leg1") {
    return disk(a).cached == disk(b).cached;
  }
  std::vector<std::string> leaks() {
    std::vector<std::string> out;
    mirror().list_leaks(out);
    return out;
  }
  std::uint32_t events = 0;
  Sector target_begin = 0;  // of the mirror in its table

  StackPool stacks;
  PagePool page_pool;
  SetChoices choices;
  Trace trace;
  Scheduler scheduler{stacks, choices, trace};
  PageSpace pages{page_pool, 0};
  BioPool bios;

 private:
  void wait_drained() {
    while (in_flight_ > 0) scheduler.sleep(Duration::milliseconds(1));
  }
  const EngineEnvironment& environment() override { return environment_; }
  BlockDevice* find_disk(std::string_view name) override {
    const auto found = disks_.find(std::string(name));
    return found == disks_.end() ? nullptr : found->second.get();
  }
  BlockDevice* open(std::string_view name) override { return find_disk(name); }
  bool noflush_suspending() const override { return noflush_ && suspended_; }
  bool suspended() const override { return suspended_; }
  void event() override { ++events; }
  void finish(TargetBio& bio, BlockStatus status) override {
    auto& request = *static_cast<TestRequest*>(bio.original);
    EXPECT_FALSE(request.done);
    request.done = true;
    request.status = status;
    --in_flight_;
  }
  void submit(TargetBio& bio) override {
    bio.bio.context = this;
    bio.bio.end_io = [](Bio& ended) {
      auto& rig = *static_cast<MirrorRig*>(ended.context);
      TargetBio& clone = target_bio_of(ended);
      BlockStatus status = ended.status;
      if (rig.target_->end_io(clone, status) == EndResult::kDone) rig.finish(clone, status);
    };
    bio.device->submit(bio.bio);
  }
  Actor device_actor() const override { return Actor::kNobody; }
  const std::string& device_name() const override { return name_; }

  EngineEnvironment environment_{scheduler, pages, bios, *this};
  std::string name_ = "lv";
  SwitchValues switches_;
  std::map<std::string, std::unique_ptr<TestDisk>> disks_;
  std::string words_text_;
  std::deque<TestRequest> requests_;
  std::uint64_t in_flight_ = 0;
  bool noflush_ = false;
  bool suspended_ = false;
  std::unique_ptr<Target> target_;
};

}  // namespace dmsim::native
