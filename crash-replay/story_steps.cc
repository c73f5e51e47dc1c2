// Which event becomes which sentence. An event that concerns neither the page, nor its region, nor the
// legs' state, nor the power becomes none. Several events that a person takes for one thing (a log write
// and its flush, stores in a row) become one step.
#include "crash-replay/story_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "crash-replay/story_clone.h"
#include "crash-replay/story_lvm1.h"
#include "crash-replay/story_pvmove.h"
#include "crash-replay/story_snapshot.h"
#include "harness/oracle_names.h"

namespace dmsim {
namespace {

using Weight = StoryStep::Weight;

std::string sentence(std::string text) {
  if (text.rfind("the ", 0) == 0) text[0] = 'T';
  return text;
}

std::string times_words(std::size_t count) {
  constexpr std::string_view kWords[] = {"never",      "once",       "twice",     "three times",
                                         "four times", "five times", "six times", "seven times"};
  return count < std::size(kWords) ? std::string(kWords[count]) : fmt::format("{} times", count);
}

// Oracles about what a reader gets: their stories contain reads.
bool is_about_reading(const std::string& name) {
  return name == oracle::kDurability || name == oracle::kStableRead || name == oracle::kUntouched ||
         name == oracle::kReadYourWrites || name == oracle::kNoFalseError ||
         name == oracle::kMovedEqualsModel;
}

class Teller {
 public:
  Teller(const Chronicle& chronicle, Story& story)
      : c_(chronicle),
        f_(chronicle.focus),
        first_(story.first_event),
        last_(story.last_event),
        story_(story),
        steps_(story.steps),
        names_(story.names) {
    for (std::size_t i = 0; i < c_.users.size(); ++i) user_by_event_[c_.users[i].submit] = i;
  }

  void run() {
    follow_up_to_first();
    for (at_ = first_; at_ <= last_ && at_ < c_.events.size(); ++at_) tell(c_.event(at_));
    end_stores();
  }

 private:
  void add(std::string text, std::string notation = {}, Weight weight = Weight::kEssential) {
    end_stores();
    steps_.push_back(
        {at_, c_.event(at_).at, sentence(std::move(text)), std::move(notation), weight, {}});
  }
  std::string page() const { return fmt::format("page {}", f_.page); }
  std::string region() const { return fmt::format("region {}", f_.region.value_or(0)); }
  bool is_mirror(const StoryEvent& event) const {
    return event.actor == f_.mirror || event.actor == "kmirrord " + f_.mirror;
  }
  const std::string& leg_name(std::uint64_t index) const {
    static const std::string kUnknown = "a leg";
    return index < f_.legs.size() ? f_.legs[index].disk : kUnknown;
  }

  // State that earlier events have left: the log's bit, the page under writeback.
  void follow_up_to_first() {
    for (std::size_t i = 0; i < first_ && i < c_.events.size(); ++i) {
      const StoryEvent& event = c_.event(i);
      note_region(event);
      if (event.is("mirror.log_write") && is_mirror(event) && bit_changed_) {
        bit_changed_ = false;
        say_log(i);
      }
    }
  }

  void note_region(const StoryEvent& event) {
    if (!c_.about_region(event) || !event.is("mirror.region")) return;
    const std::string_view to = event.text("to");
    if (to == "dirty") bit_changed_ = true, bit_clean_ = false;
    if (to == "gone") bit_changed_ = true, bit_clean_ = true;
  }

  void tell(const StoryEvent& event) {
    const std::string_view room = std::string_view(event.kind).substr(0, event.kind.find('.'));
    if (room == "cache" || room == "direct") tell_memory(event);
    if (room == "dm") tell_device(event);
    if (room == "mirror") tell_mirror(event);
    if (room == "clone" && f_.clone) tell_clone();
    if (room == "lvm1" && f_.move) {
      if (auto step = tell_move_event(c_, at_)) add(std::move(step->text), std::move(step->notation), step->weight);
    }
    if (f_.snapshot) {
      if (auto step = tell_snapshot_event(c_, at_)) add(std::move(step->text), std::move(step->notation), step->weight);
    }
    if (room == "kernel") tell_kernel(event);
    if (room == "pvmove" || room == "lvm") tell_lvm(event);
    if (room == "disk") tell_disk(event);
    if (room == "power") tell_power(event);
    tell_put_off();
  }

  // --- memory -----------------------------------------------------------------------------------

