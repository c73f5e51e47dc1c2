// pvmove: moves the extents of a volume group from one physical volume to others while its volumes are in use.
//
//   begin       pvmove0 goes under the volumes (pvmove_changes.h); metadata written, precommitted, devices suspended,
//               metadata committed, devices resumed (pvmove_update.h)
//   poll        the status of pvmove0 is read again and again; nothing is locked in between
//   checkpoint  a segment is done: the metadata say so, and the next one is copied
//   finish      all are done: the volumes take their new extents, pvmove0 becomes an error segment, its device goes,
//               and with one more change of the metadata it is gone
//
// Every ioctl and every I/O is an event, and a power cut may fall between any two. What goes on afterwards is found
// in the committed metadata alone: activation brings up the mirror that they speak of, and continue_moves() polls it.
// `--abort` is a command of its own; who polls finds the move gone, and ends.
//
// A core log forgets what is copied, so a segment that was running begins again.
//
// In one thing this is not lvm2's way. lvm2's mirror has no handle_errors, so that a region which could not be read or
// written counts as copied, and its poll looks at the percentage only. Here the mirror handles errors, a poll that
// sees an image in trouble aborts the move, and the mirror is taken out of the way first, since it may hold writes;
// that is done by a thread of its own, however long the command waits for something (pvmove_watch.h).
// The switches pvmove.errors, pvmove.poll and pvmove.retreat give lvm2's way back.
//
// Source: lvm2's tools/pvmove.c, tools/pvmove_poll.c, tools/polldaemon.c.
#pragma once

#include <string>
#include <string_view>

#include "engine/lvm/commands.h"
#include "engine/lvm/pvmove_changes.h"
#include "engine/lvm/pvmove_watch.h"

namespace dmsim::lvm {

struct MoveOptions {
  Duration poll = Duration::milliseconds(10);
  Duration patience = Duration::seconds(120);  // after which a move that does not come on is given up as stuck
  bool refuse_mirror = false;                  // the kernel has no mirror target
};

struct MoveResult {
  CommandResult command;
  bool stuck = false;    // it did not come on for as long as the patience lasts
  bool aborted = false;  // an image was in trouble
  bool ok() const { return command.ok(); }
};

// pvmove FROM TO...: to its end.
MoveResult move_extents(Session& session, std::string_view group, const MoveRequest& request,
                        const MoveOptions& options);
// pvmove without arguments: goes on with every move that the committed metadata tell of.
MoveResult continue_moves(Session& session, std::string_view group, const MoveOptions& options);
// pvmove --abort, of every move of the group.
MoveResult abort_moves(Session& session, std::string_view group);

}  // namespace dmsim::lvm
