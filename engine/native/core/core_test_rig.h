// What the tests of dm core share: a small world with disks that keep their bytes and obey the test,
// and a target type "fake" that records its calls and does what the test tells it to.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/native/core/native_device_mapper.h"
#include "sim/wait.h"

namespace dmsim::native {

inline constexpr BlockStatus kOk = BlockStatus::okay();
inline constexpr BlockStatus kEioStatus = BlockStatus::of(BlockStatus::Code::kIoError);
inline constexpr BlockStatus kInjected{BlockStatus::Code::kMedium, true};

// A disk with bytes. Answers at once, or holds bios until the test lets them go.
class FakeDisk final : public BlockDevice {
 public:
  FakeDisk(std::string name, std::uint64_t sectors, PageSpace& pages)
      : name_(std::move(name)), bytes_(sectors * kSectorBytes), pages_(pages) {
    shape.volatile_cache = true;
  }
  const std::string& name() const override { return name_; }
  std::uint64_t sectors() const override { return bytes_.size() / kSectorBytes; }
  BlockLimits limits() const override { return shape; }
  void submit(Bio& bio) override {
    EXPECT_LE(bio.range().end, sectors()) << bio_notation(bio);
    EXPECT_LE(bio.sectors, shape.max_sectors) << bio_notation(bio);
    log.push_back(bio_notation(bio));
    causes.push_back(bio.trace_id);
    if (hold) {
      held.push_back(&bio);
    } else {
      answer(bio);
    }
  }
  bool congested() override {
    if (asked) asked();
    return busy;
  }
  // Ends the oldest held bio.
  void release() {
    ASSERT_FALSE(held.empty());
    Bio& bio = *held.front();
    held.pop_front();
    answer(bio);
  }
  void release_all() {
    while (!held.empty()) release();
  }
  std::byte* sector(Sector at) { return bytes_.data() + at * kSectorBytes; }

  BlockLimits shape;
  bool hold = false;
  bool busy = false;            // what congested() answers
  std::function<void()> asked;  // happens whenever somebody asks that
  std::deque<Bio*> held;
  std::vector<std::string> log;     // in the notation of the glossary
  std::vector<TraceId> causes;      // trace_id of each
  std::deque<BlockStatus> answers;  // of the next bios to end; then all are well

 private:
  void answer(Bio& bio) {
    BlockStatus status = kOk;
    if (!answers.empty()) {
      status = answers.front();
      answers.pop_front();
    }
    if (status.ok() && (bio.op == Op::kRead || bio.op == Op::kWrite)) move(bio);
    bio.complete(status);
  }
  void move(Bio& bio) {
    if (bio.segments == nullptr) return;
    DataCursor cursor(bio);
    DataPiece piece;
    while (cursor.next(&piece)) {
      if (bio.op == Op::kWrite) read_piece(piece, sector(piece.device_sector));
      if (bio.op == Op::kRead) write_piece(piece, pages_, sector(piece.device_sector));
    }
  }

  std::string name_;
  std::vector<std::byte> bytes_;
  PageSpace& pages_;
};

class FakeTarget;

// A test's bio with its own plain memory, each sector filled with a byte of its own number.
struct TestBio {
  Bio bio;
  std::vector<std::byte> memory;
  Segment segment;
  bool done = false;
  int order = 0;  // among the bios of its rig that have ended, from 1
  int* orders = nullptr;
};

class Rig final : public DeviceLookup {
 public:
  explicit Rig(SwitchValues switches = {}, SchedulerOptions options = {});
  ~Rig() { scheduler.shut_down(); }

  FakeDisk& disk(const std::string& name, std::uint64_t sectors = 1024) {
    disks_.push_back(std::make_unique<FakeDisk>(name, sectors, pages));
    return *disks_.back();
  }
  BlockDevice* find_disk(std::string_view name) override {
    for (auto& each : disks_) {
      if (each->name() == name) return each.get();
    }
    return nullptr;
  }

  // Lets everything run until nothing can.
  void settle() {
    while (scheduler.step()) {
    }
  }
  Fiber& spawn(std::function<void()> body, const char* name = "task") {
    return scheduler.spawn(trace.actors().intern(name), FiberRole::kTask, std::move(body));
  }
  // Runs `body` in a fiber, to its end.
  void run(std::function<void()> body) {
    bool ended = false;
    spawn([&] {
      body();
      ended = true;
    });
    settle();
    ASSERT_TRUE(ended) << "the fiber waits for: "
                       << (scheduler.stuck().empty() ? "nothing" : scheduler.stuck()[0].waits_for);
  }
  // Creates, loads and resumes a device.
  void activate(const char* name, const std::string& table) {
    run([&] {
      ASSERT_TRUE(dm->create(name).ok());
      reload(name, table);
    });
  }
  // In a fiber.
  void reload(const char* name, const std::string& table) {
    auto loaded = dm->load(name, table);
    ASSERT_TRUE(loaded.ok()) << loaded.error().reason;
    auto resumed = dm->resume(name);
    ASSERT_TRUE(resumed.ok()) << resumed.error().reason;
  }

