#include "models/memory/pdflush.h"

#include <algorithm>

#include "base/check.h"
#include "models/memory/cache_trace.h"

namespace dmsim {
namespace {

// Remembers which cache is being written back, also when the fiber is unwound in there.
class Visit {
 public:
  Visit(PageCache*& visiting, PageCache& cache) : visiting_(visiting) { visiting_ = &cache; }
  ~Visit() { visiting_ = nullptr; }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;

 private:
  PageCache*& visiting_;
};

}  // namespace

Pdflush::Pdflush(Scheduler& scheduler, PdflushOptions options, Actor actor)
    : scheduler_(scheduler),
      options_(options),
      actor_(actor),
      dirty_lists_(scheduler, "the spinlock of the lists of dirty inodes") {
  CHECK(options_.interval > Duration());
  CHECK(options_.expire >= Duration());
}

void Pdflush::add(PageCache& cache) {
  caches_.push_back(&cache);
  cache.list_under(&dirty_lists_);
}

void Pdflush::remove(PageCache& cache) {
  CHECK(visiting_ != &cache, "pdflush is writing this cache back");
  const auto at = std::find(caches_.begin(), caches_.end(), &cache);
  CHECK(at != caches_.end());
  caches_.erase(at);
  cache.list_under(nullptr);
}

bool Pdflush::passes_by(PageCache& cache) {
  if (!options_.nonblocking || cache.dirty_pages() == 0) return false;
  const SpinGuard guard(dirty_lists_);
  const bool congested = cache.device().congested();
  scheduler_.trace().emit(kCacheAsked, actor_, static_cast<std::uint64_t>(cache.actor()), congested);
  return congested;
}

void Pdflush::start() {
  CHECK(!started_);
  started_ = true;
  scheduler_.spawn(actor_, FiberRole::kDaemon, [this] { run(); });
}

void Pdflush::run() {
  for (;;) {
    scheduler_.sleep(options_.interval);
    // A page of exactly that age is old enough: dirtied at most at now - expire.
    const Instant dirtied_before =
        scheduler_.now() + (Duration::nanoseconds(1) - options_.expire);
    // write_back() blocks, and caches may come and go meanwhile. One that goes makes a later one wait
    // for the next pass.
    for (std::size_t i = 0; i < caches_.size(); ++i) {
      const Visit visit(visiting_, *caches_[i]);
      if (!passes_by(*caches_[i])) caches_[i]->write_back(dirtied_before);
    }
    ++passes_;
  }
}

void start_kswapd(Scheduler& scheduler, Memory& memory, Actor actor) {
  scheduler.spawn(actor, FiberRole::kDaemon, [&memory] { memory.run_kswapd(); });
}

}  // namespace dmsim
