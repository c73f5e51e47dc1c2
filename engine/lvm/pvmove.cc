#include "engine/lvm/pvmove.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/reached.h"
#include "engine/lvm/pvmove_update.h"

namespace dmsim::lvm {
namespace {

CommandResult failed(std::string why, DmError error = {}) { return {std::move(why), std::move(error)}; }

// One process that moves extents of one group.
class Mover {
 public:
  Mover(Session& session, std::string_view group, const MoveOptions& options)
      : session_(session), group_(group), options_(options) {}
  ~Mover() { stop_watching(); }
  Mover(const Mover&) = delete;
  Mover& operator=(const Mover&) = delete;

  MoveResult begin(const MoveRequest& request, std::string* move);
  MoveResult poll(const std::string& move);
  MoveResult abort(const std::string& move) { return {end(move, {.abort = true})}; }
  // The names of the moves in the committed metadata.
  std::string committed_moves(std::vector<std::string>* out);

 private:
  enum class Next : std::uint8_t { kPollAgain, kEnded };
  MoveResult look(const std::string& move, Next* next);
  CommandResult retreat(const VolumeGroup& group, const std::string& move);
  CommandResult checkpoint(MetadataChange& change, const std::string& move, std::size_t segment);
  CommandResult end(const std::string& move, MoveEnd how);
  CommandResult end_within(MetadataChange& change, const std::string& move, MoveEnd how);
  CommandResult drop(const std::string& move);
  void begin_to_watch(const std::string& move);
  void stop_watching();
  // From now on a retreat is to what that version of the metadata says.
  void note_old_extents(const VolumeGroup& group, const std::string& move);
  // Precommits, changes the devices from those of `before` to `after`, commits.
  CommandResult update(MetadataChange& change, const std::vector<DeviceNode>& before,
                       const std::vector<DeviceNode>& after, std::string_view description, MoveUpdate::Options how);
  std::vector<DeviceNode> finished_tree(const VolumeGroup& before, const VolumeGroup& after,
                                        MoveUpdate::Options* how) const;
  void tell(const std::string& move, std::string_view what, std::uint64_t segment = 0, std::uint64_t of = 0);
  std::vector<DeviceNode> tree(const VolumeGroup& group) const { return device_tree(group, tree_options(session_)); }
  LvmEnvironment& env() const { return session_.environment(); }

