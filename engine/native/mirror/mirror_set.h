// MirrorSet: the mirror target at work.
//
// Where a bio goes. map() sends a read of a region in sync straight to a leg (kRemapped);
// everything else is queued for the worker. The worker's pass does, in this order: regions whose
// writes have ended become clean and recoveries that ended are settled, one log flush; the next
// recovery begins; queued reads; queued writes (classified by region; one log flush for all of them
// before the first is issued); failed writes. A write to all legs is one Bio per leg on the
// submitter's own segments: each disk samples the pages when it gets to them, and nothing makes the
// samples equal.
//
// Failure. A leg that failed a write is noted, its region goes out of sync in the log and in the
// hash, and the write is held until user space has repaired the mirror (handle_errors), failed or
// acknowledged. A log that failed holds every write that needs it. presuspend() gives held writes
// back: pushed back into dm core when the suspend is noflush, errors otherwise.
//
// Files: mirror_set.cc map, suspend, resume; mirror_read.cc; mirror_write.cc; mirror_recovery.cc
// the worker's pass and recovery; mirror_report.cc status lines, oracles; mirror_construct.cc the
// table.
//
// Differs from Linux by intention: an interrupted suspend is undone (switch mirror.undo_presuspend;
// Linux 6.1 and 6.12 have no undo, and the next suspend waits for ever); postsuspend also waits for
// the worker to come to rest, which Linux leaves to the destructor.
// Not modelled: cluster logs, readahead as a class of its own, recovery throttling.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/native/mirror/bounce.h"
#include "engine/native/mirror/dirty_log.h"
#include "engine/native/mirror/mirror_legs.h"
#include "engine/native/mirror/mirror_worker.h"
#include "engine/native/mirror/region_copier.h"
#include "engine/native/mirror/region_hash.h"

