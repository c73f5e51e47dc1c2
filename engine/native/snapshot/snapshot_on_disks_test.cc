// Snapshots, their origins and merges on simulated disks: what they hold, what they survive, what they say of
// themselves. All in one file: only tests may know simulated disks, and what all of them stand on, the rig, is
// no test by itself. It is dm core with this room's targets on three disks: "real", the origin's, with content
// of its own, and "cow" and "cow2", empty.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "engine/native/core/native_device_mapper.h"
#include "engine/native/snapshot/snapshot_target.h"
#include "engine/native/snapshot/store_reader.h"
#include "models/disk/disk.h"
#include "sim/wait.h"

namespace dmsim::native {
namespace {

class SnapshotRig final : private DeviceLookup {
 public:
  static constexpr Sector kSectors = 512;

  explicit SnapshotRig(std::uint64_t seed = 1, SwitchValues switches = {},
                       std::vector<FaultOptions> faults = {}, std::uint64_t cow_sectors = 2048,
                       std::optional<Duration> every_request = {})
      : choices(seed), dm({scheduler, space, bios, *this, &memory}, std::move(switches), kTypes) {
    for (const char* name : {"real", "cow", "cow2"}) {
      DiskOptions options;
      options.name = name;
      const bool is_real = options.name == "real";
      options.sectors = is_real ? kSectors : cow_sectors;
      options.content = is_real ? DiskContent::kOwn : DiskContent::kZero;
      if (every_request) options.read = options.write = options.flush = {*every_request, *every_request};
      pristine_.push_back(std::make_unique<Pristine>(pool, options));
      disks_.push_back(std::make_unique<Disk>(scheduler, space, disk_pool_,
                                              trace.actors().intern(name), options,
                                              Image(*pristine_.back(), disk_pool_.images), faults));
    }
  }
  ~SnapshotRig() { scheduler.shut_down(); }

  Disk& disk(std::string_view name) {
    for (auto& each : disks_) {
      if (each->name() == name) return *each;
    }
    ADD_FAILURE() << "no disk " << name;
    return *disks_[0];
  }

  void task(const char* name, std::function<void()> body) {
    scheduler.spawn(trace.actors().intern(name), FiberRole::kTask, std::move(body));
  }
  // Until every task has ended; false: something is stuck.
  bool run_tasks() {
    while (scheduler.live_tasks() > 0) {
      if (!scheduler.step() || scheduler.now() > Instant() + Duration::seconds(100)) return false;
    }
    return true;
  }
  // Runs `body` in a task of its own, to its end and for a second more.
  void run(std::function<void()> body) {
    task("test", std::move(body));
    ASSERT_TRUE(run_tasks()) << stuck();
    task("rest", [this] { scheduler.sleep(Duration::seconds(1)); });
    ASSERT_TRUE(run_tasks()) << stuck();
  }
  std::string stuck() {
    std::string out;
    for (const StuckFiber& fiber : scheduler.stuck()) {
      out += trace.actors().name(fiber.actor) + " waits for " + fiber.waits_for + "\n";
    }
    return out + trace.render_tail(20);
  }

  // In a task, as all that follows.
  void activate(const char* name, const std::string& table) {
    EXPECT_TRUE(dm.create(name).ok());
    reload(name, table);
  }
  void reload(const char* name, const std::string& table) {
    const auto loaded = dm.load(name, table);
    EXPECT_TRUE(loaded.ok()) << loaded.error().reason;
    const auto resumed = dm.resume(name);
    EXPECT_TRUE(resumed.ok()) << resumed.error().reason;
  }
  // "snap" of "origin", chunks of 16 sectors, in LVM's order.
  void activate_pair(const char* snapshot_words = "P 16") {
    activate("snap", "0 512 snapshot real cow " + std::string(snapshot_words));
    activate("origin", "0 512 snapshot-origin real");
  }
  std::string status(const char* name) {
    auto status = dm.status(name);
    EXPECT_TRUE(status.ok());
    return status.ok() ? *status : "";
  }

