#include "engine/native/mirror/mirror_legs.h"

#include <algorithm>

#include "base/digest.h"
#include "base/fingerprint.h"
#include "base/reached.h"

namespace dmsim::native {

std::uint64_t Leg::identity() const {
  return mix_words(digest_bytes(device->name().data(), device->name().size()), offset);
}

Leg* MirrorLegs::first_valid() {
  for (Leg& leg : legs_) {
    if (!leg.failed()) return &leg;
  }
  return nullptr;
}

Leg* MirrorLegs::choose() {
  std::uint32_t at = default_;
  do {
    if (!legs_[at].failed()) return &legs_[at];
    at = at == 0 ? count() - 1 : at - 1;
  } while (at != default_);
  return nullptr;
}

Leg* MirrorLegs::choose_balanced(ReadBalance mode, ChoiceSource& choices, Actor actor) {
  if (mode == ReadBalance::kOff) return choose();
  Leg* fit[kMaxLegs];
  std::uint32_t fit_count = 0;
  // From the default leg on, so that the plainest choice is what an unbalanced mirror does.
  for (std::uint32_t i = 0; i < count(); ++i) {
    Leg& leg = legs_[(default_ + i) % count()];
    if (!leg.failed()) fit[fit_count++] = &leg;
  }
  if (fit_count == 0) return nullptr;
  if (mode == ReadBalance::kRoundRobin) return fit[turn_++ % fit_count];
  return fit[choices.draw(kReadLeg, actor, fit_count)];
}

bool MirrorLegs::fail(Leg& leg, LegError error, bool injected, const FailRules& rules) {
  any_failure_ = true;
  leg.injected |= injected;
  if (rules.count_errors) ++leg.error_count;
  const auto bit = static_cast<std::uint8_t>(1u << static_cast<std::uint8_t>(error));
  if ((leg.errors_seen & bit) != 0) return false;
  leg.errors_seen |= bit;
  if (!rules.errors_handled) return false;
  if (&leg != &default_leg()) return true;
  if (!rules.may_move_default) {
    REACHED("the default leg fails while the mirror is out of sync");
    return true;
  }
  if (Leg* valid = first_valid(); valid != nullptr) {
    default_ = valid->index;
  } else {
    REACHED("all legs of a mirror have failed");
  }
  return true;
}

bool MirrorLegs::any_injected() const {
  return std::any_of(legs_.begin(), legs_.end(), [](const Leg& leg) { return leg.injected; });
}

mirror_log::FailedLegs MirrorLegs::failed_legs() const {
  mirror_log::FailedLegs out;
  for (const Leg& leg : legs_) {
    if (leg.failed()) out.legs[out.count++] = leg.identity();
  }
  return out;
}

void MirrorLegs::avoid(const mirror_log::FailedLegs& failed) {
  const auto trusted = std::find_if(legs_.begin(), legs_.end(),
                                    [&](const Leg& leg) { return !failed.contains(leg.identity()); });
  default_ = trusted == legs_.end() ? 0 : trusted->index;
}

void MirrorLegs::forgive_all() {
  any_failure_ = false;
  for (Leg& leg : legs_) {
    leg.error_count = 0;
    leg.errors_seen = 0;
    leg.injected = false;
  }
}

char MirrorLegs::health(const Leg& leg) {
  if (!leg.failed()) return 'A';
  const auto seen = [&leg](LegError error) {
    return (leg.errors_seen >> static_cast<std::uint8_t>(error) & 1) != 0;
  };
  if (seen(LegError::kFlush)) return 'F';
  if (seen(LegError::kWrite)) return 'D';
  if (seen(LegError::kSync)) return 'S';
  return seen(LegError::kRead) ? 'R' : 'U';
}

}  // namespace dmsim::native
