// The course of a life: boot, tasks, steps until something is done, a pause is asked for, a promise is broken or
// nothing can go on; and what it means that a world is quiet, recovered, at rest.
#include <algorithm>

#include "base/reached.h"
#include "harness/world.h"
#include "harness/world_devices.h"

namespace dmsim {
namespace {

// How often conditions are asked when nothing needs every step.
constexpr std::uint64_t kBatch = 32;
// Steps after which a life without an end is given up.
constexpr std::uint64_t kMostSteps = 200'000'000;
// Slices of daemons alone after which they are taken to run in a circle, while some task waits. A resynchronisation
// of 50,000 regions takes fewer.
constexpr std::uint64_t kMostIdleSlices = 3'000'000;

}  // namespace

Stretch World::boot(std::string* refused, const Condition& paused) {
  if (!boot_begun_) {
    boot_begun_ = true;
    if (before_ == nullptr && may_have_clones_ && judge_.compares_contents()) watch_clones();
    spawn_task("boot", [this, refused] {
      for (const DevicePlan& device : devices_to_boot()) {
        const DmResult<> result = bring_up(device);
        if (result.ok()) continue;
        *refused = fmt::format("device {} does not come up: {}{}{}", device.name,
                               errno_name(result.error().errno_value),
                               result.error().reason.empty() ? "" : ": ", result.error().reason);
        break;
      }
      if (refused->empty()) *refused = lvm_room_->activate();
      boot_over_ = true;
    });
  }
  return run_until([this] { return boot_over_; }, paused);
}

void World::spawn_task(std::string_view name, std::function<void()> body) {
  scheduler_.spawn(trace_.actors().intern(name), FiberRole::kTask, [this, body = std::move(body)] {
    body();
    scheduler_.pause();
  });
}

void World::begin_settling() {
  lvm_room_->begin_settling();
  if (plan_.machine.pdflush) return;
  for (const auto& device : caches_) {
    PageCache& cache = device->cache;
    if (cache.dirty_pages() == 0) continue;
    ++syncs_left_;
    spawn_task("sync", [this, &cache] {
      cache.fsync();
      --syncs_left_;
    });
  }
}

void World::start_tasks() {
  if (plan_.machine.pdflush) {
    pdflush_ = std::make_unique<Pdflush>(scheduler_, *plan_.machine.pdflush,
                                         trace_.actors().intern("pdflush"));
    for (const auto& device : caches_) pdflush_->add(device->cache);
    pdflush_->start();
  }
  if (plan_.machine.kswapd) {
    start_kswapd(scheduler_, memory_, trace_.actors().intern("kswapd"));
  }
  tasks_ended_.assign(plan_.tasks.size(), false);
  tasks_left_ = plan_.tasks.size();
  for (std::size_t i = 0; i < plan_.tasks.size(); ++i) {
    const TaskPlan& task = plan_.tasks[i];
    const Actor actor = trace_.actors().intern(task.name);
    auto body = task_body(*this, task, static_cast<std::uint32_t>(i));
    spawn_task(task.name, [this, i, actor, body = std::move(body)] {
      trace_.emit(kTaskBegin, actor);
      body();
      trace_.emit(kTaskEnd, actor);
      tasks_ended_[i] = true;
      --tasks_left_;
      task_ends_->wake_all();
    });
  }
}

bool World::task_ended(std::string_view name) const {
  for (std::size_t i = 0; i < plan_.tasks.size(); ++i) {
    if (plan_.tasks[i].name == name) return tasks_ended_[i];
  }
  return true;
}

// Why it is of no use to go on waiting; empty: what is awaited may still come. `more`: something is runnable or due.
std::string World::why_nothing_comes(bool more) const {
  if (!more) return "nothing is runnable and nothing is due, but something is still awaited";
  if (steps_ > kMostSteps) return "the run goes on and on without coming to an end";
  if (scheduler_.live_tasks() == 0) return {};
  const auto some_task_waits = [this] {
    const std::vector<StuckFiber> stuck = scheduler_.stuck();
    return std::any_of(stuck.begin(), stuck.end(), [](const StuckFiber& fiber) { return fiber.is_task; });
  };
  if (scheduler_.now() - scheduler_.last_task_slice() > plan_.machine.patience && some_task_waits()) {
    return fmt::format("no task has run for {} s", plan_.machine.patience.count_ns() / 1'000'000'000);
  }
  // Virtual time would pass the plan's patience only after hours of the real one.
  if (scheduler_.slices_since_task() > kMostIdleSlices) {
    REACHED("daemons run in a circle while a task waits");
    return fmt::format("daemons have run {} times since a task last did, and go on", kMostIdleSlices);
  }
  return {};
}

Stretch World::run_until(const Condition& done, const Condition& paused) {
  const bool every_step = paused != nullptr || judge_.watches_every_step();
  while (true) {
    if (done != nullptr && done()) return Stretch::kDone;
    const bool more = scheduler_.run(every_step ? 1 : kBatch);
    if (stop_.reached) return Stretch::kPaused;
    judge_.after_step();
    if (!judge_.violations().empty()) return Stretch::kBroken;
    if (paused != nullptr && paused()) return Stretch::kPaused;
    if (!more) {
      if (done == nullptr || done()) return Stretch::kDone;
      // Entries of regions that nobody will ever clean are a leak; nobody waits for them.
      if (boot_over_ && tasks_left_ == 0 && quiet() && regions_settled()) return Stretch::kDone;
    }
    if (more && (++steps_ & 0xFF) != 0) continue;
    if (const std::string why = why_nothing_comes(more); !why.empty()) {
      judge_.report_stuck(why);
      return Stretch::kStuck;
    }
  }
}

void World::stop_at(TraceId event, void (*on_event)()) {
  stop_.at = event;
  stop_.call = on_event;
  stop_.reached = trace_.last_id() >= event;
  trace_.set_listener(&stop_);
}

void World::refresh_views() const {
  const std::uint64_t generation = mapper_->table_generation();
  if (generation == views_generation_) return;
  views_generation_ = generation;
  views_.clear();
  clone_views_.clear();
  for (const std::string& device : mapped_names()) {
    for (const MirrorView* view : mapper_->mirrors(device)) views_.push_back({device, view});
    for (const CloneView* view : mapper_->clones(device)) clone_views_.push_back({device, view});
  }
}

const std::vector<World::DeviceView>& World::mirror_views() const {
  refresh_views();
  return views_;
}

const std::vector<World::CloneDevice>& World::clone_views() const {
  refresh_views();
  return clone_views_;
}

bool World::recovered() const {
  for (const auto& [device, view] : clone_views()) {
    if (!view->settled()) return false;
  }
  std::uint64_t claims = mapper_->table_generation();
  for (const auto& [device, view] : mirror_views()) {
    claims = mix_words(claims, view->claim_generation());  // a sum could come out the same
  }
  if (claims == recovered_asked_) return recovered_;
  recovered_asked_ = claims;
  recovered_ = is_recovered();
  return recovered_;
}

bool World::is_recovered() const {
  for (const auto& [device, view] : mirror_views()) {
    for (std::uint64_t region = 0; region < view->region_count(); ++region) {
      const MirrorRegion state = view->region(region);
      if (state.tracked && state.in_sync) return false;  // not yet cleaned
    }
  }
  return regions_settled();
}

bool World::regions_settled() const {
  for (const auto& [device, view] : mirror_views()) {
    const bool whole = std::none_of(view->legs().begin(), view->legs().end(),
                                    [](const MirrorView::Leg& leg) { return leg.failed; });
    for (std::uint64_t region = 0; region < view->region_count(); ++region) {
      const MirrorRegion state = view->region(region);
      if (state.recovering || (whole && !state.in_sync) || state.pending > 0) return false;
    }
  }
  return true;
}

bool World::quiet() const {
  if (syncs_left_ > 0) return false;
  if (lvm_room_->administration().commands() > 0) return false;
  for (const auto& device : watched_) {
    if (device->in_flight() > 0) return false;
  }
  for (const auto& device : caches_) {
    if (device->cache.dirty_pages() > 0 || device->cache.writes_in_flight() > 0) return false;
  }
  for (const auto& disk : disks_) {
    if (disk->in_flight() > 0) return false;
  }
  return mapper_->bios_in_flight() == 0;
}

std::vector<std::string> World::unanswered() const {
  std::vector<std::string> out;
  for (const auto& device : watched_) {
    for (std::string& request : device->unanswered()) out.push_back(std::move(request));
  }
  return out;
}

std::string World::device_that_owes(Actor issuer) const {
  for (const auto& device : watched_) {
    if (device->owes(issuer)) return device->name();
  }
  return {};
}

bool World::at_rest() const { return quiet() && recovered(); }

std::uint64_t World::crash_generation() const {
  std::uint64_t sum = 0;
  for (const auto& disk : disks_) sum += disk->generation();
  return sum;
}

}  // namespace dmsim
