#include "engine/lvm/pvmove_update.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "base/reached.h"
#include "engine/lvm/pvmove_changes.h"
#include "engine/lvm/tree_update.h"

namespace dmsim::lvm {
namespace {

bool has_mirror(const std::string& table) { return table.find(" mirror core ") != std::string::npos; }

bool is_any_mirror(const std::string& table) { return table.find(" mirror ") != std::string::npos; }

bool is_of_a_move(const std::string& device) { return device.find("-pvmove") != std::string::npos; }

std::uint64_t sectors_of(std::string_view table) {
  const std::string_view last = table.substr(table.rfind('\n') + 1);
  const std::size_t blank = last.find(' ');
  return std::stoull(std::string(last.substr(0, blank))) + std::stoull(std::string(last.substr(blank + 1)));
}

}  // namespace

MoveUpdate::MoveUpdate(Session& session, const std::vector<DeviceNode>& before, const std::vector<DeviceNode>& after,
                       Options options)
    : session_(session), options_(options) {
  const auto in = [](const std::vector<DeviceNode>& tree, const std::string& name) -> const DeviceNode* {
    const auto found =
        std::find_if(tree.begin(), tree.end(), [&](const DeviceNode& each) { return each.name == name; });
    return found == tree.end() ? nullptr : &*found;
  };
  for (const DeviceNode& node : before) {
    if (in(after, node.name) == nullptr) steps_.push_back({node, node.table, true});
  }
  for (const DeviceNode& node : after) {
    const DeviceNode* const old = in(before, node.name);
    steps_.push_back({node, old == nullptr ? std::string() : old->table});
  }
  // Whole trees are concerned: from every device on which nothing stands, and below which something changes.
  std::vector<std::string> changed;
  for (const Step& step : steps_) {
    if (step.changes()) changed.push_back(step.node.name);
  }
  bool first = true;
  for (Step& top : steps_) {
    if (top.is_new()) continue;
    if (options_.only_changed) {
      top.concerned = top.changes() && !top.gone;
      continue;
    }
    const bool has_above = std::any_of(steps_.begin(), steps_.end(), [&](const Step& each) {
      return !each.is_new() && stands_on(each.old_table, top.node.name);
    });
    if (has_above) continue;
    std::vector<const Step*> tree{&top};
    bool touched = false;
    for (std::size_t i = 0; i < tree.size(); ++i) {
      touched |= tree[i]->changes();
      for (const Step& each : steps_) {
        if (!each.is_new() && stands_on(tree[i]->old_table, each.node.name)) tree.push_back(&each);
      }
    }
    if (!touched) continue;
    if (first || session_.environment().moves.all_suspended) concern(top);
    first = false;
  }
  if (session_.environment().moves.whole_tree_reloaded && !options_.only_changed) reload_above_changes();
}

void MoveUpdate::concern(Step& step) {
  step.concerned = true;
  for (Step& lower : steps_) {
    if (!lower.is_new() && !lower.concerned && stands_on(step.old_table, lower.node.name)) concern(lower);
  }
}

void MoveUpdate::reload_above_changes() {
  // Both can be read in sysfs (queue/write_cache).
  const LvmEnvironment& env = session_.environment();
  const auto has_cache = [](const BlockDevice* device) { return device != nullptr && device->limits().volatile_cache; };
  const bool some_disk_has = std::any_of(env.disk_names.begin(), env.disk_names.end(),
                                         [&](const std::string& name) { return has_cache(env.disks.find_disk(name)); });
  // Lower devices come first, those that are gone before all others.
  for (Step& upper : steps_) {
    if (upper.changes() || !upper.concerned || !some_disk_has || has_cache(env.mapper.find(upper.node.name))) continue;
    upper.above_change = std::any_of(steps_.begin(), steps_.end(), [&](const Step& lower) {
      return lower.is_loaded_anew() && stands_on(upper.node.table, lower.node.name);
    });
  }
}

bool MoveUpdate::all_above_suspended(const Step& step) const {
  return std::all_of(steps_.begin(), steps_.end(), [&](const Step& upper) {
    return upper.is_new() || upper.suspended || !stands_on(upper.old_table, step.node.name);
  });
}

bool MoveUpdate::load(Step& step) {
  if (step.loaded || !step.is_loaded_anew()) return true;
  if (options_.refuse_mirror && has_mirror(step.node.table)) {
    REACHED("the temporary mirror of a move cannot be made");
    return done(Failure{DmError{EINVAL, "unknown target type"}}, "load", step.node.name);
  }
  step.loaded = done(session_.load(step.node.name, step.node.table), "load", step.node.name);
  return step.loaded;
}

bool MoveUpdate::go_live(Step& step) {
  if (!step.changes() && !step.suspended) return true;
  if (!load(step) || !done(session_.resume(step.node.name), "resume", step.node.name)) return false;
  step.suspended = false;
  return true;
}

bool MoveUpdate::preload() {
  const PvmoveSwitches& switches = session_.environment().moves;
  if (!switches.mirror_made_before_commit) return true;
  if (!nothing_was_held()) return false;
  for (Step& step : steps_) {
    if (step.gone || !step.is_loaded_anew()) continue;
    if (step.is_new() && !done(session_.create(step.node.name), "create", step.node.name)) return false;
    if (!load(step)) return false;
    if (step.is_new() && !switches.mirror_resumed_with_parents) {
      REACHED("the mirror of a move copies while volumes still write past it");
      if (!done(session_.resume(step.node.name), "resume", step.node.name)) return false;
    }
  }
  if (options_.watch != nullptr) options_.watch->go_on();
  return true;
}

bool MoveUpdate::suspend_one(Step& step) {
  const PvmoveSwitches& switches = session_.environment().moves;
  if (!step.concerned || step.is_new()) return true;
  if (switches.upper_suspended_first && !options_.only_changed && !all_above_suspended(step)) return true;
  // What a mirror above the move holds for its own repair would become errors; see pvmove.flush.
  const bool may_hold = is_any_mirror(step.old_table) && !is_of_a_move(step.node.name);
  const bool flushes = switches.flush == PvmoveSwitches::Flush::kAlsoMirrors ||
                       (switches.flush == PvmoveSwitches::Flush::kOn && !may_hold);
  if (is_of_a_move(step.node.name) && !nothing_was_held()) return false;
  const DmResult<> result = session_.suspend(step.node.name, {.noflush = !flushes, .skip_lockfs = true});
  step.suspended = result.ok();
  return done(result, "suspend", step.node.name);
}

bool MoveUpdate::nothing_was_held() {
  if (options_.watch == nullptr || options_.watch->stand_still(session_.environment().scheduler)) return true;
  REACHED("a volume could be suspended because a mirror below it was taken out of the way, and the move is aborted");
  image_failed_ = true;
  return done(Failure{DmError{EIO, "an image of the move is in trouble"}}, "suspend", "the move");
}

bool MoveUpdate::suspend() {
  const auto one = [&](Step& step) { return suspend_one(step); };
  // Those that are gone stand first among the steps, and last in the old trees.
  const bool suspended = session_.environment().moves.upper_suspended_first
                             ? std::all_of(steps_.rbegin(), steps_.rend(), one)
                             : std::all_of(steps_.begin(), steps_.end(), one);
  return suspended && nothing_was_held();
}

bool MoveUpdate::resume() {
  for (Step& step : steps_) {
    if (step.gone) continue;
    const bool made_now = step.is_new() && session_.environment().mapper.find(step.node.name) == nullptr;
    if (made_now && !done(session_.create(step.node.name), "create", step.node.name)) return false;
    if (!go_live(step)) return false;
  }
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    if (!step->gone) continue;
    step->node.table = fmt::format("0 {} error", sectors_of(step->old_table));
    if (!go_live(*step)) return false;
  }
  return true;
}