  void tell_memory(const StoryEvent& event) {
    if (event.is("direct.scribble")) {
      const Sector sector = event.number("sector");
      if (!f_.page_range.contains(sector) || event.text("device") != f_.device) return;
      return add(fmt::format("{} changes the buffer of its own write while it is under way: {}",
                             who_words(c_, event.actor),
                             names_.name(StoryContent::of_version(event.number("version")))));
    }
    if (!c_.about_cached_page(event)) return;
    if (event.is("cache.store") || event.is("cache.write")) tell_store(event);
    if (event.is("cache.writeback")) in_writeback_ = true;
    if (event.is("cache.written")) in_writeback_ = false;
    if (event.is("cache.unlisted")) {
      add(fmt::format("{} takes the dirty mark off {} and writes it itself", who_words(c_, event.actor), page()));
    }
    if (event.is("cache.stable_wait")) {
      add(fmt::format("{} wants to change {} and waits for its writing to end",
                      who_words(c_, event.actor), page()));
    }
  }

  // Stores in a row, with nothing of the story in between, are one step: the last one's version counts,
  // the others nobody ever sees.
  void tell_store(const StoryEvent& event) {
    const bool more =
        store_.count > 0 && store_.by == event.actor && store_.in_writeback == in_writeback_;
    if (!more) end_stores();
    ++store_.count;
    store_.by = event.actor;
    store_.in_writeback = in_writeback_;
    store_.event = at_;
  }

  void end_stores() {
    if (store_.count == 0) return;
    const StoryEvent& event = c_.event(store_.event);
    const std::string version = names_.name(StoryContent::of_version(event.number("version")));
    const std::string who = who_words(c_, store_.by);
    std::string text =
        store_.count == 1
            ? fmt::format("{} {} {} of {}", who, event.is("cache.store") ? "stores" : "writes",
                          version, page())
            : fmt::format("{} changes {} {}: it holds {} now", who, page(),
                          times_words(store_.count), version);
    if (store_.in_writeback) text += ", while the page is being written";
    steps_.push_back(
        {store_.event, event.at, sentence(std::move(text)), "", Weight::kEssential, {}});
    store_ = {};
  }

  // --- the mapped device ------------------------------------------------------------------------

  void tell_device(const StoryEvent& event) {
    if (event.is("dm.submit")) return tell_request(event);
    if (event.is("dm.complete")) return tell_answer(event);
    if (event.is("dm.map")) return tell_narrow_write(event);
    if (event.is("dm.defer") || event.is("dm.requeue")) {
      const UserStory* user = user_of(event.cause);
      if (user == nullptr || !user->touches_page) return;
      return add(event.is("dm.defer")
                     ? fmt::format("{} is suspended and puts the request off", f_.device)
                     : fmt::format("{} takes the request back, to issue it again", f_.device),
                 notation_of(user->op, user->fua, user->range));
    }
    const bool moves = !move_.empty() && event.text("device") == move_;
    if (event.text("device") != f_.device && event.text("device") != f_.mirror && !moves) return;
    if (event.actor == "boot") return;
    const std::string device(event.text("device"));
    if (event.is("dm.suspend"))
      add(fmt::format("{} suspends {}", who_words(c_, event.actor), device));
    if (event.is("dm.suspended")) {
      const std::uint64_t error = event.number("errno");
      add(error == 0 ? fmt::format("{} is suspended", device)
                     : fmt::format("The suspend of {} ends with errno {}", device, error),
          "", error == 0 ? Weight::kUseful : Weight::kEssential);
    }
    if (event.is("dm.resume")) {
      add(fmt::format("{} resumes {}{}", who_words(c_, event.actor), device,
                      event.number("new_table") != 0 ? " with a new table" : ""));
    }
    if (event.is("dm.load")) {
      add(fmt::format("{} loads a table into {}: {}", who_words(c_, event.actor), device,
                      event.text("table")));
    }
    if (event.is("dm.remove"))
      add(fmt::format("{} removes {}", who_words(c_, event.actor), device));
    if (event.is("dm.message")) {
      add(fmt::format("{} sends {} the message '{}'", who_words(c_, event.actor), device,
                      event.text("text")));
    }
  }

  // How far a move is, and what the metadata say of it.
  void tell_lvm(const StoryEvent& event) {
    if (std::string move = moved_through(event); !move.empty()) move_ = std::move(move);
    auto text = tell_lvm_event(event);
    if (text) add(std::move(*text), "", event.is("lvm.metadata") ? Weight::kUseful : Weight::kEssential);
  }

