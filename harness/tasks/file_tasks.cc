// Tasks that work through a file system or a recording: ext2, fio's iolog, a log of dm-log-writes.
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "harness/oracle_names.h"
#include "harness/tasks/task_body.h"
#include "models/memory/direct_io.h"
#include "models/workload/ext2_workload.h"
#include "models/workload/fio_iolog.h"
#include "models/workload/log_writes.h"

namespace dmsim::tasks {
namespace {

// A device error on the way is judged where the device answers it; anything else that ext2 meets was
// brought about by what it read back.
bool carried_on(Self& self, const Ext2Task& task, const Ext2Result<>& result) {
  if (result.ok()) return true;
  const Ext2Error& error = result.error();
  if (error.kind == Ext2Error::Kind::kDamaged) {
    Violation violation;
    violation.oracle = oracle::kReadYourWrites;
    violation.state = "damaged ext2";
    violation.device = task.device;
    violation.sentence = "ext2 finds its own metadata damaged: " + error.to_string();
    self.host.report(std::move(violation));
  }
  return error.kind == Ext2Error::Kind::kNoSpace;
}

bool one_file(Self& self, const Ext2Task& task, Ext2FileSystem& fs, std::uint64_t number) {
  std::vector<std::byte> bytes(task.file_bytes);
  const std::uint32_t whole = task.file_bytes / kSectorBytes * kSectorBytes;
  stamp_sectors(std::span(bytes).first(whole), self.next_stamp(number));
  if (!carried_on(self, task, fs.create(fmt::format("file{}", number), bytes))) return false;
  if (task.unlink_every != 0 && (number + 1) % task.unlink_every == 0) {
    if (!carried_on(self, task, fs.unlink(fmt::format("file{}", number - 1)))) return false;
  }
  if (task.fsync_every != 0 && (number + 1) % task.fsync_every == 0) {
    if (!carried_on(self, task, fs.sync())) return false;
  }
  return true;
}

}  // namespace

void run(Self& self, const Ext2Task& task) {
  self.host.scheduler().sleep(task.start);
  PageCacheDevice device(self.host.cache(task.device));
  Ext2FileSystem fs(device, self.host.scheduler());
  Ext2Options options;
  options.block_bytes = task.block_bytes;
  if (!carried_on(self, task, fs.format(options)) || !carried_on(self, task, fs.mount())) return;
  for (std::uint64_t number = 0; number < task.files; ++number) {
    pause_between(self, task.every);
    if (!one_file(self, task, fs, number)) return;
  }
  if (task.unmount) carried_on(self, task, fs.unmount());
}

void run(Self& self, const FioIologTask& task) {
  const auto log = read_fio_iolog(self.host.resolve_path(task.file));
  CHECK(log.ok(), log.ok() ? "" : log.error().to_string());
  Scheduler& scheduler = self.host.scheduler();
  scheduler.sleep(task.start);
  const Instant begin = scheduler.now();
  WatchedDevice& device = self.host.device(task.device);
  DirectIo io(scheduler, self.host.pages(), device, self.actor);
  for (const IologEntry& entry : log->entries) {
    const Duration ahead = (begin + entry.at) - scheduler.now();
    if (ahead > Duration()) scheduler.sleep(ahead);
    const Sector first = entry.offset / kSectorBytes % device.sectors();
    const Sector end = std::min(device.sectors(),
                                first + (entry.length + kSectorBytes - 1) / kSectorBytes);
    DirectRequest* request = nullptr;
    switch (entry.action) {
      case IologAction::kRead: request = &io.read({first, end}); break;
      case IologAction::kTrim: request = &io.discard({first, end}); break;
      case IologAction::kSync:
      case IologAction::kDataSync: request = &io.flush(); break;
      case IologAction::kWrite: {
        Stamper stamper(self.next_stamp(first));
        request = &io.write({first, end}, {}, [&](std::byte* out, Sector) { stamper.next(out); });
        break;
      }
      case IologAction::kAdd:
      case IologAction::kOpen:
      case IologAction::kClose:
      case IologAction::kWait: break;
    }
    if (request == nullptr) continue;
    io.wait(*request);
    io.release(*request);
  }
}

void run(Self& self, const LogWritesTask& task) {
  const auto log = WriteLog::read(self.host.resolve_path(task.file));
  CHECK(log.ok(), log.ok() ? "" : log.error().to_string());
  Scheduler& scheduler = self.host.scheduler();
  scheduler.sleep(task.start);
  WatchedDevice& device = self.host.device(task.device);
  DirectIo io(scheduler, self.host.pages(), device, self.actor);
  const auto& entries = log->entries();
  const std::size_t end =
      task.entries == 0 ? entries.size() : std::min(entries.size(), task.first_entry + task.entries);
  for (std::size_t i = task.first_entry; i < end; ++i) {
    const LogEntry& entry = entries[i];
    const SectorRange range{entry.sector, entry.sector + entry.sectors};
    if (entry.is_mark() || range.end > device.sectors()) continue;
    DirectRequest* request = nullptr;
    if (entry.sectors == 0) {
      request = &io.flush();
    } else if (entry.is_discard()) {
      request = &io.discard(range);
    } else {
      request = &io.write(range,
                          {.fua = (entry.flags & kLogFua) != 0,
                           .preflush = (entry.flags & kLogFlush) != 0},
                          [&](std::byte* out, Sector sector) {
                            std::copy_n(entry.data.begin() + static_cast<std::ptrdiff_t>(
                                                                 (sector - range.begin) * kSectorBytes),
                                        kSectorBytes, out);
                          });
    }
    io.wait(*request);
    io.release(*request);
  }
}

}  // namespace dmsim::tasks

namespace dmsim {

std::optional<InputError> unreadable_recording(const Plan& plan) {
  const auto path = [&](const std::string& file) {
    return (std::filesystem::path(plan.directory) / file).string();
  };
  for (const TaskPlan& task : plan.tasks) {
    if (const auto* fio = std::get_if<FioIologTask>(&task.body)) {
      const auto log = read_fio_iolog(path(fio->file));
      if (!log.ok()) return log.error();
    } else if (const auto* writes = std::get_if<LogWritesTask>(&task.body)) {
      const auto log = WriteLog::read(path(writes->file));
      if (!log.ok()) return log.error();
    }
  }
  return std::nullopt;
}

}  // namespace dmsim
