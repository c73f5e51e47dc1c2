// Disk: a simulated disk with a volatile cache, latencies, reordering and faults.
//
// A request lives through three instants. At *submit* its latency is drawn and nothing else happens.
// At its *transfer*, somewhere between submit and completion, data moves: a write takes a reference to
// whatever its frames hold then, a read delivers the newest content. At *completion* the submitter
// hears of it. Requests overtake each other as their latencies happen to be.
//
// Where data is: *media* (an Image) are durable; the *write cache* (write_cache.h) holds what is newer.
// A write-back disk moves content from cache to media at a flush, at the completion of a FUA write, by
// eviction and at no other time. A flush makes durable exactly the writes that had completed before it
// was submitted. A write-through disk makes each write durable before it completes; a flush does
// nothing there. A power cut leaves what crash_space() says.
//
// Not modelled: rotation, bandwidth and queue depth (latencies are independent draws), zones, secure
// erase, write-same, a non-volatile cache that survives (that is a write-through disk).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "block/device.h"
#include "models/disk/crash_space.h"
#include "models/disk/faults/fault.h"
#include "models/disk/image.h"
#include "models/disk/write_cache.h"
#include "models/options.h"
#include "sim/scheduler.h"

namespace dmsim {

// A request arrives.
inline constexpr TraceKind kDiskSubmit{
    "disk.submit",
    {{{"op", ArgForm::kText}, {"sector"}, {"count"}, {"fua"}, {"preflush"}}}};
// `version`: of the content, if it lies in one page, else 0; `moved`: sectors whose data moved.
inline constexpr TraceKind kDiskTransfer{
    "disk.transfer", {{{"op", ArgForm::kText}, {"sector"}, {"moved"}, {"version"}, {}}}};
// A request is answered; injected = 1: a fault of the plan made the error.
inline constexpr TraceKind kDiskComplete{
    "disk.complete",
    {{{"op", ArgForm::kText}, {"sector"}, {"count"}, {"status", ArgForm::kText}, {"injected"}}}};
// A sector left the volatile cache for the media by itself.
inline constexpr TraceKind kDiskEvict{"disk.evict", {{{"sector"}, {"version"}, {}, {}, {}}}};

inline constexpr ChoicePoint kDiskReadLatency{"disk.read"};
inline constexpr ChoicePoint kDiskWriteLatency{"disk.write"};
inline constexpr ChoicePoint kDiskFlushLatency{"disk.flush"};
inline constexpr ChoicePoint kDiskDiscardLatency{"disk.discard"};
// How long after submit (or after the step before) data moves; 0: at once.
inline constexpr ChoicePoint kDiskTransferDelay{"disk.transfer"};
// What a discarded range reads as: 0: zeros, 1: the old data, 2: garbage.
inline constexpr ChoicePoint kDiskDiscarded{"disk.discarded"};
// Which dirty page a full cache writes to the media.
inline constexpr ChoicePoint kDiskEvictWhich{"disk.evict"};
// When the next spontaneous eviction comes; 0: as late as it may.
inline constexpr ChoicePoint kDiskEvictWhen{"disk.evict_when"};

struct DiskStats {
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;
  std::uint64_t flushes = 0;    // empty flushes and preflushes
  std::uint64_t fua_writes = 0;
  std::uint64_t discards = 0;
  std::uint64_t sectors_read = 0;
  std::uint64_t sectors_written = 0;
  std::uint64_t evictions = 0;
  std::uint64_t bytes_copied = 0;  // between memory and disk; whole aligned pages are not copied
  std::uint64_t errors = 0;        // requests that failed
};

struct DiskRequest;

// Memory for disks and their images, kept for reuse from world to world. The page pool outlives it;
// it outlives every Pristine's image and every disk drawn from it.
struct DiskPool {
  DiskPool();
  ~DiskPool();
  ImagePool images;
  WriteCachePool caches;
  std::unique_ptr<Slabs<DiskRequest>> requests;
};

class Disk final : public BlockDevice {
 public:
  // Of the 128 requests of a queue of Linux 2.6, those from which it counts as congested.
  static constexpr std::size_t kCongestedRequests = 113;