  // What the kernel's own engine says of itself: its log from warnings upwards, and its troubles.
  void tell_kernel(const StoryEvent& event) {
    constexpr std::uint64_t kWarning = 4;
    if (event.is("kernel.trouble")) {
      const std::string_view where = event.text("where");
      add(fmt::format("The kernel meets a {}{}{}: {}", event.text("kind"), where.empty() ? "" : " at ", where,
                      event.text("what")));
    } else if (event.is("kernel.log") && event.number("level") <= kWarning) {
      add(fmt::format("The kernel says: {}", event.text("line")), "", Weight::kUseful);
    }
  }

  const UserStory* user_of(TraceId submit) const {
    const auto index = c_.index_of(submit);
    if (!index) return nullptr;
    const auto found = user_by_event_.find(*index);
    return found == user_by_event_.end() ? nullptr : &c_.users[found->second];
  }

  bool is_reader_wanted(const UserStory& user) const {
    return is_about_reading(c_.violation.oracle) && user.touches_page;
  }

  void tell_request(const StoryEvent&) {
    const UserStory* user = user_of(c_.event(at_).id);
    if (user == nullptr || user->device != f_.device) return;
    const std::string who = who_words(c_, user->who == "checker" ? "a reader" : user->who);
    const std::string notation = notation_of(user->op, user->fua, user->range);
    if (user->op == "flush") {
      if (matters_flush()) add(fmt::format("{} flushes {}", who, f_.device), notation);
      return;
    }
    if (user->op == "read") {
      if (is_reader_wanted(*user))
        add(fmt::format("{} reads {} of {}", who, page(), f_.device), notation);
      return;
    }
    if (!user->touches_page) {
      if (user->touches_region) {
        add(fmt::format("{} {} other sectors of {}", who,
                        user->op == "discard" ? "discards" : "writes", region()),
            notation, brought_the_claim(*user) ? Weight::kEssential : Weight::kDetail);
      }
      return;
    }
    if (user->op == "discard") return add(fmt::format("{} discards {}", who, page()), notation);
    if (user->writeback) {
      return add(
          fmt::format("{} writes {} back: it holds {}", who, page(), names_.name(user->content)),
          notation);
    }
    add(fmt::format("{} writes {} of {} to {}", who, names_.name(user->content), page(), f_.device),
        notation);
  }

  bool matters_flush() const { return f_.clone || c_.violation.oracle == oracle::kDurability; }

  // The write after which a region was called clean that no recovery had copied: the last one before.
  bool brought_the_claim(const UserStory& user) const {
    for (std::size_t i = user.submit; i < c_.events.size(); ++i) {
      const StoryEvent& event = c_.event(i);
      if (c_.about_region(event) && event.text("from") == "nosync" && event.text("to") == "clean") {
        for (const UserStory& other : c_.users) {
          if (other.submit > user.submit && other.submit < i && other.touches_region) return false;
        }
        return user.complete && *user.complete >= i;
      }
    }
    return false;
  }

  // A mirrored write that goes to one leg only, as dm core says it.
  void tell_narrow_write(const StoryEvent& event) {
    const UserStory* user = user_of(event.cause);
    if (user == nullptr || f_.clone || f_.move || f_.legs.size() < 2 || event.text("op") != "write") return;
    if (!user->touches_page && !(user->touches_region && brought_the_claim(*user))) return;
    std::set<std::string> disks;
    for (const std::size_t part : user->parts) disks.insert(c_.disk_requests[part].disk);
    if (disks.size() >= f_.legs.size() || !c_.is_leg(event.text("lower"))) return;
    const bool copied = was_copied_before(at_);
    add(fmt::format(
        "{} sends that write to {} only{}", f_.mirror.empty() ? f_.device : f_.mirror,
        event.text("lower"),
        copied || !f_.region ? "" : fmt::format(": {} is not synchronised yet", region())));
  }

  bool was_copied_before(std::size_t index) const {
    for (std::size_t i = index; i-- > 0;) {
      const StoryEvent& event = c_.event(i);
      if (c_.about_region(event) && event.text("phase") == "copied") return true;
    }
    return false;
  }

  void tell_answer(const StoryEvent& event) {
    const UserStory* user = user_of(event.cause);
    if (user == nullptr || user->device != f_.device) return;
    const bool ok = user->status == "ok";
    const std::string plain = notation_of(user->op, user->fua, user->range);
    const std::string notation =
        ok ? fmt::format("c({})", plain) : fmt::format("e({},{})", plain, user->status);
    if (user->op == "flush") {
      if (!matters_flush()) return;
      const bool reached = flush_reached_a_leg(*user);
      return add(fmt::format("{} answers that the flush {}{}", f_.device,
                             ok ? "is done" : fmt::format("failed with {}", user->status),
                             ok && !reached ? ", without having sent one to any leg" : ""),
                 notation);
    }
    if (!ok && user->touches_page) {
      return add(fmt::format("{} fails the {} with {}", f_.device, user->op, user->status),
                 notation);
    }
    if (!user->touches_page || user->op == "read") return;
    add(fmt::format("{} answers that the {} is done", f_.device, user->op), notation,
        is_about_reading(c_.violation.oracle) ? Weight::kEssential : Weight::kUseful);
  }

