// CloneSet: the clone target at work.
//
// Where a bio goes. A read of a region that is not valid on the destination yet ("not hydrated") goes to the
// source, everything to a hydrated region to the destination. A write to any other region starts the
// region's hydration and waits for it: the region is copied first; or, if the write covers it whole, the
// write itself is the hydration. A discard of whole regions hydrates them without a copy. In the background
// regions are copied while no user is at work.
//
// What the metadata promise. A region's bit is set in memory when its hydration has ended, and brought to
// disk by a commit: once a second, when a flush or FUA write arrives, at a suspend. A commit fixes the
// regions it contains, flushes the destination, and writes the metadata: so a bit that is durable has its
// region durable. Flushes and FUA completions wait for the commit.
//
// Failure. When a commit fails its transaction is given up: the clone becomes read-only, and regions of the
// transaction are read from the source again, as after a power cut. When the metadata cannot even be read,
// everything fails.
//
// Files: clone_set.cc map, commit, the worker's pass, suspend; clone_hydration.cc hydrations;
// clone_report.cc status, messages, oracles; clone_construct.cc the table.
//
// Differs from Linux by intention: a discard waits for copies of its regions under way (switch
// clone.discard_waits), and the metadata are read again when the table is resumed (clone.metadata_load);
// Linux 6.1 and 6.12 do neither. Not modelled: throttling of copies, and the pool of 256 hydrations running
// out.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/native/clone/clone_metadata.h"
#include "engine/native/clone/clone_trace.h"
#include "engine/native/mirror/mirror_worker.h"
#include "engine/native/mirror/region_copier.h"
#include "sim/wait.h"

namespace dmsim::native {

enum class CloneMode : std::uint8_t { kReadWrite, kReadOnly, kFail };

// What a table line says, parsed.
struct CloneTable {
  BlockDevice* metadata = nullptr;
  BlockDevice* destination = nullptr;
  BlockDevice* source = nullptr;
  std::uint32_t region_sectors = 0;
  bool hydration_enabled = true;
  bool discard_passdown = true;
  std::uint32_t hydration_threshold = 1;
  std::uint32_t hydration_batch_size = 1;
  std::vector<std::string> arguments;  // behind the devices, as given
};

class CloneSet final : public Target, public CloneView, private MirrorWorker::Job {
 public:
  static constexpr Duration kCommitPeriod = Duration::seconds(1);

  CloneSet(const TargetArguments& arguments, std::unique_ptr<CloneSwitches> switches, Actor actor,
           CloneTable table);
  ~CloneSet() override;
  // Reads the metadata, or makes them. Errno; 0: well.
  int open_metadata() { return metadata_.open(); }

  std::string_view type() const override { return "clone"; }
  MapResult map(TargetBio& bio) override;
  EndResult end_io(TargetBio& bio, BlockStatus& status) override;
  std::uint32_t split_sectors() const override { return table_.region_sectors; }
  bool flush_supported() const override { return true; }
  bool discards_supported() const override { return true; }
  std::vector<TargetDevice> data_devices() const override;
  void postsuspend() override;
  DmResult<> preresume() override;
  void resume() override;
  std::string status(StatusKind kind) override;
  DmResult<std::string> message(std::span<const std::string_view> words) override;
  const CloneView* clone_view() const override { return this; }
  void list_leaks(std::vector<std::string>& out) const override;

  Sector begin() const override { return Target::begin(); }
  std::uint64_t sectors() const override { return length(); }
  std::uint32_t region_sectors() const override { return table_.region_sectors; }
  std::uint64_t region_count() const override { return metadata_.region_count(); }
  std::string metadata_device() const override { return table_.metadata->name(); }
  std::string destination_device() const override { return table_.destination->name(); }
  std::string source_device() const override { return table_.source->name(); }
  bool hydrated(std::uint64_t region) const override { return metadata_.is_hydrated(region); }
  std::uint64_t claim_generation() const override { return metadata_.generation(); }
  Result<std::vector<bool>, std::string> hydrated_by(const ReadMetadata& read) const override;
  bool settled() const override;

 private:
  // What TargetBio::words hold while a bio is the clone's.
  enum Word : std::size_t { kOverwrites };  // region + 1 that it hydrates by overwriting it; 0: none

