#include "harness/first_life.h"

#include <algorithm>
#include <utility>

namespace dmsim {
namespace {

// A task's script says where the power goes ('*'), whatever the plan's policy.
bool script_cuts(const Plan& plan) {
  return std::any_of(plan.tasks.begin(), plan.tasks.end(), [](const TaskPlan& task) {
    const auto* script = std::get_if<IoTask>(&task.body);
    return script != nullptr && script->script.find('*') != std::string::npos;
  });
}

}  // namespace

bool cut_by_chance(const Plan& plan, std::uint32_t life) {
  if (life == 0) return plan.power_cut.when == PowerCutPlan::When::kAny;
  return plan.power_cut.when != PowerCutPlan::When::kNever && life < plan.power_cut.depth;
}

bool may_cut(const Plan& plan, std::uint32_t life) {
  if (life > 0) return cut_by_chance(plan, life);
  return plan.power_cut.when != PowerCutPlan::When::kNever || script_cuts(plan);
}

FirstLife::FirstLife(World& world, std::string* refused, std::function<bool()> stop)
    : world_(world), refused_(refused), stop_(std::move(stop)) {
  if (!cut_at_instant()) return;
  world.scheduler().at(Instant() + world.plan().power_cut.at, [](void* context, std::uint64_t) {
    static_cast<World*>(context)->request_power_cut();
  }, &world);
}

Stretch FirstLife::go_on(const World::Condition& paused) {
  while (stage_ != Stage::kOver) {
    const Stretch stretch = stage(paused);
    if (stretch != Stretch::kDone) return stretch;
    if (stopped()) return Stretch::kPaused;
    advance();
    if (world_.power_cut_requested() && paused != nullptr && paused()) return Stretch::kPaused;
  }
  return Stretch::kDone;
}

Stretch FirstLife::stage(const World::Condition& paused) {
  switch (stage_) {
    case Stage::kBooting: return world_.boot(refused_, paused);
    case Stage::kWorking:
      return world_.run_until([this] { return world_.tasks_done() || stopped(); }, paused);
    case Stage::kSettling:
      return world_.run_until([this] { return settled() || stopped(); }, paused);
    case Stage::kLooking:
      return world_.run_until([this] { return looked_ || stopped(); }, paused);
    case Stage::kOver: return Stretch::kDone;
  }
  UNMODELLED("stage of a life");
}

void FirstLife::advance() {
  switch (stage_) {
    case Stage::kBooting:
      if (!refused_->empty()) {
        stage_ = Stage::kOver;
        return;
      }
      world_.start_tasks();
      stage_ = Stage::kWorking;
      return;
    case Stage::kWorking:
      settled_by_ = world_.now() + world_.plan().machine.settle;
      if (world_.plan().power_cut.when == PowerCutPlan::When::kAtEnd) world_.request_power_cut();
      world_.begin_settling();
      stage_ = Stage::kSettling;
      return;
    case Stage::kSettling:
      world_.judge().at_rest();
      stage_ = Stage::kOver;
      if (!world_.judge().wants_to_look()) return;
      stage_ = Stage::kLooking;
      world_.spawn_task("checker", [this] {
        world_.judge().look_at_snapshots();
        looked_ = true;
      });
      return;
    case Stage::kLooking: stage_ = Stage::kOver; return;
    case Stage::kOver: return;
  }
}

bool FirstLife::cut_at_instant() const {
  return world_.plan().power_cut.when == PowerCutPlan::When::kAt && !world_.power_cut_requested();
}

// A machine at rest stays so until its power is cut.
bool FirstLife::settled() const {
  if (cut_at_instant()) return false;
  return world_.at_rest() || world_.now() >= settled_by_;
}

}  // namespace dmsim
