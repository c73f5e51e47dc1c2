// What a story says of disks, of power cuts and of what survives them.
#include <fmt/format.h>

#include <algorithm>

#include "crash-replay/story_teller.h"

namespace dmsim {
void Teller::tell_disk(const StoryEvent& event) {
  const auto found = c_.by_submit.find(event.is("disk.submit") ? event.id : event.cause);
  if (found == c_.by_submit.end()) return;
  const DiskStory& request = c_.disk_requests[found->second];
  const std::string notation = notation_of(request.op, request.fua, request.range);
  if (event.is("disk.transfer") && request.touches_page && !request.recovery) {
    if (request.op == "write" && event.number("moved") > 0) {
      add(fmt::format("{} receives {} of {}", request.disk, names_.name(request.content), page()),
          notation);
    }
    const UserStory* user = request.user ? &c_.users[*request.user] : nullptr;
    if (request.op == "read" && request.fault.empty() && user != nullptr &&
        is_reader_wanted(*user)) {
      const std::string held = names_.name(request.content, request.disk);
      add(f_.clone ? fmt::format("{} is read from {}, which has {}", region_title(), request.disk, held)
                   : fmt::format("{} delivers {}", request.disk, held),
          notation);
    }
  }
  const bool log = request.disk == f_.log_disk;
  if (event.is("disk.complete") && request.status != "ok" && (request.touches_page || log)) {
    add(fmt::format(
            "{} fails the {} with {}{}", request.disk, request.op, request.status,
            request.fault.empty() ? "" : fmt::format(", by the fault '{}'", request.fault)),
        fmt::format("e({},{})", notation, request.status));
  } else if (event.is("disk.fault") && request.status == "ok" &&
             (request.touches_page || (request.op == "flush" && c_.is_leg(request.disk)))) {
    add(fmt::format("The fault '{}' strikes a {} on {}, which nobody is told",
                    event.text("fault"), request.op, request.disk),
        notation);
  }
}

void Teller::tell_power(const StoryEvent& event) {
  if (event.is("power.cut")) {
    add("Power is cut; memory and the disks' caches are lost", "*");
    tell_survivors();
  }
  if (event.is("power.on") && event.number("life") > 0) tell_reboot(event);
}

void Teller::tell_survivors() {
  std::map<std::string, std::vector<SectorRange>> of_disk;
  bool any = false;
  for (std::size_t i = at_ + 1; i < c_.events.size() && c_.event(i).is("power.survived"); ++i) {
    const StoryEvent& event = c_.event(i);
    any = true;
    const bool log = event.actor == f_.log_disk;
    if (!log && !survives_in_focus(event)) continue;
    auto& ranges = of_disk[event.actor];
    if (!ranges.empty() && ranges.back().end == event.range().begin) {
      ranges.back().end = event.range().end;
    } else {
      ranges.push_back(event.range());
    }
  }
  std::string text;
  for (const auto& [disk, ranges] : of_disk) {
    const std::string_view whose = f_.clone ? "the metadata's " : "the log's ";
    text += fmt::format("{}{}", text.empty() ? "" : ", ", disk == f_.log_disk ? whose : "");
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      const SectorRange range = ranges[i];
      text += fmt::format("{}{}", i == 0 ? (range.count() == 1 ? "sector " : "sectors ") : ", ",
                          range.begin);
      if (range.count() > 1) text += fmt::format("..{}", range.end - 1);
    }
    text += fmt::format(" on {}", disk);
  }
  if (!text.empty()) {
    add(fmt::format("Of what was not yet durable, this reached the media all the same: {}",
                    text));
  } else {
    add(any ? "Nothing of it that was not yet durable reached the media"
            : "Nothing that was not yet durable reached the media",
        "", Weight::kUseful);
  }
}

bool Teller::survives_in_focus(const StoryEvent& event) const {
  if (f_.snapshot) {
    const SectorRange chunk{f_.snapshot->chunk * f_.snapshot->chunk_sectors,
                            (f_.snapshot->chunk + 1) * f_.snapshot->chunk_sectors};
    return event.actor == f_.snapshot->cow ||
           (event.actor == f_.snapshot->origin && event.range().overlaps(chunk));
  }
  return std::any_of(f_.legs.begin(), f_.legs.end(), [&](const StoryFocus::Leg& leg) {
    return leg.disk == event.actor &&
           event.range().overlaps({leg.page_begin, leg.page_begin + kPageSectors});
  });
}

void Teller::tell_reboot(const StoryEvent& event) {
  if (!f_.has_page() || c_.legs.empty() || event.number("life") + 1 != c_.lives) {
    return add("The machine boots again");
  }
  std::string text = "After the reboot ";
  if (c_.clean_after_cut) {
    text += f_.clone ? fmt::format("the metadata say that {} is on {}; ", region(),
                                   *c_.clean_after_cut ? f_.clone->destination : f_.clone->source)
                     : fmt::format("the log says that {} is {}; ", region(),
                                   *c_.clean_after_cut ? "clean" : "dirty");
  }
  for (std::size_t i = 0; i < c_.legs.size(); ++i) {
    text += fmt::format("{}{} has {}", i == 0 ? "" : ", ", c_.legs[i].disk,
                        names_.name(c_.legs[i].after_cut, c_.legs[i].disk));
    if (i == 0) text += fmt::format(" of {}", page());
  }
  add(text);
  if (c_.clean_after_cut) story_.log_words.push_back({at_, *c_.clean_after_cut});
  for (std::size_t i = 0; i < c_.disk_requests.size(); ++i) {
    const DiskStory& request = c_.disk_requests[i];
    if (request.submit < at_ || request.disk != f_.log_disk || request.op != "read") continue;
    steps_.back().requests.push_back(i);
    break;
  }
}

}  // namespace dmsim