  bool flush_reached_a_leg(const UserStory& flush) const {
    return std::any_of(c_.disk_requests.begin(), c_.disk_requests.end(),
                       [&](const DiskStory& request) {
                         return request.op == "flush" && c_.is_leg(request.disk) &&
                                request.submit > flush.submit && flush.complete &&
                                request.complete && *request.complete <= *flush.complete;
                       });
  }

  // --- the mirror -------------------------------------------------------------------------------

  void tell_mirror(const StoryEvent& event) {
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
      add(fmt::format("{} holds the write back until somebody has repaired the mirror", f_.mirror),
          notation_of("write", false, event.range()));
    }
    if (event.is("mirror.requeue") && in_focus) {
      add(fmt::format("{} gives the write back, to be issued again", f_.mirror),
          notation_of("write", false, event.range()));
    }
    if (event.is("mirror.read") && in_focus && is_about_reading(c_.violation.oracle)) {
      add(fmt::format("{} reads from {}", f_.mirror, leg_name(event.number("leg"))),
          notation_of("read", false, event.range()), Weight::kDetail);
    }
  }

  void tell_clone() {
    bool durable = false;
    auto step = tell_clone_event(c_, at_, &durable);
    if (!step) return;
    if (durable) say_log_of_clone();
    add(std::move(step->text), std::move(step->notation), step->weight);
  }
  void say_log_of_clone() { story_.log_words.push_back({at_, true}); }

