// MoveUpdate: the devices of all volumes that a step of a move concerns, from one version of the metadata to the next.
//
//   preload  new devices are created; every table that differs goes into the inactive slot. A new mirror does not
//            live yet: it would copy while its volumes still write past it. What stands above a change and believes
//            that there is no volatile cache below gets its own table once more: only with a new table does a device
//            look. Not what knows of a cache: a mirror that is loaded anew may find its predecessor still writing the
//            log that they share
//   suspend  whole trees, of every volume that has a device which changes: from above, each device when all that
//            stands on it is suspended, so that nothing is kept between two suspended layers
//   (here the caller commits the metadata)
//   resume   from below; the move's own device, if it is gone from the tree, gets an error table first
//   clean    devices that are gone are removed
//
// Source: lvm2's lib/activate/dev_manager.c and device_mapper/libdm-deptree.c.
#pragma once

#include <string>
#include <vector>

#include "engine/lvm/device_tree.h"
#include "engine/lvm/device_update.h"
#include "engine/lvm/pvmove_watch.h"
#include "engine/lvm/session.h"

namespace dmsim::lvm {

class MoveUpdate final : public DeviceUpdate {
 public:
  struct Options {
    bool only_changed = false;    // suspend nothing above what changes
    bool refuse_mirror = false;   // the kernel has no mirror target
    // Who takes the move's mirror out of the way, if writes are held there, while volumes above are suspended. If
    // that was done the suspend fails. Null: nobody.
    MoveWatch* watch = nullptr;
  };
  // `before` and `after`: the devices of the whole group.
  MoveUpdate(Session& session, const std::vector<DeviceNode>& before, const std::vector<DeviceNode>& after,
             Options options);

  bool preload() override;
  bool suspend() override;
  bool resume() override;
  bool clean() override;
  void give_up() override;
  bool image_failed() const { return image_failed_; }

 private:
  struct Step {
    DeviceNode node;        // as it is to be; of one that is gone: as it was
    std::string old_table;  // empty: it is new
    bool gone = false;
    bool concerned = false;  // is suspended and resumed
    bool above_change = false;  // and although its own table stays it is loaded once more
    bool loaded = false;
    bool suspended = false;
    bool is_new() const { return old_table.empty(); }
    bool changes() const { return gone || is_new() || old_table != node.table; }
    bool is_loaded_anew() const { return changes() || above_change; }
  };
  void concern(Step& step);  // and all that it stands on now
  void reload_above_changes();
  bool all_above_suspended(const Step& step) const;
  bool load(Step& step);
  bool go_live(Step& step);
  bool suspend_one(Step& step);
  bool nothing_was_held();

  Session& session_;
  Options options_;
  std::vector<Step> steps_;  // lower devices first
  bool image_failed_ = false;
};

// As activate(), with the mirrors of moves resumed after everything else.
std::string activate_mirrors_last(Session& session, const std::vector<DeviceNode>& tree);

}  // namespace dmsim::lvm
