#include "harness/lvm_room.h"

#include <algorithm>
#include <cstring>

#include "engine/lvm/commands.h"
#include "harness/oracle_names.h"
#include "harness/volume_groups.h"
#include "harness/world.h"
#include "models/memory/direct_io.h"

namespace dmsim {
namespace {

std::vector<std::string> disk_names(const Plan& plan) {
  std::vector<std::string> out;
  for (const DiskOptions& disk : plan.disks) out.push_back(disk.name);
  return out;
}

void add_details(Violation& violation, const std::vector<std::string>& wrong) {
  violation.details.assign(wrong.begin() + 1, wrong.end());
}

}  // namespace

LvmRoom::LvmRoom(World& world)
    : world_(world),
      administration_(world.scheduler(), this),
      environment_{world.scheduler(),
                   world.mapper(),
                   world.disk_lookup(),
                   disk_names(world.plan()),
                   administration_,
                   *this,
                   lvm::LvmSwitches::of(world.plan().switches),
                   lvm::PvmoveSwitches::of(world.plan().switches)} {
  if (world.lvm1() != nullptr) world.lvm1()->set_surroundings(this);
}

LvmRoom::~LvmRoom() = default;

std::string LvmRoom::activate() {
  lvm::Session session(environment_);
  for (const VolumeGroupPlan& group : world_.plan().volume_groups) {
    if (group.format == GroupFormat::kLvm1) {
      if (std::string failure = activate_lvm1(group); !failure.empty()) return failure;
      continue;
    }
    const lvm::CommandResult result = lvm::activate_group(session, group.name);
    world_.note_tables_changed();
    if (!result.ok()) return result.failure;
    if (world_.life() > 0 && may_move(group.name) && environment_.moves.restart) start_moves(group.name);
  }
  // Its task is of the first life; the daemon runs in every life.
  for (const TaskPlan& task : world_.plan().tasks) {
    const auto* daemon = std::get_if<DmeventdTask>(&task.body);
    if (daemon != nullptr && world_.life() > 0) {
      start_dmeventd(daemon->group, world_.trace().actors().intern(task.name));
    }
  }
  return {};
}

bool LvmRoom::may_move(const std::string& group) const {
  return std::any_of(world_.plan().tasks.begin(), world_.plan().tasks.end(), [&](const TaskPlan& task) {
    const auto* const move = std::get_if<PvmoveTask>(&task.body);
    return move != nullptr && move->group == group;
  });
}

// What vgchange does beside activation: somebody polls what is moving.
void LvmRoom::start_moves(const std::string& group) {
  const Actor actor = world_.trace().actors().intern("pvmove");
  // Under way from now on, not only from its first slice on: the life is not at rest before it has ended.
  auto busy = std::make_shared<lvm::Administration::Command>(administration_);
  world_.scheduler().spawn(actor, FiberRole::kTask, [this, group, busy] {
    lvm::Session session(environment_);
    judge_move(lvm::continue_moves(session, group, {.patience = world_.patience()}), group);
    world_.note_tables_changed();
  });
}

void LvmRoom::judge_move(const lvm::MoveResult& result, const std::string& group) {
  if (result.ok()) return;
  Violation violation;
  violation.oracle = result.stuck ? oracle::kLiveness : oracle::kAnswers;
  violation.device = group;
  violation.state = result.stuck ? "a move that does not come on" : "a move fails";
  violation.sentence = fmt::format("the move of extents of {} fails: {}", group, result.command.failure);
  world_.report(std::move(violation));
}

void LvmRoom::check_moves_ended() {
  for (const VolumeGroupPlan& group : world_.plan().volume_groups) {
    if (!may_move(group.name)) continue;
    lvm::Session session(environment_);
    const auto committed = session.metadata(group.name).read();
    if (!committed || lvm::moves_of(*committed).empty()) continue;
    Violation violation;
    violation.oracle = oracle::kLiveness;
    violation.device = group.name;
    violation.state = "a move that nobody goes on with";
    violation.sentence = fmt::format("after the power cut the metadata of {} say that {} is moving, and nobody goes on "
                                     "with it", group.name, lvm::moves_of(*committed).front());
    world_.report(std::move(violation));
  }
}

void LvmRoom::start_dmeventd(const std::string& group, Actor actor) {
  dmeventd_.push_back(std::make_unique<lvm::Dmeventd>(
      environment_, group, actor,
      [this](const std::string&, const lvm::CommandResult&) { world_.note_tables_changed(); }));
  lvm::Dmeventd& daemon = *dmeventd_.back();
  for (const VolumeGroupPlan& plan : world_.plan().volume_groups) {
    if (plan.name != group) continue;
    for (const LogicalVolumePlan& volume : plan.volumes) {
      if (volume.on.size() < 2) continue;
      for (const char* layer : {"", "real"}) {
        const std::string device = lvm::device_name(group, volume.name, layer);
        if (world_.mapper().find(device) != nullptr) daemon.watch(volume.name, device);
      }
    }
  }
  administration_.unmonitor = [this](const std::string& device) {
    for (const auto& each : dmeventd_) each->unwatch(device);
  };
  administration_.monitor = [this](const std::string& device) {
    for (const auto& each : dmeventd_) {
      if (const std::string volume = each->volume_of(device); !volume.empty()) each->watch(volume, device);
    }
  };
}

Actor LvmRoom::watcher_of(const std::string& device) const {
  const auto found = std::find_if(dmeventd_.rbegin(), dmeventd_.rend(),
                                  [&](const auto& each) { return !each->volume_of(device).empty(); });
  return found == dmeventd_.rend() ? Actor::kNobody : (*found)->actor();
}

JournalFs& LvmRoom::make_file_system(const JournalFsTask& task) {
  auto& mounted = file_systems_[task.device];
  if (mounted == nullptr) mounted = std::make_unique<Mounted>();
  CHECK(mounted->fs == nullptr, "two file systems on one device", task.device);
  JournalFsOptions options;
  options.journal_blocks = task.journal_blocks;
  options.commit_every = task.commit_every;
  options.barriers = task.barriers;
  // One after the other: both intern an actor, and a number given in an argument list is the compiler's choice.
  PageCache& cache = world_.cache(task.device);
  const Actor actor = world_.trace().actors().intern("journal " + task.device);
  mounted->fs = std::make_unique<JournalFs>(world_.scheduler(), world_.pages(), cache, mounted->record, actor, options);
  return *mounted->fs;
}

void LvmRoom::begin_settling() {
  for (const auto& [device, mounted] : file_systems_) {
    if (mounted->fs == nullptr || !mounted->fs->mounted()) continue;
    JournalFs& fs = *mounted->fs;
    world_.scheduler().spawn(world_.trace().actors().intern("umount"), FiberRole::kTask, [&fs] { fs.unmount(); });
  }
}

JournalFs* LvmRoom::file_system(std::string_view device) {
  const auto found = file_systems_.find(device);
  return found == file_systems_.end() ? nullptr : found->second->fs.get();
}

const JournalRecord* LvmRoom::record(std::string_view device) const {
  const auto found = file_systems_.find(device);
  return found == file_systems_.end() ? nullptr : &found->second->record;
}

std::vector<std::string> LvmRoom::recorded_devices() const {
  std::vector<std::string> out;
  for (const auto& [device, mounted] : file_systems_) out.push_back(device);
  return out;
}

JournalImage LvmRoom::image_of(const std::string& name) {
  BlockDevice* const device = world_.mapper().find(name);
  return JournalImage([this, device](std::uint32_t number, journal_format::Block& out) {
    const SectorRange range{Sector{number} * kPageSectors, (Sector{number} + 1) * kPageSectors};
    if (device == nullptr || range.end > device->sectors()) return false;
    DirectIo io(world_.scheduler(), world_.pages(), *device, world_.scheduler().current_actor());
    DirectRequest& request = io.read(range);
    const bool ok = io.wait(request).ok();
    if (ok) std::memcpy(out.data(), request.page(0).bytes(), out.size());
    io.release(request);
    return ok;
  });
}

void LvmRoom::check_frozen_image(const std::string& origin, const std::string& snapshot, bool was_frozen) {
  const JournalRecord* const promised = record(origin);
  if (!world_.judge().checks(oracle::kFrozenImage) || promised == nullptr || !promised->is_formatted()) return;
  // As it is now: the next freeze may come while the image is read.
  const JournalRecord as_frozen = *promised;
  JournalImage image = image_of(snapshot);
  const std::vector<std::string> wrong = as_frozen.check_frozen(image, was_frozen);
  if (wrong.empty() || image.unreadable()) return;
  Violation violation;
  violation.oracle = oracle::kFrozenImage;
  violation.device = snapshot;
  violation.state = was_frozen ? "frozen" : "not frozen";
  violation.sentence = fmt::format("{} does not show the file system of {} as it was when it was suspended: {}",
                                   snapshot, origin, wrong.front());
  add_details(violation, wrong);
  world_.report(std::move(violation));
}

void LvmRoom::check_recovery(const std::string& device, const JournalRecord& promised) {
  if (!world_.judge().checks(oracle::kDurability) || !promised.is_formatted()) return;
  if (world_.mapper().find(device) == nullptr) return;
  JournalImage image = image_of(device);
  const std::vector<std::string> wrong = promised.check_after_cut(image);
  // A device that answers with an error has not lost anything yet.
  if (wrong.empty() || image.unreadable()) return;
  Violation violation;
  violation.oracle = oracle::kDurability;
  violation.device = device;
  violation.state = "a file system after recovery";
  violation.blame = world_.judge().blame_for(device, {});
  violation.sentence = fmt::format("after the power cut the file system of {} is not what was promised: {}", device,
                                   wrong.front());
  add_details(violation, wrong);
  world_.report(std::move(violation));
}

void LvmRoom::allocate_memory() {
  world_.memory().allocate();
  world_.memory().free();
}

void LvmRoom::write_backup(std::string_view name) {
  if (world_.life() > 0) return;  // files, as all that users write, are of the first life
  for (const VolumeGroupPlan& group : world_.plan().volume_groups) {
    if (group.name != name || group.backup.empty()) continue;
    PageCache& cache = world_.cache(group.backup);
    OpenFile file = cache.open();
    std::vector<std::byte> page(kPageBytes, std::byte{'#'});
    cache.write(cache.device().sectors() * kSectorBytes - kPageBytes, page);
    cache.fsync(file);
  }
}

void LvmRoom::on_two_suspenders(std::string_view device, Actor first, Actor second, std::string_view verb) {
  const ActorNames& names = world_.trace().actors();
  Violation violation;
  violation.oracle = oracle::kOneSuspender;
  violation.device = device;
  violation.state = fmt::format("{} under another's change", verb);
  violation.sentence = fmt::format("{} asks for {} of {} while {} is not through with changing it",
                                   names.name(second), verb, device, names.name(first));
  world_.report(std::move(violation));
}

}  // namespace dmsim
