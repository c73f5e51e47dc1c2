#include "engine/lvm/metadata_change.h"

#include <utility>

#include <fmt/format.h>

namespace dmsim::lvm {

using Lock = LvmSwitches::Lock;

RunningCommand::RunningCommand(Session& session, std::string_view group, std::string_view device)
    : command_(session.environment().administration) {
  LvmEnvironment& env = session.environment();
  switch (env.switches.lock) {
    case Lock::kGroup:
      guard_.emplace(env.administration.lock(fmt::format("volume group {}", group)));
      break;
    case Lock::kDevice:
      guard_.emplace(env.administration.lock(fmt::format("device {}", device)));
      break;
    case Lock::kNone: break;
  }
}

std::string MetadataChange::begin() {
  LvmEnvironment& env = session_.environment();
  if (env.switches.lock == Lock::kDevice) {
    guard_.emplace(env.administration.lock(fmt::format("volume group {}", group_name_)));
  }
  Result<VolumeGroup> read = metadata_.read();
  if (!read) return read.error().to_string();
  if (read->name != group_name_) return fmt::format("there is no volume group '{}'", group_name_);
  group_ = std::move(*read);
  return {};
}

void MetadataChange::tell(std::string_view step) {
  Scheduler& scheduler = session_.environment().scheduler;
  const std::uint64_t group = scheduler.trace().text(group_name_);
  const std::uint64_t words = scheduler.trace().text(step);
  scheduler.trace().emit(kMetadataStep, scheduler.current_actor(), group, words, group_.sequence);
}

std::string MetadataChange::prepare(std::string_view description) {
  ++group_.sequence;
  if (const auto complaints = group_.complaints(); !complaints.empty()) return complaints.front();
  if (!metadata_.write(group_, description)) return "no physical volume takes the metadata";
  if (!metadata_.precommit()) return "no physical volume takes the precommitted metadata";
  tell("precommitted");
  if (!guard_) return {};
  const bool committed = metadata_.commit();
  if (committed) tell("committed");
  guard_.reset();
  committed_ = true;
  return committed ? "" : "no physical volume takes the committed metadata";
}

std::string MetadataChange::commit() {
  if (committed_) return {};
  committed_ = true;
  if (!metadata_.commit()) return "no physical volume takes the committed metadata";
  tell("committed");
  return {};
}

void MetadataChange::revert() {
  if (committed_) return;
  metadata_.revert();
  tell("taken back");
}

}  // namespace dmsim::lvm
