// The verbs. Counterpart of dm-ioctl.c: which slot a table is in, who holds a device while a verb works
// on it, and what is refused with which errno.
#include "engine/native/core/native_device_mapper.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/reached.h"
#include "engine/dm_trace.h"
#include "engine/native/core/simple_targets.h"
#include "engine/native/core/table_text.h"

namespace dmsim::native {
namespace {

Failure<DmError> failed(int errno_value, std::string reason = {}) {
  return {DmError{errno_value, std::move(reason)}};
}

Failure<DmError> no_such_device() { return failed(ENXIO); }

template <typename Value>
std::uint64_t errno_of(const DmResult<Value>& result) {
  return result.ok() ? 0 : static_cast<std::uint64_t>(result.error().errno_value);
}

}  // namespace

NativeDeviceMapper::NativeDeviceMapper(const EngineEnvironment& environment, SwitchValues switches,
                                       std::span<const TargetType> types)
    : context_{.environment = environment,
               .switches = CoreSwitches::of(switches),
               .ios = {},
               .clones = {},
               .bios_in_flight = 0,
               .table_generation = 0,
               .shared = {}},
      switches_(std::move(switches)),
      types_{linear_target_type(), error_target_type(), zero_target_type(), delay_target_type()} {
  for (const TargetType& type : types) {
    for (const TargetType& known : types_) CHECK(known.name != type.name, type.name);
    types_.push_back(type);
  }
}

NativeDeviceMapper::~NativeDeviceMapper() {
  // Tables close the devices below them: all tables go before any device.
  for (auto& device : devices_) device->drop_tables();
}

MappedDevice* NativeDeviceMapper::find_mapped(std::string_view name) {
  for (const auto& device : devices_) {
    if (device->name() == name && !device->deleting()) return device.get();
  }
  return nullptr;
}

BlockDevice* NativeDeviceMapper::find(std::string_view device) { return find_mapped(device); }

TraceId NativeDeviceMapper::emit(const TraceKind& kind, const MappedDevice& device, std::uint64_t a,
                                 std::uint64_t b) {
  Scheduler& scheduler = context_.environment.scheduler;
  return scheduler.trace().emit(kind, scheduler.current_actor(),
                                static_cast<std::uint64_t>(device.actor()), a, b);
}

DmResult<> NativeDeviceMapper::create(std::string_view device) {
  if (device.empty() || device.find('/') != std::string_view::npos) {
    return failed(EINVAL, "invalid device name");
  }
  if (find_mapped(device) != nullptr) return failed(EBUSY);
  // Scenario names share one space: a table could not tell the two apart.
  if (context_.environment.devices.find_disk(device) != nullptr) {
    return failed(EBUSY, "a disk has that name");
  }
  devices_.push_back(std::make_unique<MappedDevice>(context_, std::string(device)));
  emit(kDmCreate, *devices_.back());
  return Done{};
}

DmResult<> NativeDeviceMapper::load(std::string_view device, std::string_view table) {
  MappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  const MappedDevice::Hold hold(*found);
  DmResult<> result = do_load(*found, table);
  emit(kDmLoad, *found, context_.environment.scheduler.trace().text(table), errno_of(result));
  return result;
}

DmResult<> NativeDeviceMapper::do_load(MappedDevice& device, std::string_view text) {
  auto parsed = Table::parse(context_, device, *this, switches_, types_, text);
  if (!parsed) return Failure{parsed.error()};
  std::unique_ptr<Table> table = std::move(*parsed);
  if (!device.set_up()) {
    // The first table shapes the queue, so it is checked now; later ones when they are swapped in.
    if (auto limits = table->stack_limits(); !limits) return Failure{limits.error()};
    device.set_set_up();
  }
  if (device.deleting()) return no_such_device();  // removed while a constructor slept
  std::unique_ptr<Table> old = std::exchange(device.inactive(), std::move(table));
  retire(device, std::move(old));
  return Done{};
}

void NativeDeviceMapper::retire(MappedDevice& device, std::unique_ptr<Table> table) {
  retire(device, device.keep_retiring(std::move(table)));
}

void NativeDeviceMapper::retire(MappedDevice& device, Table* kept) {
  if (kept != nullptr) device.retire(*kept);
}

DmResult<> NativeDeviceMapper::suspend(std::string_view device, SuspendOptions options) {
  MappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  const MappedDevice::Hold hold(*found);
  if (found->suspended()) return Done{};  // already in the requested state
  return do_suspend(*found, options);
}

DmResult<> NativeDeviceMapper::do_suspend(MappedDevice& device, SuspendOptions options) {
  emit(kDmSuspend, device, options.noflush, options.skip_lockfs);
  DmResult<> result = device.suspend(options);
  emit(kDmSuspended, device, errno_of(result));
  return result;
}

DmResult<> NativeDeviceMapper::resume(std::string_view device) {
  MappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  const MappedDevice::Hold hold(*found);
  std::unique_ptr<Table> table = std::move(found->inactive());
  emit(kDmResume, *found, table != nullptr);
  DmResult<> result = do_resume(*found, std::move(table));
  emit(kDmResumed, *found, errno_of(result));
  return result;
}

// `table` has been taken out of the inactive slot; null: there was none.
DmResult<> NativeDeviceMapper::do_resume(MappedDevice& device, std::unique_ptr<Table> table) {
  Table* old = nullptr;  // kept by the device
  if (table) {
    if (!device.suspended()) {
      if (auto stopped = do_suspend(device, {}); !stopped) {
        // The table goes back to its slot, unless the slot or the device was taken meanwhile.
        if (device.deleting() || device.inactive()) {
          retire(device, std::move(table));
          return no_such_device();
        }
        device.inactive() = std::move(table);
        return stopped;
      }
    }
    auto swapped = device.swap_table(table);
    if (!swapped) {
      REACHED("a table is refused when it is swapped in");
      retire(device, std::move(table));
      return Failure{swapped.error()};
    }
    old = *swapped;
  }
  DmResult<> result = Done{};
  if (device.suspended()) result = device.resume();
  retire(device, old);
  return result;
}

DmResult<> NativeDeviceMapper::remove(std::string_view device) {
  MappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  // Bios under way: somebody has the device open.
  if (found->open_count() > 0 || found->bios() > 0) {
    emit(kDmRemove, *found, EBUSY);
    return failed(EBUSY);
  }
  found->set_deleting();
  if (found->live() != nullptr) found->raise_event();  // whoever waits for one learns of the end
  retire(*found, std::move(found->inactive()));
  found->destroy();
  emit(kDmRemove, *found, 0);
  devices_.erase(std::find_if(devices_.begin(), devices_.end(),
                              [&](const auto& each) { return each.get() == found; }));
  return Done{};
}

DmResult<std::string> NativeDeviceMapper::status(std::string_view device) {
  MappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  const MappedDevice::Hold hold(*found);
  const MappedDevice::Reader reader(*found);
  return found->live() == nullptr ? std::string() : found->live()->describe(StatusKind::kInfo);
}

DmResult<std::string> NativeDeviceMapper::table(std::string_view device, TableSlot slot) {
  MappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  const MappedDevice::Hold hold(*found);
  const MappedDevice::Reader reader(*found);
  const Table* const table = slot == TableSlot::kLive ? found->live() : found->inactive().get();
  return table == nullptr ? std::string() : table->describe(StatusKind::kTable);
}

DmResult<std::string> NativeDeviceMapper::message(std::string_view device, Sector sector,
                                                  std::string_view text) {
  MappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  const MappedDevice::Hold hold(*found);
  emit(kDmMessage, *found, sector, context_.environment.scheduler.trace().text(text));
  return do_message(*found, sector, text);
}

DmResult<std::string> NativeDeviceMapper::do_message(MappedDevice& device, Sector sector,
                                                     std::string_view text) {
  const std::vector<std::string> words = split_words(text);
  if (words.empty()) return failed(EINVAL, "Empty message received.");
  if (words[0].starts_with('@')) {
    return failed(EINVAL, "Unsupported message sent to DM core: " + words[0]);
  }
  const MappedDevice::Reader reader(device);
  if (device.live() == nullptr) return failed(EINVAL, "The device has no table.");
  if (device.deleting()) return no_such_device();
  const Table::Row* const row = device.live()->find(sector);
  if (row == nullptr) return failed(EINVAL, "Target message sector outside device.");
  const std::vector<std::string_view> views(words.begin(), words.end());
  return row->target->message(views);
}

DmResult<std::uint32_t> NativeDeviceMapper::wait_event(std::string_view device, std::uint32_t seen) {
  MappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  const MappedDevice::Hold hold(*found);
  if (!found->wait_event(seen)) return failed(EINTR);
  return found->event_number();
}

DmResult<std::uint32_t> NativeDeviceMapper::event_number(std::string_view device) {
  MappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  return found->event_number();
}

void NativeDeviceMapper::set_freezer(std::string_view device, Freezer* freezer) {
  MappedDevice* const found = find_mapped(device);
  CHECK(found != nullptr, device);
  found->set_freezer(freezer);
}

std::vector<const MirrorView*> NativeDeviceMapper::mirrors(std::string_view device) {
  std::vector<const MirrorView*> out;
  const MappedDevice* const found = find_mapped(device);
  if (found == nullptr || found->live() == nullptr) return out;
  for (const auto& target : found->live()->targets()) {
    if (const MirrorView* view = target->mirror_view()) out.push_back(view);
  }
  return out;
}

std::vector<const CloneView*> NativeDeviceMapper::clones(std::string_view device) {
  std::vector<const CloneView*> out;
  const MappedDevice* const found = find_mapped(device);
  if (found == nullptr || found->live() == nullptr) return out;
  for (const auto& target : found->live()->targets()) {
    if (const CloneView* view = target->clone_view()) out.push_back(view);
  }
  return out;
}

std::vector<std::string> NativeDeviceMapper::leaks() {
  std::vector<std::string> out;
  if (context_.bios_in_flight > 0) return out;
  if (context_.ios.live() > 0) out.push_back(fmt::format("{} records of bios", context_.ios.live()));
  if (context_.clones.live() > 0) out.push_back(fmt::format("{} clones", context_.clones.live()));
  for (const auto& device : devices_) {
    device->list_leaks(out);
    std::uint32_t users = 0;
    for (const auto& upper : devices_) {
      if (upper->live() != nullptr) users += upper->live()->uses(*device);
      if (upper->inactive()) users += upper->inactive()->uses(*device);
    }
    if (users != device->open_count()) {
      out.push_back(fmt::format("{} opens of {} by {} tables", device->open_count(), device->name(),
                                users));
    }
  }
  return out;
}

}  // namespace dmsim::native
