// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/linux_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/reached.h"
#include "engine/dm_trace.h"

namespace dmsim::kernel {
namespace {

constexpr std::size_t kReasonBytes = 256;
constexpr std::size_t kStatusBytes = 64 * 1024;

Failure<DmError> failed(int errno_value, std::string reason = {}) {
  return {DmError{errno_value, std::move(reason)}};
}

Failure<DmError> no_such_device() { return failed(ENXIO); }

// A buffer for the image's words. On the heap: a fiber's stack is small.
class Text {
 public:
  explicit Text(std::size_t bytes) : bytes_(new char[bytes]), size_(bytes) { bytes_[0] = 0; }
  abi_text abi() { return {bytes_.get(), static_cast<abi_u32>(size_)}; }
  std::string str() const {
    std::string out(bytes_.get());
    while (!out.empty() && out.back() == '\n') out.pop_back();
    CHECK(out.size() + 2 < size_, "the text does not fit", size_);
    return out;
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

// A verb's answer: 0 or a negative errno value.
DmResult<> answer(int error, const Text& reason) {
  if (error == 0) return Done{};
  CHECK(error < 0, error);
  return failed(-error, reason.str());
}

template <typename Each>
void for_each_word(std::string_view text, Each each) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t begin = text.find_first_not_of(" \n", at);
    if (begin == std::string_view::npos) break;
    at = std::min(text.find_first_of(" \n", begin), text.size());
    each(begin, text.substr(begin, at - begin));
  }
}

}  // namespace

std::span<const SwitchInfo> linux_switches() {
  static constexpr std::string_view kPreemption[] = {"locks", "atomics", "offered"};
  static constexpr std::string_view kReaders[] = {"whole", "preempted"};
  static constexpr std::string_view kAllocations[] = {"steady", "fail", "reserves"};
  static constexpr std::string_view kShrinkers[] = {"idle", "called"};
  static constexpr SwitchInfo kSwitches[] = {
      {"linux.preemption", kPreemption,
       "where `preemption` may strike: as locks are taken; before atomic operations, too; at cond_resched() only",
       ""},
      {"linux.rcu", kReaders, "`preemption` may strike within an RCU read section, too", ""},
      {"linux.allocations", kAllocations,
       "allocations that the kernel says may fail do fail, by choice; or all of them, so that only reserves are left",
       ""},
      {"linux.shrinkers", kShrinkers, "memory pressure comes by choice and asks the kernel's shrinkers", ""},
  };
  return kSwitches;
}

MachineOptions machine_options(const SwitchValues& switches) {
  const auto is = [&switches](std::string_view name, std::string_view value) {
    const auto found = switches.find(name);
    return found != switches.end() && found->second == value;
  };
  MachineOptions options;
  if (is("linux.preemption", "atomics")) options.preemption = Preemption::kAtAtomics;
  if (is("linux.preemption", "offered")) options.preemption = Preemption::kOffered;
  options.preempts_rcu_readers = is("linux.rcu", "preempted");
  if (is("linux.allocations", "fail")) options.allocations = Allocations::kFailByChoice;
  if (is("linux.allocations", "reserves")) options.allocations = Allocations::kFail;
  options.shrinks = is("linux.shrinkers", "called");
  return options;
}

LinuxEngine::LinuxEngine(KernelImage& image, const EngineEnvironment& environment, MachineOptions options)
    : machine_(image, environment, static_cast<MachineListener&>(*this), options), bios_(image.slabs()) {}

LinuxMappedDevice* LinuxEngine::find_mapped(std::string_view name) {
  for (const auto& device : devices_) {
    if (device->name() == name) return device.get();
  }
  return nullptr;
}

BlockDevice* LinuxEngine::find(std::string_view device) { return find_mapped(device); }

TraceId LinuxEngine::emit(const TraceKind& kind, const LinuxMappedDevice& device, std::uint64_t a,
                          std::uint64_t b) {
  Scheduler& scheduler = machine_.scheduler();
  return scheduler.trace().emit(kind, scheduler.current_actor(), static_cast<std::uint64_t>(device.actor()),
                                a, b);
}

void LinuxEngine::learn_number(const std::string& name) {
  Number number{0, 0, name};
  const int error = machine_.peek([&](const abi_kernel& kernel) {
    return kernel.device_numbers(name.c_str(), &number.major, &number.minor);
  });
  if (error == 0) numbers_.push_back(std::move(number));
}

// The kernel learns of a disk when a table first names it.
void LinuxEngine::introduce_disks(std::string_view table) {
  for_each_word(table, [this](std::size_t, std::string_view word) {
    const bool known = std::any_of(numbers_.begin(), numbers_.end(),
                                   [word](const Number& number) { return number.name == word; });
    if (!known && machine_.introduce_disk(word) != nullptr) learn_number(std::string(word));
  });
}

std::string LinuxEngine::with_names(std::string_view lines) const {
  std::string out;
  std::size_t copied = 0;
  for_each_word(lines, [&](std::size_t begin, std::string_view word) {
    if (word.find(':') == std::string_view::npos) return;
    for (const Number& number : numbers_) {
      if (word != fmt::format("{}:{}", number.major, number.minor)) continue;
      out += lines.substr(copied, begin - copied);
      out += number.name;
      copied = begin + word.size();
      return;
    }
  });
  out += lines.substr(copied);
  return out;
}

DmResult<> LinuxEngine::create(std::string_view device) {
  if (find_mapped(device) != nullptr) return failed(EBUSY);
  // Scenario names share one space: a table could not tell the two apart.
  if (machine_.environment().devices.find_disk(device) != nullptr) {
    return failed(EBUSY, "a disk has that name");
  }
  const std::string name(device);
  const int error = machine_.enter([&](const abi_kernel& kernel) { return kernel.create(name.c_str()); });
  if (error != 0) return failed(-error);
  devices_.push_back(std::make_unique<LinuxMappedDevice>(
      DeviceContext{machine_, bios_, bios_in_flight_}, name));
  learn_number(name);
  emit(kDmCreate, *devices_.back());
  return Done{};
}

DmResult<> LinuxEngine::load(std::string_view device, std::string_view table) {
  LinuxMappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  introduce_disks(table);
  const std::string text(table);
  Text reason(kReasonBytes);
  const int error = machine_.enter([&](const abi_kernel& kernel) {
    return kernel.load(found->name().c_str(), text.c_str(), reason.abi());
  });
  if (error == 0) found->set_inactive(text);
  const std::uint64_t words = machine_.scheduler().trace().text(table);
  emit(kDmLoad, *found, words, static_cast<std::uint64_t>(-error));
  return answer(error, reason);
}

DmResult<> LinuxEngine::suspend(std::string_view device, SuspendOptions options) {
  LinuxMappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  emit(kDmSuspend, *found, options.noflush, options.skip_lockfs);
  const int error = machine_.enter([&](const abi_kernel& kernel) {
    return kernel.suspend(found->name().c_str(), options.noflush, options.skip_lockfs);
  });
  emit(kDmSuspended, *found, static_cast<std::uint64_t>(-error));
  if (error != 0) return failed(-error);
  return Done{};
}

DmResult<> LinuxEngine::resume(std::string_view device) {
  LinuxMappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  emit(kDmResume, *found, found->has_inactive());
  Text reason(kReasonBytes);
  const int error = machine_.enter([&](const abi_kernel& kernel) {
    return kernel.resume(found->name().c_str(), reason.abi());
  });
  emit(kDmResumed, *found, static_cast<std::uint64_t>(-error));
  return answer(error, reason);
}

DmResult<> LinuxEngine::remove(std::string_view device) {
  LinuxMappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  if (found->bios() > 0) {
    emit(kDmRemove, *found, EBUSY);
    return failed(EBUSY);
  }
  // The kernel lets others run before it is through, and from its first step on they must not find the device.
  const auto place = std::find_if(devices_.begin(), devices_.end(),
                                  [&](const auto& each) { return each.get() == found; });
  removed_.push_back(std::move(*place));
  devices_.erase(place);
  const int error = machine_.enter([&](const abi_kernel& kernel) { return kernel.remove(found->name().c_str()); });
  emit(kDmRemove, *found, static_cast<std::uint64_t>(-error));
  if (error != 0) {
    const auto back = std::find_if(removed_.begin(), removed_.end(),
                                   [&](const auto& each) { return each.get() == found; });
    devices_.push_back(std::move(*back));
    removed_.erase(back);
    return failed(-error);
  }
  ++table_generation_;
  const auto number = std::find_if(numbers_.begin(), numbers_.end(),
                                   [&](const Number& each) { return each.name == found->name(); });
  if (number != numbers_.end()) numbers_.erase(number);
  return Done{};
}

DmResult<std::string> LinuxEngine::ask_status(LinuxMappedDevice& device, bool inactive, bool as_table) {
  Text out(kStatusBytes);
  const auto ask = [&](const abi_kernel& kernel) {
    return kernel.status(device.name().c_str(), inactive, as_table, out.abi());
  };
  // An oracle may ask between two steps for the status of a mirror, which takes no lock that sleeps.
  const int error = machine_.scheduler().in_fiber() ? machine_.enter(ask) : machine_.peek(ask);
  if (error != 0) return failed(-error);
  return with_names(out.str());
}

DmResult<std::string> LinuxEngine::status(std::string_view device) {
  LinuxMappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  return ask_status(*found, false, false);
}

DmResult<std::string> LinuxEngine::table(std::string_view device, TableSlot slot) {
  LinuxMappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  const bool inactive = slot == TableSlot::kInactive;
  if (machine_.scheduler().in_fiber() && !machine_.inside()) return ask_status(*found, inactive, true);
  return inactive ? found->inactive_text() : found->live_text();
}

DmResult<std::string> LinuxEngine::message(std::string_view device, Sector sector, std::string_view text) {
  LinuxMappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  const std::uint64_t words = machine_.scheduler().trace().text(text);
  emit(kDmMessage, *found, sector, words);
  const std::string copy(text);
  Text out(kStatusBytes);
  const int error = machine_.enter([&](const abi_kernel& kernel) {
    return kernel.message(found->name().c_str(), sector, copy.c_str(), out.abi());
  });
  if (error != 0) return failed(-error);
  return out.str();
}

DmResult<std::uint32_t> LinuxEngine::wait_event(std::string_view device, std::uint32_t seen) {
  LinuxMappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  abi_u32 number = 0;
  const int error = machine_.enter([&](const abi_kernel& kernel) {
    return kernel.wait_event(found->name().c_str(), seen, &number);
  });
  if (error != 0) return failed(-error);
  return number;
}

DmResult<std::uint32_t> LinuxEngine::event_number(std::string_view device) {
  LinuxMappedDevice* const found = find_mapped(device);
  if (found == nullptr) return no_such_device();
  abi_u32 number = 0;
  const int error = machine_.enter([&](const abi_kernel& kernel) {
    return kernel.event_number(found->name().c_str(), &number);
  });
  if (error != 0) return failed(-error);
  return number;
}

void LinuxEngine::set_freezer(std::string_view device, Freezer* freezer) {
  LinuxMappedDevice* const found = find_mapped(device);
  CHECK(found != nullptr, device);
  found->set_freezer(freezer);
}

std::vector<const MirrorView*> LinuxEngine::mirrors(std::string_view device) {
  LinuxMappedDevice* const found = find_mapped(device);
  return found == nullptr ? std::vector<const MirrorView*>() : found->mirrors();
}

std::vector<const CloneView*> LinuxEngine::clones(std::string_view device) {
  LinuxMappedDevice* const found = find_mapped(device);
  return found == nullptr ? std::vector<const CloneView*>() : found->clones();
}

std::vector<std::string> LinuxEngine::leaks() {
  std::vector<std::string> out;
  if (bios_in_flight_ > 0) return out;
  machine_.check_freed_memory();
  machine_.peek([&out](const abi_kernel& kernel) {
    kernel.leaks([](void* list, const char* what) {
      static_cast<std::vector<std::string>*>(list)->emplace_back(what);
    }, &out);
  });
  return out;
}

int LinuxEngine::freeze(std::string_view device) {
  LinuxMappedDevice* const found = find_mapped(device);
  return found == nullptr || found->freeze() ? 0 : -EIO;
}

void LinuxEngine::thaw(std::string_view device) {
  LinuxMappedDevice* const found = find_mapped(device);
  if (found != nullptr) found->thaw();
}

void LinuxEngine::on_event(std::string_view device) {
  LinuxMappedDevice* const found = find_mapped(device);
  if (found == nullptr) return;
  machine_.scheduler().trace().emit(kDmEvent, found->actor(), found->on_event());
}

void LinuxEngine::on_table_changed(std::string_view device) {
  ++table_generation_;
  if (LinuxMappedDevice* const found = find_mapped(device)) found->on_table_changed();
}

void LinuxEngine::on_done(void* request_cookie, abi_status status) {
  UserBio& record = *static_cast<UserBio*>(request_cookie);
  if (record.device == nullptr) {
    REACHED("a kernel ends a request twice");
    return machine_.note_trouble(ABI_DOUBLE_COMPLETION, "", "a request from above has ended twice");
  }
  record.device->end(record, status);
}

}  // namespace dmsim::kernel
