// Disks of generated plans, whatever the plan is about. Their draws have the same labels in every subject.
#include <utility>

#include "harness/generate_draft.h"

namespace dmsim::generate {
namespace {

constexpr ChoicePoint kCache{"plan.disk.cache"};
constexpr ChoicePoint kAtomicSize{"plan.disk.atomic"};
constexpr ChoicePoint kCacheSize{"plan.disk.cache-size"};
constexpr ChoicePoint kEvictions{"plan.disk.evictions"};
constexpr ChoicePoint kTransferSteps{"plan.disk.transfer-steps"};
constexpr ChoicePoint kDiscardless{"plan.disk.discardless"};
constexpr ChoicePoint kReadLatency{"plan.disk.read"};
constexpr ChoicePoint kWriteLatency{"plan.disk.write"};
constexpr ChoicePoint kFlushLatency{"plan.disk.flush"};

DurationRange draw_latency(Draft& draft, const ChoicePoint& point) {
  using D = Duration;
  return draft.among<DurationRange>(point, {{D::microseconds(20), D::microseconds(200)},
                                            {D::microseconds(20), D::microseconds(200)},
                                            {D::microseconds(10), D::milliseconds(2)},
                                            {D::microseconds(500), D::milliseconds(5)},
                                            {D::microseconds(50), D::microseconds(50)}});
}

}  // namespace

void draw_latencies(Draft& draft, DiskOptions& disk) {
  disk.read = draw_latency(draft, kReadLatency);
  disk.write = draw_latency(draft, kWriteLatency);
  disk.flush = draw_latency(draft, kFlushLatency);
}

DiskOptions& add_disk(Draft& draft, std::string name, std::uint64_t sectors, const DiskDraws& draws) {
  DiskOptions disk;
  disk.name = std::move(name);
  disk.sectors = (sectors + 7) / 8 * 8;
  if (draft.choices.chance(kCache, Actor::kNobody, draws.write_through)) disk.cache = CacheMode::kWriteThrough;
  if (draws.kinds && draft.odds(kAtomicSize, 1, 4)) disk.atomic_sectors = 8;
  if (draws.sizes) disk.cache_sectors = draft.among<std::uint64_t>(kCacheSize, {0, 0, 64, 16});
  disk.evict_every = Duration::milliseconds(draft.among(kEvictions, {0, 0, 1, 5}));
  if (draws.sizes) disk.transfer_steps = draft.among<std::uint32_t>(kTransferSteps, {1, 1, 2, 4});
  if (draws.kinds) disk.discard_supported = !draft.odds(kDiscardless, 1, 8);
  draw_latencies(draft, disk);
  return draft.plan.disks.emplace_back(std::move(disk));
}

}  // namespace dmsim::generate