  BlockStatus io(const char* device, Op op, Sector sector, std::uint32_t sectors, Frame* frames,
                 bool fua = false) {
    struct Waiting {
      Completion done;
      BlockStatus status;
    } waiting{Completion(scheduler, "a bio"), {}};
    std::vector<Segment> segments;
    for (std::uint32_t i = 0; i < sectors && frames != nullptr; i += kPageSectors) {
      segments.push_back({&frames[i / kPageSectors], nullptr, 0,
                          std::min(sectors - i, kPageSectors) * kSectorBytes});
    }
    Bio bio;
    bio.op = op;
    bio.fua = fua;
    bio.sector = sector;
    bio.sectors = sectors;
    bio.segments = segments.empty() ? nullptr : segments.data();
    bio.segment_count = static_cast<std::uint32_t>(segments.size());
    bio.context = &waiting;
    bio.end_io = [](Bio& ended) {
      auto& w = *static_cast<Waiting*>(ended.context);
      w.status = ended.status;
      w.done.complete();
    };
    dm.find(device)->submit(bio);
    waiting.done.wait();
    return waiting.status;
  }
  // Fills the sectors with one byte.
  BlockStatus write(const char* device, Sector sector, int fill, std::uint32_t sectors = kPageSectors) {
    std::vector<Frame> frames((sectors + kPageSectors - 1) / kPageSectors);
    for (Frame& frame : frames) {
      std::byte* bytes = nullptr;
      PageRef page = space.make(&bytes);
      std::memset(bytes, fill, kPageBytes);
      frame.set(page);
    }
    return io(device, Op::kWrite, sector, sectors, frames.data());
  }
  BlockStatus flush(const char* device) { return io(device, Op::kFlush, 0, 0, nullptr); }
  // The byte that all of the sector holds, -1: they differ; -2: it cannot be read.
  int byte_at(const char* device, Sector sector) {
    Frame frame;
    if (!io(device, Op::kRead, sector, 1, &frame).ok()) return -2;
    const std::byte first = frame.page().bytes()[0];
    for (std::uint32_t i = 1; i < kSectorBytes; ++i) {
      if (frame.page().bytes()[i] != first) return -1;
    }
    return std::to_integer<int>(first);
  }
  // The sector holds what "real" held at first.
  bool is_pristine(const char* device, Sector sector) {
    Frame frame;
    if (!io(device, Op::kRead, sector, 1, &frame).ok()) return false;
    std::vector<std::byte> was(kSectorBytes);
    Image(*pristine_[0], disk_pool_.images).read({sector, sector + 1}, was);
    return std::memcmp(frame.page().bytes(), was.data(), kSectorBytes) == 0;
  }
  // What an activation would find on the disk, caches included.
  Result<snapshot_store::Store, std::string> store(std::string_view name = "cow") {
    Disk& cow = disk(name);
    const auto read = [&cow](Sector first, std::uint32_t count, std::byte* out) {
      for (std::uint32_t i = 0; i < count; ++i) {
        const Sector at = first + i;
        std::memcpy(out + i * kSectorBytes,
                    cow.current_page(at / kPageSectors).sector_bytes(
                        static_cast<std::uint32_t>(at % kPageSectors)),
                    kSectorBytes);
      }
    };
    return snapshot_store::read_store(read, cow.sectors());
  }
  void expect_no_leaks() {
    EXPECT_EQ(dm.bios_in_flight(), 0u);
    for (const std::string& leak : dm.leaks()) ADD_FAILURE() << leak;
  }

  // Does what is set whenever an engine needs memory.
  struct Memory final : KernelMemory {
    void need_frame() override {
      ++frames;
      if (reclaim != nullptr) reclaim();
    }
    int frames = 0;
    std::function<void()> reclaim;
  };
  Memory memory;

  static constexpr TargetType kTypes[] = {kSnapshotOriginType, kSnapshotType, kSnapshotMergeType};
  StackPool stacks;
  PagePool pool;
  RandomChoices choices;
  Trace trace{Trace::Keep::kAll};
  Scheduler scheduler{stacks, choices, trace, {.preemption = {1, 4}}};
  PageSpace space{pool, 1};
  BioPool bios;

 private:
  BlockDevice* find_disk(std::string_view name) override {
    for (auto& each : disks_) {
      if (each->name() == name) return each.get();
    }
    return nullptr;
  }
  DiskPool disk_pool_;
  std::vector<std::unique_ptr<Pristine>> pristine_;
  std::vector<std::unique_ptr<Disk>> disks_;

 public:
  NativeDeviceMapper dm;
};


FaultOptions fault(std::string disk, FaultKind kind, std::optional<SectorRange> range = {}) {
  FaultOptions out;
  out.disk = std::move(disk);
  out.kind = kind;
  out.range = range;
  return out;
}

TEST(Snapshot, keeps_what_the_origin_was) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate_pair();
    EXPECT_TRUE(rig.write("origin", 16, 1).ok());
    EXPECT_EQ(rig.byte_at("origin", 16), 1);
    EXPECT_TRUE(rig.is_pristine("snap", 16));
    EXPECT_TRUE(rig.is_pristine("snap", 24)) << "the rest of the chunk was saved too";
    EXPECT_TRUE(rig.is_pristine("origin", 24));
    EXPECT_TRUE(rig.is_pristine("snap", 200));
  });
  const auto store = rig.store();
  ASSERT_TRUE(store.ok()) << store.error();
  EXPECT_EQ(store->records, (std::vector<snapshot_store::Record>{{1, 2}}));
  rig.expect_no_leaks();
}

TEST(Snapshot, is_written_without_the_origin_noticing) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate_pair();
    EXPECT_TRUE(rig.write("snap", 0, 7).ok());
    EXPECT_TRUE(rig.write("snap", 32, 8, 16).ok());
    EXPECT_EQ(rig.byte_at("snap", 0), 7);
    EXPECT_TRUE(rig.is_pristine("snap", 8));
    EXPECT_EQ(rig.byte_at("snap", 40), 8);
    EXPECT_TRUE(rig.is_pristine("origin", 0));
    EXPECT_TRUE(rig.write("origin", 0, 9).ok());
    EXPECT_EQ(rig.byte_at("snap", 0), 7);
  });
  rig.expect_no_leaks();
}

