// SPDX-License-Identifier: GPL-2.0-only
// Arena: the memory of one life of a kernel image, dropped at once when the life ends.
//
// Blocks come from slabs of 64 KiB, each cut into objects of one size. What is known of an object lies at
// the slab's start and not in the object: the first address of a slab tells everything about any address
// within. So a freed block is nothing but poison (0x6b, the kernel's own value), and whoever writes to it
// is found out: when the block is used again, when the arena is asked, or at once under
// AddressSanitizer, which also watches the bytes between blocks. Freed blocks are used again in the order
// in which they were freed, so that stale pointers meet poison for as long as can be.
//
// Slabs are kept from life to life (SlabPool): a reboot allocates nothing and gives nothing back.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/check.h"

namespace dmsim::kernel {

inline constexpr std::size_t kSlabBytes = 64 * 1024;
// What fills memory that nobody owns, and that nobody has filled yet.
inline constexpr std::byte kPoison{0x6b};

// Runs of slabs, kept for reuse. Outlives every arena that draws from it.
class SlabPool {
 public:
  SlabPool() = default;
  ~SlabPool();
  SlabPool(const SlabPool&) = delete;
  SlabPool& operator=(const SlabPool&) = delete;

  // `count` slabs in a row, aligned to kSlabBytes, with undefined content.
  std::byte* take(std::size_t count);
  void give_back(std::byte* slabs, std::size_t count);
  // Some slab of this pool holds that address.
  bool holds(const void* address) const;

 private:
  struct Mapping {
    std::byte* begin;
    std::size_t bytes;
  };
  struct Run {
    std::byte* begin;
    std::size_t count;
  };
  std::byte* map(std::size_t count);

  std::vector<Mapping> mappings_;
  std::vector<std::byte*> singles_;  // free slabs
  std::vector<Run> runs_;            // free runs of several
};

// What is wrong with a block of memory.
struct MemoryFault {
  enum class Kind { kWrittenAfterFree, kFreedTwice, kNotAllocated, kWrittenBeyondEnd };
  Kind kind;
  std::uint64_t bytes = 0;   // of the block, as asked for
  std::uint64_t at = 0;      // of kWritten...: the first byte that changed
  std::uint32_t freed_by = 0;  // the actor that freed it; 0: unknown, or it is not free
  std::string describe(const std::string& who) const;  // who: the name of `freed_by`
};

class Arena {
 public:
  using OnFault = void (*)(void* context, const MemoryFault& fault);

  Arena(SlabPool& pool, OnFault on_fault, void* context);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Aligned to `align`, a power of two of at most 64 KiB; all zero, or all 0x6b.
  void* allocate(std::uint64_t bytes, std::uint64_t align, bool zeroed);
  // Null: nothing happens. `by`: the actor, for reports.
  void free(const void* memory, std::uint32_t by);
  // What was asked for. Requires a live block.
  std::uint64_t size_of(const void* memory) const;
  // Whether a block begins there and has not been freed.
  bool is_live(const void* memory) const;

  // Looks at every freed block, and reports those that were written to.
  void check_freed();
  std::uint64_t live_blocks() const { return live_blocks_; }
  std::uint64_t live_bytes() const { return live_bytes_; }

 private:
  struct Object;
  struct Slab;
  static constexpr std::size_t kClasses = 26;

  Slab* slab_of(const void* memory) const;
  Object* object_of(const void* memory) const;
  static std::byte* memory_of(const Object* object, const Slab* slab);
  static Slab* slab_of_object(const Object* object);
  Slab* new_slab(std::size_t size_class);
  void* allocate_large(std::uint64_t bytes, std::uint64_t align, bool zeroed);
  void free_large(Slab* slab);
  void report(MemoryFault::Kind kind, const Object* object, std::uint64_t at) const;
  void check_poison(const Object* object, const Slab* slab) const;

  // Objects of one size that were freed, oldest first, and the slab from which fresh ones are cut.
  struct SizeClass {
    Object* first = nullptr;
    Object* last = nullptr;
    Slab* fresh = nullptr;
  };

  SlabPool& pool_;
  OnFault on_fault_;
  void* context_;
  std::array<SizeClass, kClasses> classes_{};
  Slab* slabs_ = nullptr;  // all of one size class
  Slab* large_ = nullptr;  // blocks that fill slabs of their own
  std::uint64_t live_blocks_ = 0;
  std::uint64_t live_bytes_ = 0;
};

// Records of the host for one life, from the same slabs: taken and given back one by one, dropped with the
// life. T is plain data.
template <typename T>
class RecordPool {
 public:
  explicit RecordPool(SlabPool& pool) : pool_(pool) {}
  ~RecordPool() {
    for (std::byte* slab : slabs_) pool_.give_back(slab, 1);
  }
  RecordPool(const RecordPool&) = delete;
  RecordPool& operator=(const RecordPool&) = delete;

  // With default fields.
  T* take() {
    if (free_ == nullptr) grow();
    Link* const link = free_;
    free_ = link->next;
    ++live_;
    return new (link) T{};
  }
  void give_back(T* record) {
    Link* const link = new (static_cast<void*>(record)) Link{free_};
    free_ = link;
    --live_;
  }
  std::uint64_t live() const { return live_; }

 private:
  static_assert(std::is_trivially_destructible_v<T>);
  struct Link {
    Link* next;
  };
  static constexpr std::size_t kStep = (std::max(sizeof(T), sizeof(Link)) + 15) / 16 * 16;

  void grow() {
    std::byte* const slab = pool_.take(1);
    slabs_.push_back(slab);
    for (std::size_t at = 0; at + kStep <= kSlabBytes; at += kStep) {
      free_ = new (slab + at) Link{free_};
    }
  }

  SlabPool& pool_;
  std::vector<std::byte*> slabs_;
  Link* free_ = nullptr;
  std::uint64_t live_ = 0;
};

}  // namespace dmsim::kernel
