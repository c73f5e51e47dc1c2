// For tests of commands: disks of plain bytes, and a device-mapper that only keeps tables and takes notes.
#pragma once

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/lvm/commands.h"
#include "engine/lvm/test_groups.h"

namespace dmsim::lvm {

// A disk without a cache, whatever it says; counts what it is asked, and fails from a given request on.
class PlainDisk final : public BlockDevice {
 public:
  PlainDisk(Scheduler& scheduler, std::string name, std::uint64_t sectors)
      : scheduler_(scheduler), name_(std::move(name)), bytes_(sectors * kSectorBytes) {}
  const std::string& name() const override { return name_; }
  std::uint64_t sectors() const override { return bytes_.size() / kSectorBytes; }
  BlockLimits limits() const override {
    BlockLimits out;
    out.volatile_cache = volatile_cache;
    return out;
  }
  void submit(Bio& bio) override {
    if (bio.op == Op::kWrite) ++writes;
    if (bio.op == Op::kFlush) ++flushes;
    const bool fails = dead || (bio.op == Op::kWrite && writes > writes_that_work);
    if (!fails) {
      DataCursor cursor(bio);
      DataPiece piece;
      while (cursor.next(&piece)) {
        std::byte* const at = bytes_.data() + piece.device_sector * kSectorBytes;
        std::byte* const memory = piece.segment->bytes + piece.segment_offset;
        const std::size_t size = piece.sectors * kSectorBytes;
        std::memcpy(bio.op == Op::kWrite ? at : memory, bio.op == Op::kWrite ? memory : at, size);
      }
    }
    bio.status = fails ? BlockStatus::of(BlockStatus::Code::kIoError) : BlockStatus::okay();
    scheduler_.after(Duration::microseconds(10), [](void* context, std::uint64_t) {
      Bio& ended = *static_cast<Bio*>(context);
      ended.complete(ended.status);
    }, &bio);
  }
  std::byte* at(Sector sector) { return bytes_.data() + sector * kSectorBytes; }

  bool dead = false;
  bool volatile_cache = false;
  std::uint64_t writes = 0;
  std::uint64_t writes_that_work = ~std::uint64_t{0};
  std::uint64_t flushes = 0;

 private:
  Scheduler& scheduler_;
  std::string name_;
  std::vector<std::byte> bytes_;
};

// Tables without an engine. `log` takes down every verb: "suspend vg0-lv noflush".
class NotingMapper final : public DeviceMapper {
 public:
  explicit NotingMapper(Scheduler& scheduler) : scheduler_(scheduler) {}
  std::vector<std::string> log;
  std::map<std::string, std::string> live, inactive, statuses;
  std::string fails;                       // the verb that fails, as `log` has it
  std::function<void(const std::string&)> during;  // called within each verb

  DmResult<> create(std::string_view device) override {
    live[std::string(device)];
    made_[std::string(device)] = std::make_unique<PlainDisk>(scheduler_, std::string(device), 512);
    return note("create", device);
  }
  DmResult<> load(std::string_view device, std::string_view table) override {
    inactive[std::string(device)] = std::string(table);
    return note("load", device);
  }
  DmResult<> suspend(std::string_view device, SuspendOptions options) override {
    return note("suspend", device, fmt::format("{}{}", options.noflush ? " noflush" : "",
                                               options.skip_lockfs ? " skip-lockfs" : ""));
  }
  DmResult<> resume(std::string_view device) override {
    const std::string name(device);
    if (inactive.count(name) != 0) live[name] = inactive[name];
    inactive.erase(name);
    return note("resume", device);
  }
  DmResult<> remove(std::string_view device) override {
    live.erase(std::string(device));
    inactive.erase(std::string(device));
    return note("remove", device);
  }
  DmResult<std::string> status(std::string_view device) override {
    const auto found = statuses.find(std::string(device));
    return found == statuses.end() ? std::string() : found->second;
  }
  DmResult<std::string> table(std::string_view device, TableSlot) override { return live[std::string(device)]; }
  DmResult<std::string> message(std::string_view, Sector, std::string_view) override { return std::string(); }
  DmResult<std::uint32_t> wait_event(std::string_view, std::uint32_t) override { return Failure{DmError{EINTR, ""}}; }
  DmResult<std::uint32_t> event_number(std::string_view) override { return std::uint32_t{0}; }
  BlockDevice* find(std::string_view device) override {
    const std::string name(device);
    return live.count(name) == 0 ? nullptr : made_[name].get();
  }
  void set_freezer(std::string_view, Freezer*) override {}
  std::uint64_t table_generation() const override { return 0; }
  std::vector<const MirrorView*> mirrors(std::string_view) override { return {}; }
  std::uint64_t bios_in_flight() const override { return 0; }
  std::vector<std::string> leaks() override { return {}; }

