// Afterlife: what happens after a power cut: choosing what survived, booting the same stack from it,
// letting recovery run, and looking.
#pragma once

#include <memory>
#include <vector>

#include "harness/world.h"

namespace dmsim {

// Which candidate of a free unit survives; 0: what the media held.
inline constexpr ChoicePoint kSurvivor{"power.survivor"};
// At which opportunity a life is cut: 0 never, n at the n-th; see explore.h for "opportunity".
inline constexpr ChoicePoint kCutAt{"power.cut"};
inline constexpr std::uint64_t kCutAtBound = std::uint64_t{1} << 32;

// What the disks of a world may hold if its power is cut now, and how that is told apart.
struct CutMoment {
  std::vector<CrashSpace> spaces;  // in the order of the plan's disks
  std::uint64_t opportunity = 0;   // of the life that is cut, from 1
  std::uint64_t free_units = 0;    // of all disks
  std::uint64_t last_version = 0;  // of contents: what is made from the moment takes later ones
};
// Fills `*moment` anew.
void take_moment(World& world, std::uint64_t opportunity, CutMoment* moment);

// What one cut left.
struct Survivors {
  std::vector<Image> images;          // in the order of the plan's disks
  std::vector<std::uint32_t> chosen;  // one candidate for each free unit, disk by disk; 0: none
  std::uint64_t last_version = 0;
};
// Draws the survivors of a cut of `before` from `choices`, labelled by disk. What is drawn decides all
// of the result, however many other results have been drawn from the same moment.
void draw_survivors(const CutMoment& moment, const World& before, ChoiceSource& choices,
                    Survivors* survivors);

// 64 bits over a crash state: equal ones lead to equal lives.
std::uint64_t crash_state_fingerprint(const std::vector<Image>& images, const World& before);

// The next life, announced in its trace: the cut, and each unit that survived.
std::unique_ptr<World> reboot(const World& before, const CutMoment& moment, Survivors& survivors,
                              ChoiceSource& choices, Trace::Keep keep);

// Boots, recovers and checks a life after a power cut. Ends early (kPaused) if `paused` says so.
Stretch live_on(World& world, const World::Condition& paused);

}  // namespace dmsim
