// The legs of a mirror: which of them is fit, and which one is the default.
//
// A leg that has failed once carries its error until the mirror is synchronised again or its table
// is replaced; it goes on receiving writes. The default leg is the source of recovery and the home
// of writes to regions out of sync, so it only moves while the legs are equal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "block/device.h"
#include "engine/native/mirror/log_format.h"
#include "engine/native/mirror/mirror_switches.h"
#include "engine/native/target.h"

namespace dmsim::native {

class MirrorSet;

inline constexpr std::uint32_t kMaxLegs = mirror_log::kMostFailedLegs;  // as many as the kernel takes

inline constexpr ChoicePoint kReadLeg{"mirror.read_leg"};

enum class LegError : std::uint8_t { kWrite, kFlush, kSync, kRead };

struct Leg {
  BlockDevice* device = nullptr;
  Sector offset = 0;  // of the mirror's first sector on the device
  std::uint32_t index = 0;
  std::uint64_t error_count = 0;
  std::uint8_t errors_seen = 0;  // bit n: LegError n
  bool injected = false;         // some of its errors was a fault's
  MirrorSet* mirror = nullptr;   // whose leg it is

  bool failed() const { return error_count > 0; }
  // A digest of what the leg is: the same in every table that it is a leg of.
  std::uint64_t identity() const;
};

class MirrorLegs {
 public:
  struct FailRules {
    bool errors_handled;
    bool may_move_default;  // the legs are equal, or nobody cares (keep_log)
    bool count_errors;      // false: planted bug mir-read-livelock-noerrhandling
  };

  // 2 .. kMaxLegs legs; stays in place afterwards.
  explicit MirrorLegs(std::vector<Leg> legs) : legs_(std::move(legs)) {}

  std::vector<Leg>& all() { return legs_; }
  const std::vector<Leg>& all() const { return legs_; }
  std::uint32_t count() const { return static_cast<std::uint32_t>(legs_.size()); }
  Leg& default_leg() { return legs_[default_]; }
  std::uint32_t default_index() const { return default_; }
  bool default_ok() const { return !legs_[default_].failed(); }

  // The first leg without an error; null: none.
  Leg* first_valid();
  // The default leg, or the next one below it, round about, that has no error; null: none.
  Leg* choose();
  // The same, but shared out among the legs without an error.
  Leg* choose_balanced(ReadBalance mode, ChoiceSource& choices, Actor actor);

  // Notes an error of a leg. True: it is the first of its kind, user space is to be told.
  bool fail(Leg& leg, LegError error, bool injected, const FailRules& rules);
  // Some leg has failed since the mirror was last synchronised.
  bool any_failure() const { return any_failure_; }
  bool any_injected() const;
  // Those with an error.
  mirror_log::FailedLegs failed_legs() const;
  // Makes the first leg that is not among them the default; the first of all if there is none.
  void avoid(const mirror_log::FailedLegs& failed);
  void forgive_all();

  // A, or the worst that is known of it: F flush, D write, S recovery, R read, U unknown.
  static char health(const Leg& leg);

 private:
  std::vector<Leg> legs_;
  std::uint32_t default_ = 0;
  std::uint32_t turn_ = 0;  // of round-robin reads
  bool any_failure_ = false;
};

}  // namespace dmsim::native
