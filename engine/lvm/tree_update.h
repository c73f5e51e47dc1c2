// TreeUpdate: from the devices of one version of the metadata to those of the next, in lvm2's steps:
//
//   preload  devices that are new are created; those that others will stand on (a store, a log) go live at
//            once. Tables of devices that change go into the inactive slot.
//   suspend  devices whose table changes, the upper ones first
//   (here the caller commits the metadata)
//   resume   from below: what has moved down a layer, then what stands upon it, then what changed
//   clean    devices that are gone are removed
//
// A device that takes over the very table of one that is being changed (an origin's -real) must not go live
// before that one is suspended: two mirrors would work on one log. It, and whatever stands on it, is loaded
// in time and resumed late; what stands on it is loaded late too, since an engine refuses a first table
// that stands on a device without size.
//
// It undoes nothing by itself: after a failure the caller decides.
#pragma once

#include <string>
#include <vector>

#include "engine/lvm/device_tree.h"
#include "engine/lvm/device_update.h"
#include "engine/lvm/session.h"

namespace dmsim::lvm {

class TreeUpdate final : public DeviceUpdate {
 public:
  struct Options {
    SuspendOptions suspend;
    // Devices that are resumed before any other that changes (the wrong order is a switch).
    std::string first;
    // A device that is suspended and resumed although its table stays: its users are to stand still.
    std::string also = {};
    // The target ("error") that devices which go have between the resume and their removal; empty: what they had.
    std::string last_target = {};
  };
  TreeUpdate(Session& session, const std::vector<DeviceNode>& before, const std::vector<DeviceNode>& after,
             Options options);

  bool preload() override;
  bool suspend() override;
  bool resume() override;
  bool clean() override;
  // Takes back what has been made, and resumes what is suspended with its old table. After it nothing is left to do.
  void give_up() override;

  // No device that was there before has gone over to its new table.
  bool can_go_back() const;

  const std::vector<std::string>& suspended() const { return suspended_; }

 private:
  struct Change {
    DeviceNode node;
    std::string old_table;  // empty: it is new
    bool is_new = false;
    bool same_table = false;
    bool late = false;    // must not go live before the old device is suspended
    bool loaded = false;
    bool live = false;
  };
  bool stands_on_late(const DeviceNode& node) const;
  bool has_parent(const DeviceNode& node) const;  // in what changes
  bool load(Change& change);
  bool replace(const std::string& device);
  bool go_live(Change& change);

  Session& session_;
  Options options_;
  std::vector<Change> changes_;    // lower devices first
  std::vector<std::string> gone_;  // upper devices first
  std::vector<std::string> suspended_;
};

// Creates, loads and resumes every device of the tree, those that exist left alone. Empty: done; else what
// has failed, in words.
std::string activate(Session& session, const std::vector<DeviceNode>& tree);
// "resume of vg-lv (TABLE) failed with errno 22: REASON".
std::string trouble_with(const DeviceNode& node, std::string_view verb, const DmError& error);

}  // namespace dmsim::lvm