TEST(Snapshot, a_whole_chunk_is_overwritten_without_being_copied) {
  SnapshotRig rig;
  std::uint64_t reads = 0;
  rig.run([&] {
    rig.activate_pair();
    reads = rig.disk("real").stats().reads;
    EXPECT_TRUE(rig.write("snap", 32, 8, 16).ok());
    EXPECT_EQ(rig.disk("real").stats().reads, reads);
    EXPECT_TRUE(rig.write("snap", 48, 8, 8).ok());
    EXPECT_EQ(rig.disk("real").stats().reads, reads + 1);
  });
}

TEST(Snapshot, prints_the_lines_that_linux_prints) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate_pair();
    EXPECT_EQ(rig.status("snap"), "0 512 snapshot 32/2048 32");
    EXPECT_TRUE(rig.write("origin", 0, 1).ok());
    EXPECT_EQ(rig.status("snap"), "0 512 snapshot 48/2048 32");
    EXPECT_EQ(rig.status("origin"), "0 512 snapshot-origin ");
    EXPECT_EQ(*rig.dm.table("snap", TableSlot::kLive), "0 512 snapshot real cow P 16");
    EXPECT_EQ(*rig.dm.table("origin", TableSlot::kLive), "0 512 snapshot-origin real");
    rig.activate("other", "0 512 snapshot real cow2 n 8 2 discard_zeroes_cow discard_passdown_origin");
    EXPECT_EQ(rig.status("other"), "0 512 snapshot 0/2048 0");
    EXPECT_EQ(*rig.dm.table("other", TableSlot::kLive),
              "0 512 snapshot real cow2 N 8 2 discard_zeroes_cow discard_passdown_origin");
  });
}

TEST(Snapshot, refuses_tables_in_the_words_of_dm) {
  SnapshotRig rig;
  const auto reason = [&](const char* words) {
    const auto result = rig.dm.load("snap", "0 512 " + std::string(words));
    EXPECT_FALSE(result.ok()) << words;
    return result.ok() ? std::string() : result.error().reason;
  };
  rig.run([&] {
    EXPECT_TRUE(rig.dm.create("snap").ok());
    EXPECT_EQ(reason("snapshot real cow P"), "requires 4 or more arguments");
    EXPECT_EQ(reason("snapshot none cow P 16"), "Cannot get origin device");
    EXPECT_EQ(reason("snapshot real real P 16"), "COW device cannot be the same as origin device");
    EXPECT_EQ(reason("snapshot real none P 16"), "Cannot get COW device");
    EXPECT_EQ(reason("snapshot real cow X 16"),
              "Couldn't create exception store (Exception store type is not P or N)");
    EXPECT_EQ(reason("snapshot real cow P 12"),
              "Couldn't create exception store (Chunk size is not a power of 2)");
    EXPECT_EQ(reason("snapshot real cow P x"), "Couldn't create exception store (Invalid chunk size)");
    EXPECT_EQ(reason("snapshot real cow PX 16"),
              "Couldn't create exception store (Exception store type constructor failed)");
    EXPECT_EQ(reason("snapshot real cow N 0"), "Chunk size not set");
    EXPECT_EQ(reason("snapshot real cow P 16 1 nonsense"), "Unrecognised feature requested");
    EXPECT_EQ(reason("snapshot real cow P 16 1 discard_passdown_origin"),
              "discard_passdown_origin feature depends on discard_zeroes_cow");
    EXPECT_EQ(reason("snapshot-merge real cow N 16"),
              "Snapshot exception store does not support snapshot-merge.");
    EXPECT_EQ(reason("snapshot-origin"), "origin: incorrect number of arguments");
  });
  rig.expect_no_leaks();
}

TEST(Snapshot, two_of_one_origin_with_different_chunks_both_keep_it) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SnapshotRig rig(seed);
    rig.run([&] {
      rig.activate("small", "0 512 snapshot real cow P 8");
      rig.activate("large", "0 512 snapshot real cow2 P 32");
      rig.activate("origin", "0 512 snapshot-origin real");
      for (Sector page = 0; page < 8; ++page) {
        rig.task("writer", [&rig, page] { EXPECT_TRUE(rig.write("origin", page * 8, 1).ok()); });
      }
    });
    rig.run([&] {
      for (Sector sector = 0; sector < 64; ++sector) {
        EXPECT_EQ(rig.byte_at("origin", sector), 1) << "seed " << seed;
        EXPECT_TRUE(rig.is_pristine("small", sector)) << "seed " << seed << " sector " << sector;
        EXPECT_TRUE(rig.is_pristine("large", sector)) << "seed " << seed << " sector " << sector;
      }
    });
    rig.expect_no_leaks();
  }
}

// A write that crosses chunks is cut at the smallest of them.
TEST(Snapshot, a_long_write_of_the_origin_saves_every_chunk) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate_pair("P 8");
    EXPECT_TRUE(rig.write("origin", 4, 3, 64).ok());
    for (Sector sector = 0; sector < 80; ++sector) EXPECT_TRUE(rig.is_pristine("snap", sector)) << sector;
    EXPECT_EQ(rig.byte_at("origin", 67), 3);
  });
}

