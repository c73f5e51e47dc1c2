// The state machine of a region: every event in every state, and nothing else.
#include "base/reached.h"
#include "engine/native/mirror/region_hash.h"

namespace dmsim::native {
namespace {

using State = RegionState;
using Place = RegionPlace;

// No writes are under way any more.
RegionStep last_write_ends(State state, Place place, const RegionConditions& now,
                           const MirrorSwitches& switches) {
  if (state == State::kRecovering) {
    if (place != Place::kNowhere) return {state, place};  // recovery did not wait
    if (!now.flush_failed) return {state, Place::kQuiesced};
    REACHED("a flush failed while a region waits for its writes before recovery");
    return {.state = State::kNosync,
            .place = Place::kNowhere,
            .abandon_recovery = switches.flush_failure_ends_recovery};
  }
  // Whether earlier writes survived on every leg is unknown: only recovery can tell.
  if (now.flush_failed) return {State::kNosync, Place::kNowhere};
  switch (state) {
    case State::kClean: return {state, place};
    case State::kDirty:
      if (switches.buffer == BufferMode::kDelayedClean) return {state, Place::kAging};
      return {State::kClean, Place::kCleanList};
    case State::kNosync:
      if (switches.dec_promotes_nosync) return {State::kClean, Place::kCleanList};
      return {state, place};
    case State::kRecovering: break;
  }
  UNMODELLED("region state");
}

// Some leg lacks the write: the region must not become clean, whatever it was about to be.
RegionStep write_failed(State state, Place place) {
  switch (state) {
    case State::kClean:
    case State::kDirty:
    case State::kNosync: return {State::kNosync, Place::kNowhere};
    case State::kRecovering:
      if (place == Place::kNowhere || place == Place::kQuiesced) {
        REACHED("a write fails on a leg while its region waits for recovery");
        return {.state = State::kNosync, .place = Place::kNowhere, .abandon_recovery = true};
      }
      return {.state = state, .place = place, .spoil_copy = true};
  }
  UNMODELLED("region state");
}

}  // namespace

RegionStep next_step(RegionState state, RegionPlace place, RegionEvent event,
                     const RegionConditions& now, const MirrorSwitches& switches) {
  switch (event) {
    case RegionEvent::kWriteBegins:
      if (state == State::kClean) {
        return {.state = State::kDirty, .place = Place::kNowhere, .mark_dirty = true};
      }
      CHECK(state != State::kRecovering, "writes to a region under recovery are delayed");
      return {state, place == Place::kAging ? Place::kNowhere : place};
    case RegionEvent::kLastWriteEnds: return last_write_ends(state, place, now, switches);
    case RegionEvent::kAged:
      CHECK(state == State::kDirty && place == Place::kAging);
      if (now.flush_failed) return {State::kNosync, Place::kNowhere};
      return {State::kClean, Place::kCleanList};
    case RegionEvent::kRecoveryChosen:
      CHECK(state != State::kRecovering, "a region is recovered twice at once");
      if (now.pending && switches.recover_waits_for_pending) {
        return {State::kRecovering, Place::kNowhere};
      }
      return {State::kRecovering, Place::kQuiesced};
    case RegionEvent::kWriteFailed: return write_failed(state, place);
    case RegionEvent::kCopyBegins:
      CHECK(place == Place::kQuiesced);
      return {state, Place::kCopying};
    case RegionEvent::kCopySucceeds:
      CHECK(place == Place::kCopying);
      return {state, Place::kRecovered};
    case RegionEvent::kCopyFails:
      CHECK(place == Place::kCopying);
      return {state, Place::kCopyFailed};
    case RegionEvent::kKept:
      CHECK(place == Place::kRecovered || place == Place::kCopyFailed);
      return {State::kClean, Place::kNowhere};
  }
  UNMODELLED("region event");
}

}  // namespace dmsim::native
