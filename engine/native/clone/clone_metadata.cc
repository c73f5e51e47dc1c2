#include "engine/native/clone/clone_metadata.h"

#include <bit>
#include <cerrno>
#include <cstring>

#include "base/reached.h"
#include "engine/native/clone/clone_trace.h"
#include "engine/native/clone/metadata_reader.h"
#include "engine/native/clone/metadata_writer.h"

namespace dmsim::native {

using clone_metadata::kBlockBytes;
using clone_metadata::kBlockSectors;
using clone_metadata::kSlots;
using clone_metadata::Layout;

static_assert(kBlockBytes == kPageBytes, "a frame holds a block");

CloneMetadata::CloneMetadata(const EngineEnvironment& environment, const CloneSwitches& switches,
                             Actor actor, const Shape& shape)
    : scheduler_(environment.scheduler),
      pages_(environment.pages),
      switches_(switches),
      actor_(actor),
      shape_(shape),
      layout_{clone_metadata::region_count(shape.target_sectors, shape.region_sectors)},
      io_(environment.scheduler, environment.bios, "the metadata on " + shape.device->name(), actor),
      frames_(layout_.blocks()),
      segments_(layout_.blocks()),
      region_map_(layout_.words()),
      committed_(layout_.words()) {
  for (Words& area : areas_) area.resize(layout_.words());
  for (Changes& changes : changes_) changes.regions.resize(layout_.words());
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    segments_[i] = {&frames_[i], nullptr, 0, kBlockBytes};
  }
}

int CloneMetadata::open() {
  if (const int failed = read_store(true); failed != 0) return failed;
  reload_in_core();
  hydration_done_ = next_unhydrated(0) == region_count();
  return 0;
}

int CloneMetadata::refresh() {
  CHECK(!changed() && !committing_, "metadata are read anew while they change");
  return open();
}

int CloneMetadata::abort() {
  CHECK(!fail_io_);
  const int failed = read_store(false);
  fail_io_ = failed != 0;
  return failed;
}

void CloneMetadata::reload_in_core() {
  region_map_ = committed_;
  ++generation_;
}

// All of the store, as the device has it: one block after the other, as whoever follows pointers has to. How long a
// table takes to load decides what happens meanwhile.
int CloneMetadata::read_blocks(std::vector<std::byte>* store) {
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    BlockingIo::Batch batch;
    io_.start(batch, 0, *shape_.device, Op::kRead, {i * kBlockSectors, (i + 1) * kBlockSectors},
              std::span(segments_).subspan(i, 1));
    io_.wait(batch);
    if (finish(batch) != 0) return EIO;
  }
  store->resize(layout_.sectors() * kSectorBytes);
  for (std::size_t i = 0; i < frames_.size(); ++i) {
    std::memcpy(store->data() + i * kBlockBytes, frames_[i].page().bytes(), kBlockBytes);
    frames_[i].set(PageRef());
  }
  return 0;
}

// Brings the store into memory: committed_, areas_, and which transaction is the newest.
int CloneMetadata::read_store(bool may_format) {
  if (layout_.sectors() > shape_.device->sectors()) return ENOSPC;
  std::vector<std::byte> store;
  if (const int failed = read_blocks(&store); failed != 0) return failed;
  if (clone_metadata::is_unformatted(store)) return may_format ? format() : EPERM;
  auto loaded = clone_metadata::load(store, shape_.region_sectors, shape_.target_sectors);
  // A table that is still at work may have committed twice while this was being read.
  while (!loaded) {
    const std::vector<std::byte> before = store;
    if (const int failed = read_blocks(&store); failed != 0) return failed;
    if (store == before) return loaded.error().errno_value;
    REACHED("a clone's metadata change while they are read");
    loaded = clone_metadata::load(store, shape_.region_sectors, shape_.target_sectors);
  }
  adopt_areas(store);
  committed_ = loaded->words;
  slot_ = loaded->superblock.slot;
  sequence_ = loaded->superblock.sequence;
  std::uint64_t hydrated = 0;
  for (const std::uint64_t word : committed_) {
    hydrated += static_cast<std::uint64_t>(std::popcount(word));
  }
  scheduler_.trace().emit(kTraceMetadataRead, actor_, sequence_, hydrated, 0);
  return 0;
}

