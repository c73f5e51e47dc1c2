#include "harness/generate.h"

#include <algorithm>
#include <array>

#include "harness/generate_draft.h"

namespace dmsim {
namespace generate {
namespace {

constexpr ChoicePoint kSubject{"plan.about"};
constexpr ChoicePoint kMemoryPages{"plan.memory.pages"};
constexpr ChoicePoint kStablePages{"plan.memory.stable"};
constexpr ChoicePoint kHasPdflush{"plan.pdflush"};
constexpr ChoicePoint kPdflushInterval{"plan.pdflush.interval"};
constexpr ChoicePoint kPdflushExpire{"plan.pdflush.expire"};
constexpr ChoicePoint kKswapd{"plan.kswapd"};
constexpr ChoicePoint kSliceCost{"plan.slice-cost"};
constexpr ChoicePoint kPreemption{"plan.preemption"};
constexpr ChoicePoint kCutWhen{"plan.cut"};
constexpr ChoicePoint kCutAtInstant{"plan.cut.at"};
constexpr ChoicePoint kCutStates{"plan.cut.states"};
constexpr ChoicePoint kCutDepth{"plan.cut.depth"};
constexpr ChoicePoint kCutFailOver{"plan.cut.fail-over"};
constexpr ChoicePoint kCutSurvivors{"plan.cut.survivors"};

void make_machine(Draft& draft) {
  MachinePlan& machine = draft.plan.machine;
  machine.memory.pages = draft.among<std::uint64_t>(kMemoryPages, {64, 32, 16, 256});
  // Unstable pages break promises by themselves (seed 1): only where that is what is looked for.
  const bool may_be_unstable = draft.options.switches.contains("mirror.buffer");
  machine.memory.stable_pages = !may_be_unstable || draft.odds(kStablePages, 1, 8);
  if (draft.odds(kHasPdflush, 3, 4)) {
    PdflushOptions pdflush;
    pdflush.interval = Duration::milliseconds(draft.among(kPdflushInterval, {5, 1, 20}));
    pdflush.expire = Duration::milliseconds(draft.among(kPdflushExpire, {30, 1, 5}));
    machine.pdflush = pdflush;
  }
  machine.kswapd = !draft.odds(kKswapd, 1, 8);
  machine.slice_cost = Duration::nanoseconds(draft.among(kSliceCost, {500, 100, 5000}));
  machine.preemption = {static_cast<std::uint32_t>(draft.among(kPreemption, {0, 1, 5})), 10};
  machine.patience = Duration::seconds(6);
  machine.settle = Duration::seconds(60);
}

PlanSubject draw_subject(Draft& draft) {
  const auto& about = draft.options.about;
  if (about.size() == 1) return about.front();
  if (!about.empty()) return about[draft.pick(kSubject, about.size())];
  const auto named = [&draft](std::string_view prefix) {
    const auto& switches = draft.options.switches;
    return std::any_of(switches.begin(), switches.end(),
                       [prefix](const auto& each) { return each.first.starts_with(prefix); });
  };
  if (named("pvmove.")) return PlanSubject::kPvmove;
  if (named("lvm1.")) return PlanSubject::kLvm1;
  if (named("lvm.")) return PlanSubject::kVolumeGroup;
  if (named("snapshot.")) return PlanSubject::kSnapshot;
  return named("clone.") ? PlanSubject::kClone : PlanSubject::kMirror;
}

void make_mirror_plan(Draft& draft) {
  make_devices(draft);
  make_trouble(draft);
  make_tasks(draft);
  make_administrator(draft);
  make_power_cut(draft);
  make_checks(draft);
}

}  // namespace

void make_power_cut(Draft& draft) {
  PowerCutPlan& cut = draft.plan.power_cut;
  // A machine boots with the plan's tables: a repair would be forgotten, and the bad leg believed.
  if (draft.repairs) return;
  switch (draft.pick(kCutWhen, 8)) {
    case 0:
    case 1: return;
    case 2: cut.when = PowerCutPlan::When::kAtEnd; break;
    case 3:
      cut.when = PowerCutPlan::When::kAt;
      cut.at = draft.choices.duration(kCutAtInstant, Actor::kNobody, Duration::milliseconds(1),
                                      draft.last_start + Duration::milliseconds(30));
      break;
    default: cut.when = PowerCutPlan::When::kAny; break;
  }
  cut.states_per_cut = static_cast<std::uint32_t>(draft.between(kCutStates, 2, 4));
  cut.depth = 1 + (draft.odds(kCutDepth, 1, 4) ? 1 : 0);
  cut.devices_fail_over = draft.odds(kCutFailOver, 1, 4);
  cut.survivors = draft.among(kCutSurvivors, {SurvivorPolicy::kChosen, SurvivorPolicy::kChosen,
                                              SurvivorPolicy::kChosen, SurvivorPolicy::kNone,
                                              SurvivorPolicy::kAll});
}

bool Draft::uses_page_cache() const {
  return std::any_of(plan.tasks.begin(), plan.tasks.end(), [](const TaskPlan& task) {
    if (std::holds_alternative<MmapStoreTask>(task.body)) return true;
    const auto buffered = [](const auto* body) {
      return body != nullptr && body->path == Path::kBuffered;
    };
    return buffered(std::get_if<WriteTask>(&task.body)) ||
           buffered(std::get_if<ReadTask>(&task.body)) ||
           buffered(std::get_if<FlushTask>(&task.body));
  });
}

bool Draft::discards() const {
  return std::any_of(plan.tasks.begin(), plan.tasks.end(), [](const TaskPlan& task) {
    if (std::holds_alternative<DiscardTask>(task.body)) return true;
    const auto* script = std::get_if<IoTask>(&task.body);
    return script != nullptr && script->script.find('D') != std::string::npos;
  });
}

DiskOptions& Draft::disk(const std::string& name) {
  const auto found = std::find_if(plan.disks.begin(), plan.disks.end(),
                                  [&](const DiskOptions& each) { return each.name == name; });
  CHECK(found != plan.disks.end(), name);
  return *found;
}

}  // namespace generate

std::span<const std::string_view> plan_subject_names() {
  static constexpr std::array<std::string_view, 6> kNames{"mirror", "clone",        "snapshot",
                                                          "lvm1",   "volume-group", "pvmove"};
  return kNames;
}

std::optional<PlanSubject> plan_subject(std::string_view name) {
  const auto names = plan_subject_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<PlanSubject>(found - names.begin());
}

Plan generate_plan(ChoiceSource& choices, const GeneratorOptions& options) {
  generate::Draft draft(choices, options);
  draft.plan.scenario = "generated";
  draft.plan.switches = options.switches;
  draft.plan.runs = 1;
  const PlanSubject subject = generate::draw_subject(draft);
  generate::make_machine(draft);
  switch (subject) {
    case PlanSubject::kMirror: generate::make_mirror_plan(draft); break;
    case PlanSubject::kClone: generate::make_clone_plan(draft); break;
    case PlanSubject::kSnapshot: generate::make_snapshot_plan(draft); break;
    case PlanSubject::kLvm1: generate::make_lvm1_plan(draft); break;
    case PlanSubject::kVolumeGroup: generate::make_lvm_plan(draft); break;
    case PlanSubject::kPvmove: generate::make_pvmove_plan(draft); break;
  }
  return std::move(draft.plan);
}

}  // namespace dmsim