TEST(Snapshot, survives_a_reload_with_what_it_knew) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate_pair();
    EXPECT_TRUE(rig.write("origin", 0, 1).ok());
    EXPECT_TRUE(rig.write("snap", 64, 2).ok());
    EXPECT_TRUE(rig.dm.remove("snap").ok());
    rig.activate("snap", "0 512 snapshot real cow P 16");
    EXPECT_EQ(rig.status("snap"), "0 512 snapshot 64/2048 32");
    EXPECT_TRUE(rig.write("origin", 16, 3).ok());
    EXPECT_TRUE(rig.is_pristine("snap", 0));
    EXPECT_TRUE(rig.is_pristine("snap", 16));
    EXPECT_EQ(rig.byte_at("snap", 64), 2);
  });
  const auto store = rig.store();
  ASSERT_TRUE(store.ok()) << store.error();
  EXPECT_EQ(store->records, (std::vector<snapshot_store::Record>{{0, 2}, {4, 3}, {1, 4}}));
}

TEST(Snapshot, the_header_knows_better_than_the_table_what_a_chunk_is) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate_pair();
    EXPECT_TRUE(rig.write("origin", 16, 1).ok());
    EXPECT_TRUE(rig.dm.remove("snap").ok());
    rig.activate("snap", "0 512 snapshot real cow P 8");
    EXPECT_EQ(*rig.dm.table("snap", TableSlot::kLive), "0 512 snapshot real cow P 16");
    EXPECT_TRUE(rig.is_pristine("snap", 16));
  });
}

// Chunks of one sector: an area is full after 32.
TEST(Snapshot, fills_area_after_area) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate_pair("P 1");
    for (int i = 0; i < 4; ++i) {
      rig.task("writer", [&rig, i] {
        for (Sector sector = 0; sector < 20; ++sector) {
          EXPECT_TRUE(rig.write("origin", static_cast<Sector>(i) * 20 + sector, 1, 1).ok());
        }
      });
    }
  });
  rig.run([&] {
    EXPECT_EQ(rig.status("snap"), "0 512 snapshot 84/2048 4");
    EXPECT_TRUE(rig.dm.remove("snap").ok());
    rig.activate("snap", "0 512 snapshot real cow P 1");
    EXPECT_EQ(rig.status("snap"), "0 512 snapshot 84/2048 4");
    for (Sector sector = 0; sector < 80; ++sector) EXPECT_TRUE(rig.is_pristine("snap", sector)) << sector;
  });
  const auto store = rig.store();
  ASSERT_TRUE(store.ok()) << store.error();
  EXPECT_EQ(store->records.size(), 80u);
  EXPECT_EQ(store->lost_chunks, 0u);
}

TEST(Snapshot, a_full_store_makes_it_invalid_when_the_origin_is_written) {
  SnapshotRig rig(1, {}, {}, 64);  // four chunks: header, area, two to save
  rig.run([&] {
    rig.activate_pair();
    for (Sector chunk = 0; chunk < 3; ++chunk) EXPECT_TRUE(rig.write("origin", chunk * 16, 1).ok());
    EXPECT_EQ(rig.status("snap"), "0 512 snapshot Invalid");
    EXPECT_EQ(rig.byte_at("snap", 0), -2);
    EXPECT_EQ(*rig.dm.event_number("snap"), 1u);
    EXPECT_TRUE(rig.dm.remove("snap").ok());
    rig.activate("snap", "0 512 snapshot real cow P 16");
    EXPECT_EQ(rig.status("snap"), "0 512 snapshot Invalid") << "the header says so";
    EXPECT_TRUE(rig.write("origin", 64, 1).ok());
  });
  EXPECT_EQ(rig.store().error(), "marked invalid");
  rig.expect_no_leaks();
}

TEST(Snapshot, overflow_by_its_own_write_leaves_reads_alone_if_asked_for) {
  for (const char* words : {"PO 16", "P 16"}) {
    SnapshotRig rig(1, {}, {}, 64);
    rig.run([&] {
      rig.activate_pair(words);
      EXPECT_TRUE(rig.write("snap", 0, 1).ok());
      EXPECT_TRUE(rig.write("snap", 16, 1).ok());
      EXPECT_FALSE(rig.write("snap", 32, 1).ok());
      const bool overflows = words[1] == 'O';
      EXPECT_EQ(rig.status("snap"), overflows ? "0 512 snapshot Overflow" : "0 512 snapshot Invalid");
      EXPECT_EQ(rig.byte_at("snap", 0), overflows ? 1 : -2);
      EXPECT_FALSE(rig.write("snap", 0, 2).ok()) << "no further writes, even where there is a place";
    });
    rig.expect_no_leaks();
  }
}

TEST(Snapshot, an_origin_write_does_not_fail_when_the_store_does) {
  SnapshotRig rig(1, {}, {fault("cow", FaultKind::kWriteError, SectorRange{32, 2048})});
  rig.run([&] {
    rig.activate_pair();
    for (int i = 0; i < 4; ++i) {
      rig.task("writer", [&rig, i] {
        EXPECT_TRUE(rig.write("origin", static_cast<Sector>(i) * 16, 1).ok());
      });
    }
  });
  rig.run([&] { EXPECT_EQ(rig.status("snap"), "0 512 snapshot Invalid"); });
  rig.expect_no_leaks();
}

