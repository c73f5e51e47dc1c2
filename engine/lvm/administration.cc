#include "engine/lvm/administration.h"

#include <algorithm>

namespace dmsim::lvm {

Mutex& Administration::lock(std::string_view what) {
  for (const auto& [name, mutex] : locks_) {
    if (name == what) return *mutex;
  }
  locks_.emplace_back(what, std::make_unique<Mutex>(scheduler_, "the lock of " + std::string(what)));
  return *locks_.back().second;
}

Administration::Suspension* Administration::suspension(std::string_view device) {
  for (Suspension& each : suspensions_) {
    if (each.device == device) return &each;
  }
  return nullptr;
}

bool Administration::is_suspended(std::string_view device) const {
  return std::any_of(suspensions_.begin(), suspensions_.end(),
                     [&](const Suspension& each) { return each.device == device && each.complete; });
}

void Administration::tell(std::string_view device, Actor first, std::string_view verb) {
  const Actor second = scheduler_.current_actor();
  if (first != second && listener_ != nullptr) listener_->on_two_suspenders(device, first, second, verb);
}

void Administration::begin_load(std::string_view device) {
  if (const Suspension* other = suspension(device)) tell(device, other->by, "load");
  const auto known = std::find_if(loaded_.begin(), loaded_.end(),
                                  [&](const Loaded& each) { return each.device == device; });
  if (known == loaded_.end()) {
    loaded_.push_back({std::string(device), scheduler_.current_actor()});
    return;
  }
  tell(device, known->by, "load");
  known->by = scheduler_.current_actor();
}

void Administration::begin_suspend(std::string_view device) {
  if (const Suspension* other = suspension(device)) return tell(device, other->by, "suspend");
  suspensions_.push_back({std::string(device), scheduler_.current_actor(), false});
}

void Administration::end_suspend(std::string_view device, bool ok) {
  Suspension* const own = suspension(device);
  if (own == nullptr || own->by != scheduler_.current_actor()) return;
  own->complete = ok;
  if (!ok) std::erase_if(suspensions_, [&](const Suspension& each) { return each.device == device; });
}

void Administration::begin_resume(std::string_view device) {
  if (const Suspension* other = suspension(device)) tell(device, other->by, "resume");
  for (const Loaded& each : loaded_) {
    if (each.device == device) tell(device, each.by, "resume");
  }
}

void Administration::end_resume(std::string_view device, bool ok) {
  if (ok) removed(device);
}

void Administration::removed(std::string_view device) {
  std::erase_if(suspensions_, [&](const Suspension& each) { return each.device == device; });
  std::erase_if(loaded_, [&](const Loaded& each) { return each.device == device; });
}

}  // namespace dmsim::lvm
