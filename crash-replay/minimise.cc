#include "crash-replay/minimise.h"

#include <array>

#include "crash-replay/minimise/passes.h"

namespace dmsim {
namespace {

constexpr std::array kPasses = std::to_array<ShrinkPass>({
    {"earlier cut", shrink_pass::earlier_cut},
    {"drop tasks", shrink_pass::drop_tasks},
    {"drop faults", shrink_pass::drop_faults},
    {"drop devices and disks", shrink_pass::drop_devices},
    {"drop steps", shrink_pass::drop_steps},
    {"shrink devices", shrink_pass::shrink_devices},
    {"shrink disks", shrink_pass::shrink_disks},
    {"plainer tasks", shrink_pass::plainer_tasks},
    {"drop rounds", shrink_pass::drop_rounds},
    {"shrink areas", shrink_pass::shrink_areas},
    {"shorten waits", shrink_pass::shorten_waits},
    {"explicit scripts", shrink_pass::explicit_scripts},
    {"drop words of scripts", shrink_pass::script_words},
    {"defaults back", shrink_pass::defaults_back},
    {"drop checks", shrink_pass::drop_checks},
    {"fewer survivors", shrink_pass::fewer_survivors},
    {"zero choices", shrink_pass::zero_choices},
    {"delete choices", shrink_pass::delete_choices},
    {"halve choices", shrink_pass::halve_choices},
});

void tidy(Shrink& shrink) {
  shrink_pass::earlier_cut(shrink);
  shrink_pass::fewer_survivors(shrink);
  shrink_pass::zero_choices(shrink);
}

}  // namespace

std::span<const ShrinkPass> shrink_passes() { return kPasses; }

MinimiseResult minimise(const Crash& crash, Workshop& workshop, const Vocabulary& vocabulary,
                        const MinimiseOptions& options) {
  Shrink shrink(crash, workshop, vocabulary, {options.tries, options.stop});
  MinimiseResult result;
  result.reproduced = shrink.reproduced();
  result.crash = shrink.best();
  result.before = result.after = shrink.size();
  if (!result.reproduced) return result;
  shrink.set_tidy(tidy);
  for (unsigned effort = 0; effort <= options.effort; ++effort) {
    shrink.set_effort(effort);
    for (bool again = true; again && !shrink.over();) {
      again = false;
      for (const ShrinkPass& pass : kPasses) {
        if (shrink.over()) break;
        const std::uint64_t accepted = shrink.accepted();
        pass.run(shrink);
        const bool smaller = shrink.accepted() > accepted;
        again = again || smaller;
        if (options.progress == nullptr) continue;
        options.progress({pass.name, effort, shrink.tries(), smaller, &shrink.best(), shrink.size()});
      }
    }
  }
  result.finished = !shrink.over();
  result.crash = shrink.best();
  result.after = shrink.size();
  result.tries = shrink.tries();
  result.accepted = shrink.accepted();
  result.unsteady = shrink.unsteady();
  return result;
}

}  // namespace dmsim