TEST(Snapshot, a_failed_area_write_makes_it_invalid) {
  SnapshotRig rig(1, {}, {[] {
    FaultOptions out = fault("cow", FaultKind::kWriteError, SectorRange{16, 32});
    out.skip = 1;  // the first empties the area
    return out;
  }()});
  rig.run([&] {
    rig.activate_pair();
    EXPECT_TRUE(rig.write("origin", 0, 1).ok());
    EXPECT_EQ(rig.status("snap"), "0 512 snapshot Invalid");
    EXPECT_FALSE(rig.write("snap", 64, 1).ok());
  });
  rig.expect_no_leaks();
}

TEST(Snapshot, discards_zero_what_it_has_of_its_own) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate_pair("P 16 1 discard_zeroes_cow");
    EXPECT_TRUE(rig.write("snap", 0, 5, 32).ok());
    EXPECT_TRUE(rig.io("snap", Op::kDiscard, 0, 48, nullptr).ok());
    EXPECT_EQ(rig.byte_at("snap", 0), 0);
    EXPECT_EQ(rig.byte_at("snap", 31), 0);
    EXPECT_TRUE(rig.is_pristine("snap", 40)) << "no exception: nothing to zero";
    EXPECT_TRUE(rig.is_pristine("origin", 0));
  });
  rig.expect_no_leaks();
}

TEST(Snapshot, transient_ones_are_empty_after_a_reload) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate_pair("N 16");
    EXPECT_TRUE(rig.write("origin", 0, 1).ok());
    EXPECT_TRUE(rig.is_pristine("snap", 0));
    EXPECT_EQ(rig.status("snap"), "0 512 snapshot 16/2048 0");
    EXPECT_TRUE(rig.dm.remove("snap").ok());
    rig.activate("snap", "0 512 snapshot real cow N 16");
    EXPECT_EQ(rig.byte_at("snap", 0), 1);
  });
}

TEST(Snapshot, a_reload_hands_the_store_over_while_the_origin_is_written) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SnapshotRig rig(seed);
    rig.run([&] {
      rig.activate_pair();
      for (int i = 0; i < 3; ++i) {
        rig.task("writer", [&rig, i] {
          for (Sector chunk = 0; chunk < 8; ++chunk) {
            EXPECT_TRUE(rig.write("origin", (static_cast<Sector>(i) * 8 + chunk) * 16, 1).ok());
          }
        });
      }
      for (int round = 0; round < 5; ++round) {
        EXPECT_TRUE(rig.dm.load("snap", "0 512 snapshot real cow P 16").ok());
        EXPECT_FALSE(rig.dm.load("snap", "0 512 snapshot real cow P 16").ok()) << "two wait already";
        EXPECT_TRUE(rig.dm.suspend("snap", {}).ok());
        EXPECT_TRUE(rig.dm.resume("snap").ok());
      }
    });
    rig.run([&] {
      for (Sector sector = 0; sector < 384; ++sector) {
        EXPECT_TRUE(rig.is_pristine("snap", sector)) << "seed " << seed << " sector " << sector;
      }
    });
    rig.expect_no_leaks();
  }
}

TEST(Snapshot, a_source_cannot_be_resumed_while_another_waits_for_its_store) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate_pair();
    EXPECT_TRUE(rig.dm.create("second").ok());
    EXPECT_TRUE(rig.dm.load("second", "0 512 snapshot real cow P 16").ok());
    const auto early = rig.dm.resume("second");
    ASSERT_FALSE(early.ok());
    EXPECT_EQ(early.error().reason, "Unable to perform snapshot handover until source is suspended.");
    EXPECT_TRUE(rig.dm.suspend("snap", {}).ok());
    const auto back = rig.dm.resume("snap");
    ASSERT_FALSE(back.ok());
    EXPECT_EQ(back.error().reason, "Unable to resume snapshot source until handover completes.");
    EXPECT_TRUE(rig.dm.resume("second").ok());
    EXPECT_TRUE(rig.dm.resume("snap").ok());
    EXPECT_EQ(rig.status("snap"), "0 512 snapshot Invalid");
    EXPECT_EQ(rig.status("second"), "0 512 snapshot 32/2048 32");
  });
  rig.expect_no_leaks();
}

TEST(Snapshot, a_table_that_waits_for_a_store_is_invalid_when_whoever_has_it_goes) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate_pair();
    EXPECT_TRUE(rig.write("origin", 0, 1).ok());
    EXPECT_TRUE(rig.dm.create("second").ok());
    EXPECT_TRUE(rig.dm.load("second", "0 512 snapshot real cow P 16").ok());
    EXPECT_TRUE(rig.dm.remove("snap").ok());
    EXPECT_TRUE(rig.dm.resume("second").ok());
    EXPECT_EQ(rig.status("second"), "0 512 snapshot Invalid");
    EXPECT_EQ(rig.byte_at("second", 0), -2);
    EXPECT_TRUE(rig.write("origin", 16, 1).ok());
    // What the store holds is as good as before.
    EXPECT_TRUE(rig.dm.remove("second").ok());
    rig.activate("snap", "0 512 snapshot real cow P 16");
    EXPECT_TRUE(rig.is_pristine("snap", 0));
  });
  rig.expect_no_leaks();
}

