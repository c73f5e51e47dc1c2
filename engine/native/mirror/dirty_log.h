// DirtyLog: which regions of a mirror are clean, and which are synchronised.
//
// Three bits a region, as in Linux's dm-log:
//   clean       no write is under way and all legs are equal; the bit that goes to disk
//   in sync     all legs are equal but for writes under way; memory only, := clean at resume
//   recovering  recovery has picked the region; memory only
//
// CoreLog keeps all of it in memory: a restart resynchronises everything. DiskLog keeps the clean
// bits in the very frames that its header and bitmap are written from, so that what a write carries
// is what the bits are when the disk samples them, as in Linux.
//
// A header vouches for the bits behind it, so where there was none (or another) the bits are made durable
// before it is written: at resume, and in every flush() until that has succeeded.
//
// flush() is where the promises are: data must be durable on every leg before a region may become
// clean on disk (hence the legs are flushed first), and a region must be dirty on disk before it is
// written to (hence the log device is flushed when bits were cleared). When the legs cannot be
// flushed, nobody knows what is clean: all is dirty from then on.
//
// Not modelled: user-space logs (cluster mirrors).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/native/mirror/blocking_io.h"
#include "engine/native/mirror/log_format.h"
#include "engine/native/mirror/mirror_switches.h"
#include "engine/native/target.h"

namespace dmsim::native {

// Makes everything that was written to the legs durable, or says that it could not. Blocks.
class LegFlusher {
 public:
  virtual bool flush_legs() = 0;

 protected:
  ~LegFlusher() = default;
};

enum class SyncArgument : std::uint8_t { kNone, kNosync, kSync };

struct LogArguments {
  BlockDevice* device = nullptr;  // null: a core log
  std::uint32_t region_sectors = 0;
  std::uint64_t region_count = 0;
  SyncArgument sync = SyncArgument::kNone;
  bool block_on_error = false;  // the old spelling of the mirror's feature handle_errors
};

// What a log works in. All of it outlives the log.
struct LogSite {
  TargetHost& host;
  const MirrorSwitches& switches;
  Actor actor;  // who writes the log
};

class DirtyLog {
 public:
  DirtyLog(const LogArguments& arguments, const LogSite& site);
  virtual ~DirtyLog() = default;
  DirtyLog(const DirtyLog&) = delete;
  DirtyLog& operator=(const DirtyLog&) = delete;

  std::uint32_t region_sectors() const { return arguments_.region_sectors; }
  std::uint64_t region_count() const { return arguments_.region_count; }
  bool block_on_error() const { return arguments_.block_on_error; }
  BlockDevice* device() const { return arguments_.device; }
  // Set once before the first flush.
  void set_leg_flusher(LegFlusher& flusher) { leg_flusher_ = &flusher; }

  bool is_clean(std::uint64_t region) const;
  bool in_sync(std::uint64_t region) const { return test(sync_, region); }
  std::uint64_t sync_count() const { return sync_count_; }
  // Grows with every bit that changes.
  std::uint64_t generation() const { return generation_; }

  // The region is about to be written to: dirty in memory now, on disk with the next flush.
  void mark_region(std::uint64_t region);
  // All writes to the region have ended: clean, unless a leg flush ever failed.
  void clear_region(std::uint64_t region);
  // The next region that needs recovery and is not under recovery; none: nothing is left behind the
  // cursor.
  std::optional<std::uint64_t> next_resync_work();
  // Recovery of the region is over, or the region has gone out of sync.
  void set_region_sync(std::uint64_t region, bool in_sync);

  // Blocks. False: the log could not be brought to disk.
  virtual bool flush() = 0;
  virtual bool postsuspend() = 0;
  virtual bool resume() = 0;
  virtual std::string status(StatusKind kind) const = 0;
  // The log device failed because of an injected fault.
  virtual bool failure_injected() const { return false; }
  // The legs that have failed, kept with the log for a mirror that does without user space. Blocks; false:
  // it cannot be kept.
  virtual bool keep_failed_legs(const mirror_log::FailedLegs& legs) {
    (void)legs;
    return false;
  }
  // As read at resume, or kept since; none: none, or nothing is kept.
  virtual mirror_log::FailedLegs failed_legs() const { return {}; }
  // What the device says could not be read at resume, nor be replaced since: it may call regions clean that are not.
  virtual bool unread() const { return false; }