  Session& session_;
  std::string group_;
  MoveOptions options_;
  std::vector<std::size_t> done_;  // segments of which the metadata have not been told (switch pvmove.checkpoint)
  bool image_failed_ = false;       // a step was taken back because of it
  std::string old_extents_;         // the table of a retreat; empty: there is nothing to retreat to
  std::shared_ptr<MoveWatch> watch_;  // null: nobody watches
  std::uint64_t copied_ = 0;  // when last looked at, to see that it comes on
  Instant came_on_;
};

void Mover::tell(const std::string& move, std::string_view what, std::uint64_t segment, std::uint64_t of) {
  tell_move(env(), device_name(group_, move), what, segment, of);
}

void Mover::begin_to_watch(const std::string& move) {
  const PvmoveSwitches& how = env().moves;
  if (!how.handle_errors || !how.retreat_first || !how.poll_looks_at_health) return;
  watch_ = MoveWatch::start(env(), device_name(group_, move), options_.poll);
  watch_->may_retreat_to(old_extents_);
}

void Mover::stop_watching() {
  if (watch_ != nullptr) watch_->stop();
  watch_ = nullptr;
}

void Mover::note_old_extents(const VolumeGroup& group, const std::string& move) {
  const bool runs = is_in_use(group, move) && running_segment(group, move).has_value();
  old_extents_ = runs ? move_table(group, move, {.retreats = true}) : std::string();
  if (watch_ != nullptr) watch_->may_retreat_to(old_extents_);
}

CommandResult Mover::update(MetadataChange& change, const std::vector<DeviceNode>& before,
                            const std::vector<DeviceNode>& after, std::string_view description,
                            MoveUpdate::Options how) {
  if (std::string why = change.prepare(description); !why.empty()) return failed(std::move(why));
  if (env().switches.backup_before_suspend) env().user_space.write_backup(group_);
  how.refuse_mirror = options_.refuse_mirror;
  MoveUpdate devices(session_, before, after, how);
  CommandResult result =
      apply_change(session_, change, devices, names_of(before), {env().moves.commit_before_resume});
  image_failed_ = devices.image_failed();
  return result;
}

MoveResult Mover::begin(const MoveRequest& request, std::string* move) {
  const RunningCommand running(session_, group_, device_name(group_, "pvmove0"));
  env().user_space.allocate_memory();
  MetadataChange change(session_, group_);
  if (std::string why = change.begin(); !why.empty()) return {failed(std::move(why))};
  const std::vector<DeviceNode> before = tree(change.group());
  auto inserted = insert_move(change.group(), request);
  if (!inserted) return {failed(inserted.error())};
  *move = *inserted;
  const std::size_t segments = change.group().logical(*move)->segments.size();
  tell(*move, "begin", 0, segments);
  MoveResult result{update(change, before, tree(change.group()), "Created *after* executing 'pvmove'", {})};
  if (result.ok()) note_old_extents(change.group(), *move);
  return result;
}

std::string Mover::committed_moves(std::vector<std::string>* out) {
  MetadataChange change(session_, group_);
  if (std::string why = change.begin(); !why.empty()) return why;
  *out = moves_of(change.group());
  if (!out->empty()) note_old_extents(change.group(), out->front());
  return {};
}

MoveResult Mover::poll(const std::string& move) {
  came_on_ = env().scheduler.now();
  begin_to_watch(move);
  while (true) {
    env().scheduler.sleep(options_.poll);
    Next next = Next::kPollAgain;
    const std::uint64_t copied = copied_;
    MoveResult result = look(move, &next);
    if (!result.ok() || next == Next::kEnded) {
      stop_watching();
      old_extents_.clear();
      return result;
    }
    if (copied_ != copied) came_on_ = env().scheduler.now();
    if (env().scheduler.now() - came_on_ > options_.patience) {
      result.stuck = true;
      result.command.failure = fmt::format("{} does not come on", device_name(group_, move));
      return result;
    }
  }
}

MoveResult Mover::look(const std::string& move, Next* next) {
  const RunningCommand running(session_, group_, device_name(group_, move));
  MetadataChange change(session_, group_);
  if (std::string why = change.begin(); !why.empty()) return {failed(std::move(why))};
  *next = Next::kEnded;
  if (change.group().logical(move) == nullptr) {
    REACHED("who polls a move finds that somebody else has ended it");
    return {};
  }
  if (!is_in_use(change.group(), move)) {
    REACHED("a move that was cut short at its very end is cleared away");
    return {drop(move)};
  }
  for (const std::size_t segment : done_) set_segment_done(change.group(), move, segment);
  // A retreat that has begun is waited for; none begins before it is known what is to come.
  const bool retreated = watch_ != nullptr && !watch_->stand_still(env().scheduler);
  const auto status = session_.status(device_name(group_, move));
  if (!status) return {failed(fmt::format("{} is gone", device_name(group_, move)), status.error())};
  const MoveProgress progress = move_progress(*status);
  if (env().moves.poll_looks_at_health && (image_failed_ || retreated || !progress.healthy)) {
    REACHED("a move is aborted because an image of it is in trouble");
    MoveResult result{retreat(change.group(), move)};
    if (result.ok()) result.command = end_within(change, move, {.abort = true});
    result.aborted = true;
    return result;
  }
  if (progress.has_mirror && progress.copied < progress.regions) {
    copied_ = progress.copied;
    note_old_extents(change.group(), move);
    *next = Next::kPollAgain;
    return {};
  }
  const auto segment = running_segment(change.group(), move);
  const bool last = !segment || *segment + 1 == change.group().logical(move)->segments.size();
  MoveResult result;
  if (!last) came_on_ = env().scheduler.now();
  result.command = last ? end_within(change, move, {}) : checkpoint(change, move, *segment);
  if (!last || image_failed_) *next = Next::kPollAgain;
  if (image_failed_) result.command = {};
  return result;
}

// Before the volumes above can be suspended; see pvmove_watch.h.
CommandResult Mover::retreat(const VolumeGroup& group, const std::string& move) {
  if (!env().moves.retreat_first || !env().moves.handle_errors || !running_segment(group, move)) return {};
  return retreat_to(session_, device_name(group_, move), move_table(group, move, {.retreats = true}));
}

CommandResult Mover::checkpoint(MetadataChange& change, const std::string& move, std::size_t segment) {
  tell(move, "checkpoint", segment + 1, change.group().logical(move)->segments.size());
  const VolumeGroup old = change.group();
  const std::vector<DeviceNode> before = tree(old);
  set_segment_done(change.group(), move, segment);
  if (!env().moves.checkpoint) {
    REACHED("a segment of a move is done and the metadata are not told");
    done_.push_back(segment);
    MoveUpdate devices(session_, before, tree(change.group()), {});
    const bool ok = devices.preload() && devices.suspend() && devices.resume() && devices.clean();
    return ok ? CommandResult() : failed(devices.failure(), devices.error());
  }
  note_old_extents(old, move);
  CommandResult result = update(change, before, tree(change.group()),
                                "Created *after* executing 'pvmove', a segment is done", {.watch = watch_.get()});
  if (result.ok()) note_old_extents(change.group(), move);
  return result;
}

// In the end a volume's new extents belong into the device that holds its segments, whatever that is called.
std::vector<DeviceNode> Mover::finished_tree(const VolumeGroup& before, const VolumeGroup& after,
                                             MoveUpdate::Options* how) const {
  if (env().moves.finish_by_holders) return tree(after);
  how->only_changed = true;
  std::vector<DeviceNode> out = tree(before);
  for (const LogicalVolume& volume : after.logical_volumes) {
    const LogicalVolume* const old = before.logical(volume.name);
    if (old == nullptr || old->segments == volume.segments || is_move(volume)) continue;
    const std::string name = device_name(group_, volume.name);
    const auto found = std::find_if(out.begin(), out.end(), [&](const DeviceNode& each) { return each.name == name; });
    if (found != out.end()) found->table = own_table(after, volume.name, tree_options(session_));
    if (found != out.end() && name != own_device(after, volume.name, tree_options(session_))) {
      REACHED("in the end of a move the wrong layer takes the new extents");
    }
  }
  for (const std::string& move : moves_of(after)) {
    if (is_in_use(after, move)) continue;
    std::erase_if(out, [&](const DeviceNode& each) { return each.name == device_name(group_, move); });
  }
  return out;
}

CommandResult Mover::end(const std::string& move, MoveEnd how) {
  const RunningCommand running(session_, group_, device_name(group_, move));
  MetadataChange change(session_, group_);
  if (std::string why = change.begin(); !why.empty()) return failed(std::move(why));
  if (change.group().logical(move) == nullptr) return {};
  if (!is_in_use(change.group(), move)) return drop(move);
  if (CommandResult result = retreat(change.group(), move); !result.ok()) return result;
  return end_within(change, move, how);
}

CommandResult Mover::end_within(MetadataChange& change, const std::string& move, MoveEnd how) {
  how.wrong_image = !env().moves.abort_keeps_source;
  tell(move, how.abort ? "abort" : "finish");
  const VolumeGroup old = change.group();
  detach_move(change.group(), move, how);
  MoveUpdate::Options options;
  if (!how.abort) {
    options.watch = watch_.get();
    note_old_extents(old, move);
  }
  const std::vector<DeviceNode> after = finished_tree(old, change.group(), &options);
  CommandResult result = update(change, tree(old), after,
                                how.abort ? "Created *after* executing 'pvmove --abort'"
                                          : "Created *after* executing 'pvmove', the last segment is done",
                                options);
  return result.ok() ? drop(move) : result;
}

// The last change of the metadata: the move itself goes.
CommandResult Mover::drop(const std::string& move) {
  MetadataChange change(session_, group_);
  if (std::string why = change.begin(); !why.empty()) return failed(std::move(why));
  remove_move(change.group(), move);
  if (std::string why = change.prepare("Created *after* executing 'pvmove', nothing is left of it"); !why.empty()) {
    return failed(std::move(why));
  }
  std::string why = change.commit();
  if (why.empty()) tell(move, "gone");
  return failed(std::move(why));
}

}  // namespace

MoveResult move_extents(Session& session, std::string_view group, const MoveRequest& request,
                        const MoveOptions& options) {
  Mover mover(session, group, options);
  std::string move;
  MoveResult result = mover.begin(request, &move);
  return result.ok() ? mover.poll(move) : result;
}

MoveResult continue_moves(Session& session, std::string_view group, const MoveOptions& options) {
  Mover mover(session, group, options);
  std::vector<std::string> moves;
  MoveResult result;
  result.command.failure = mover.committed_moves(&moves);
  for (std::size_t i = 0; result.ok() && i < moves.size(); ++i) result = mover.poll(moves[i]);
  return result;
}

MoveResult abort_moves(Session& session, std::string_view group) {
  Mover mover(session, group, {});
  std::vector<std::string> moves;
  MoveResult result;
  result.command.failure = mover.committed_moves(&moves);
  for (std::size_t i = 0; result.ok() && i < moves.size(); ++i) result = mover.abort(moves[i]);
  return result;
}

}  // namespace dmsim::lvm
