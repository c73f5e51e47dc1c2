// Processes whose memory does not fit.
#include "harness/tasks/task_body.h"
#include "models/memory/swap.h"

namespace dmsim::tasks {

void run(Self& self, const SwapTask& task) {
  Scheduler& scheduler = self.host.scheduler();
  scheduler.sleep(task.pace.start);
  SwapSpace& swap = self.host.add_swap(task.device, task.pages);
  std::vector<std::byte> bytes(kPageBytes);
  for (std::uint64_t round = 0; round < task.pace.count; ++round) {
    if (round > 0) pause_between(self, task.pace.every);
    const std::uint64_t page = scheduler.choices().draw(kBlock, self.actor, task.pages);
    stamp_sectors(bytes, self.next_stamp(page * kPageSectors));
    if (!swap.touch(page, bytes)) return;
  }
}

}  // namespace dmsim::tasks
