// CloneMetadata: which regions of a clone are valid on the destination, in memory and on the metadata device.
//
// In memory there is one map of regions, which readers and writers go by, and two maps of changes. A commit
// swaps the maps of changes first (pre_commit), so that what comes in from then on belongs to the next
// transaction; then the caller flushes the destination; then commit() brings exactly the regions of the old
// map to disk. Bits are only ever set: nothing makes a region invalid again but the abort of a transaction,
// after which the store is read anew and is not written any more.
//
// What is on disk: metadata_format.h. Reading and writing block; everything else may be called anywhere.
//
// Not modelled: running out of space (the bitmaps have their places from the start), and more than one
// writer at a time: whoever calls the blocking functions holds a lock.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/native/clone/clone_switches.h"
#include "engine/native/clone/metadata_format.h"
#include "engine/native/mirror/blocking_io.h"
#include "engine/native/target.h"

namespace dmsim::native {

class CloneMetadata {
 public:
  struct Shape {
    BlockDevice* device = nullptr;
    std::uint64_t region_sectors = 0;
    std::uint64_t target_sectors = 0;
  };
  // All of it outlives the metadata.
  CloneMetadata(const EngineEnvironment& environment, const CloneSwitches& switches, Actor actor,
                const Shape& shape);

  // Errno, 0: well. Reads the store; one of zeros is made.
  int open();
  // Reads the store as others have left it, and goes by it from now on.
  int refresh();
  // Gives up the transaction under way: reads the store anew. Regions keep their state in memory until
  // reload_in_core(). Whoever fails here can neither read nor write any more.
  int abort();
  void reload_in_core();
  void set_read_only() { read_only_ = true; }

  // A region is valid on the destination. False: the metadata must not change.
  bool set_region_hydrated(std::uint64_t region);
  // The same of the metadata alone, not of the map in memory (clone.set_bit_time=start).
  bool note_changed(std::uint64_t region);

  // Fixes what the next commit() contains.
  int pre_commit();
  int commit();
  // Something has been set that no commit has brought to disk.
  bool changed() const { return changes_[0].changed || changes_[1].changed; }

  std::uint64_t region_count() const { return layout_.region_count; }
  bool hydration_done() const { return hydration_done_; }
  bool is_hydrated(std::uint64_t region) const {
    return hydration_done_ || test(region_map_, region);
  }
  bool is_range_hydrated(std::uint64_t first, std::uint64_t count) const {
    return hydration_done_ || next_unhydrated(first) >= first + count;
  }
  // region_count(): none.
  std::uint64_t next_unhydrated(std::uint64_t from) const;
  std::uint64_t hydrated_count() const;
  // Grows whenever the map in memory may have changed.
  std::uint64_t generation() const { return generation_; }

  BlockDevice& device() const { return *shape_.device; }
  std::uint64_t used_blocks() const { return layout_.blocks(); }
  std::uint64_t total_blocks() const {
    return shape_.device->sectors() / clone_metadata::kBlockSectors;
  }
  // The latest failure was a fault's.
  bool failure_injected() const { return failure_injected_; }

 private:
  using Words = std::vector<std::uint64_t>;
  struct Changes {
    Words regions;
    bool changed = false;
  };
  static bool test(const Words& bits, std::uint64_t region) {
    return (bits[region / 64] >> (region % 64) & 1) != 0;
  }
  int read_blocks(std::vector<std::byte>* store);
  int read_store(bool may_format);
  int format();
  void adopt_areas(const std::vector<std::byte>& store);
  Words next_bitmap(Changes& changes);
  int write_bitmap(std::uint32_t slot, const Words& words);
  int write_superblock(std::uint32_t slot, std::uint64_t sequence, std::uint64_t digest);
  int flush();
  int finish(BlockingIo::Batch& batch);
  std::byte* fill_frame(std::size_t frame);
  void trace_commit(std::uint64_t step, std::uint64_t sequence, std::uint64_t regions);
  void trace_committed(const Words& before, const Words& after, std::uint64_t sequence);

  Scheduler& scheduler_;
  PageSpace& pages_;
  const CloneSwitches& switches_;
  Actor actor_;
  Shape shape_;
  clone_metadata::Layout layout_;
  BlockingIo io_;
  std::vector<Frame> frames_;      // what is on its way to or from the device, a block each
  std::vector<Segment> segments_;  // over frames_

  Words region_map_;    // in memory
  Words committed_;     // of the newest transaction on disk
  Words areas_[clone_metadata::kSlots];  // what each slot's bitmap holds on disk
  Changes changes_[2];
  std::size_t current_ = 0;      // of changes_: where new regions go
  bool committing_ = false;      // the other one is fixed for the next commit()
  std::uint32_t slot_ = 0;       // of the newest transaction
  std::uint64_t sequence_ = 0;
  bool read_only_ = false;
  bool fail_io_ = false;
  bool hydration_done_ = false;
  bool failure_injected_ = false;
  std::uint64_t generation_ = 0;
};

}  // namespace dmsim::native