  void tell_region(const StoryEvent& event) {
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
  std::string region_title() const { return fmt::format("Region {}", f_.region.value_or(0)); }

  void tell_recovery(const StoryEvent& event) {
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

  // A log write that carries a change of the region's bit, told when it is durable, or written, or now
  // if the power cut comes first.
  void tell_log_write() {
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
      return later(*write->complete,
                   fmt::format("The log is written, not yet flushed: {} is {}", region(), word),
                   fmt::format("c({}) to {}", log_notation(write), f_.log_disk), requests);
    }
    add(fmt::format("The log, saying that {} is {}, is on its way to {}", region(), word,
                    f_.log_disk),
        log_notation(write));
    steps_.back().requests = requests;
  }
  static std::string log_notation(const DiskStory* write) {
    return write == nullptr ? "W" : notation_of(write->op, write->fua, write->range);
  }
  void later(std::size_t event, std::string text, std::string notation,
             std::vector<std::size_t> requests) {
    say_log(event);
    put_off_[event] = {
        0, {}, std::move(text), std::move(notation), Weight::kEssential, std::move(requests)};
  }
  void say_log(std::size_t event) { story_.log_words.push_back({event, bit_clean_}); }
  void tell_put_off() {
    const auto found = put_off_.find(at_);
    if (found == put_off_.end()) return;
    add(found->second.text, found->second.notation);
    steps_.back().requests = std::move(found->second.requests);
    put_off_.erase(found);
  }

  void tell_leg_flush(const StoryEvent& event) {
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

  // --- disks and power --------------------------------------------------------------------------

  void tell_disk(const StoryEvent& event) {
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

  void tell_power(const StoryEvent& event) {
    if (event.is("power.cut")) {
      add("Power is cut; memory and the disks' caches are lost", "*");
      tell_survivors();
    }
    if (event.is("power.on") && event.number("life") > 0) tell_reboot(event);
  }

  // What reached the media although nobody had been promised it.
  void tell_survivors() {
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

  bool survives_in_focus(const StoryEvent& event) const {
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

  void tell_reboot(const StoryEvent& event) {
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

  const Chronicle& c_;
  const StoryFocus& f_;
  std::size_t first_;
  std::size_t last_;
  Story& story_;
  std::vector<StoryStep>& steps_;
  StoryNames& names_;
  std::size_t at_ = 0;
  std::string move_;                                  // the device of a pvmove that is under way
  std::map<std::size_t, std::size_t> user_by_event_;  // submit event index -> users
  std::map<std::size_t, StoryStep> put_off_;          // by event index
  bool bit_changed_ = false;  // the region's bit in memory differs from what the log was last sent
  bool bit_clean_ = false;
  bool in_writeback_ = false;
  struct Stores {
    std::size_t count = 0;  // 0: none
    std::string by;
    bool in_writeback = false;
    std::size_t event = 0;  // the last one's
  };
  Stores store_;  // in a row, not yet told
};

// The submission of what a leg holds at the end, in the first life: a user's, or a recovery's.
std::optional<std::size_t> root_of_content(const Chronicle& c, std::size_t leg) {
  std::optional<std::size_t> root;
  for (const DiskStory& request : c.disk_requests) {
    if (request.disk != c.focus.legs[leg].disk || !request.touches_page || request.op != "write")
      continue;
    if (request.life > 0 || !request.transfer) continue;
    root = request.user ? c.users[*request.user].submit : request.submit;
  }
  return root;
}

// The last user request that touches the page and fits.
std::optional<std::size_t> last_request(const Chronicle& c,
                                        const std::function<bool(const UserStory&)>& fits) {
  std::optional<std::size_t> found;
  for (const UserStory& user : c.users) {
    if (user.touches_page && fits(user)) found = user.submit;
  }
  return found;
}

// The write that brought the region to be called clean without a copy.
std::optional<std::size_t> root_of_claim(const Chronicle& c) {
  std::optional<std::size_t> root;
  for (std::size_t i = 0; i < c.events.size(); ++i) {
    const StoryEvent& event = c.event(i);
    if (!c.about_region(event) || event.text("from") != "nosync" || event.text("to") != "clean")
      continue;
    for (const UserStory& user : c.users) {
      if (user.touches_region && user.submit < i && user.op == "write") root = user.submit;
    }
  }
  return root;
}

}  // namespace

std::string who_words(const Chronicle& chronicle, std::string_view actor) {
  for (const TaskPlan& task : chronicle.crash->plan.tasks) {
    if (task.name == actor) return fmt::format("the task {}", actor);
  }
  if (actor.rfind("cache ", 0) == 0) return "the page cache";
  if (actor == "a reader") return "A reader";
  return std::string(actor);
}

std::string notation_of(std::string_view op, bool fua, SectorRange range) {
  const Op kinds[] = {Op::kRead, Op::kWrite, Op::kFlush, Op::kDiscard};
  for (const Op kind : kinds) {
    if (op_name(kind) == op) {
      return bio_notation(kind, fua, range.begin, static_cast<std::uint32_t>(range.count()));
    }
  }
  return std::string(op);
}

std::size_t story_start(const Chronicle& c) {
  std::optional<std::size_t> start;
  if (c.focus.clone) {
    if (const auto hydration = clone_story_start(c)) return *hydration;
  }
  if (c.focus.move) {
    if (const auto lost = move_story_start(c)) return *lost;
  }
  if (c.focus.snapshot && c.violation.oracle != oracle::kLiveness) {
    if (const auto first = snapshot_story_start(c)) return *first;
  }
  const std::string& name = c.violation.oracle;
  if (name == oracle::kLiveness) {
    start = last_request(c, [](const UserStory& user) { return !user.complete; });
  } else if (name == oracle::kNoFalseError) {
    start =
        last_request(c, [](const UserStory& user) { return user.complete && user.status != "ok"; });
  } else if (name == oracle::kDurability || name == oracle::kUntouched ||
             name == oracle::kReadYourWrites) {
    start = last_request(c, [](const UserStory& user) {
      return user.op == "write" && user.complete && user.status == "ok" && user.life == 0;
    });
  }
  if (!start) {
    for (std::size_t leg = 0; leg < c.focus.legs.size(); ++leg) {
      const auto root = root_of_content(c, leg);
      if (root && (!start || *root < *start)) start = root;
    }
    const auto claim = root_of_claim(c);
    if (claim && (!start || *claim < *start)) start = claim;
  }
  if (!start) return 0;
  // Back to the store that made the content, with those right before it.
  std::size_t first = *start;
  for (std::size_t i = *start; i-- > 0;) {
    const StoryEvent& event = c.event(i);
    const bool of_page = c.about_cached_page(event);
    if (of_page && (event.is("cache.store") || event.is("cache.write"))) {
      first = i;
      break;
    }
    if (of_page && event.is("cache.written")) break;
    if (of_page && event.is("cache.writeback")) first = i;
  }
  return first;
}

void tell_steps(const Chronicle& chronicle, Story* story) { Teller(chronicle, *story).run(); }

}  // namespace dmsim
