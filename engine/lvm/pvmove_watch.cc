#include "engine/lvm/pvmove_watch.h"

#include <utility>

#include <fmt/format.h>

#include "base/reached.h"
#include "engine/lvm/pvmove_changes.h"

namespace dmsim::lvm {

void tell_move(LvmEnvironment& env, std::string_view device, std::string_view what, std::uint64_t segment,
               std::uint64_t of) {
  Trace& trace = env.scheduler.trace();
  const Actor volume = trace.actors().intern(device);
  const std::uint64_t words = trace.text(what);
  trace.emit(kMoveStep, env.scheduler.current_actor(), static_cast<std::uint64_t>(volume), words, segment, of);
}

CommandResult retreat_to(Session& session, const std::string& device, const std::string& table) {
  LvmEnvironment& env = session.environment();
  const MutexGuard one_at_a_time(env.administration.lock(fmt::format("retreat of {}", device)));
  const auto failed = [&](std::string_view verb, const DmError& error) {
    return CommandResult{fmt::format("{} of {} failed", verb, device), error};
  };
  const DmResult<std::string> status = session.status(device);
  if (!status) return failed("status", status.error());
  if (!move_progress(*status).has_mirror) return {};
  tell_move(env, device, "retreat");
  if (const DmResult<> loaded = session.load(device, table); !loaded) return failed("load", loaded.error());
  const DmResult<> suspended = session.suspend(device, {.noflush = true, .skip_lockfs = true});
  if (!suspended) return failed("suspend", suspended.error());
  const DmResult<> resumed = session.resume(device);
  return resumed ? CommandResult() : failed("resume", resumed.error());
}

std::shared_ptr<MoveWatch> MoveWatch::start(LvmEnvironment& env, std::string device, Duration poll) {
  auto watch = std::make_shared<MoveWatch>();
  watch->device_ = std::move(device);
  env.scheduler.spawn(env.scheduler.current_actor(), FiberRole::kDaemon,
                      [watch, &env, poll] { watch->live(env, poll); });
  return watch;
}

void MoveWatch::may_retreat_to(std::string table) {
  table_ = std::move(table);
  go_on();
}

void MoveWatch::live(LvmEnvironment& env, Duration poll) {
  Session session(env);
  while (!stopped_) {
    env.scheduler.sleep(poll);
    const DmResult<std::string> status = session.status(device_);
    const bool may = !stopped_ && !stands_still_ && !table_.empty();
    if (!status || move_progress(*status).healthy || !may) continue;
    REACHED("a move is taken out of the way while its command is busy");
    state_ = State::kRetreating;
    const CommandResult result = retreat_to(session, device_, table_);
    state_ = result.ok() ? State::kRetreated : State::kWatching;
    if (result.ok()) return;
  }
}

bool MoveWatch::stand_still(Scheduler& scheduler) {
  while (state_ == State::kRetreating) scheduler.sleep(Duration::microseconds(100));
  stands_still_ = true;
  return state_ == State::kWatching;
}

}  // namespace dmsim::lvm
