// Workers: jobs run in processes of their own, several at a time, results come back in order.
//
// An engine under test may crash, corrupt memory or hang: that ends its worker, not the tool. What a
// worker answers does not depend on how many there are.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>

namespace dmsim {

struct WorkerAnswer {
  enum class End { kAnswered, kDied, kHung };
  End end = End::kAnswered;
  std::string text;     // what the job returned; kAnswered only
  std::string message;  // kDied, kHung: how, in words
  std::string stderr_tail;  // the last of what the worker printed to stderr
};

struct WorkerOptions {
  unsigned at_once = 1;            // processes
  unsigned seconds_to_live = 0;    // a worker that takes longer is killed; 0: no limit
};

// In a child of `parent`: it ends when that does.
void die_with_parent(pid_t parent);

// Runs job(0) ... job(count - 1), each in a fork of this process, and hands every answer to
// `take(index, answer)` in order of index. With an interrupt, jobs that have not begun are left out. Fewer run at once
// where the system has no room for more.
void run_workers(std::size_t count, const WorkerOptions& options,
                 const std::function<std::string(std::size_t)>& job,
                 const std::function<void(std::size_t, WorkerAnswer)>& take);

}  // namespace dmsim