// What the bitmaps hold, valid or not: the next transaction writes only what differs.
void CloneMetadata::adopt_areas(const std::vector<std::byte>& store) {
  static_assert(std::endian::native == std::endian::little);
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    std::memcpy(areas_[slot].data(), store.data() + layout_.bitmap_block(slot) * kBlockBytes,
                areas_[slot].size() * 8);
  }
}

// The first transaction: nothing is hydrated. Until its superblock is there the device counts as blank. What
// it held behind the superblocks is not known to be zero.
int CloneMetadata::format() {
  const Words empty(layout_.words());
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    areas_[slot].assign(layout_.words(), ~std::uint64_t{0});
    if (const int failed = write_bitmap(slot, empty); failed != 0) return failed;
  }
  if (const int failed = flush(); failed != 0) return failed;
  const std::uint64_t digest = clone_metadata::bitmap_digest(layout_, empty);
  if (const int failed = write_superblock(0, 1, digest); failed != 0) return failed;
  committed_ = empty;
  slot_ = 0;
  sequence_ = 1;
  scheduler_.trace().emit(kTraceMetadataRead, actor_, sequence_, 0, 1);
  return 0;
}

bool CloneMetadata::note_changed(std::uint64_t region) {
  CHECK(region < region_count(), region);
  if (read_only_) return false;
  Changes& changes = changes_[current_];
  changes.regions[region / 64] |= std::uint64_t{1} << (region % 64);
  changes.changed = true;
  return true;
}

bool CloneMetadata::set_region_hydrated(std::uint64_t region) {
  if (!note_changed(region)) return false;
  region_map_[region / 64] |= std::uint64_t{1} << (region % 64);
  ++generation_;
  return true;
}

std::uint64_t CloneMetadata::next_unhydrated(std::uint64_t from) const {
  for (std::uint64_t region = from; region < region_count(); ++region) {
    if (region % 64 == 0 && region_map_[region / 64] == ~std::uint64_t{0}) {
      region += 63;
      continue;
    }
    if (!test(region_map_, region)) return region;
  }
  return region_count();
}

std::uint64_t CloneMetadata::hydrated_count() const {
  std::uint64_t count = 0;
  for (const std::uint64_t word : region_map_) {
    count += static_cast<std::uint64_t>(std::popcount(word));
  }
  return count;
}

int CloneMetadata::pre_commit() {
  if (fail_io_ || read_only_) return EPERM;
  CHECK(!committing_ && !changes_[1 - current_].changed, "the last commit has left changes behind");
  current_ = 1 - current_;
  committing_ = true;
  return 0;
}

// The bits that the transaction brings to disk.
CloneMetadata::Words CloneMetadata::next_bitmap(Changes& changes) {
  Words next = committed_;
  for (std::size_t word = 0; word < next.size(); ++word) {
    const std::uint64_t mine = changes.regions[word];
    if (mine == 0) continue;
    next[word] |= switches_.track == Track::kBit ? mine : mine | region_map_[word];
    if ((region_map_[word] & ~committed_[word] & ~mine) != 0) {
      REACHED("a region is hydrated between the flush of the destination and the commit, beside one that is "
              "being committed");
    }
  }
  return next;
}

int CloneMetadata::commit() {
  if (fail_io_ || read_only_) return EPERM;
  CHECK(committing_, "a commit whose content nobody has fixed");
  Changes& changes = changes_[1 - current_];
  const Words next = next_bitmap(changes);
  const std::uint32_t slot = 1 - slot_;
  const std::uint64_t sequence = sequence_ + 1;
  std::uint64_t regions = 0;
  for (std::size_t word = 0; word < next.size(); ++word) {
    regions += static_cast<std::uint64_t>(std::popcount(next[word] & ~committed_[word]));
  }
  const auto step = [&](CommitStep done) {
    trace_commit(static_cast<std::uint64_t>(done), sequence, regions);
  };
  if (const int failed = write_bitmap(slot, next); failed != 0) return failed;
  step(CommitStep::kBitmapWritten);
  if (const int failed = flush(); failed != 0) return failed;
  step(CommitStep::kBitmapFlushed);
  const std::uint64_t digest = clone_metadata::bitmap_digest(layout_, next);
  if (const int failed = write_superblock(slot, sequence, digest); failed != 0) return failed;
  step(CommitStep::kDone);
  trace_committed(committed_, next, sequence);
  slot_ = slot;
  sequence_ = sequence;
  committed_ = next;
  changes.regions.assign(changes.regions.size(), 0);
  changes.changed = false;
  committing_ = false;
  if (next_unhydrated(0) == region_count()) hydration_done_ = true;
  return 0;
}

