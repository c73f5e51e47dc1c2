// For tests of LVM1: two disks of plain bytes whose requests end when the test says so, a group of four extents on the
// first, and buffer caches that remember what they are asked.
#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/lvm/lvm1_pvmove.h"
#include "engine/lvm/lvm1_volume.h"

namespace dmsim::lvm1 {

class SlowDisk final : public BlockDevice {
 public:
  SlowDisk(Scheduler& scheduler, std::string name, std::uint64_t sectors)
      : scheduler_(scheduler), name_(std::move(name)), bytes(sectors * kSectorBytes) {}
  const std::string& name() const override { return name_; }
  std::uint64_t sectors() const override { return bytes.size() / kSectorBytes; }
  BlockLimits limits() const override { return {}; }
  void submit(Bio& bio) override {
    log.push_back(bio_notation(bio));
    if (bio.op == Op::kWrite && bio.sector == holds) {
      held.push_back(&bio);
      return;
    }
    scheduler_.after(Duration::microseconds(10), [](void* disk, std::uint64_t at) {
      static_cast<SlowDisk*>(disk)->end(*reinterpret_cast<Bio*>(at));
    }, this, reinterpret_cast<std::uint64_t>(&bio));
  }
  // What was held moves its data and ends now.
  void release() {
    holds = ~Sector{0};
    for (Bio* bio : std::exchange(held, {})) end(*bio);
  }
  char at(Sector sector) const { return static_cast<char>(bytes[sector * kSectorBytes]); }

  std::vector<std::string> log;
  std::vector<Bio*> held;
  Sector holds = ~Sector{0};        // writes to that sector do not end
  Sector fails = ~Sector{0};        // requests to that sector do
  bool fails_writes_only = true;

 private:
  void end(Bio& bio) {
    const bool fails_now = bio.sector == fails && (bio.op == Op::kWrite || !fails_writes_only);
    if (fails_now) return bio.complete(BlockStatus::of(BlockStatus::Code::kIoError));
    DataCursor cursor(bio);
    DataPiece piece;
    while (bio.op != Op::kFlush && cursor.next(&piece)) {
      std::byte* const here = bytes.data() + piece.device_sector * kSectorBytes;
      std::byte* const memory = piece.segment->bytes + piece.segment_offset;
      const std::size_t size = piece.sectors * kSectorBytes;
      std::memcpy(bio.op == Op::kWrite ? here : memory, bio.op == Op::kWrite ? memory : here, size);
    }
    bio.complete(BlockStatus::okay());
  }
  Scheduler& scheduler_;
  std::string name_;

 public:
  std::vector<std::byte> bytes;
};

struct Lvm1Rig : DeviceLookup, Surroundings {
  static constexpr std::uint32_t kExtent = 16;  // sectors

  explicit Lvm1Rig(const SwitchValues& switches = SwitchValues())
      : driver({scheduler, pages, bios, *this}, Lvm1Switches::of(switches)) {
    driver.set_surroundings(this);
    for (const char* name : {"pv0", "pv1"}) disks[name] = std::make_unique<SlowDisk>(scheduler, name, 160);
    driver.activate(group());
    for (Sector sector = 32; sector < 96; ++sector) {
      fill(pv0(), sector, static_cast<char>('a' + (sector - 32) / kExtent));
    }
  }
  Lvm1Rig(const Lvm1Rig&) = delete;
  Lvm1Rig& operator=(const Lvm1Rig&) = delete;
  ~Lvm1Rig() { scheduler.shut_down(); }

  static Group group() {
    Group made;
    made.name = "vg";
    made.extent_sectors = kExtent;
    made.disks = {{"pv0", 8}, {"pv1", 8}};
    made.volumes = {{"lv", {{0, 0}, {0, 1}, {0, 2}, {0, 3}}}};
    return made;
  }
  static void fill(SlowDisk& disk, Sector sector, char what) {
    std::memset(disk.bytes.data() + sector * kSectorBytes, what, kSectorBytes);
  }
  SlowDisk& pv0() { return *disks["pv0"]; }
  SlowDisk& pv1() { return *disks["pv1"]; }
  Volume& volume() { return *driver.find("vg-lv"); }
  // What a reader of the volume would get now.
  char look(Sector sector) {
    const Place place = volume().data().map[sector / kExtent];
    const Group& group = *driver.group("vg");
    return disks[group.disks[place.disk].name]->at(group.sector_of(place) + sector % kExtent);
  }

  // One request of a user; what it writes is `what` all over.
  struct User {
    Bio bio;
    Segment segment;
    std::vector<std::byte> bytes;
    bool done = false;
  };
  User& submit(Op op, Sector sector, std::uint32_t sectors, char what = 0, bool preflush = false) {
    users.push_back(std::make_unique<User>());
    User& user = *users.back();
    user.bytes.assign(sectors * kSectorBytes, static_cast<std::byte>(what));
    user.segment.bytes = user.bytes.data();
    user.segment.length = static_cast<std::uint32_t>(user.bytes.size());
    user.bio.op = op;
    user.bio.preflush = preflush;
    user.bio.sector = sector;
    user.bio.sectors = sectors;
    if (op != Op::kFlush) {
      user.bio.segments = &user.segment;
      user.bio.segment_count = 1;
    }
    user.bio.context = &user;
    user.bio.end_io = [](Bio& over) { static_cast<User*>(over.context)->done = true; };
    volume().submit(user.bio);
    return user;
  }
  void start(std::function<void()> body) {
    scheduler.spawn(trace.actors().intern("process"), FiberRole::kTask, std::move(body));
  }
  void run() { scheduler.run(100'000); }
  std::string pvmove() {
    start([this] { result = tool.run("vg", "pv0", "pv1"), ended = true; });
    run();
    return result;
  }

  BlockDevice* find_disk(std::string_view name) override {
    const auto found = disks.find(std::string(name));
    return found == disks.end() ? nullptr : found->second.get();
  }
  void fsync_dev(const std::string&) override { ++syncs; }
  bool knows_of_writes_under_way(const std::string&) override { return false; }
  // A cache of the whole disk that is filled by the first read and never hears of anything.
  bool read_buffered(const std::string& disk, Sector first, std::span<std::byte> out) override {
    auto& cached = caches[disk];
    if (cached.empty()) cached = disks[disk]->bytes;
    if (first == disks[disk]->fails && !disks[disk]->fails_writes_only) return false;
    std::memcpy(out.data(), cached.data() + first * kSectorBytes, out.size());
    return true;
  }
  bool write_buffered(const std::string& disk, Sector first, std::span<const std::byte> bytes) override {
    std::memcpy(disks[disk]->bytes.data() + first * kSectorBytes, bytes.data(), bytes.size());
    return true;
  }
  bool sync_buffered(const std::string&) override { return true; }
  void take_memory(std::uint64_t) override {
    WaitQueue never(scheduler, "a page frame");
    if (!has_memory) never.wait();
  }
  void give_back_memory(std::uint64_t) override {}

  StackPool stacks;
  PlainChoices choices;
  Trace trace;
  Scheduler scheduler{stacks, choices, trace};
  PagePool pool;
  PageSpace pages{pool, 0};
  BioPool bios;
  std::map<std::string, std::unique_ptr<SlowDisk>> disks;
  std::map<std::string, std::vector<std::byte>> caches;
  std::vector<std::unique_ptr<User>> users;
  std::uint64_t syncs = 0;
  bool has_memory = true;
  bool ended = false;
  std::string result;
  Driver driver;
  Pvmove tool{driver};
};

}  // namespace dmsim::lvm1
