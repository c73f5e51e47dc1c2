// Workers of a campaign: processes that do runs one after the other and report each as it ends.
//
// A worker says which run it begins, so that when it dies or hangs the run is known that did it; those
// after it in its share go to a new worker. What a run reports does not depend on the number of workers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace dmsim {

struct RunAnswer {
  enum class End { kAnswered, kDied, kHung };
  End end = End::kAnswered;
  std::uint64_t run = 0;
  std::string text;         // kAnswered: what the job returned
  std::string message;      // else: how, in words
  std::string stderr_tail;  // else: the last that the worker said
};

struct CampaignWorkers {
  unsigned at_once = 1;
  std::uint64_t share = 32;        // runs of one worker
  unsigned seconds_per_run = 20;

  // Does job(run, on_step) for every run in [begin, end), each share in a fork of this process; seconds_per_run are
  // counted anew whenever the job calls on_step. Hands every answer to `take` as it comes, in any order. With an
  // interrupt, what has not begun is left out; when `enough` (asked after every answer and at least five times a
  // second) says so, what has not ended.
  void run(std::uint64_t begin, std::uint64_t end,
           const std::function<std::string(std::uint64_t, const std::function<void()>&)>& job,
           const std::function<void(RunAnswer)>& take, const std::function<bool()>& enough) const;
};

}  // namespace dmsim