namespace dmsim::native {

// What a table line says, parsed.
struct MirrorTable {
  std::unique_ptr<DirtyLog> log;
  std::vector<Leg> legs;
  bool handle_errors = false;
  bool keep_log = false;
};

class MirrorSet final : public Target,
                        public MirrorView,
                        private RegionHashOwner,
                        private LegFlusher,
                        private MirrorWorker::Job {
 public:
  // With mirror.buffer=delayed-clean, how long nothing must have been written to a region before it
  // becomes clean. A page stored to while it was being written is dirty again and gets written by
  // pdflush at its expiry (30s) plus one interval (5s) at the latest, which makes the region dirty
  // anew; only then are its legs known to be equal. A flush from above is no such sign: it says
  // nothing of pages that its sender does not know. Over a suspend such regions stay dirty and are
  // recovered.
  static constexpr Duration kCleanDelay = Duration::seconds(40);

  // `switches` holds what the log and the hash of the table were built with, and moves in here.
  MirrorSet(const TargetArguments& arguments, std::unique_ptr<MirrorSwitches> switches, Actor actor,
            MirrorTable table);
  ~MirrorSet() override;

  std::string_view type() const override { return "mirror"; }
  MapResult map(TargetBio& bio) override;
  EndResult end_io(TargetBio& bio, BlockStatus& status) override;
  std::uint32_t split_sectors() const override { return log_->region_sectors(); }
  std::vector<TargetDevice> data_devices() const override;
  bool stable_writes() const override { return switches_->buffer == BufferMode::kStable; }
  void presuspend() override;
  void presuspend_undo() override;
  void postsuspend() override;
  void resume() override;
  void before_destroy() override { worker_.stop(); }
  std::string status(StatusKind kind) override;
  const MirrorView* mirror_view() const override { return this; }
  void list_leaks(std::vector<std::string>& out) const override;

  Sector begin() const override { return Target::begin(); }
  std::uint64_t sectors() const override { return length(); }
  std::uint32_t region_sectors() const override { return log_->region_sectors(); }
  std::uint64_t region_count() const override { return log_->region_count(); }
  const std::vector<MirrorView::Leg>& legs() const override;
  std::string log_device() const override;
  MirrorRegion region(std::uint64_t index) const override;
  std::uint64_t tracked_regions() const override { return hash_.tracked(); }
  std::uint64_t held_bios() const override { return holds_.size(); }
  std::uint64_t claim_generation() const override {
    return hash_.generation() + log_->generation() + failures_seen_;
  }
  std::uint64_t bytes_copied() const override { return bounce_.bytes_copied(); }

 private:
  // What TargetBio::words hold while a bio is the mirror's.
  enum WriteWord : std::size_t { kWriteRegion, kWriteLegsPending, kWriteErrors, kWriteBounce };
  enum ReadWord : std::size_t { kReadLegPlusOne, kReadFailures, kReadFirstError, kReadByWorker };
  static constexpr std::uint64_t kInjected = std::uint64_t{1}
                                             << 63;  // in kWriteErrors, kReadFirstError

  std::uint64_t region_of(const Bio& bio) const {
    return (bio.sector - Target::begin()) >> region_shift_;
  }
  Sector on_leg(const native::Leg& leg, const Bio& bio) const {
    return leg.offset + (bio.sector - Target::begin());
  }
  bool may_continue_after_errors() const { return keep_log_ || in_sync_; }
  void fail_leg(native::Leg& leg, LegError error, bool injected);
  void queue(BioList& list, Bio& bio);

  // mirror_read.cc
  native::Leg* choose_leg();
  void remap_read(TargetBio& read, native::Leg& leg);
  void do_reads(BioList& reads);
  EndResult read_ended(TargetBio& read, BlockStatus& status);
  bool can_retry(const Bio& read, std::optional<Sector> on_leg);

  // mirror_write.cc
  void do_writes(BioList& writes);
  void issue_to_all(TargetBio& write);
  void issue_to_default(TargetBio& write);
  static void on_leg_write_end(Bio& leg_bio);
  void legs_written(TargetBio& write);
  void do_failures(BioList& failures);
  void note_failure(const Bio& write);
  // The mirror may go on without the legs that have failed: its log says so durably. Blocks.
  bool keeps_failures();
  void hold(TargetBio& write);
  void finish_write(TargetBio& write, BlockStatus status);
  BlockStatus write_error(const TargetBio& write) const;

  // mirror_recovery.cc
  void run_pass() override;
  void age_regions();
  void do_recovery();
  void recover(Region& region);
  static void on_copy_end(void* mirror, const RegionCopier::Outcome& outcome);
  void trace_recovery(std::uint64_t region, std::uint64_t phase);

  void quiesce();
  bool flush_legs() override;
  void dispatch_delayed(BioList& writes) override {
    while (Bio* bio = writes.pop_front()) queue(writes_, *bio);
  }
  void wake_worker() override { worker_.wake(); }

  TargetHost& host_;
  EngineEnvironment env_;
  Scheduler& scheduler_;
  std::unique_ptr<MirrorSwitches> switches_;
  Actor actor_;  // the worker's
  bool handle_errors_;
  bool keep_log_;
  std::unique_ptr<DirtyLog> log_;
  std::uint32_t region_shift_;
  RegionHash hash_;
  MirrorLegs legs_;
  RegionCopier copier_;
  BouncePool bounce_;
  BlockingIo leg_io_;
  MirrorWorker worker_;
  std::unique_ptr<Timer> aging_;  // only with delayed-clean

  BioList reads_;            // for the worker
  BioList writes_;           // for the worker
  BioList failures_;         // writes that failed on a leg, or could not be marked in the log
  BioList holds_;            // until suspend
  bool in_sync_ = false;     // every region was, the last time somebody looked
  bool flush_failed_ = false;  // one from above: which regions it concerned is not known
  std::uint64_t unheard_failures_ = 0;  // writes that failed on a leg, on their way to do_failures()
  bool log_failed_ = false;  // for good: only a new table mends it
  bool suspended_ = false;
  bool quiesced_ = false;  // quiesce() has taken the recovery slots
  Region* copying_ = nullptr;
  std::uint32_t copy_source_ = 0;  // leg
  std::uint64_t kept_ = 0;         // bios in map()'s keeping, not yet finished or passed on
  std::uint64_t failures_seen_ = 0;
  std::array<std::uint64_t, 4> phases_;  // trace texts of recovery
  mutable std::vector<MirrorView::Leg> leg_view_;
};

}  // namespace dmsim::native