 private:
  DmResult<> note(std::string_view verb, std::string_view device, std::string_view how = "") {
    log.push_back(fmt::format("{} {}{}", verb, device, how));
    const std::string noted = log.back();
    if (during != nullptr) during(noted);
    if (noted == fails) return Failure{DmError{EIO, "as the test wishes"}};
    return Done{};
  }
  Scheduler& scheduler_;
  std::map<std::string, std::unique_ptr<PlainDisk>> made_;
};

struct LvmRig : DeviceLookup, UserSpace, TwoSuspendersListener {
  explicit LvmRig(const SwitchValues& switches = SwitchValues(), const VolumeGroup& group = test_group(),
                  std::uint64_t seed = 1)
      : choices(seed),
        mapper(scheduler),
        administration(scheduler, this),
        environment{scheduler, mapper, *this, {}, administration, *this, LvmSwitches::of(switches),
                    PvmoveSwitches::of(switches)} {
    for (const PhysicalVolume& volume : group.physical_volumes) {
      environment.disk_names.push_back(volume.name);
      disks[volume.name] = std::make_unique<PlainDisk>(scheduler, volume.name, volume.device_sectors);
      for (const SectorWrite& part : fresh_volume(group, volume, {})) {
        std::memcpy(disks[volume.name]->at(part.first), part.bytes.data(), part.bytes.size());
      }
    }
    for (const DeviceNode& node : device_tree(group, TreeOptions{environment.switches.passthrough})) {
      mapper.create(node.name).ok();
      mapper.load(node.name, node.table).ok();
      mapper.resume(node.name).ok();
    }
    mapper.log.clear();
  }
  LvmRig(const LvmRig&) = delete;
  LvmRig& operator=(const LvmRig&) = delete;
  ~LvmRig() { scheduler.shut_down(); }

  // Runs `body` as a process of that name, to its end, or until it waits for ever.
  void start(std::string_view name, std::function<void(Session&)> body) {
    scheduler.spawn(trace.actors().intern(name), FiberRole::kTask, [this, body = std::move(body)] {
      Session session(environment);
      body(session);
    });
  }
  void run() { scheduler.run(1'000'000); }
  VolumeGroup committed() {
    VolumeGroup out;
    start("reader", [&](Session& session) {
      MetadataSteps steps = session.metadata("vg0");
      Result<VolumeGroup> read = steps.read();
      CHECK(read.ok(), read.ok() ? "" : read.error().to_string());
      out = *read;
    });
    run();
    return out;
  }

  BlockDevice* find_disk(std::string_view name) override {
    const auto found = disks.find(std::string(name));
    return found == disks.end() ? nullptr : found->second.get();
  }
  void allocate_memory() override { mapper.log.push_back("allocate memory"); }
  void write_backup(std::string_view) override { mapper.log.push_back("write backup"); }
  void on_two_suspenders(std::string_view device, Actor first, Actor second, std::string_view verb) override {
    clashes.push_back(fmt::format("{} {} by {}, of {}", verb, device, trace.actors().name(second),
                                  trace.actors().name(first)));
  }

  StackPool stacks;
  RandomChoices choices;
  Trace trace;
  Scheduler scheduler{stacks, choices, trace};
  std::map<std::string, std::unique_ptr<PlainDisk>> disks;
  std::vector<std::string> clashes;
  NotingMapper mapper;
  Administration administration;
  LvmEnvironment environment;
};

}  // namespace dmsim::lvm
