// ExceptionStore: where a snapshot keeps chunks that are no longer as they were on the origin, and the
// list of them.
//
// The snapshot decides which chunk is saved and when; the store gives it a place, and says when the list
// holds it. Everything but allocate() and the questions may block; commits, reads and merges come from
// one fiber at a time, drop() from any.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "block/device.h"

namespace dmsim::native {

using Chunk = std::uint64_t;

// A chunk of the origin and its place, a chunk of the COW device.
struct Exception {
  Chunk old_chunk = 0;
  Chunk new_chunk = 0;
};
using ExceptionTable = std::map<Chunk, Chunk>;  // old -> new

struct ChunkSize {
  std::uint32_t sectors = 0;  // a power of two; 0: not known yet
  std::uint32_t shift = 0;
  static ChunkSize of(std::uint32_t sectors);
  Chunk chunk_of(Sector sector) const { return sector >> shift; }
  Sector sector_of(Chunk chunk) const { return chunk << shift; }
  std::uint32_t offset_of(Sector sector) const {
    return static_cast<std::uint32_t>(sector & (sectors - 1));
  }
};

struct StoreUsage {
  std::uint64_t allocated = 0;  // in sectors
  std::uint64_t total = 0;
  std::uint64_t metadata = 0;
};

class ExceptionStore {
 public:
  using Done = void (*)(void* context, bool ok, bool injected);
  // What read_metadata() came to: an errno, 0 and a word about what was found.
  struct Read {
    int errno_value = 0;
    bool invalid = false;  // the store is marked invalid: nothing has been read
  };
  // The newest run of records that lie next to each other on both devices, ending at `last`.
  struct MergeRun {
    Exception last;
    std::uint32_t chunks = 0;  // 0: nothing is left to merge
    bool failed = false;       // the records cannot be read
  };

  virtual ~ExceptionStore() = default;

  virtual Read read_metadata(ExceptionTable* into) = 0;
  // Nothing: it is full.
  virtual std::optional<Chunk> allocate() = 0;
  // The chunk has been copied to its place, or could not be: records it, at once or with those that
  // follow, and then calls `done`.
  virtual void commit(const Exception& exception, bool copied, bool injected, Done done,
                      void* context) = 0;
  virtual bool can_merge() const { return false; }
  virtual MergeRun prepare_merge() { return {}; }
  // Forgets the newest `chunks` records. False: it failed.
  virtual bool commit_merge(std::uint32_t chunks) {
    (void)chunks;
    return false;
  }
  // Marks the store invalid, for good.
  virtual void drop() {}
  virtual StoreUsage usage() const = 0;
  virtual std::string table_words() const = 0;  // "P 16"

  const ChunkSize& chunk() const { return chunk_; }
  void set_chunk(ChunkSize chunk) { chunk_ = chunk; }

  // User space wants to be told of an overflow, and reads to go on.
  bool supports_overflow = false;

 private:
  ChunkSize chunk_;
};

}  // namespace dmsim::native
