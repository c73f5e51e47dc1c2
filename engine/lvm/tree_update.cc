#include "engine/lvm/tree_update.h"

#include <algorithm>

#include <fmt/format.h>

namespace dmsim::lvm {
namespace {

const DeviceNode* find(const std::vector<DeviceNode>& tree, std::string_view name) {
  for (const DeviceNode& node : tree) {
    if (node.name == name) return &node;
  }
  return nullptr;
}

}  // namespace

TreeUpdate::TreeUpdate(Session& session, const std::vector<DeviceNode>& before,
                       const std::vector<DeviceNode>& after, Options options)
    : session_(session), options_(std::move(options)) {
  for (const DeviceNode& node : after) {
    const DeviceNode* const old = find(before, node.name);
    const bool same_table = old != nullptr && old->table == node.table;
    if (same_table && node.name != options_.also) continue;
    Change change{node, old == nullptr ? std::string() : old->table, old == nullptr, same_table};
    if (change.is_new) {
      const bool moved_down = std::any_of(before.begin(), before.end(), [&](const DeviceNode& each) {
        const DeviceNode* const now = find(after, each.name);
        return each.table == node.table && now != nullptr && now->table != each.table;
      });
      change.late = moved_down || stands_on_late(node);
    } else {
      change.late = stands_on_late(node);
    }
    changes_.push_back(std::move(change));
  }
  for (auto node = before.rbegin(); node != before.rend(); ++node) {
    if (find(after, node->name) == nullptr) gone_.push_back(node->name);
  }
}

bool TreeUpdate::stands_on_late(const DeviceNode& node) const {
  return std::any_of(changes_.begin(), changes_.end(), [&](const Change& each) {
    return each.is_new && each.late && stands_on(node.table, each.node.name);
  });
}

bool TreeUpdate::has_parent(const DeviceNode& node) const {
  return std::any_of(changes_.begin(), changes_.end(),
                     [&](const Change& each) { return stands_on(each.node.table, node.name); });
}

bool TreeUpdate::load(Change& change) {
  if (change.loaded || change.same_table) return true;
  change.loaded = done(session_.load(change.node.name, change.node.table), "load", change.node.name);
  return change.loaded;
}

bool TreeUpdate::go_live(Change& change) {
  if (change.live) return true;
  if (!load(change)) return false;
  change.live = done(session_.resume(change.node.name), "resume", change.node.name);
  std::erase(suspended_, change.node.name);
  return change.live;
}

bool TreeUpdate::preload() {
  for (Change& change : changes_) {
    if (change.is_new && !done(session_.create(change.node.name), "create", change.node.name)) return false;
    if (change.late && stands_on_late(change.node)) continue;
    if (!load(change)) return false;
    if (change.is_new && !change.late && has_parent(change.node) && !go_live(change)) return false;
  }
  return true;
}

bool TreeUpdate::suspend() {
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
    if (change->is_new) continue;
    if (!done(session_.suspend(change->node.name, options_.suspend), "suspend", change->node.name)) return false;
    suspended_.push_back(change->node.name);
  }
  return true;
}

bool TreeUpdate::resume() {
  for (Change& change : changes_) {
    if (change.node.name != options_.first) continue;
    // What it stands on goes first all the same.
    for (Change& lower : changes_) {
      if (stands_on(change.node.table, lower.node.name) && !go_live(lower)) return false;
    }
    if (!go_live(change)) return false;
  }
  return std::all_of(changes_.begin(), changes_.end(), [&](Change& change) { return go_live(change); });
}

bool TreeUpdate::clean() {
  if (!options_.last_target.empty() && !std::all_of(gone_.begin(), gone_.end(), [&](const std::string& device) {
        return replace(device);
      })) {
    return false;
  }
  return std::all_of(gone_.begin(), gone_.end(), [&](const std::string& device) {
    return done(session_.remove(device), "remove", device);
  });
}

bool TreeUpdate::replace(const std::string& device) {
  const BlockDevice* const found = session_.environment().mapper.find(device);
  if (found == nullptr) return true;
  const std::string table = fmt::format("0 {} {}", found->sectors(), options_.last_target);
  return done(session_.load(device, table), "load", device) && done(session_.resume(device), "resume", device);
}

bool TreeUpdate::can_go_back() const {
  return std::none_of(changes_.begin(), changes_.end(),
                      [](const Change& each) { return each.live && !each.is_new; });
}

void TreeUpdate::give_up() {
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
    if (change->is_new || change->live) continue;
    // There is no taking a table out of the inactive slot; the old one in its place comes to the same.
    if (change->loaded) session_.load(change->node.name, change->old_table).ok();
  }
  // What is live already works on what the old tables work on: it goes before they go on.
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
    if (change->is_new) session_.remove(change->node.name).ok();
  }
  for (const std::string& device : suspended_) session_.resume(device).ok();
  suspended_.clear();
  changes_.clear();
}

std::string trouble_with(const DeviceNode& node, std::string_view verb, const DmError& error) {
  return fmt::format("{} of {} ({}) failed with errno {}{}{}", verb, node.name, node.table, error.errno_value,
                     error.reason.empty() ? "" : ": ", error.reason);
}

std::string activate(Session& session, const std::vector<DeviceNode>& tree) {
  for (const DeviceNode& node : tree) {
    if (session.environment().mapper.find(node.name) != nullptr) continue;
    if (auto made = session.create(node.name); !made) return trouble_with(node, "create", made.error());
    if (auto loaded = session.load(node.name, node.table); !loaded) return trouble_with(node, "load", loaded.error());
    if (auto live = session.resume(node.name); !live) return trouble_with(node, "resume", live.error());
  }
  return {};
}

}  // namespace dmsim::lvm
