#include "sim/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/digest.h"

namespace dmsim {

Trace::Trace(Keep keep) : keep_(keep) {
  if (keep_ == Keep::kTail) events_.resize(kTailSize, TraceEvent{});
}

Trace::Trace(const Trace& before, Keep keep)
    : keep_(keep),
      actors_(before.actors_),
      texts_(before.texts_),
      last_id_(before.last_id_),
      now_(before.now_),
      cause_(before.cause_),
      fingerprint_(before.fingerprint_) {
  if (keep_ == before.keep_) {
    events_ = before.events_;
  } else if (keep_ == Keep::kTail) {
    events_.resize(kTailSize, TraceEvent{});
    for (const TraceEvent& event : before.kept()) events_[event.id & (kTailSize - 1)] = event;
  } else {
    events_ = before.kept();
  }
}

std::uint64_t Trace::text(std::string_view value) {
  fingerprint_.fold(digest_bytes(value.data(), value.size()));
  for (std::size_t i = texts_.size(); i-- > 0 && texts_.size() - i <= 16;) {
    if (texts_[i] == value) return i;
  }
  texts_.emplace_back(value);
  return texts_.size() - 1;
}

std::vector<TraceEvent> Trace::kept() const {
  if (keep_ == Keep::kAll) return events_;
  std::vector<TraceEvent> out;
  std::copy_if(events_.begin(), events_.end(), std::back_inserter(out),
               [](const TraceEvent& event) { return event.id != 0; });
  std::sort(out.begin(), out.end(),
            [](const TraceEvent& a, const TraceEvent& b) { return a.id < b.id; });
  return out;
}

std::string Trace::render(const TraceEvent& event) const {
  std::string line = fmt::format("{:>8} {:>15} {:<14} {:<18} cause={}", event.id, event.at.ns(),
                                 actors_.name(event.actor), event.kind->name, event.cause);
  for (std::size_t i = 0; i < event.args.size(); ++i) {
    const TraceArg& arg = event.kind->args[i];
    if (arg.name.empty()) continue;
    const std::uint64_t value = event.args[i];
    line += ' ';
    line += arg.name;
    line += '=';
    switch (arg.form) {
      case ArgForm::kNumber: line += fmt::format("{}", value); break;
      case ArgForm::kActor: line += actors_.name(static_cast<Actor>(value)); break;
      case ArgForm::kHex: line += fmt::format("{:x}", value); break;
      case ArgForm::kEnum: line += arg.names[value]; break;
      case ArgForm::kText: line += fmt::format("\"{}\"", texts_[value]); break;
    }
  }
  return line;
}

std::string Trace::render_tail(std::size_t count) const {
  const std::vector<TraceEvent> events = kept();
  std::string out;
  const std::size_t first = events.size() > count ? events.size() - count : 0;
  for (std::size_t i = first; i < events.size(); ++i) out += render(events[i]) + "\n";
  return out;
}

}  // namespace dmsim
