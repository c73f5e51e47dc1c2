// Judge: collects what went wrong in one life of a world, finds out whom to blame, and watches the
// promises that must hold at every instant.
//
// Which promises it holds a run to is the plan's `check` list. Of each promise and device only the first
// breach is kept: what follows from it would only repeat it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/device_mapper.h"
#include "harness/copies.h"
#include "harness/reference.h"
#include "harness/verdict.h"
#include "harness/watched_device.h"

namespace dmsim {

class Disk;
class World;

class Judge {
 public:
  explicit Judge(World& world) : world_(world) {}

  bool checks(std::string_view oracle) const;
  // Some oracle of the plan needs to know what devices must hold.
  bool compares_contents() const;
  // Keeps the violation if its oracle is checked and it is the first of its kind.
  void report(Violation violation);
  const std::vector<Violation>& violations() const { return violations_; }
  // Breaches charged to an application or a disk in a plan that is not about them.
  std::uint64_t excused() const { return excused_; }
  // Times that nothing could go on in a plan that does not check liveness.
  std::uint64_t hangs() const { return hangs_; }

  // A user was answered. Interrupt context.
  void on_answer(const UserRequest& request, BlockStatus status);
  void on_mismatches(WatchedDevice& device, const std::vector<Mismatch>& wrong);
  // Between two steps, outside any fiber: judges what was put off, and the mirrors' claims.
  void after_step();
  // after_step() wants to be called after every single step.
  bool watches_every_step() const {
    return watches_claims_ || watches_clones_ || watches_moves_ || may_have_snapshots_;
  }
  void set_up();

  // Nothing can go on.
  void report_stuck(std::string_view how);
  // The run has come to rest: promises about rest.
  void at_rest();
  // Every region that the log calls clean, or that is claimed in sync with nothing under way, has equal
  // legs. For rest and for the time after recovery.
  void check_legs();

  // Every page of every device is compared: an extent may have been moved, with or without its content.
  bool follows_moves() const { return watches_moves_; }

  // A verb that may have changed a live table has ended. In a fiber.
  void note_tables_changed() {
    copies_.clear();
    look_for_snapshots();
  }
  // The device is a snapshot, or something a snapshot is or was merged into (judge_snapshot.cc).
  bool follows_snapshot(std::string_view device) const;
  // The device is a snapshot whose store does not outlive a power cut.
  bool forgets_at_cut(std::string_view device) const;
  // Something would be found out by look_at_snapshots(), which runs in a fiber, at rest.
  bool wants_to_look() const;
  void look_at_snapshots();
  // The stores of snapshots have lost no space. For rest and for the time after recovery.
  void check_stores();
  // Of what a power cut has done, or would do now, to a sector that lies on a clone's destination, in a few
  // words: which of the consequences of a commit before its data. Empty: the sector is no clone's.
  std::string_view clone_consequence(std::string_view device, const Mismatch& mismatch);
  Blame blame_for(std::string_view device, SectorRange range);
  // Copies of `device`, by the tables that are live now; kept until tables change.
  const std::vector<Extent>& copies(std::string_view device);

 private:
  bool raced_by_application(std::string_view device, SectorRange range);
  struct Claim {
    const MirrorView* view;
    std::string device;
    std::uint64_t generation;
    std::vector<bool> settled;  // regions last seen in sync with nothing under way
  };
  struct FailedRequest {
    std::string device;
    Op op;
    bool flushes;      // a flush, or a write that has one before it
    SectorRange range;
    BlockStatus status;
  };

  // A clone's metadata, as of `fingerprint` of what is durable of them.
  struct CloneWatch {
    const CloneView* view;
    std::string device;
    bool seen = false;
    std::uint64_t generation = 0;   // of the metadata's disks
    std::uint64_t fingerprint = 0;
    std::vector<bool> durable;      // regions whose bit is durable
  };

  // A snapshot, or what one is merged into, since its table went live.
  struct SnapshotWatch {
    std::string device;
    SnapshotLine line;
    bool gone = false;                // it has another table by now, or none
    bool merged = false;              // its store was given to its origin: it is nothing any more
    std::uint64_t origin_writes = 0;  // made by users of its origin before it was
  };
  void set_up_snapshots();
  const SnapshotWatch* snapshot_watch(std::string_view device) const;
  void look_at_new_tables();
  void look_for_snapshots();
  void follow_snapshot(const std::string& name, const SnapshotLine& line);
  bool find_origin_user(const std::string& name, const SnapshotLine& line, std::string* user);
  void name_snapshot_breach(Violation* violation) const;
  void judge_unreadable_snapshot(const SnapshotWatch& watch);
  void judge_snapshot_error(const SnapshotWatch& watch, const FailedRequest& request);

  void check_clones();
  void check_clone(CloneWatch& watch);
  void check_committed_region(const CloneWatch& watch, std::uint64_t region);
  std::vector<Extent> extents_of(std::string_view device);
  // Contents through the mappings in force (judge_moved.cc).
  void check_moves();
  void check_moved_contents(std::string_view when);
  bool check_moved_range(const std::string& device, SectorRange range, std::string_view when);
  // What the engine has met since it was last asked (judge_engine.cc).
  void check_troubles();
  void check_claims();
  void check_claim(Claim& claim);
  void check_holds(const Claim& claim);
  // A device's sectors on the one disk that holds them in one piece; no disk: they do not lie like that.
  struct Place {
    const Disk* disk = nullptr;
    Sector begin = 0;
  };
  Place place_of(std::string_view device, Sector begin);
  std::optional<Sector> legs_difference(const MirrorView& view, SectorRange part);
  static SectorRange region_range(const MirrorView& view, std::uint64_t region);
  void judge_error(const FailedRequest& request);
  void judge_success(const UserRequest& request);
  bool copy_is_fit(const Extent& extent, const Extent::Copy& copy, const Reference& reference,
                   SectorRange range) const;
  bool something_refused(const Extent& extent) const;
  bool some_copy_has(const Reference& reference, std::string_view device, Sector sector);

  World& world_;
  std::vector<Violation> violations_;
  std::uint64_t excused_ = 0;
  std::uint64_t hangs_ = 0;
  std::size_t troubles_seen_ = 0;
  bool watches_claims_ = false;
  std::vector<Claim> claims_;
  bool watches_clones_ = false;
  std::vector<CloneWatch> clones_;
  bool watches_moves_ = false;
  std::uint64_t moves_seen_ = 0;  // the generation of tables when contents were last compared
  bool may_have_snapshots_ = false;
  std::uint64_t tables_seen_ = 0;  // the generation of tables when snapshots were last looked for
  std::vector<SnapshotWatch> snapshots_;  // in order of creation
  std::vector<FailedRequest> failed_;
  std::vector<std::pair<std::string, std::vector<Extent>>> copies_;
  std::uint64_t copies_of_tables_ = 0;  // the generation of tables that copies_ is read from
};

}  // namespace dmsim
