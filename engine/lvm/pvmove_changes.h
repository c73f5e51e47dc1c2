// What a move makes of a volume group's metadata, in memory only.
//
// pvmove puts a hidden volume, pvmove0, between the volumes that have extents on the source and those extents: its
// segments are mirrors of two images each, the old extents and new ones. Segment after segment is copied:
//
//   done      its extents_copied is all of it: the device uses the new extents only
//   running   the first that is not done: a mirror with a core log, which after a restart begins from its first region
//   pending   those behind it: the device uses the old extents only
//
// With --atomic there is one segment for all, over two volumes pvmove0_mimage_0 and _1: all of it is done at once.
// In the end the volumes take the new extents (after --abort: the old ones, except where a segment is done and the
// move is not atomic), pvmove0 becomes an error segment, and then it goes.
//
// Not modelled: RAID and thin volumes, moves of parts of a volume by extents (PV:0-99), allocation policies.
//
// Source: lvm2's tools/pvmove.c, tools/pvmove_poll.c and lib/mirror/mirrored.c.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/lvm/volume_group.h"

namespace dmsim::lvm {

struct MoveRequest {
  std::string from;             // physical volume
  std::vector<std::string> to;  // physical volumes, the first is filled first; empty: all others
  std::string volume;           // only this one and what it is made of (--name); empty: all
  bool atomic = false;
};

// Adds pvmoveN and puts it under whatever is to move; its name. Failure, in words: nothing is to move, what is
// to move is being moved already, or there is no room.
Result<std::string, std::string> insert_move(VolumeGroup& group, const MoveRequest& request);

bool is_move(const LogicalVolume& volume);
// The names of its moves, unfinished ones and those that only wait to be removed.
std::vector<std::string> moves_of(const VolumeGroup& group);
// Some volume still stands on it.
bool is_in_use(const VolumeGroup& group, std::string_view move);
// It has images of its own (--atomic).
bool is_atomic(const VolumeGroup& group, std::string_view move);
// The first segment that is not done; nothing: all are.
std::optional<std::size_t> running_segment(const VolumeGroup& group, std::string_view move);
void set_segment_done(VolumeGroup& group, std::string_view move, std::size_t segment);

// Which image of a segment its users get when the mirror is taken away: 0 the old extents, 1 the new ones.
struct MoveEnd {
  bool abort = false;
  bool wrong_image = false;  // of a segment that is aborted: the image behind the one that is right
};
// Gives the volumes their extents, and makes the move an error segment.
void detach_move(VolumeGroup& group, std::string_view move, MoveEnd end);
// Takes it, and the images of an atomic move, out of the group. Requires that nothing stands on it.
void remove_move(VolumeGroup& group, std::string_view move);

// The table of a move's own volume: done and pending segments are linear, the running one is the mirror.
struct MoveTable {
  bool handle_errors = false;
  bool retreats = false;  // the running segment, too, is linear, on the old extents
};
std::string move_table(const VolumeGroup& group, std::string_view move, MoveTable how);

// What the status of a move's device says of the mirror in it.
struct MoveProgress {
  bool has_mirror = false;
  std::uint64_t copied = 0;  // regions
  std::uint64_t regions = 0;
  bool healthy = true;       // every image's letter is A
};
MoveProgress move_progress(std::string_view status);

}  // namespace dmsim::lvm
