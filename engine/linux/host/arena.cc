// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/arena.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/sanitizer.h"

#if defined(DMSIM_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif

namespace dmsim::kernel {
namespace {

constexpr std::size_t kMappingBytes = 4 * 1024 * 1024;
constexpr std::uint64_t kPage = 4096;
constexpr std::uint32_t kLive = 0xffffffff;  // Object::freed_by of a block in use

// Every size but the last few has a neighbour half as large again.
constexpr std::array<std::uint32_t, 26> kSizes{
    8,   16,  32,  48,   64,   96,   128,  192,  256,  320,  384,  448,   512,
    640, 768, 896, 1024, 1280, 1536, 2048, 2560, 3072, 4096, 6144, 8192, 16384};

constexpr std::uint64_t natural_alignment(std::uint64_t size) {
  return std::min<std::uint64_t>(size & (~size + 1), kPage);
}

// The class by (size + 15) / 16, for sizes up to 2048; what is larger is searched.
constexpr std::size_t kQuick = 2048 / 16 + 1;
constexpr std::array<std::uint8_t, kQuick> kQuickClass = [] {
  std::array<std::uint8_t, kQuick> out{};
  for (std::size_t i = 0; i < kQuick; ++i) {
    std::uint8_t at = 0;
    while (kSizes[at] < i * 16) ++at;
    out[i] = at;
  }
  return out;
}();

// kSizes.size(): none is large enough.
std::size_t class_for(std::uint64_t bytes, std::uint64_t align) {
  std::size_t at = bytes <= 2048 ? kQuickClass[(bytes + 15) / 16] : kQuickClass[kQuick - 1];
  while (at < kSizes.size() && (kSizes[at] < bytes || natural_alignment(kSizes[at]) < align)) ++at;
  return at;
}

void lock_bytes([[maybe_unused]] const std::byte* begin, [[maybe_unused]] std::size_t bytes) {
#if defined(DMSIM_ADDRESS_SANITIZER)
  ASAN_POISON_MEMORY_REGION(begin, bytes);
#endif
}
void unlock_bytes([[maybe_unused]] const std::byte* begin, [[maybe_unused]] std::size_t bytes) {
#if defined(DMSIM_ADDRESS_SANITIZER)
  ASAN_UNPOISON_MEMORY_REGION(begin, bytes);
#endif
}

#if defined(DMSIM_ADDRESS_SANITIZER)
constexpr std::uint64_t kRedzone = 16;
#else
constexpr std::uint64_t kRedzone = 0;
#endif

void fill(std::byte* begin, std::uint64_t bytes) {
  std::memset(begin, std::to_integer<int>(kPoison), bytes);
}

// The first byte in [from, to) that is not poison; `to`: none.
std::uint64_t first_changed(const std::byte* memory, std::uint64_t from, std::uint64_t to) {
  constexpr std::uint64_t kWord = 0x6b6b6b6b6b6b6b6bull;
  std::uint64_t at = from;
  while (at < to && at % 8 != 0 && memory[at] == kPoison) ++at;
  if (at % 8 == 0) {
    std::uint64_t word[8];
    const auto line_is_poison = [&word] {
      std::uint64_t other = 0;
      for (const std::uint64_t each : word) other |= each ^ kWord;
      return other == 0;
    };
    while (at + 64 <= to && (std::memcpy(word, memory + at, 64), line_is_poison())) at += 64;
    while (at + 8 <= to && (std::memcpy(word, memory + at, 8), word[0] == kWord)) at += 8;
  }
  while (at < to && memory[at] == kPoison) ++at;
  return at;
}

}  // namespace

std::string MemoryFault::describe(const std::string& who) const {
  const std::string by = freed_by == 0 ? "" : " freed by " + who;
  switch (kind) {
    case Kind::kWrittenAfterFree:
      return fmt::format("a block of {} bytes{} was written to at byte {} after it was freed", bytes, by, at);
    case Kind::kFreedTwice: return fmt::format("a block of {} bytes{} was freed twice", bytes, by);
    case Kind::kNotAllocated: return "memory was freed that nobody had allocated";
    case Kind::kWrittenBeyondEnd:
      return fmt::format("a block of {} bytes was written to beyond its end, at byte {}", bytes, at);
  }
  UNMODELLED("memory fault");
}

SlabPool::~SlabPool() {
  for (const Mapping& mapping : mappings_) {
    unlock_bytes(mapping.begin, mapping.bytes);
    munmap(mapping.begin, mapping.bytes);
  }
}

// `count` slabs of new memory.
std::byte* SlabPool::map(std::size_t count) {
  const std::size_t bytes = std::max(kMappingBytes, (count + 1) * kSlabBytes);
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(memory != MAP_FAILED);
  auto* const begin = static_cast<std::byte*>(memory);
  mappings_.push_back({begin, bytes});
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  std::byte* at = begin + (kSlabBytes - address % kSlabBytes) % kSlabBytes;
  std::byte* const out = at;
  for (at += count * kSlabBytes; at + kSlabBytes <= begin + bytes; at += kSlabBytes) {
    singles_.push_back(at);
  }
  return out;
}

std::byte* SlabPool::take(std::size_t count) {
  if (count == 1) {
    if (singles_.empty()) return map(1);
    std::byte* const slab = singles_.back();
    singles_.pop_back();
    unlock_bytes(slab, kSlabBytes);
    return slab;
  }
  for (Run& run : runs_) {
    if (run.count != count) continue;
    std::byte* const begin = run.begin;
    run = runs_.back();
    runs_.pop_back();
    unlock_bytes(begin, count * kSlabBytes);
    return begin;
  }
  return map(count);
}

void SlabPool::give_back(std::byte* slabs, std::size_t count) {
  lock_bytes(slabs, count * kSlabBytes);
  if (count == 1) {
    singles_.push_back(slabs);
  } else {
    runs_.push_back({slabs, count});
  }
}

bool SlabPool::holds(const void* address) const {
  const auto* const at = static_cast<const std::byte*>(address);
  return std::any_of(mappings_.begin(), mappings_.end(), [at](const Mapping& mapping) {
    return mapping.begin <= at && at < mapping.begin + mapping.bytes;
  });
}

// What is known of one object, while it is in use and after.
struct Arena::Object {
  Object* next;             // of those freed
  std::uint64_t requested;  // bytes
  std::uint32_t freed_by;   // kLive: it is in use
  std::uint32_t index;      // in its slab
};

// The beginning of every slab.
struct Arena::Slab {
  Arena* arena;
  Slab* next;
  Slab* before;             // of large ones only
  std::uint64_t step;       // bytes from object to object
  std::uint64_t first;      // of the first object, from here
  std::uint32_t count;      // objects that fit
  std::uint32_t used;       // objects that were ever handed out
  std::size_t size_class;
  std::size_t run;          // slabs in a row that belong together
  Object objects[1];        // `count` of them
};

Arena::Arena(SlabPool& pool, OnFault on_fault, void* context)
    : pool_(pool), on_fault_(on_fault), context_(context) {
  static_assert(kSizes.size() == kClasses);
}

Arena::~Arena() {
  for (Slab* slab = slabs_; slab != nullptr;) {
    Slab* const gone = std::exchange(slab, slab->next);
    gone->arena = nullptr;
    pool_.give_back(reinterpret_cast<std::byte*>(gone), 1);
  }
  for (Slab* slab = large_; slab != nullptr;) {
    Slab* const gone = std::exchange(slab, slab->next);
    gone->arena = nullptr;
    pool_.give_back(reinterpret_cast<std::byte*>(gone), gone->run);
  }
}

// Blocks never begin at a slab's start, except those aligned to a whole slab, whose slab lies before.
Arena::Slab* Arena::slab_of(const void* memory) const {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t within = address % kSlabBytes;
  Slab* const slab = reinterpret_cast<Slab*>(address - (within == 0 ? kSlabBytes : within));
  if (!pool_.holds(slab)) return nullptr;
  return slab->arena == this ? slab : nullptr;
}

// Null: no block begins there.
Arena::Object* Arena::object_of(const void* memory) const {
  Slab* const slab = slab_of(memory);
  if (slab == nullptr) return nullptr;
  const auto* const at = static_cast<const std::byte*>(memory);
  const auto offset = static_cast<std::uint64_t>(at - reinterpret_cast<const std::byte*>(slab));
  if (offset < slab->first || (offset - slab->first) % slab->step != 0) return nullptr;
  const std::uint64_t index = (offset - slab->first) / slab->step;
  return index < slab->used ? &slab->objects[index] : nullptr;
}

Arena::Slab* Arena::slab_of_object(const Object* object) {
  const auto address = reinterpret_cast<std::uintptr_t>(object);
  return reinterpret_cast<Slab*>(address - address % kSlabBytes);
}

std::byte* Arena::memory_of(const Object* object, const Slab* slab) {
  auto* const begin = reinterpret_cast<std::byte*>(const_cast<Slab*>(slab));
  return begin + slab->first + object->index * slab->step;
}

Arena::Slab* Arena::new_slab(std::size_t size_class) {
  Slab* const slab = reinterpret_cast<Slab*>(pool_.take(1));
  const std::uint64_t step = kSizes[size_class];
  const std::uint64_t align = std::max<std::uint64_t>(natural_alignment(step), 16);
  std::uint64_t count = (kSlabBytes - sizeof(Slab)) / (step + sizeof(Object));
  std::uint64_t first = 0;
  do {  // the objects' alignment may cost the last of them
    first = (sizeof(Slab) + count * sizeof(Object) + align - 1) / align * align;
  } while (first + count * step > kSlabBytes && --count > 0);
  CHECK(count > 0, step);
  slab->arena = this;
  slab->next = slabs_;
  slab->before = nullptr;
  slab->step = step;
  slab->first = first;
  slab->count = static_cast<std::uint32_t>(count);
  slab->used = 0;
  slab->size_class = size_class;
  slab->run = 1;
  slabs_ = slab;
  lock_bytes(reinterpret_cast<std::byte*>(slab) + first, kSlabBytes - first);
  return slab;
}

void* Arena::allocate(std::uint64_t bytes, std::uint64_t align, bool zeroed) {
  const std::size_t index = class_for(bytes + kRedzone, align);
  if (index == kSizes.size()) return allocate_large(bytes, align, zeroed);
  SizeClass& size_class = classes_[index];
  Object* object = size_class.first;
  Slab* slab = nullptr;
  std::byte* memory = nullptr;
  if (object != nullptr) {
    slab = slab_of_object(object);
    memory = memory_of(object, slab);
    size_class.first = object->next;
    if (size_class.first == nullptr) size_class.last = nullptr;
    unlock_bytes(memory, slab->step);
    check_poison(object, slab);
  } else {
    if (size_class.fresh == nullptr || size_class.fresh->used == size_class.fresh->count) {
      size_class.fresh = new_slab(index);
    }
    slab = size_class.fresh;
    const std::uint32_t at = slab->used++;
    object = &slab->objects[at];
    object->index = at;
    memory = memory_of(object, slab);
    unlock_bytes(memory, slab->step);
    fill(memory, slab->step);
  }
  object->requested = bytes;
  object->freed_by = kLive;
  if (zeroed) std::memset(memory, 0, bytes);
  if (kRedzone > 0) lock_bytes(memory + bytes, slab->step - bytes);
  ++live_blocks_;
  live_bytes_ += bytes;
  return memory;
}

void* Arena::allocate_large(std::uint64_t bytes, std::uint64_t align, bool zeroed) {
  CHECK(align <= kSlabBytes, align);
  const std::uint64_t first = std::max(align, kPage);
  const std::size_t run = (first + bytes + kRedzone + kSlabBytes - 1) / kSlabBytes;
  Slab* const slab = reinterpret_cast<Slab*>(pool_.take(run));
  slab->arena = this;
  slab->next = large_;
  slab->before = nullptr;
  if (large_ != nullptr) large_->before = slab;
  large_ = slab;
  slab->step = run * kSlabBytes - first;
  slab->first = first;
  slab->count = slab->used = 1;
  slab->size_class = kClasses;
  slab->run = run;
  slab->objects[0] = {nullptr, bytes, kLive, 0};
  std::byte* const memory = memory_of(&slab->objects[0], slab);
  if (zeroed) {
    std::memset(memory, 0, bytes);
    fill(memory + bytes, slab->step - bytes);
  } else {
    fill(memory, slab->step);
  }
  if (kRedzone > 0) lock_bytes(memory + bytes, slab->step - bytes);
  ++live_blocks_;
  live_bytes_ += bytes;
  return memory;
}

void Arena::free(const void* pointer, std::uint32_t by) {
  if (pointer == nullptr) return;
  Object* const object = object_of(pointer);
  if (object == nullptr) return report(MemoryFault::Kind::kNotAllocated, nullptr, 0);
  if (object->freed_by != kLive) return report(MemoryFault::Kind::kFreedTwice, object, 0);
  Slab* const slab = slab_of(pointer);
  std::byte* const memory = memory_of(object, slab);
  unlock_bytes(memory, slab->step);
  const std::uint64_t changed = first_changed(memory, object->requested, slab->step);
  if (changed < slab->step) report(MemoryFault::Kind::kWrittenBeyondEnd, object, changed);
  --live_blocks_;
  live_bytes_ -= object->requested;
  if (slab->size_class == kClasses) return free_large(slab);
  fill(memory, slab->step);
  lock_bytes(memory, slab->step);
  object->freed_by = by;
  object->next = nullptr;
  SizeClass& size_class = classes_[slab->size_class];
  (size_class.last == nullptr ? size_class.first : size_class.last->next) = object;
  size_class.last = object;
}

// Whoever writes to it afterwards is only found out by AddressSanitizer.
void Arena::free_large(Slab* slab) {
  if (slab->next != nullptr) slab->next->before = slab->before;
  (slab->before != nullptr ? slab->before->next : large_) = slab->next;
  slab->arena = nullptr;
  pool_.give_back(reinterpret_cast<std::byte*>(slab), slab->run);
}

std::uint64_t Arena::size_of(const void* memory) const {
  const Object* const object = object_of(memory);
  CHECK(object != nullptr, "size of what nobody has allocated");
  return object->requested;
}

bool Arena::is_live(const void* memory) const {
  const Object* const object = object_of(memory);
  return object != nullptr && object->freed_by == kLive;
}

void Arena::check_poison(const Object* object, const Slab* slab) const {
  std::byte* const memory = memory_of(object, slab);
  const std::uint64_t changed = first_changed(memory, 0, slab->step);
  if (changed == slab->step) return;
  report(MemoryFault::Kind::kWrittenAfterFree, object, changed);
  fill(memory, slab->step);  // told once
}

void Arena::check_freed() {
  for (const SizeClass& size_class : classes_) {
    for (const Object* object = size_class.first; object != nullptr; object = object->next) {
      const Slab* const slab = slab_of_object(object);
      unlock_bytes(memory_of(object, slab), slab->step);
      check_poison(object, slab);
      lock_bytes(memory_of(object, slab), slab->step);
    }
  }
}

void Arena::report(MemoryFault::Kind kind, const Object* object, std::uint64_t at) const {
  MemoryFault fault{kind};
  if (object != nullptr) {
    fault.bytes = object->requested;
    fault.at = at;
    fault.freed_by = object->freed_by == kLive ? 0 : object->freed_by;
  }
  on_fault_(context_, fault);
}

}  // namespace dmsim::kernel