// A disk that completes a bio in interrupt context, from which the next is submitted.
TEST(Snapshot, bios_from_interrupt_context_are_taken_over_by_a_fiber) {
  SnapshotRig rig;
  Frame frame;
  std::byte* bytes = nullptr;
  PageRef page = rig.space.make(&bytes);
  std::memset(bytes, 4, kPageBytes);
  frame.set(page);
  const Segment segment{&frame, nullptr, 0, kPageBytes};
  Bio bio;
  bio.op = Op::kWrite;
  bio.sectors = kPageSectors;
  bio.segments = &segment;
  bio.segment_count = 1;
  bool done = false;
  bio.context = &done;
  bio.end_io = [](Bio& ended) { *static_cast<bool*>(ended.context) = ended.status.ok(); };
  rig.run([&] {
    rig.activate_pair();
    Timer timer(rig.scheduler, [&] { rig.dm.find("origin")->submit(bio); });
    timer.arm(Duration::milliseconds(1));
    rig.scheduler.sleep(Duration::seconds(1));
    EXPECT_TRUE(done);
    EXPECT_EQ(rig.byte_at("origin", 0), 4);
    EXPECT_TRUE(rig.is_pristine("snap", 0));
  });
  rig.expect_no_leaks();
}

TEST(Snapshot, is_removed_while_the_origin_waits_for_it) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SnapshotRig rig(seed);
    rig.run([&] {
      rig.activate_pair();
      for (int i = 0; i < 3; ++i) {
        rig.task("writer", [&rig, i] {
          for (Sector chunk = 0; chunk < 8; ++chunk) {
            EXPECT_TRUE(rig.write("origin", (static_cast<Sector>(i) * 8 + chunk) * 16, 1).ok());
          }
        });
      }
      rig.scheduler.sleep(Duration::milliseconds(1));
      EXPECT_TRUE(rig.dm.remove("snap").ok());
    });
    rig.expect_no_leaks();
  }
}

// --- merging ---------------------------------------------------------------------------------------

// "lv" is the origin; "snap" has written chunks 0..5, in an order that makes several runs.
void make_exceptions(SnapshotRig& rig) {
  rig.activate("snap", "0 512 snapshot real cow P 16");
  rig.activate("lv", "0 512 snapshot-origin real");
  for (const Sector chunk : {0u, 1u, 2u, 5u, 4u, 3u}) {
    EXPECT_TRUE(rig.write("snap", chunk * 16, static_cast<int>(chunk) + 1, 16).ok());
  }
}
void begin_merge(SnapshotRig& rig) {
  EXPECT_TRUE(rig.dm.load("lv", "0 512 snapshot-merge real cow P 16").ok());
  EXPECT_TRUE(rig.dm.suspend("lv", {}).ok());
  EXPECT_TRUE(rig.dm.suspend("snap", {}).ok());
  const auto resumed = rig.dm.resume("lv");
  EXPECT_TRUE(resumed.ok()) << resumed.error().reason;
}

TEST(SnapshotMerge, puts_everything_back) {
  SnapshotRig rig;
  rig.run([&] {
    make_exceptions(rig);
    begin_merge(rig);
    EXPECT_EQ(rig.byte_at("lv", 0), 1) << "from the first moment on";
    EXPECT_EQ(rig.byte_at("lv", 5 * 16), 6);
  });
  rig.run([&] {
    EXPECT_EQ(rig.status("lv"), "0 512 snapshot-merge 32/2048 32");
    EXPECT_EQ(*rig.dm.table("lv", TableSlot::kLive), "0 512 snapshot-merge real cow P 16");
    rig.reload("lv", "0 512 linear real 0");
    for (Sector chunk = 0; chunk < 6; ++chunk) {
      EXPECT_EQ(rig.byte_at("lv", chunk * 16), static_cast<int>(chunk) + 1);
    }
    EXPECT_TRUE(rig.is_pristine("lv", 96));
  });
  const auto store = rig.store();
  ASSERT_TRUE(store.ok()) << store.error();
  EXPECT_TRUE(store->records.empty());
  rig.expect_no_leaks();
}

TEST(SnapshotMerge, goes_back_over_full_areas) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate("snap", "0 512 snapshot real cow P 1");
    rig.activate("lv", "0 512 snapshot-origin real");
    for (Sector sector = 0; sector < 70; ++sector) {
      EXPECT_TRUE(rig.write("snap", sector, static_cast<int>(sector) + 1, 1).ok());
    }
    EXPECT_TRUE(rig.dm.load("lv", "0 512 snapshot-merge real cow P 1").ok());
    EXPECT_TRUE(rig.dm.suspend("lv", {}).ok());
    EXPECT_TRUE(rig.dm.suspend("snap", {}).ok());
    EXPECT_TRUE(rig.dm.resume("lv").ok());
  });
  rig.run([&] {
    EXPECT_EQ(rig.status("lv"), "0 512 snapshot-merge 2/2048 2");
    rig.reload("lv", "0 512 linear real 0");
    for (Sector sector = 0; sector < 70; ++sector) {
      EXPECT_EQ(rig.byte_at("lv", sector), static_cast<int>(sector) + 1);
    }
  });
}

