#include "crash-replay/minimise.h"

#include <algorithm>
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
    {"shrink memory", shrink_pass::shrink_memory},
    {"plainer tasks", shrink_pass::plainer_tasks},
    {"drop rounds", shrink_pass::drop_rounds},
    {"shrink areas", shrink_pass::shrink_areas},
    {"shorten waits", shrink_pass::shorten_waits},
    {"explicit scripts", shrink_pass::explicit_scripts},
    {"drop words of scripts", shrink_pass::script_words},
    {"defaults back", shrink_pass::defaults_back},
    {"drop checks", shrink_pass::drop_checks},
    {"fewer survivors", shrink_pass::fewer_survivors},
    {"plain labels", shrink_pass::plain_labels},
    {"zero choices", shrink_pass::zero_choices},
    {"delete choices", shrink_pass::delete_choices},
    {"halve choices", shrink_pass::halve_choices},
});

// From here on a pass goes through the choices one by one. A long list costs much that way and gains little
// as long as its plan is large: they wait until the plan is small.
constexpr std::size_t kFirstPolishing = kPasses.size() - 3;
constexpr unsigned kPolishingEffort = 2;

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
  const auto run_passes = [&](unsigned effort, std::size_t from, std::size_t to) {
    const std::uint64_t before = shrink.accepted();
    for (std::size_t i = from; i < to && !shrink.over(); ++i) {
      const std::uint64_t accepted = shrink.accepted();
      kPasses[i].run(shrink);
      if (options.progress == nullptr) continue;
      options.progress({kPasses[i].name, effort, shrink.tries(), shrink.accepted() > accepted, &shrink.best(),
                        shrink.size()});
    }
    return shrink.accepted() > before;
  };
  for (unsigned effort = 0; effort <= options.effort; ++effort) {
    shrink.set_effort(effort);
    const bool polishes = effort >= std::min(options.effort, kPolishingEffort);
    for (bool again = true; again && !shrink.over();) {
      while (run_passes(effort, 0, kFirstPolishing)) {
      }
      again = polishes && run_passes(effort, kFirstPolishing, kPasses.size());
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