bool MoveUpdate::clean() {
  return std::all_of(steps_.rbegin(), steps_.rend(), [&](Step& step) {
    return !step.gone || done(session_.remove(step.node.name), "remove", step.node.name);
  });
}

void MoveUpdate::give_up() {
  for (Step& step : steps_) {
    if (step.is_new()) continue;
    // There is no taking a table out of the inactive slot; the old one in its place comes to the same.
    if (step.loaded) session_.load(step.node.name, step.old_table).ok();
    if (step.suspended) session_.resume(step.node.name).ok();
    step.suspended = false;
  }
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    const bool made = step->is_new() && session_.environment().mapper.find(step->node.name) != nullptr;
    if (made) session_.remove(step->node.name).ok();
  }
}

std::string activate_mirrors_last(Session& session, const std::vector<DeviceNode>& tree) {
  std::vector<DeviceNode> late;
  for (const DeviceNode& node : tree) {
    if (session.environment().mapper.find(node.name) != nullptr) continue;
    if (auto made = session.create(node.name); !made) return trouble_with(node, "create", made.error());
    if (auto loaded = session.load(node.name, node.table); !loaded) return trouble_with(node, "load", loaded.error());
    if (has_mirror(node.table)) {
      REACHED("what stands on the mirror of a move is brought up before the mirror");
      late.push_back(node);
      continue;
    }
    if (auto live = session.resume(node.name); !live) return trouble_with(node, "resume", live.error());
  }
  for (const DeviceNode& node : late) {
    if (auto live = session.resume(node.name); !live) return trouble_with(node, "resume", live.error());
  }
  return {};
}

}  // namespace dmsim::lvm
