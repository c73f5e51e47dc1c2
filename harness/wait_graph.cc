// Who waits for whom when nothing can go on: fibers wait for locks and for bios, a bio waits in a mirror for
// repair or in a device for its resume, and those wait for a process again. Slow words, made once.
#include <algorithm>

#include "engine/lvm/lvm1_volume.h"
#include "harness/copies.h"
#include "harness/lvm_room.h"
#include "harness/world.h"

namespace dmsim {
namespace {

bool is_word_at(std::string_view text, std::size_t at, std::size_t size) {
  const auto is_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return (at == 0 || !is_name(text[at - 1])) && (at + size == text.size() || !is_name(text[at + size]));
}

}  // namespace

// The mapped device that words speak of; empty: none.
std::string LvmRoom::device_in(std::string_view words) const {
  std::string best;
  for (const std::string& name : world_.mapped_names()) {
    for (std::size_t at = words.find(name); at != std::string_view::npos; at = words.find(name, at + 1)) {
      if (is_word_at(words, at, name.size()) && name.size() > best.size()) best = name;
    }
  }
  return best;
}

// The device and every mapped device that it stands on, itself first.
std::vector<std::string> LvmRoom::stack_below(const std::string& device) {
  std::vector<std::string> out{device};
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto table = world_.mapper().table(out[i], TableSlot::kLive);
    if (!table.ok()) continue;
    for (const std::string& name : world_.mapped_names()) {
      const std::size_t at = table->find(name);
      const bool known = std::find(out.begin(), out.end(), name) != out.end();
      if (!known && at != std::string::npos && is_word_at(*table, at, name.size())) out.push_back(name);
    }
  }
  return out;
}

LvmRoom::Reason LvmRoom::why_stuck(const std::string& device, Actor asking) {
  const ActorNames& names = world_.trace().actors();
  const lvm1::Driver* const lvm1 = world_.lvm1();
  if (lvm1 != nullptr && lvm1->locked() && lvm1->locked()->volume->name() == device && lvm1->held() > 0) {
    const std::string by = names.name(lvm1->locked()->by);
    return {fmt::format("{} has locked extent {} of {}, and what is sent there ({} bios) waits until {} unlocks it", by,
                        lvm1->locked()->extent, device, lvm1->held(), by),
            lvm1->locked()->by};
  }
  const std::vector<std::string> stack = stack_below(device);
  for (const std::string& each : stack) {
    for (const MirrorView* mirror : world_.mapper().mirrors(each)) {
      if (mirror->held_bios() == 0) continue;
      return {fmt::format("the mirror {} holds {} bios until it is repaired{}", each, mirror->held_bios(),
                          watcher_of(each) == Actor::kNobody ? ", which nobody will do" : ""),
              watcher_of(each)};
    }
  }
  Reason own;
  for (const std::string& each : stack) {
    for (const lvm::Administration::Suspension& suspension : administration_.suspensions()) {
      if (suspension.device != each) continue;
      const Reason reason{fmt::format("{} {} {}, and bios to it wait until it resumes it", names.name(suspension.by),
                                      suspension.complete ? "has suspended" : "has begun to suspend", each),
                          suspension.by};
      if (suspension.by != asking) return reason;
      own = reason;
    }
  }
  return own;
}

std::string LvmRoom::awaited_device(const StuckFiber& fiber) const {
  std::string device = device_in(fiber.waits_for);
  // "c(W0+8!)": the request says whose it is.
  for (const std::string& request : world_.unanswered()) {
    const std::string notation = request.substr(0, request.find(' '));
    if (device.empty() && fiber.waits_for == "c(" + notation + ")") device = device_in(request);
  }
  if (device.empty() && fiber.waits_for.starts_with("any request of ")) {
    device = world_.device_that_owes(fiber.actor);
  }
  // What holds it is no process (a cache): then it is a bio of that device.
  if (device.empty()) device = device_in(world_.trace().actors().name(fiber.held_by));
  // A kernel's own wait queue names nothing: whoever has begun to suspend a device waits for its bios.
  for (const lvm::Administration::Suspension& suspension : administration_.suspensions()) {
    if (device.empty() && suspension.by == fiber.actor && !suspension.complete) device = suspension.device;
  }
  return device;
}

std::vector<std::string> LvmRoom::wait_graph() {
  const ActorNames& names = world_.trace().actors();
  const std::vector<StuckFiber> stuck = world_.scheduler().stuck();
  std::vector<std::string> out;
  const auto find = [&](Actor actor) {
    const StuckFiber* best = nullptr;
    for (const StuckFiber& fiber : stuck) {
      if (fiber.actor != actor) continue;
      // Of a daemon's several fibers, the one that waits for a lock.
      if (best == nullptr || (best->held_by == Actor::kNobody && fiber.held_by != Actor::kNobody)) best = &fiber;
    }
    return best;
  };
  for (const StuckFiber& first : stuck) {
    if (!first.is_task) continue;
    std::vector<Actor> passed;
    std::vector<std::string> lines;
    const StuckFiber* at = &first;
    while (at != nullptr && std::find(passed.begin(), passed.end(), at->actor) == passed.end()) {
      passed.push_back(at->actor);
      Reason reason;
      const std::vector<Actor>& reclaiming = world_.memory().reclaiming();
      const bool reclaims = std::find(reclaiming.begin(), reclaiming.end(), at->actor) != reclaiming.end();
      const auto other = std::find_if(reclaiming.begin(), reclaiming.end(),
                                      [&](Actor each) { return each != at->actor && find(each) != nullptr; });
      if (at->waits_for == kWaitsForFrame && other != reclaiming.end()) {
        reason = {fmt::format("{} is freeing some", names.name(*other)), *other};
      } else if (at->held_by != Actor::kNobody && find(at->held_by) != nullptr) {
        reason = {fmt::format("{} holds it", names.name(at->held_by)), at->held_by};
      } else {
        const std::string device = awaited_device(*at);
        if (!device.empty()) reason = why_stuck(device, at->actor);
        if (!reason.words.empty() && device_in(at->waits_for).empty()) {
          reason.words = fmt::format("a bio of {}; {}", device, reason.words);
        }
      }
      lines.push_back(fmt::format("{}{} waits for {}{}{}", names.name(at->actor),
                                  reclaims ? ", which needs memory and frees some first," : "", at->waits_for,
                                  reason.words.empty() ? "" : ": ", reason.words));
      at = reason.who == Actor::kNobody ? nullptr : find(reason.who);
    }
    if (at != nullptr) lines.push_back(fmt::format("the circle closes at {}", names.name(at->actor)));
    // A circle says most, then a chain that ends with a reason.
    const bool says_why = lines.back().find(": ") != std::string::npos;
    if (at != nullptr || out.empty() || (says_why && out.back().find(": ") == std::string::npos)) out = lines;
    if (at != nullptr) break;
  }
  for (const lvm::Administration::Suspension& suspension : administration_.suspensions()) {
    out.push_back(fmt::format("{} {} {}", names.name(suspension.by),
                              suspension.complete ? "has suspended" : "has begun to suspend", suspension.device));
  }
  return out;
}

}  // namespace dmsim
