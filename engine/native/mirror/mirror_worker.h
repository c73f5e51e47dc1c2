// MirrorWorker: the one daemon fiber of a mirror (kmirrord), and how others wait for it.
//
// Work is "run one pass"; asking twice before a pass begins is asking once. What the fiber touches
// while no pass runs belongs to neither the mirror nor the fiber alone: a mirror may go while its
// fiber sleeps, which then ends by itself. It must not go in the middle of a pass.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "sim/wait.h"

namespace dmsim::native {

class MirrorWorker {
 public:
  // What a pass is. May block.
  class Job {
   public:
    virtual void run_pass() = 0;

   protected:
    ~Job() = default;
  };

  MirrorWorker(Scheduler& scheduler, Actor actor, std::string name, Job& job);
  ~MirrorWorker();
  MirrorWorker(const MirrorWorker&) = delete;
  MirrorWorker& operator=(const MirrorWorker&) = delete;

  // Brings the fiber to life, once; a mirror that is never resumed has none.
  void start();
  // Asks for a pass that begins after now. Any context.
  void wake();
  // Waits until every pass asked for before now has ended; not for those asked for meanwhile.
  void flush();
  // Ends the fiber and waits until it has (destroy_workqueue): that always takes a sleep. For good.
  void stop();

 private:
  struct Shared;
  static void live(std::shared_ptr<Shared> shared);

  Scheduler& scheduler_;
  Actor actor_;
  std::shared_ptr<Shared> shared_;
  bool started_ = false;
};

}  // namespace dmsim::native