// Writes the blocks of the slot's bitmap that are not what they shall be. Waits for them.
int CloneMetadata::write_bitmap(std::uint32_t slot, const Words& words) {
  constexpr std::uint64_t kPerBlock = Layout::words_per_block();
  // A batch has as many parts as a word has bits: more blocks go in several.
  for (std::uint64_t first = 0; first < layout_.bitmap_blocks();) {
    BlockingIo::Batch batch;
    std::uint32_t parts = 0;
    for (; first < layout_.bitmap_blocks() && parts < 64; ++first) {
      const std::uint64_t begin = first * kPerBlock;
      const std::uint64_t count = std::min<std::uint64_t>(kPerBlock, words.size() - begin);
      const std::span<const std::uint64_t> wanted = std::span(words).subspan(begin, count);
      const std::span<const std::uint64_t> there = std::span(areas_[slot]).subspan(begin, count);
      if (std::equal(wanted.begin(), wanted.end(), there.begin())) continue;
      const std::uint64_t block = layout_.bitmap_block(slot) + first;
      clone_metadata::write_bitmap_block(wanted, {fill_frame(block), kBlockBytes});
      io_.start(batch, parts++, *shape_.device, Op::kWrite,
                {block * kBlockSectors, (block + 1) * kBlockSectors},
                std::span(segments_).subspan(block, 1));
    }
    io_.wait(batch);
    if (finish(batch) != 0) return EIO;
  }
  areas_[slot] = words;
  return 0;
}

// The superblock, and a flush behind it: when this returns the transaction is durable.
int CloneMetadata::write_superblock(std::uint32_t slot, std::uint64_t sequence,
                                    std::uint64_t digest) {
  const clone_metadata::Superblock superblock{slot, sequence, shape_.region_sectors,
                                              shape_.target_sectors, digest};
  clone_metadata::write_superblock(superblock, {fill_frame(slot), kBlockBytes});
  BlockingIo::Batch batch;
  io_.start(batch, 0, *shape_.device, Op::kWrite,
            {slot * kBlockSectors, (slot + 1) * kBlockSectors}, std::span(segments_).subspan(slot, 1));
  io_.wait(batch);
  if (finish(batch) != 0) return EIO;
  return flush();
}

int CloneMetadata::flush() {
  BlockingIo::Batch batch;
  io_.start(batch, 0, *shape_.device, Op::kFlush, {0, 0}, {});
  io_.wait(batch);
  return finish(batch);
}

int CloneMetadata::finish(BlockingIo::Batch& batch) {
  if (batch.failed_parts == 0) return 0;
  failure_injected_ = batch.injected;
  return EIO;
}

// A new page in the frame, to be filled by the caller.
std::byte* CloneMetadata::fill_frame(std::size_t frame) {
  std::byte* bytes = nullptr;
  PageRef page = pages_.make(&bytes);
  frames_[frame].set(std::move(page));
  return bytes;
}

void CloneMetadata::trace_commit(std::uint64_t step, std::uint64_t sequence,
                                 std::uint64_t regions) {
  scheduler_.trace().emit(kTraceCommit, actor_, step, sequence, regions);
}

void CloneMetadata::trace_committed(const Words& before, const Words& after,
                                    std::uint64_t sequence) {
  for (std::size_t word = 0; word < after.size(); ++word) {
    for (std::uint64_t bits = after[word] & ~before[word]; bits != 0; bits &= bits - 1) {
      const auto region = word * 64 + static_cast<std::uint64_t>(std::countr_zero(bits));
      scheduler_.trace().emit(kTraceCommitted, actor_, region, sequence);
    }
  }
}

}  // namespace dmsim::native