TEST(SnapshotMerge, writes_meanwhile_are_not_lost) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SnapshotRig rig(seed);
    rig.run([&] {
      make_exceptions(rig);
      begin_merge(rig);
      for (Sector chunk = 0; chunk < 6; ++chunk) {
        rig.task("writer", [&rig, chunk] {
          for (int round = 0; round < 3; ++round) {
            EXPECT_TRUE(rig.write("lv", chunk * 16, 100 + round).ok());
            EXPECT_EQ(rig.byte_at("lv", chunk * 16), 100 + round);
          }
        });
      }
    });
    rig.run([&] {
      for (Sector chunk = 0; chunk < 6; ++chunk) {
        EXPECT_EQ(rig.byte_at("lv", chunk * 16), 102) << "seed " << seed;
        EXPECT_EQ(rig.byte_at("lv", chunk * 16 + 8), static_cast<int>(chunk) + 1) << "seed " << seed;
      }
    });
    rig.expect_no_leaks();
  }
}

TEST(SnapshotMerge, other_snapshots_keep_what_it_overwrites) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SnapshotRig rig(seed);
    rig.run([&] {
      rig.activate("other", "0 512 snapshot real cow2 P 8");
      make_exceptions(rig);
      begin_merge(rig);
    });
    rig.run([&] {
      EXPECT_EQ(rig.byte_at("lv", 0), 1);
      for (Sector sector = 0; sector < 112; ++sector) {
        EXPECT_TRUE(rig.is_pristine("other", sector)) << "seed " << seed << " sector " << sector;
      }
    });
    rig.expect_no_leaks();
  }
}

TEST(SnapshotMerge, is_stopped_by_a_suspend_and_goes_on_afterwards) {
  SnapshotRig rig;
  rig.run([&] {
    make_exceptions(rig);
    begin_merge(rig);
    EXPECT_TRUE(rig.dm.suspend("lv", {}).ok());
    const std::string status = rig.status("lv");
    EXPECT_NE(status, "0 512 snapshot-merge 32/2048 32") << "it cannot have ended yet";
    rig.scheduler.sleep(Duration::seconds(1));
    EXPECT_EQ(rig.status("lv"), status);
    EXPECT_TRUE(rig.dm.resume("lv").ok());
  });
  rig.run([&] { EXPECT_EQ(rig.status("lv"), "0 512 snapshot-merge 32/2048 32"); });
}

// Sectors of "other" that no longer show what the origin was, after it was given a new table during a merge.
std::size_t lost_in_merge(std::uint64_t seed, SwitchValues switches) {
  std::size_t lost = 0;
  SnapshotRig rig(seed, std::move(switches));
  rig.run([&] {
    rig.activate("other", "0 512 snapshot real cow2 P 8");
    make_exceptions(rig);
    EXPECT_TRUE(rig.dm.load("other", "0 512 snapshot real cow2 P 8").ok());
    EXPECT_TRUE(rig.dm.suspend("other", {}).ok());
    begin_merge(rig);
    EXPECT_TRUE(rig.dm.resume("other").ok());
    EXPECT_NE(rig.status("lv"), "0 512 snapshot-merge 32/2048 32") << "it cannot have ended yet";
  });
  rig.run([&] {
    EXPECT_EQ(rig.status("lv"), "0 512 snapshot-merge 32/2048 32") << "it has gone on";
    EXPECT_EQ(rig.byte_at("lv", 0), 1);
    for (Sector sector = 0; sector < 112; ++sector) lost += !rig.is_pristine("other", sector);
  });
  rig.expect_no_leaks();
  return lost;
}

TEST(SnapshotMerge, stands_still_while_another_snapshot_hands_its_store_over) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) EXPECT_EQ(lost_in_merge(seed, {}), 0u) << "seed " << seed;
}

// The merge goes on before the new table counts, and overwrites a chunk that nobody saves.
TEST(SnapshotMerge, with_active_before_origin_off_it_overtakes_the_table_that_takes_over) {
  EXPECT_GT(lost_in_merge(1, {{"snapshot.active_before_origin", "off"}}), 0u);
}

TEST(SnapshotMerge, an_error_ends_it_and_the_device_works_on) {
  FaultOptions fault;
  fault.disk = "real";
  fault.kind = FaultKind::kWriteError;
  fault.range = SectorRange{0, 16};
  SnapshotRig rig(1, {}, {fault});
  rig.run([&] {
    make_exceptions(rig);
    begin_merge(rig);
  });
  rig.run([&] {
    EXPECT_EQ(rig.status("lv"), "0 512 snapshot-merge Merge failed");
    EXPECT_EQ(rig.byte_at("lv", 0), 1);
    EXPECT_EQ(rig.byte_at("lv", 5 * 16), 6);
    EXPECT_TRUE(rig.write("lv", 0, 9).ok());
    EXPECT_EQ(rig.byte_at("lv", 0), 9);
  });
  rig.expect_no_leaks();
}