  // `media` is what the disk holds when power comes on. `faults` is the whole plan's list: the disk
  // takes its own. `before_cut`: what the same disk's faults remembered when the power failed; null
  // at first boot. Scheduler, space and pool outlive the disk, and nothing runs on the
  // scheduler once the disk is gone.
  Disk(Scheduler& scheduler, PageSpace& space, DiskPool& pool, Actor actor, const DiskOptions& options,
       Image media, std::span<const FaultOptions> faults = {},
       const FaultMemory* before_cut = nullptr);
  ~Disk() override;  // requests in flight are forgotten: their bios never end

  const std::string& name() const override { return options_.name; }
  std::uint64_t sectors() const override { return options_.sectors; }
  BlockLimits limits() const override;
  void submit(Bio& bio) override;  // never blocks, never completes before it returns
  bool congested() override { return in_flight_ >= kCongestedRequests; }

  const DiskOptions& options() const { return options_; }
  Actor actor() const { return actor_; }
  const DiskStats& stats() const { return stats_; }
  std::size_t in_flight() const { return in_flight_; }
  // Strikes of faults so far in this boot and, if remembered, before: whom to blame.
  const FaultSet& faults() const { return faults_; }
  FaultMemory fault_memory() const { return faults_.memory(); }

  // For oracles: no latency, no faults, no trace.
  const Image& media() const { return media_; }  // durable for certain
  // The newest content of a page, cache first. Requires index < sectors() / 8.
  // The reference stays valid until the disk changes.
  const PageRef& current_page(std::uint64_t index) const { return cache_.current(index); }
  // Nothing is cached: the media are all there is.
  bool cache_empty() const { return cache_.dirty().empty(); }
  // Media overlaid by the cache; costs what is dirty.
  Image current_image() const;

  // Grows whenever what a power cut may leave changes: submit and transfer of a write or discard,
  // flush, FUA, eviction. A store to a frame under a write that has not transferred does not count.
  std::uint64_t generation() const { return generation_; }
  // Everything a power cut at this instant may leave. Frames of writes in flight are sampled by
  // reference; plain bytes are copied into pages that `scratch` makes. `*out` is overwritten (its
  // capacity is used again).
  void crash_space(PageSpace& scratch, CrashSpace* out) const;

 private:
  friend struct DiskEvents;
  void emit_submit(DiskRequest& request);
  void start(DiskRequest& request);
  void schedule_transfer(DiskRequest& request);
  void decide(DiskRequest& request, Op part);
  void transfer(DiskRequest& request);
  std::uint64_t transfer_data(DiskRequest& request, std::uint32_t sectors);
  PageRef transfer_read(const DataPiece& piece);
  PageRef transfer_write(DiskRequest& request, const DataPiece& piece);
  void transfer_discard(DiskRequest& request);
  void put(DiskRequest& request, SectorRange part, PageRef content);
  void end_preflush(DiskRequest& request);
  void complete(DiskRequest& request);
  void settle(DiskRequest& request);
  void make_room();
  void evict(DirtyPage& page);
  void arm_eviction();
  void evict_one();
  PageRef rotted(std::uint64_t index, PageRef honest);
  void add_untransferred(const DiskRequest& request, PageSpace& scratch) const;
  void add_untransferred_discard(const DiskRequest& request, PageSpace& scratch) const;
  Duration draw_latency(Op op);
  std::uint64_t op_text(Op op);
  std::uint64_t status_text(BlockStatus::Code code);
  PageRef discarded_page(std::uint64_t outcome);
  bool write_back() const { return options_.cache == CacheMode::kWriteBack; }

  Scheduler& scheduler_;
  PageSpace& space_;
  DiskPool& pool_;
  Actor actor_;
  DiskOptions options_;
  Image media_;
  WriteCache cache_;
  FaultSet faults_;
  DiskStats stats_;
  DiskRequest* first_ = nullptr;  // in flight, in order of submission
  DiskRequest* last_ = nullptr;
  std::size_t in_flight_ = 0;
  std::uint64_t generation_ = 0;
  bool eviction_armed_ = false;
  PageRef zeros_;    // what discarded sectors may read as; made when first needed
  PageRef garbage_;
  std::array<std::uint64_t, 4> op_texts_;  // in the trace; kNoText: not yet
  std::uint64_t ok_text_;
  mutable CrashSpaceBuilder crash_;  // working memory
};

}  // namespace dmsim
