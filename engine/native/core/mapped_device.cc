// States and operations of a MappedDevice: suspend, resume, swap, destroy, events. Counterpart of the
// lower half of dm.c; the order of steps in quiesce() is that of __dm_suspend.
#include "engine/native/core/mapped_device.h"

#include <fmt/format.h>

#include <cerrno>

#include "base/reached.h"
#include "engine/device_inode.h"
#include "engine/dm_trace.h"

namespace dmsim::native {
namespace {

// What a device without a table says of itself.
constexpr BlockLimits kNoTableLimits{.logical_block_sectors = 1,
                                     .discard = false,
                                     .volatile_cache = false,
                                     .stable_writes = false,
                                     .max_sectors = 2560};

Failure<DmError> failed(int errno_value, std::string reason = {}) {
  return {DmError{errno_value, std::move(reason)}};
}

}  // namespace

MappedDevice::MappedDevice(CoreContext& context, std::string name)
    : context_(context),
      scheduler_(context.environment.scheduler),
      trace_(scheduler_.trace()),
      name_(std::move(name)),
      actor_(trace_.actors().intern(name_)),
      worker_actor_(trace_.actors().intern("kdmflush " + name_)),
      limits_(kNoTableLimits),
      suspend_lock_(scheduler_, "suspend lock of " + name_),
      drain_queue_(scheduler_, "bios of " + name_ + " to drain"),
      reader_queue_(scheduler_, "fibers inside the table of " + name_ + " to leave it"),
      worker_queue_(scheduler_, "the worker of " + name_ + " to pause"),
      holder_queue_(scheduler_, "users of " + name_ + " to let go of it"),
      event_queue_(scheduler_, "an event of " + name_) {}

MappedDevice::~MappedDevice() = default;

void MappedDevice::close() {
  CHECK(open_count_ > 0, name_);
  --open_count_;
}

void MappedDevice::set_freezer(Freezer* freezer) {
  // Who is unmounted while frozen is not thawed: it is gone.
  if (freezer != frozen_) frozen_ = nullptr;
  freezer_ = freezer;
}

void MappedDevice::wait_for_readers() {
  wait_until(reader_queue_, [this] { return readers_ == 0; });
}

void MappedDevice::raise_event() {
  ++event_number_;
  trace_.emit(kDmEvent, actor_, event_number_);
  event_queue_.wake_all();
}

bool MappedDevice::wait_event(std::uint32_t seen) {
  // Linux compares for inequality: a number from the future returns at once.
  return wait_until_interruptible(event_queue_, [&] { return event_number_ != seen; });
}

DmResult<> MappedDevice::suspend(SuspendOptions options) {
  const MutexGuard guard(suspend_lock_);
  if (suspended_) return failed(EINVAL);
  if (auto quiet = quiesce(options); !quiet) return quiet;
  if (live_) live_->postsuspend();
  return Done{};
}

// Everything up to the point where nothing is inside the targets (__dm_suspend).
DmResult<> MappedDevice::quiesce(SuspendOptions options) {
  // Targets look at this in presuspend already.
  noflush_suspending_ = options.noflush;
  if (live_) live_->presuspend();
  scheduler_.preempt_point();

  // Freezing would wait for bios that noflush is there to push back: noflush wins.
  if (live_ && !options.noflush && !options.skip_lockfs && freezer_ != nullptr) {
    CHECK(frozen_ == nullptr, name_);
    Freezer* const freezer = freezer_;
    if (!freezer->freeze()) {
      REACHED("a file system refuses to freeze for a suspend");
      if (live_) live_->presuspend_undo();
      return failed(EIO);
    }
    // It may have been unmounted while it froze.
    if (freezer == freezer_) frozen_ = freezer;
    scheduler_.preempt_point();
  }

  blocked_ = true;
  wait_for_readers();
  wait_until(worker_queue_, [this] { return !worker_runs_; });
  const bool drained = wait_until_interruptible(drain_queue_, [this] { return pending_ == 0; });
  if (drained) suspended_ = true;
  suspended_noflush_ = options.noflush;
  noflush_suspending_ = false;
  if (drained) return Done{};

  REACHED("a signal interrupts a suspend that waits for bios");
  unquiesce();
  return failed(EINTR);
}

void MappedDevice::unquiesce() {
  blocked_ = false;
  kick_worker();
  thaw();
  if (live_) live_->presuspend_undo();
}

void MappedDevice::thaw() {
  if (frozen_ == nullptr) return;
  Freezer* const freezer = frozen_;
  frozen_ = nullptr;
  freezer->thaw();
}

DmResult<> MappedDevice::resume() {
  const MutexGuard guard(suspend_lock_);
  if (!suspended_ || deleting_) return failed(EINVAL);
  if (!live_) return failed(EINVAL);
  if (auto running = live_->resume(); !running) return running;
  blocked_ = false;
  kick_worker();
  thaw();
  suspended_ = false;
  return Done{};
}

void MappedDevice::internal_suspend() {
  ++holders_;
  suspend_lock_.lock();
  if (suspended_) return;
  blocked_ = true;
  wait_for_readers();
  wait_until(worker_queue_, [this] { return !worker_runs_; });
  wait_until(drain_queue_, [this] { return pending_ == 0; });
}

void MappedDevice::internal_resume() {
  CHECK(suspend_lock_.locked(), name_);
  if (!suspended_) {
    blocked_ = false;
    kick_worker();
  }
  suspend_lock_.unlock();
  if (--holders_ == 0) holder_queue_.wake_all();
}

Table* MappedDevice::keep_retiring(std::unique_ptr<Table> table) {
  if (!table) return nullptr;
  retiring_.push_back(std::move(table));
  return retiring_.back().get();
}

void MappedDevice::retire(Table& table) {
  wait_for_readers();
  if (table.put()) destroy_retired(table);
}

void MappedDevice::destroy_retired(Table& table) {
  table.before_destroy();
  std::erase_if(retiring_, [&table](const auto& each) { return each.get() == &table; });
}

// Nobody who asks may sleep. Held back bios count as under way (dm_any_congested).
bool MappedDevice::congested() {
  if (blocked_ || !live_) return true;
  if (context_.switches.table_reference == TableReference::kWaitedFor) {
    const Reader reader(*this);
    return live_->congested();
  }
  const Hold hold(*this);
  Table& table = *live_;
  table.get();
  const bool congested = table.congested();
  if (table.put()) {
    REACHED("who asks a device whether it is congested destroys its table");
    trace_.emit(kDmLastUser, scheduler_.current_actor(), static_cast<std::uint64_t>(actor_));
    destroy_retired(table);
  }
  return congested;
}

DmResult<Table*> MappedDevice::swap_table(std::unique_ptr<Table>& table) {
  const MutexGuard guard(suspend_lock_);
  if (!suspended_) return failed(EINVAL);
  auto limits = table->stack_limits();
  if (!limits) return Failure{limits.error()};
  if (live_ && live_->sectors() != table->sectors()) {
    if (auto changed = change_size(); !changed) return Failure{changed.error()};
  }
  CHECK(pending_ == 0, name_, pending_);
  limits_ = *limits;
  table->bind();
  Table* const old = keep_retiring(std::move(live_));
  live_ = std::move(table);
  ++context_.table_generation;
  if (old != nullptr) wait_for_readers();
  return old;
}

// What once stood in the way of a change of size: fsync of a device held its inode's lock while it wrote, and
// those writes wait until the device is resumed.
DmResult<> MappedDevice::change_size() {
  switch (context_.switches.resize) {
    case ResizeWay::kLockless: return Done{};
    case ResizeWay::kRefused: return suspended_noflush_ ? DmResult<>(failed(EINVAL)) : Done{};
    case ResizeWay::kInodeLock: break;
  }
  if (auto* const inode = dynamic_cast<DeviceInode*>(freezer_)) {
    inode->lock_inode();
    inode->unlock_inode();
  }
  return Done{};
}

void MappedDevice::destroy() {
  CHECK(deleting_, name_);
  {
    const MutexGuard guard(suspend_lock_);
    if (!suspended_) {
      if (live_) live_->presuspend();
      suspended_ = true;
      if (live_) live_->postsuspend();
    }
  }
  wait_until(holder_queue_, [this] { return holders_ == 0; });
  wait_until(worker_queue_, [this] { return !worker_runs_; });
  wait_for_readers();
  if (inactive_) inactive_->before_destroy();
  if (live_) live_->before_destroy();
  drop_tables();
}

void MappedDevice::drop_tables() {
  inactive_.reset();
  live_.reset();
  retiring_.clear();
  ++context_.table_generation;
  limits_ = kNoTableLimits;
}

void MappedDevice::list_leaks(std::vector<std::string>& out) const {
  if (pending_ > 0) out.push_back(fmt::format("{} parts of bios inside the table of {}", pending_, name_));
  if (!deferred_.empty()) out.push_back(fmt::format("{} deferred bios of {}", deferred_.size(), name_));
  if (bios_ > 0) out.push_back(fmt::format("{} bios of {}", bios_, name_));
  if (readers_ > 0) out.push_back(fmt::format("{} fibers inside the table of {}", readers_, name_));
  for (const Table* table : {live_.get(), inactive_.get()}) {
    if (table == nullptr) continue;
    for (const auto& target : table->targets()) {
      std::vector<std::string> own;
      target->list_leaks(own);
      for (const std::string& leak : own) out.push_back(fmt::format("{} ({})", leak, name_));
    }
  }
}

}  // namespace dmsim::native