 protected:
  using Words = std::vector<std::uint64_t>;
  static bool test(const Words& bits, std::uint64_t region) {
    return (bits[region / 64] >> (region % 64) & 1) != 0;
  }
  mirror_log::BitPlace place(std::uint64_t region) const {
    return site_.switches.bit_order == BitOrder::kLittleEndian
               ? mirror_log::bit_place(region)
               : mirror_log::swapped_bit_place(region);
  }
  void put(Words& bits, std::uint64_t region, bool value);
  void put_clean(std::uint64_t region, bool value);
  void reset_cursor();
  void all_in_sync();
  // sync := clean. Padding counts as Linux counts it; it is 0 by then.
  void copy_clean_to_sync();
  PageSpace& pages() const { return site_.host.environment().pages; }
  Trace& trace() const { return site_.host.environment().scheduler.trace(); }
  std::string sync_word() const;         // "", "sync " or "nosync ", then "block_on_error "
  std::uint32_t argument_count() const;  // without the device

  LogArguments arguments_;
  LogSite site_;
  LegFlusher* leg_flusher_ = nullptr;
  std::vector<Frame> frames_;  // header and clean bits, as on disk; whole pages
  Words sync_;
  Words recovering_;
  std::uint64_t sync_count_ = 0;  // bits set in sync_
  std::uint64_t cursor_ = 0;      // regions before it have been offered for recovery
  bool touched_cleaned_ = false;  // some bit of any set was set since the last successful write
  bool touched_dirtied_ = false;  // some bit of any set was cleared since
  bool flush_failed_ = false;     // a leg flush failed: nothing becomes clean again
  std::uint64_t clean_set_ = 0;   // clean bits set since the last write, for the trace
  std::uint64_t clean_cleared_ = 0;
  std::uint64_t generation_ = 0;
};

class CoreLog final : public DirtyLog {
 public:
  using DirtyLog::DirtyLog;
  bool flush() override { return true; }
  bool postsuspend() override { return true; }
  bool resume() override;
  std::string status(StatusKind kind) const override;
};

class DiskLog final : public DirtyLog {
 public:
  DiskLog(const LogArguments& arguments, const LogSite& site);
  bool flush() override;
  bool postsuspend() override { return flush(); }
  bool resume() override;
  std::string status(StatusKind kind) const override;
  bool failure_injected() const override { return failure_injected_; }
  bool keep_failed_legs(const mirror_log::FailedLegs& legs) override;
  mirror_log::FailedLegs failed_legs() const override;
  bool unread() const override { return unread_; }

 private:
  bool read_header();
  bool write_header();
  bool write_bits_first();
  bool flush_device();
  void adopt_header();
  bool transfer(Op op, SectorRange range, std::span<const Segment> segments);
  void fail_device(std::string_view what);

  BlockingIo io_;
  std::uint64_t log_sectors_;      // of header and bitmap on the device
  std::vector<Segment> segments_;  // over frames_
  mirror_log::Header header_;
  bool header_pending_ = false;       // what is on disk may be bits of something else, not yet behind a header
  bool unread_ = false;
  bool device_failed_ = false;        // status letter D
  bool device_flush_failed_ = false;  // status letter F
  bool failure_injected_ = false;
};

// "disk 2 log0 1024": the type, then the arguments that follow their count. The error's reason is
// what the kernel would print.
DmResult<std::unique_ptr<DirtyLog>> create_dirty_log(std::string_view type,
                                                     std::span<const std::string_view> words,
                                                     std::uint64_t target_sectors,
                                                     const LogSite& site);

}  // namespace dmsim::native
