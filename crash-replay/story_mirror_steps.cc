// What a story says of a mirror, of its regions and its log, and of a clone.
#include <fmt/format.h>

#include "crash-replay/story_clone.h"
#include "crash-replay/story_teller.h"

namespace dmsim {
void Teller::tell_mirror(const StoryEvent& event) {
  if (!is_mirror(event)) return;
  if (event.is("mirror.region")) tell_region(event);
  note_region(event);
  if (event.is("mirror.recover") && c_.about_region(event)) tell_recovery(event);
  if (event.is("mirror.log_write")) tell_log_write();
  if (event.is("mirror.leg_flush")) tell_leg_flush(event);
  if (event.is("mirror.log_failed")) {
    add(fmt::format("{} gives its log up: {} failed", f_.mirror, event.text("what")));
  }
  if (event.is("mirror.leg_failed")) {
    add(fmt::format("{} marks {} as failed (status letter {})", f_.mirror,
                    leg_name(event.number("leg")), event.text("health")));
  }
  const bool in_focus = event.range().overlaps(f_.page_range);
  if (event.is("mirror.hold") && in_focus) {
    const std::string_view op = op_of(event.range());
    add(fmt::format("{} holds the {} back until somebody has repaired the mirror", f_.mirror, op),
        notation_of(op, false, event.range()));
  }
  if (event.is("mirror.requeue") && in_focus) {
    const std::string_view op = op_of(event.range());
    add(fmt::format("{} gives the {} back, to be issued again", f_.mirror, op), notation_of(op, false, event.range()));
  }
  if (event.is("mirror.read") && in_focus && is_about_reading(c_.violation.oracle)) {
    add(fmt::format("{} reads from {}", f_.mirror, leg_name(event.number("leg"))),
        notation_of("read", false, event.range()), Weight::kDetail);
  }
}

std::string_view Teller::op_of(SectorRange range) const {
  for (const UserStory& user : c_.users) {
    const bool waits = user.submit < at_ && (!user.complete || *user.complete > at_);
    if (waits && user.device == f_.mirror && user.range == range && user.op == "discard") return "discard";
  }
  return "write";
}

void Teller::tell_clone() {
  bool durable = false;
  auto step = tell_clone_event(c_, at_, &durable);
  if (!step) return;
  if (durable) say_log_of_clone();
  add(std::move(step->text), std::move(step->notation), step->weight);
}

void Teller::tell_region(const StoryEvent& event) {
  if (!c_.about_region(event)) return;
  const std::string_view from = event.text("from"), to = event.text("to");
  if (to == "dirty") return add(fmt::format("{} becomes dirty", region_title()));
  if (to == "recovering" || from == "recovering") return;  // told by the recovery itself
  if (from == "nosync" && to == "clean") {
    return add(fmt::format("The write has ended, and {} is called clean{}", region(),
                           was_copied_before(at_) ? "" : ", although it has never been copied"));
  }
  if (to == "clean") {
    return add(fmt::format("No write to {} is under way any more: it is called clean", region()));
  }
  if (to == "nosync") {
    return add(fmt::format("{} is no longer in sync: its legs may differ", region_title()));
  }
  if (to == "gone") {
    add(fmt::format("The log in memory marks {} clean", region()), "", Weight::kDetail);
  }
}

void Teller::tell_recovery(const StoryEvent& event) {
  const std::string_view phase = event.text("phase");
  if (phase == "copy begins") {
    add(fmt::format("Recovery begins to copy {}", region()), "", Weight::kDetail);
  } else if (phase == "copied") {
    std::string from, to;
    for (const DiskStory& request : c_.disk_requests) {
      if (!request.recovery || !request.touches_page || request.submit > at_) continue;
      (request.op == "read" ? from : to) = request.disk;
    }
    add(fmt::format("Recovery has copied {}{} to {}", region(), from.empty() ? "" : " from " + from, to),
        fmt::format("{} {}", notation_of("read", false, f_.region_range),
                    notation_of("write", false, f_.region_range)));
  } else {
    add(fmt::format("Recovery of {}: {}", region(), phase));
  }
}

void Teller::tell_log_write() {
  if (!bit_changed_) return;
  bit_changed_ = false;
  const std::string word = bit_clean_ ? "clean" : "dirty";
  const DiskStory* write = nullptr;
  std::vector<std::size_t> requests;
  for (std::size_t i = at_ + 1; i < c_.events.size(); ++i) {
    const StoryEvent& next = c_.event(i);
    if (next.is("power.cut")) break;
    if (next.is("disk.submit") && next.actor == f_.log_disk) {
      const auto found = c_.by_submit.find(next.id);
      if (write == nullptr) write = &c_.disk_requests[found->second];
      requests.push_back(found->second);
    }
    if (next.is("mirror.log_flush") && is_mirror(next) && next.number("ok") == 1) {
      return later(i, fmt::format("The log makes durable that {} is {}", region(), word),
                   fmt::format("{} F to {}", log_notation(write), f_.log_disk), requests);
    }
    if (next.is("mirror.log_write") && is_mirror(next)) break;
  }
  if (write != nullptr && write->complete) {
    if (write->status != "ok") return;  // told as what the disk answers
    return later(*write->complete,
                 fmt::format("The log is written, not yet flushed: {} is {}", region(), word),
                 fmt::format("c({}) to {}", log_notation(write), f_.log_disk), requests);
  }
  add(fmt::format("The log, saying that {} is {}, is on its way to {}", region(), word,
                  f_.log_disk),
      log_notation(write));
  steps_.back().requests = requests;
}

std::string Teller::log_notation(const DiskStory* write) {
  return write == nullptr ? "W" : notation_of(write->op, write->fua, write->range);
}

void Teller::later(std::size_t event, std::string text, std::string notation,
           std::vector<std::size_t> requests) {
  say_log(event);
  put_off_[event] = {
      0, {}, std::move(text), std::move(notation), Weight::kEssential, std::move(requests)};
}

void Teller::tell_put_off() {
  const auto found = put_off_.find(at_);
  if (found == put_off_.end()) return;
  add(found->second.text, found->second.notation);
  steps_.back().requests = std::move(found->second.requests);
  put_off_.erase(found);
}

void Teller::tell_leg_flush(const StoryEvent& event) {
  const std::string_view failed = event.text("failed_legs");
  if (failed != "0")
    return add(fmt::format("A flush of the legs fails (legs {} by bit)", failed));
  if (!bit_changed_ || !bit_clean_) return;
  add("The legs have been flushed: whatever they acknowledged before is durable", "F to each leg",
      Weight::kUseful);
  for (const StoryFocus::Leg& leg : f_.legs) {
    std::optional<std::size_t> last;
    for (std::size_t i = 0; i < c_.disk_requests.size(); ++i) {
      const DiskStory& request = c_.disk_requests[i];
      if (request.op == "flush" && request.disk == leg.disk && request.complete &&
          *request.complete < at_) {
        last = i;
      }
    }
    if (last) steps_.back().requests.push_back(*last);
  }
}

}  // namespace dmsim
