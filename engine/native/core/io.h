// Io: one bio, or one part of a split bio, on its way through a mapped device's table; and the
// pools that Ios and clones come from.
//
// The Io of a bio's first part is its whole: it lives until all parts have ended and gathers their
// status. An Io is deferred by itself, not by its bio, so that a part that is pushed back comes again
// alone. The first clone of a pass is embedded; only flushes and discards that go out in several
// copies take more from the pool.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/element_pool.h"
#include "engine/device_mapper.h"
#include "engine/native/core/core_switches.h"
#include "engine/native/target.h"

namespace dmsim::native {

class MappedDevice;

struct Io {
  MappedDevice* device = nullptr;
  Bio* bio = nullptr;            // the submitter's
  Io* whole = nullptr;           // itself, for the first part
  Io* next = nullptr;            // in an IoList
  std::uint32_t first = 0;       // of this part, in sectors from the bio's start
  std::uint32_t sectors = 0;     // of this part; 0 for a flush
  std::uint32_t references = 0;  // clones under way, plus one while they are being sent
  std::uint32_t parts = 0;       // in the whole only: parts that have not ended
  bool preflush = false;         // a write whose flush has yet to be done
  bool clone_taken = false;      // `clone` is in use in this pass
  BlockStatus status;            // of this pass
  BlockStatus outcome;           // in the whole only: of all parts
  TraceId trace_id = 0;          // its dm.submit
  TargetBio clone;

  bool is_flush() const { return bio->op == Op::kFlush || preflush; }
  Sector begin() const { return bio->sector + first; }
};

// FIFO of Ios, linked through Io::next. Owns nothing.
class IoList {
 public:
  bool empty() const { return first_ == nullptr; }
  std::size_t size() const { return size_; }
  void push_back(Io& io) {
    io.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &io;
    last_ = &io;
    ++size_;
  }
  void push_front(Io& io) {
    io.next = first_;
    first_ = &io;
    if (last_ == nullptr) last_ = &io;
    ++size_;
  }
  Io* pop_front() {
    Io* io = first_;
    if (io == nullptr) return nullptr;
    first_ = io->next;
    if (first_ == nullptr) last_ = nullptr;
    io->next = nullptr;
    --size_;
    return io;
  }

 private:
  Io* first_ = nullptr;
  Io* last_ = nullptr;
  std::size_t size_ = 0;
};

// What all mapped devices of one engine share.
struct CoreContext {
  EngineEnvironment environment;
  CoreSwitches switches;
  ElementPool<Io> ios;
  ElementPool<TargetBio> clones;       // beyond the embedded ones
  std::uint64_t bios_in_flight = 0;
  std::uint64_t table_generation = 0;  // grows whenever a live table comes or goes
  // What targets share, by name; goes when no target is left.
  std::vector<std::pair<std::string, std::unique_ptr<SharedState>>> shared;
};

}  // namespace dmsim::native