  // One region under way, or waiting in a batch to be copied with its neighbours.
  struct Hydration {
    std::uint64_t region = 0;
    TargetBio* overwrite = nullptr;
    BioList deferred;           // bios for the region, until it is hydrated
    Hydration* next = nullptr;  // in its batch, or in the free list
  };
  struct Copy {
    Copy(CloneSet& owner, BioPool& bios, PageSpace& pages, Actor actor)
        : clone(owner), copier(bios, pages, actor) {}
    CloneSet& clone;
    RegionCopier copier;
    Hydration* batch = nullptr;  // null: free
  };
  struct Batch {
    Hydration* first = nullptr;
    Hydration* last = nullptr;
    std::uint32_t regions = 0;
  };
  // Whole regions that a discard covers.
  struct RegionRange {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
  };

  std::uint64_t region_of(const Bio& bio) const { return bio.sector / table_.region_sectors; }
  SectorRange range_of(std::uint64_t region) const;
  bool writable() const { return mode_ == CloneMode::kReadWrite; }
  bool triggers_commit(const Bio& bio) const;
  // EIO, tagged if a fault is behind the mode.
  BlockStatus metadata_error() const {
    return {BlockStatus::Code::kIoError, metadata_.failure_injected() || failure_injected_};
  }
  void finish(TargetBio& bio, BlockStatus status);
  void fail_all(BioList& bios, BlockStatus status);
  void defer(BioList& list, TargetBio& bio);

  // clone_set.cc
  MapResult to_destination(TargetBio& bio);
  void issue(TargetBio& bio);
  int commit(bool* destination_flushed = nullptr);
  int flush_destination();
  void set_mode(CloneMode mode);
  int metadata_failed(int error);
  void run_pass() override;
  void process_deferred_bios();
  void process_flushes();
  void tick();

  // clone_discard.cc
  RegionRange whole_regions(const Bio& bio) const;
  MapResult discard(TargetBio& bio);
  void process_discards();
  bool waits_for_copy(const RegionRange& range) const;
  void complete_discard(TargetBio& bio, const RegionRange& range, bool ok);

  // clone_hydration.cc
  Hydration* find_hydration(std::uint64_t region) const;
  Hydration& begin_hydration(std::uint64_t region);
  void hydrate_for(TargetBio& bio);
  void overwrite(Hydration& hydration, TargetBio& bio);
  void copy(Hydration& first, std::uint32_t regions, HydrationWay way);
  static void on_copied(void* copy, const RegionCopier::Outcome& outcome);
  void copied(Copy& copy, const RegionCopier::Outcome& outcome);
  void end_hydration(Hydration& hydration, BlockStatus status);
  void complete_overwrite(TargetBio& bio);
  void issue_deferred(BioList& bios);
  void hydrate_in_background();
  std::uint64_t start_next(std::uint64_t from, Batch& batch);
  void add_to_batch(Batch& batch, Hydration& hydration);
  void issue_batch(Batch& batch);
  void wake_if_stopped();

  TargetHost& host_;
  EngineEnvironment env_;
  Scheduler& scheduler_;
  std::unique_ptr<CloneSwitches> switches_;
  Actor actor_;  // the worker's
  CloneTable table_;
  CloneMetadata metadata_;
  BlockingIo destination_io_;
  Mutex commit_lock_;
  WaitQueue hydration_stopped_;
  MirrorWorker worker_;
  Timer waker_;

  BioList deferred_bios_;         // to be issued by the worker
  BioList deferred_discards_;
  BioList deferred_flushes_;      // wait for a commit, then are issued
  BioList deferred_completions_;  // wait for a commit, then are answered
  std::deque<Hydration> hydrations_;     // all ever made
  Hydration* free_hydrations_ = nullptr;
  std::vector<Hydration*> active_;       // Linux's hash table
  std::deque<Copy> copies_;              // all ever made

  CloneMode mode_ = CloneMode::kReadWrite;
  bool failure_injected_ = false;
  bool suspended_ = true;          // no hydration starts in the background
  bool loaded_ = false;            // resumed before: the metadata are our own
  bool hydration_failing_ = false; // the last copy failed: it will be tried for ever
  std::uint64_t ios_in_flight_ = 0;
  std::uint32_t hydrations_in_flight_ = 0;
  std::uint64_t cursor_ = 0;       // of the search for regions to hydrate
  Instant last_commit_;
};

}  // namespace dmsim::native
