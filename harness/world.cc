#include "harness/world.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "engine/lvm/lvm1_mapper.h"
#include "harness/engine_factory.h"
#include "harness/oracle_names.h"
#include "harness/volume_groups.h"
#include "harness/world_devices.h"

namespace dmsim {

World::World(const Plan& plan, Workshop& workshop, ChoiceSource& choices, Trace::Keep keep)
    : plan_(plan),
      workshop_(workshop),
      choices_(choices),
      life_(0),
      trace_(keep),
      scheduler_(workshop.stacks(), choices, trace_,
                 {plan.machine.slice_cost, plan.machine.preemption}),
      pages_(workshop.pages(), 0),
      outer_context_(exchange_failure_context(this)),
      scratch_(workshop.pages(), 0),
      memory_(scheduler_, plan.machine.memory),
      before_(nullptr),
      judge_(*this) {
  std::vector<Image> images;
  for (const DiskOptions& disk : plan.disks) {
    images.emplace_back(workshop.pristine(disk), workshop.disks().images);
  }
  format_volume_groups(plan, pages_, &images);
  build(std::move(images));
}

World::World(const World& before, Trace trace, std::vector<Image> survivors,
             std::uint64_t last_version, ChoiceSource& choices)
    : plan_(before.plan_),
      workshop_(before.workshop_),
      choices_(choices),
      life_(before.life_ + 1),
      trace_(std::move(trace)),
      scheduler_(workshop_.stacks(), choices, trace_,
                 {plan_.machine.slice_cost, plan_.machine.preemption}),
      pages_(workshop_.pages(), last_version),
      outer_context_(exchange_failure_context(this)),
      scratch_(workshop_.pages(), 0),
      memory_(scheduler_, plan_.machine.memory),
      before_(&before),
      judge_(*this) {
  scheduler_.start_at(before.scheduler_.now());
  build(std::move(survivors));
}

void World::build(std::vector<Image> images) {
  choices_.attach(trace_.actors());
  trace_.emit(kPowerOn, Actor::kNobody, life_);
  CHECK(images.size() == plan_.disks.size());
  first_media_ = images;
  for (std::size_t i = 0; i < plan_.disks.size(); ++i) {
    const DiskOptions& options = plan_.disks[i];
    FaultMemory memory;
    if (before_ != nullptr) memory = before_->disks_[i]->fault_memory();
    disks_.push_back(std::make_unique<Disk>(scheduler_, pages_, workshop_.disks(),
                                            trace_.actors().intern(options.name), options,
                                            std::move(images[i]), plan_.faults,
                                            before_ == nullptr ? nullptr : &memory));
    gates_.push_back(std::make_unique<Gate>(*disks_.back(), scheduler_));
  }
  const std::string& engine = engine_of_life(plan_, life_);
  mapper_ = make_engine(engine, {scheduler_, pages_, bios_, *this, this}, plan_.switches);
  CHECK(mapper_ != nullptr, engine);
  if (has_lvm1(plan_)) {
    const EngineEnvironment environment{scheduler_, pages_, bios_, *this, this};
    auto both = std::make_unique<lvm1::Mapper>(std::move(mapper_), environment,
                                               lvm1::Lvm1Switches::of(plan_.switches));
    lvm1_ = &both->driver();
    mapper_ = std::move(both);
  }
  task_ends_ = std::make_unique<WaitQueue>(scheduler_, "a task to end");
  group_devices_ = group_devices(plan_);
  group_names_ = group_device_names(plan_);
  lvm_room_ = std::make_unique<LvmRoom>(*this);
  may_have_clones_ = std::any_of(plan_.devices.begin(), plan_.devices.end(),
                                 [](const DevicePlan& device) { return has_clone(device.table); });
  for (const TaskPlan& task : plan_.tasks) {
    const auto* administrator = std::get_if<DmsetupTask>(&task.body);
    if (administrator == nullptr) continue;
    for (const DmsetupStep& step : administrator->steps) {
      may_have_clones_ = may_have_clones_ || has_clone(step.text);
    }
  }
  judge_.set_up();
}

World::~World() {
  scheduler_.shut_down();
  exchange_failure_context(outer_context_);
}

void World::print_context() {
  std::fprintf(stderr, "world: scenario %s, variant '%s', life %u; the tail of its trace:\n%s",
               plan_.scenario.c_str(), plan_.variant.c_str(), life_,
               trace_.render_tail().c_str());
}

void World::need_frame() {
  memory_.allocate();
  memory_.free();
}

BlockDevice* World::find_disk(std::string_view name) {
  for (const auto& gate : gates_) {
    if (gate->name() == name) return gate.get();
  }
  return nullptr;
}

const Disk* World::disk(std::string_view name) const {
  for (const auto& disk : disks_) {
    if (disk->name() == name) return disk.get();
  }
  return nullptr;
}

void World::fail_reads_of(std::string_view name) {
  for (const auto& gate : gates_) {
    if (gate->name() == name) gate->fail_reads();
  }
}

DmResult<> World::bring_up(const DevicePlan& device) {
  if (auto made = mapper_->create(device.name); !made.ok()) return made;
  if (auto loaded = mapper_->load(device.name, device.table); !loaded.ok()) return loaded;
  DmResult<> resumed = mapper_->resume(device.name);
  judge_.note_tables_changed();
  return resumed;
}

std::vector<DevicePlan> World::devices_to_boot() const {
  if (before_ != nullptr && plan_.power_cut.tables == TablesAfterCut::kLast) {
    return before_->devices_after_cut();
  }
  std::vector<DevicePlan> out;
  std::copy_if(plan_.devices.begin(), plan_.devices.end(), std::back_inserter(out),
               [](const DevicePlan& device) { return device.boot; });
  return out;
}

// A volume manager brings up snapshots before whatever writes to their origin, and nothing that is merged.
std::vector<DevicePlan> World::devices_after_cut() const {
  std::vector<DevicePlan> out;
  std::vector<std::string> merged;
  for (const std::string& name : mapped_names()) {
    if (lvm1_ != nullptr && lvm1_->find(name) != nullptr) continue;  // the map on disk says where it is
    auto table = mapper_->table(name, TableSlot::kLive);
    if (!table.ok() || table->empty()) continue;
    const auto snapshot = read_snapshot(*table);
    if (snapshot && !snapshot->merges && !snapshot->sized) {
      if (const auto planned = plan_tables()(name)) table = *planned;
    }
    if (snapshot && snapshot->merges) merged.push_back(snapshot->cow);
    out.push_back({name, *table, true});
  }
  std::erase_if(out, [&](const DevicePlan& device) {
    const auto snapshot = read_snapshot(device.table);
    return snapshot && !snapshot->merges &&
           std::find(merged.begin(), merged.end(), snapshot->cow) != merged.end();
  });
  std::stable_partition(out.begin(), out.end(), [](const DevicePlan& device) {
    return device.table.find(" snapshot-origin ") == std::string::npos &&
           device.table.find(" snapshot-merge ") == std::string::npos;
  });
  return out;
}

Reference* World::own_reference(std::string_view name) {
  CHECK(life_ == 0, "references change in the first life only");
  device(name);
  const auto found = own_references_.find(name);
  return found == own_references_.end() ? nullptr : found->second.get();
}

std::vector<std::string> World::mapped_names() const {
  std::vector<std::string> out;
  const auto add = [&out](const std::string& name) {
    if (!name.empty() && std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  };
  for (const DevicePlan& device : plan_.devices) add(device.name);
  for (const std::string& name : group_names_) add(name);
  for (const TaskPlan& task : plan_.tasks) {
    const auto* administrator = std::get_if<DmsetupTask>(&task.body);
    if (administrator == nullptr) continue;
    for (const DmsetupStep& step : administrator->steps) add(step.device);
  }
  return out;
}

const LvmRoom& World::first_lvm_room() const {
  const World* first = this;
  while (first->before_ != nullptr) first = first->before_;
  return *first->lvm_room_;
}

const Reference* World::reference(std::string_view device) const {
  const World* first = this;
  while (first->before_ != nullptr) first = first->before_;
  const auto found = first->own_references_.find(device);
  return found == first->own_references_.end() ? nullptr : found->second.get();
}

std::vector<std::string> World::checked_devices() const {
  const World* first = this;
  while (first->before_ != nullptr) first = first->before_;
  std::vector<std::string> out;
  for (const auto& [device, reference] : first->own_references_) {
    if (reference != nullptr) out.push_back(device);
  }
  return out;
}

WatchedDevice& World::device(std::string_view name) {
  for (const auto& device : watched_) {
    if (device->name() == name) return *device;
  }
  CHECK(life_ == 0, "users live before the first power cut");
  used_devices_.emplace_back(name);
  const auto find = [this, wanted = used_devices_.back()]() -> BlockDevice* {
    BlockDevice* mapped = mapper_->find(wanted);
    return mapped != nullptr ? mapped : find_disk(wanted);
  };
  watched_.push_back(std::make_unique<WatchedDevice>(std::string(name), find, scheduler_,
                                                     make_reference(name),
                                                     static_cast<AnswerListener&>(*this)));
  return *watched_.back();
}

World::CachedDevice& World::cached(std::string_view name) {
  for (const auto& device : caches_) {
    if (device->cache.device().name() == name) return *device;
  }
  caches_.push_back(std::make_unique<CachedDevice>(*this, device(name)));
  CachedDevice& made = *caches_.back();
  memory_.add_reclaimer(made.cache);
  if (pdflush_ != nullptr) pdflush_->add(made.cache);
  if (mapper_->find(name) != nullptr) mapper_->set_freezer(name, &made.freezer);
  return made;
}

PageCache& World::cache(std::string_view name) { return cached(name).cache; }

SwapSpace& World::add_swap(std::string_view name, std::uint64_t pages) {
  swaps_.push_back(std::make_unique<SwapSpace>(scheduler_, memory_, pages_, device(name), pages));
  return *swaps_.back();
}

void World::set_freezer(std::string_view name, Freezer* freezer) {
  if (freezer == nullptr) {
    for (const auto& device : caches_) {
      if (device->cache.device().name() == name) freezer = &device->freezer;
    }
  }
  if (mapper_->find(name) != nullptr) mapper_->set_freezer(name, freezer);
}

std::string World::resolve_path(std::string_view path) const {
  return (std::filesystem::path(plan_.directory) / path).string();
}

void World::on_answer(const UserRequest& request, BlockStatus status) {
  judge_.on_answer(request, status);
}

void World::on_mismatches(WatchedDevice& device, const std::vector<Mismatch>& wrong) {
  judge_.on_mismatches(device, wrong);
}

bool World::disk_refused_something(std::string_view name) const {
  for (std::size_t i = 0; i < disks_.size(); ++i) {
    if (disks_[i]->name() == name) {
      // Not to know discards is no failure.
      const FaultSet& faults = disks_[i]->faults();
      return faults.struck() > faults.struck(FaultKind::kDiscardRefused) || gates_[i]->fails_reads();
    }
  }
  return false;
}

bool World::some_disk_was_dishonest() const {
  return std::any_of(disks_.begin(), disks_.end(), [](const auto& disk) {
    return disk->faults().struck(FaultKind::kLyingFlush) > 0 ||
           disk->faults().struck(FaultKind::kBitRot) > 0 ||
           disk->faults().struck(FaultKind::kMisdirectedWrite) > 0;
  });
}

RunStatistics World::statistics() const {
  RunStatistics out;
  out.events = scheduler_.events_run();
  out.slices = scheduler_.slices_run();
  out.trace_events = trace_.last_id() - (before_ == nullptr ? 0 : before_->trace_.last_id());
  out.virtual_time = scheduler_.now() - (before_ == nullptr ? Instant() : before_->scheduler_.now());
  out.excused = judge_.excused();
  out.hangs = judge_.hangs();
  for (const auto& device : watched_) out.user_bios += device->requests();
  std::vector<std::string> logs;
  for (const DevicePlan& device : plan_.devices) {
    for (std::string& log : log_disks(device.name, plan_tables())) logs.push_back(std::move(log));
  }
  for (const auto& disk : disks_) {
    const DiskStats& stats = disk->stats();
    out.disk_reads += stats.reads;
    out.disk_writes += stats.writes;
    out.disk_flushes += stats.flushes;
    out.sectors_written += stats.sectors_written;
    out.bytes_copied += stats.bytes_copied;
    if (std::find(logs.begin(), logs.end(), disk->name()) != logs.end()) {
      out.log_writes += stats.writes;
    }
  }
  if (lvm1_ != nullptr) {
    out.in_flight_most = lvm1_->stats().in_flight_most;
    out.tracked = lvm1_->stats().tracked;
    out.tracked_most = lvm1_->stats().tracked_most;
  }
  for (const auto& [device, view] : mirror_views()) out.bytes_copied += view->bytes_copied();
  for (const auto& device : caches_) {
    out.redirtied += device->cache.stats().redirtied_under_writeback;
    out.writers_waited = out.writers_waited + device->cache.stats().writers_waited;
  }
  return out;
}

}  // namespace dmsim
