#include "engine/native/mirror/mirror_worker.h"

namespace dmsim::native {

struct MirrorWorker::Shared {
  Shared(Scheduler& scheduler, const std::string& name, Job& its_job)
      : work(scheduler, "work for " + name),
        done(scheduler, name + " to finish its work"),
        job(its_job) {}
  WaitQueue work;
  WaitQueue done;
  Job& job;                 // not touched once `gone`
  std::uint64_t asked = 0;  // passes asked for
  std::uint64_t begun = 0;  // `asked` when the latest pass began
  std::uint64_t ended = 0;  // `asked` when the latest finished pass began
  bool running = false;
  bool gone = false;  // the mirror is no more, or will not be soon
  bool over = false;  // so the fiber has ended
};

MirrorWorker::MirrorWorker(Scheduler& scheduler, Actor actor, std::string name, Job& job)
    : scheduler_(scheduler),
      actor_(actor),
      shared_(std::make_shared<Shared>(scheduler, name, job)) {}

MirrorWorker::~MirrorWorker() {
  CHECK(!shared_->running, "a mirror goes while its worker is busy");
  shared_->gone = true;
  shared_->work.wake_all();
}

void MirrorWorker::start() {
  if (started_) return;
  started_ = true;
  scheduler_.spawn(actor_, FiberRole::kDaemon, [shared = shared_] { live(shared); });
}

void MirrorWorker::wake() {
  ++shared_->asked;
  shared_->work.wake_all();
}

void MirrorWorker::flush() {
  if (!started_) return;
  const std::uint64_t wanted = shared_->asked;
  wait_until(shared_->done, [this, wanted] { return shared_->ended >= wanted; });
}

void MirrorWorker::stop() {
  if (!started_) return;
  shared_->gone = true;
  shared_->work.wake_all();
  wait_until(shared_->done, [this] { return shared_->over; });
}

void MirrorWorker::live(std::shared_ptr<Shared> shared) {
  // Also when the fiber is unwound in the middle of a pass.
  struct Running {
    explicit Running(bool& its_flag) : flag(its_flag) { flag = true; }
    ~Running() { flag = false; }
    bool& flag;
  };
  while (true) {
    while (!shared->gone && shared->begun == shared->asked) shared->work.wait_idle();
    if (shared->gone) break;
    const Running running(shared->running);
    shared->begun = shared->asked;
    const std::uint64_t pass = shared->begun;
    shared->job.run_pass();
    shared->ended = pass;
    shared->done.wake_all();
  }
  shared->over = true;
  shared->done.wake_all();
}

}  // namespace dmsim::native
