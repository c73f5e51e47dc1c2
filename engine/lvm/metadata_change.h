// What every command that changes a volume group is made of: the lock that it holds while it runs, and one change
// of the metadata, from reading to commit.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/lvm/session.h"

namespace dmsim::lvm {

// The metadata have been brought so far; the actor is who changes them.
inline constexpr TraceKind kMetadataStep{
    "lvm.metadata", {{{"group", ArgForm::kText}, {"step", ArgForm::kText}, {"sequence"}, {}, {}}}};

// What a command holds for as long as it runs: it counts as under way, and has the lock of the group or of
// its device.
class RunningCommand {
 public:
  RunningCommand(Session& session, std::string_view group, std::string_view device);

 private:
  Administration::Command command_;
  std::optional<MutexGuard> guard_;
};

// One change of the metadata. Where whole commands do not exclude each other (a lock for each device), it
// is read, written and committed in one go under the group's lock, before any device is suspended.
class MetadataChange {
 public:
  MetadataChange(Session& session, std::string_view group)
      : session_(session), metadata_(session.metadata(group)), group_name_(group) {}

  // Each returns what went wrong, in words; empty: nothing.
  // After begin(), `group()` is what is committed.
  std::string begin();
  VolumeGroup& group() { return group_; }
  // Write and precommit.
  std::string prepare(std::string_view description);
  std::string commit();
  void revert();

 private:
  void tell(std::string_view step);

  Session& session_;
  MetadataSteps metadata_;
  std::string group_name_;
  VolumeGroup group_;
  std::optional<MutexGuard> guard_;
  bool committed_ = false;
};

}  // namespace dmsim::lvm