TEST(SnapshotMerge, only_one_at_a_time) {
  SnapshotRig rig;
  rig.run([&] {
    rig.activate("second", "0 512 snapshot real cow2 P 16");
    make_exceptions(rig);
    begin_merge(rig);
    EXPECT_TRUE(rig.dm.create("again").ok());
    const auto refused = rig.dm.load("again", "0 512 snapshot-merge real cow2 P 16");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason, "A snapshot is already merging.");
  });
}

// --- faults of the past that need several writers, or memory -------------------------------------------

// How many of so many seeds leave a write of the origin without an answer.
int seeds_that_hang(std::uint64_t seeds, const SwitchValues& switches, const std::function<void(SnapshotRig&)>& set_up,
                    const std::function<void(SnapshotRig&)>& meanwhile) {
  int hangs = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    // All disks are equally fast, so that what begins together ends together.
    SnapshotRig rig(seed, switches, {}, 2048, Duration::microseconds(100));
    rig.run([&] { set_up(rig); });
    for (Sector chunk = 0; chunk < 8; ++chunk) {
      rig.task("writer", [&rig, chunk] { EXPECT_TRUE(rig.write("origin", chunk * 16, 1).ok()); });
    }
    rig.task("administrator", [&] { meanwhile(rig); });
    if (!rig.run_tasks()) ++hangs;
  }
  return hangs;
}

void one_snapshot(SnapshotRig& rig) { rig.activate_pair(); }
void two_snapshots(SnapshotRig& rig) {
  rig.activate("other", "0 512 snapshot real cow2 P 16");
  rig.activate_pair();
}
void look_on(SnapshotRig&) {}
void remove_snapshot(SnapshotRig& rig) {
  rig.scheduler.sleep(Duration::microseconds(100));
  EXPECT_TRUE(rig.dm.remove("snap").ok());
}

TEST(SnapshotSwitch, sibling_lock_off_forgets_a_write_that_waits_for_two_snapshots) {
  const SwitchValues off{{"snapshot.sibling_lock", "off"}};
  EXPECT_GT(seeds_that_hang(200, off, two_snapshots, look_on), 0);
  EXPECT_EQ(seeds_that_hang(200, off, one_snapshot, look_on), 0) << "one snapshot counts alone";
  EXPECT_EQ(seeds_that_hang(200, {}, two_snapshots, look_on), 0);
}

TEST(SnapshotSwitch, destroy_waits_off_loses_the_writes_that_wait_for_a_snapshot_that_goes) {
  const SwitchValues off{{"snapshot.destroy_waits", "off"}};
  EXPECT_EQ(seeds_that_hang(20, off, one_snapshot, remove_snapshot), 20);
  EXPECT_EQ(seeds_that_hang(20, off, one_snapshot, look_on), 0) << "it matters only when it goes";
  EXPECT_EQ(seeds_that_hang(20, {}, one_snapshot, remove_snapshot), 0);
}

// Nothing is copied of an exception whose store goes to another table before its copy begins; it is never recorded,
// and the store waits for it.
TEST(SnapshotSwitch, suspend_on_handover_off_strands_exceptions_whenever_they_began) {
  const auto hand_over = [](SnapshotRig& rig) {
    for (Sector writer = 1; writer < 4; ++writer) {
      rig.task("writer", [&rig, writer] {
        for (Sector chunk = 0; chunk < 8; ++chunk) {
          EXPECT_TRUE(rig.write("origin", (writer * 8 + chunk) * 16, 1).ok());
        }
      });
    }
    for (int round = 0; round < 5; ++round) {
      EXPECT_TRUE(rig.dm.load("snap", "0 512 snapshot real cow P 16").ok());
      EXPECT_TRUE(rig.dm.suspend("snap", {}).ok());
      EXPECT_TRUE(rig.dm.resume("snap").ok());
    }
  };
  EXPECT_GT(seeds_that_hang(100, {{"snapshot.suspend_on_handover", "off"}}, one_snapshot, hand_over), 0);
  EXPECT_EQ(seeds_that_hang(20, {}, one_snapshot, hand_over), 0);
}

TEST(SnapshotSwitch, registration_that_allocates_under_the_lock_of_all_origins_waits_for_itself) {
  struct Case {
    const char* value;
    int frames;
    bool ends;
  };
  for (const Case& each :
       {Case{"reserved", 0, true}, Case{"allocates-first", 1, true}, Case{"allocates-locked", 1, false}}) {
    SnapshotRig rig(1, {{"snapshot.registration", each.value}});
    // A file system on the origin is what there is to be written back.
    rig.run([&] { rig.activate("origin", "0 512 snapshot-origin real"); });
    rig.memory.frames = 0;
    rig.memory.reclaim = [&rig] { EXPECT_TRUE(rig.write("origin", 0, 1).ok()); };
    rig.task("administrator", [&rig] { rig.activate("snap", "0 512 snapshot real cow P 16"); });
    EXPECT_EQ(rig.run_tasks(), each.ends) << each.value;
    EXPECT_EQ(rig.memory.frames, each.frames) << each.value;
  }
}

}  // namespace
}  // namespace dmsim::native