  std::unique_ptr<TestBio> bio(Op op, Sector sector, std::uint32_t sectors) {
    auto out = std::make_unique<TestBio>();
    out->orders = &orders_;
    out->memory.resize(sectors * kSectorBytes);
    if (op == Op::kWrite) {
      for (std::uint32_t i = 0; i < sectors; ++i) {
        std::memset(&out->memory[i * kSectorBytes], static_cast<int>(sector + i), kSectorBytes);
      }
    }
    out->segment = {nullptr, out->memory.data(), 0, sectors * kSectorBytes};
    Bio& b = out->bio;
    b.op = op;
    b.sector = sector;
    b.sectors = sectors;
    if ((op == Op::kRead || op == Op::kWrite) && sectors > 0) {
      b.segments = &out->segment;
      b.segment_count = 1;
    }
    b.context = out.get();
    b.end_io = [](Bio& ended) {
      auto& test = *static_cast<TestBio*>(ended.context);
      EXPECT_FALSE(test.done) << "ended twice";
      test.done = true;
      test.order = ++*test.orders;
    };
    return out;
  }
  void submit(const char* device, TestBio& test) { dm->find(device)->submit(test.bio); }
  // Submits, lets everything run, and tells how it ended.
  BlockStatus io(const char* device, TestBio& test) {
    spawn([&] { submit(device, test); });
    settle();
    EXPECT_TRUE(test.done) << bio_notation(test.bio);
    return test.bio.status;
  }
  BlockStatus io(const char* device, Op op, Sector sector, std::uint32_t sectors) {
    auto test = bio(op, sector, sectors);
    return io(device, *test);
  }

  // Everything at rest must be back where it started.
  void expect_at_rest() {
    EXPECT_EQ(dm->bios_in_flight(), 0u);
    for (const std::string& leak : dm->leaks()) ADD_FAILURE() << leak;
  }
  std::size_t events(std::string_view kind) const {
    std::size_t count = 0;
    for (const TraceEvent& event : trace.kept()) count += event.kind->name == kind;
    return count;
  }

  StackPool stacks;
  PlainChoices choices;
  Trace trace{Trace::Keep::kAll};
  Scheduler scheduler;
  PagePool pool;
  PageSpace pages{pool, 0};
  BioPool bios;
  std::map<std::string, FakeTarget*> fakes;  // alive ones, by name
  std::vector<std::string> calls;            // of fake targets: "a.presuspend"

 private:
  std::vector<std::unique_ptr<FakeDisk>> disks_;
  int orders_ = 0;

 public:
  std::unique_ptr<NativeDeviceMapper> dm;  // last: the first to go
};

// "NAME DEVICE [OPTION...]": passes bios on to DEVICE unless the test says otherwise. Options:
// split=N, flushes=N, discards=N, silent (tells no data devices).
class FakeTarget final : public Target {
 public:
  enum class Way { kRemap, kHold, kRequeue, kKill, kBlock };

  FakeTarget(const TargetArguments& arguments, BlockDevice& below)
      : Target(arguments.begin, arguments.length),
        host(arguments.host),
        name(arguments.words[0]),
        device(below),
        rig(static_cast<Rig&>(arguments.host.environment().devices)),
        gate(arguments.host.environment().scheduler, "the gate of " + name) {
    for (std::string_view word : arguments.words.subspan(2)) {
      const auto value = static_cast<std::uint32_t>(word.back() - '0');
      if (word.starts_with("split=")) split = value;
      if (word.starts_with("flushes=")) flushes = value;
      if (word.starts_with("discards=")) discards = value;
      if (word == "silent") silent = true;
    }
    rig.fakes[name] = this;
    call("construct");
  }
  ~FakeTarget() override {
    if (rig.fakes[name] == this) rig.fakes.erase(name);
    rig.calls.push_back(name + ".destroy");
  }
  static DmResult<std::unique_ptr<Target>> construct(const TargetArguments& arguments) {
    if (arguments.words.size() < 2) return Failure{DmError{EINVAL, "Invalid argument count"}};
    BlockDevice* device = arguments.host.open(arguments.words[1]);
    if (device == nullptr) return Failure{DmError{ENODEV, "Device lookup failed"}};
    return std::unique_ptr<Target>(std::make_unique<FakeTarget>(arguments, *device));
  }

