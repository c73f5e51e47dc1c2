// Options that somebody has set although they make no difference here.
#include "crash-replay/minimise/passes.h"

namespace dmsim::shrink_pass {
namespace {

// One field of something to what it is in a thing of that kind that nobody has said anything about.
template <typename Thing, typename Field>
void to_default(Shrink& shrink, Thing thing, Field field) {
  Plan plan = shrink.best().plan;
  auto* at = thing(plan);
  if (at == nullptr || shrink.over()) return;
  const std::remove_reference_t<decltype(*at)> plain{};
  if (at->*field == plain.*field) return;
  at->*field = plain.*field;
  shrink.try_plan(plan);
}

template <typename Thing, typename... Fields>
void all_to_default(Shrink& shrink, Thing thing, Fields... fields) {
  (to_default(shrink, thing, fields), ...);
}

void disk(Shrink& shrink, std::size_t i) {
  using D = DiskOptions;
  all_to_default(shrink, [i](Plan& plan) { return i < plan.disks.size() ? &plan.disks[i] : nullptr; },
                 &D::cache, &D::atomic_sectors, &D::cache_sectors, &D::read, &D::write, &D::flush,
                 &D::discard, &D::evict_every, &D::discard_supported, &D::transfer_steps);
}

void fault(Shrink& shrink, std::size_t i) {
  using F = FaultOptions;
  all_to_default(shrink, [i](Plan& plan) { return i < plan.faults.size() ? &plan.faults[i] : nullptr; },
                 &F::range, &F::heals, &F::skip, &F::count, &F::probability, &F::after_reboot);
}

template <typename Task, typename... Fields>
void task(Shrink& shrink, std::size_t i, Fields... fields) {
  all_to_default(shrink, [i](Plan& plan) {
    return i < plan.tasks.size() ? std::get_if<Task>(&plan.tasks[i].body) : nullptr;
  }, fields...);
}

void block_of_a_page(Shrink& shrink, std::size_t i) {
  const auto area = [i](Plan& plan) {
    auto* write = i < plan.tasks.size() ? std::get_if<WriteTask>(&plan.tasks[i].body) : nullptr;
    return write == nullptr ? nullptr : &write->area;
  };
  all_to_default(shrink, area, &Area::sequential, &Area::block_sectors);
}

void steps(Shrink& shrink, std::size_t i) {
  for (std::size_t step = 0; !shrink.over(); ++step) {
    const auto at = [i, step](Plan& plan) -> DmsetupStep* {
      auto* admin = i < plan.tasks.size() ? std::get_if<DmsetupTask>(&plan.tasks[i].body) : nullptr;
      return admin == nullptr || step >= admin->steps.size() ? nullptr : &admin->steps[step];
    };
    Plan plan = shrink.best().plan;
    if (at(plan) == nullptr) return;
    using S = DmsetupStep;
    all_to_default(shrink, at, &S::suspend, &S::interrupted_after, &S::freeze_fails, &S::answer);
  }
}

// When power fails goes with its instant: only a cut at an instant has one.
void no_power_cut(Shrink& shrink) {
  Plan plan = shrink.best().plan;
  if (plan.power_cut.when == PowerCutPlan{}.when || shrink.over()) return;
  plan.power_cut.when = PowerCutPlan{}.when;
  plan.power_cut.at = PowerCutPlan{}.at;
  shrink.try_plan(plan);
}

}  // namespace

void defaults_back(Shrink& shrink) {
  for (std::size_t i = 0; i < shrink.best().plan.disks.size(); ++i) disk(shrink, i);
  for (std::size_t i = 0; i < shrink.best().plan.faults.size(); ++i) fault(shrink, i);
  for (std::size_t i = 0; i < shrink.best().plan.tasks.size(); ++i) {
    task<WriteTask>(shrink, i, &WriteTask::path, &WriteTask::fua, &WriteTask::preflush,
                    &WriteTask::in_flight, &WriteTask::flush_every, &WriteTask::scribble);
    task<ReadTask>(shrink, i, &ReadTask::path, &ReadTask::in_flight);
    task<FlushTask>(shrink, i, &FlushTask::path);
    task<MmapStoreTask>(shrink, i, &MmapStoreTask::store_bytes);
    task<Ext2Task>(shrink, i, &Ext2Task::unlink_every, &Ext2Task::fsync_every, &Ext2Task::unmount);
    task<PvmoveTask>(shrink, i, &PvmoveTask::to, &PvmoveTask::volume, &PvmoveTask::atomic,
                     &PvmoveTask::no_mirror_target, &PvmoveTask::may_fail, &PvmoveTask::poll);
    task<Lvm1PvmoveTask>(shrink, i, &Lvm1PvmoveTask::back, &Lvm1PvmoveTask::may_fail);
    task<CreateSnapshotTask>(shrink, i, &CreateSnapshotTask::extents, &CreateSnapshotTask::may_fail);
    block_of_a_page(shrink, i);
    steps(shrink, i);
  }
  const auto machine = [](Plan& plan) { return &plan.machine; };
  using M = MachinePlan;
  all_to_default(shrink, machine, &M::pdflush, &M::memory, &M::kswapd, &M::slice_cost, &M::preemption);
  no_power_cut(shrink);
  const auto cut = [](Plan& plan) { return &plan.power_cut; };
  using P = PowerCutPlan;
  all_to_default(shrink, cut, &P::depth, &P::tables, &P::devices_fail_over, &P::survivors);
}

}  // namespace dmsim::shrink_pass
