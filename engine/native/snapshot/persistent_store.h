// PersistentStore: the store that outlives a restart, in Linux's format (store_format.h).
//
// A chunk's record goes into the area that is in memory; the area is written when nothing that has been
// allocated is still being copied, or when it is full. The device is flushed first (the chunks that the
// records point at), the area itself is written with FUA; then everybody whose record is in it goes on.
// When an area is full, the next one is emptied on the device before.
//
// Differs from Linux by intention, each with a switch for Linux's way: the header that invalidates the
// store is written with FUA (snapshot.header_fua), and a new store's header is written last, after the
// first area has been emptied (snapshot.create).
// Not modelled: the dm-bufio cache and its read-ahead; areas are read one by one.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/device_mapper.h"
#include "engine/native/mirror/blocking_io.h"
#include "engine/native/snapshot/exception_store.h"
#include "engine/native/snapshot/snapshot_switches.h"
#include "engine/native/snapshot/store_format.h"

namespace dmsim::native {

class PersistentStore final : public ExceptionStore {
 public:
  // `device_actor` is the snapshot's device, `actor` its worker. Everything outlives the store.
  PersistentStore(const EngineEnvironment& environment, BlockDevice& origin, BlockDevice& cow,
                  const SnapshotSwitches& switches, Actor actor, const std::string& name);

  Read read_metadata(ExceptionTable* into) override;
  std::optional<Chunk> allocate() override;
  void commit(const Exception& exception, bool copied, bool injected, Done done,
              void* context) override;
  bool can_merge() const override { return true; }
  MergeRun prepare_merge() override;
  bool commit_merge(std::uint32_t chunks) override;
  void drop() override;
  StoreUsage usage() const override;
  std::string table_words() const override;

  // Chunk sizes that the two devices can work with; the complaint in dm's words.
  static DmResult<ChunkSize> check_chunk(std::uint64_t sectors, const BlockDevice& origin,
                                         const BlockDevice& cow);

 private:
  struct Waiting {
    Done done;
    void* context;
  };
  using Fua = BlockingIo::Fua;

  bool chunk_io(Op op, Chunk chunk, std::span<std::byte> bytes, Fua fua);
  bool flush_device();
  bool read_header(bool* is_new, int* errno_value);
  bool write_header();
  bool create();
  bool read_areas(ExceptionTable* into);
  bool write_area();
  void allocate_buffers();
  void skip_area();
  void end_area_write(bool was_full);
  Chunk current_chunk() const { return snapshot_store::area_chunk(current_area_, per_area_); }
  bool area_is_full() const { return in_area_ == per_area_; }

  Scheduler& scheduler_;
  BlockDevice& origin_;
  BlockDevice& cow_;
  SnapshotSwitches switches_;  // a copy: the store may outlive the table that made it
  Actor actor_;
  BlockingIo io_;
  bool valid_ = true;
  bool ready_ = false;       // the metadata have been read; a store that waits for a handover never is
  bool injected_ = false;    // what made it invalid was a fault's
  std::uint32_t version_ = snapshot_store::kVersion;
  std::uint32_t per_area_ = 0;
  std::vector<std::byte> area_;    // as it is, or will be, on the device
  std::vector<std::byte> zeroes_;
  std::vector<std::byte> header_;
  std::uint64_t current_area_ = 0;
  std::uint32_t in_area_ = 0;      // records in the current area
  Chunk next_free_ = snapshot_store::kHeaderChunks + 1;
  std::uint64_t pending_ = 0;      // allocated, not yet in the area
  std::vector<Waiting> waiting_;   // in the area, not yet on the device
};

}  // namespace dmsim::native