  std::string_view type() const override { return "fake"; }
  MapResult map(TargetBio& clone) override {
    mapped.push_back(bio_notation(clone.bio));
    duplicates.push_back(clone.duplicate);
    for (std::uint64_t word : clone.words) EXPECT_EQ(word, 0u);
    clone.words[0] = 77;
    clone.device = &device;
    if (clone.bio.op != Op::kFlush) clone.bio.sector -= begin();
    switch (way) {
      case Way::kRemap: return MapResult::kRemapped;
      case Way::kHold: held.push_back(&clone); return MapResult::kSubmitted;
      case Way::kRequeue: return MapResult::kRequeue;
      case Way::kKill: return MapResult::kKill;
      case Way::kBlock: gate.wait(); return MapResult::kRemapped;
    }
    return MapResult::kKill;
  }
  EndResult end_io(TargetBio& clone, BlockStatus& status) override {
    EXPECT_EQ(clone.words[0], 77u);
    ++ended;
    last_status = status;
    if (end_way == EndResult::kIncomplete) held.push_back(&clone);
    return end_way;
  }
  // Ends the oldest held clone.
  void finish(BlockStatus status) {
    ASSERT_FALSE(held.empty());
    TargetBio& clone = *held.front();
    held.pop_front();
    host.finish(clone, status);
  }

  std::uint32_t flush_bios() const override { return flushes; }
  std::uint32_t discard_bios() const override { return discards; }
  std::uint32_t split_sectors() const override { return split; }
  std::vector<TargetDevice> data_devices() const override {
    if (silent) return {};
    return {{&device, 0, length()}};
  }
  void presuspend() override {
    call("presuspend");
    presuspend_saw_noflush = host.noflush_suspending();
    if (on_presuspend) on_presuspend();
  }
  void presuspend_undo() override { call("presuspend_undo"); }
  void postsuspend() override { call("postsuspend"); }
  DmResult<> preresume() override {
    call("preresume");
    if (preresume_errno != 0) return Failure{DmError{preresume_errno, "not today"}};
    return Done{};
  }
  void resume() override { call("resume"); }
  std::string status(StatusKind kind) override {
    return kind == StatusKind::kInfo ? "fine" : name + " " + device.name();
  }
  DmResult<std::string> message(std::span<const std::string_view> words) override {
    std::string out = name + " heard";
    for (std::string_view word : words) out += " " + std::string(word);
    if (words[0] == "wait") gate.wait();
    return out;
  }

  TargetHost& host;
  std::string name;
  BlockDevice& device;
  Rig& rig;
  WaitQueue gate;
  Way way = Way::kRemap;
  EndResult end_way = EndResult::kDone;
  int preresume_errno = 0;
  std::uint32_t split = 0;
  std::uint32_t flushes = 1;
  std::uint32_t discards = 1;
  bool silent = false;
  bool presuspend_saw_noflush = false;
  std::function<void()> on_presuspend;
  std::deque<TargetBio*> held;
  std::vector<std::string> mapped;
  std::vector<std::uint32_t> duplicates;
  int ended = 0;
  BlockStatus last_status;

 private:
  void call(const char* what) { rig.calls.push_back(name + "." + what); }
};

inline Rig::Rig(SwitchValues switches, SchedulerOptions options)
    : scheduler(stacks, choices, trace, options) {
  const TargetType types[] = {{"fake", &FakeTarget::construct}};
  dm = std::make_unique<NativeDeviceMapper>(EngineEnvironment{scheduler, pages, bios, *this},
                                            std::move(switches), types);
}

// A file system that the test can make refuse.
class FakeFreezer final : public Freezer {
 public:
  bool freeze() override {
    ++freezes;
    if (on_freeze) on_freeze();
    return !refuse;
  }
  void thaw() override { ++thaws; }
  bool refuse = false;
  int freezes = 0;
  int thaws = 0;
  std::function<void()> on_freeze;
};

using Strings = std::vector<std::string>;

inline constexpr SuspendOptions kNoflush{.noflush = true, .skip_lockfs = false};

// A verb in a fiber of its own, and what it answered.
struct Verb {
  Fiber* fiber = nullptr;
  bool done = false;
  int errno_value = -1;
};

inline std::unique_ptr<Verb> start(Rig& rig, std::function<DmResult<>()> body, const char* name = "admin") {
  auto verb = std::make_unique<Verb>();
  Verb* const raw = verb.get();
  verb->fiber = &rig.spawn([raw, body = std::move(body)] {
    const DmResult<> result = body();
    raw->errno_value = result.ok() ? 0 : result.error().errno_value;
    raw->done = true;
  }, name);
  rig.settle();
  return verb;
}

inline std::unique_ptr<Verb> start_suspend(Rig& rig, SuspendOptions options = {}) {
  return start(rig, [&rig, options] { return rig.dm->suspend("lv", options); });
}

}  // namespace dmsim::native
