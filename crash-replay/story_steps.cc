#include "crash-replay/story_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "crash-replay/story_clone.h"
#include "crash-replay/story_lvm1.h"
#include "crash-replay/story_pvmove.h"
#include "crash-replay/story_snapshot.h"
#include "crash-replay/story_teller.h"
#include "harness/tasks/task_host.h"

namespace dmsim {
namespace {

std::string sentence(std::string text) {
  if (text.rfind("the ", 0) == 0) text[0] = 'T';
  return text;
}

std::string times_words(std::size_t count) {
  constexpr std::string_view kWords[] = {"never",      "once",       "twice",     "three times",
                                         "four times", "five times", "six times", "seven times"};
  return count < std::size(kWords) ? std::string(kWords[count]) : fmt::format("{} times", count);
}

}  // namespace

bool is_about_reading(std::string_view name) {
  return name == oracle::kDurability || name == oracle::kStableRead || name == oracle::kUntouched ||
         name == oracle::kReadYourWrites || name == oracle::kNoFalseError ||
         name == oracle::kMovedEqualsModel;
}

void Teller::run() {
  follow_up_to_first();
  for (at_ = first_; at_ <= last_ && at_ < c_.events.size(); ++at_) tell(c_.event(at_));
  end_stores();
}

void Teller::add(std::string text, std::string notation, Weight weight) {
  end_stores();
  steps_.push_back(
      {at_, c_.event(at_).at, sentence(std::move(text)), std::move(notation), weight, {}});
}

const std::string& Teller::leg_name(std::uint64_t index) const {
  static const std::string kUnknown = "a leg";
  return index < f_.legs.size() ? f_.legs[index].disk : kUnknown;
}

void Teller::follow_up_to_first() {
  for (std::size_t i = 0; i < first_ && i < c_.events.size(); ++i) {
    const StoryEvent& event = c_.event(i);
    note_region(event);
    if (event.is("mirror.log_write") && is_mirror(event) && bit_changed_) {
      bit_changed_ = false;
      say_log(i);
    }
  }
}

void Teller::note_region(const StoryEvent& event) {
  if (!c_.about_region(event) || !event.is("mirror.region")) return;
  const std::string_view to = event.text("to");
  if (to == "dirty") bit_changed_ = true, bit_clean_ = false;
  if (to == "gone") bit_changed_ = true, bit_clean_ = true;
}

void Teller::tell(const StoryEvent& event) {
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

// --- memory ------------------------------------------------------------------------------------

void Teller::tell_memory(const StoryEvent& event) {
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

void Teller::tell_store(const StoryEvent& event) {
  const bool more =
      store_.count > 0 && store_.by == event.actor && store_.in_writeback == in_writeback_;
  if (!more) end_stores();
  ++store_.count;
  store_.by = event.actor;
  store_.in_writeback = in_writeback_;
  store_.event = at_;
}

void Teller::end_stores() {
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

// --- the mapped device -------------------------------------------------------------------------

void Teller::tell_device(const StoryEvent& event) {
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
  tell_verb(event);
}

void Teller::tell_verb(const StoryEvent& event) {
  const std::string device(event.text("device"));
  const bool own = resume_.suspends(event);
  const bool in_focus = device == f_.device || device == f_.mirror || (!move_.empty() && device == move_);
  // A story that is about no sector, or about somebody who waits, tells what became of each device.
  const bool any = f_.sectors.empty() || c_.violation.oracle == oracle::kLiveness;
  if (event.actor == "boot" || (!in_focus && !any)) return;
  const Weight weight = in_focus || f_.sectors.empty() ? Weight::kEssential : Weight::kDetail;
  const std::string who = who_words(c_, event.actor);
  if (event.is("dm.suspend") && !own) add(fmt::format("{} suspends {}", who, device), "", weight);
  if (event.is("dm.suspended") && !own) {
    const auto error = static_cast<int>(event.number("errno"));
    add(error == 0 ? fmt::format("{} is suspended", device)
                   : fmt::format("The suspend of {} ends with {}", device, errno_name(error)),
        "", error != 0 ? Weight::kEssential : std::max(weight, Weight::kUseful));
  }
  if (event.is("dm.resume")) {
    add(fmt::format("{} resumes {}{}", who, device, event.number("new_table") != 0 ? " with a new table" : ""), "",
        weight);
  }
  if (event.is("dm.resumed") && event.number("errno") != 0) {
    add(fmt::format("The resume of {} ends with {}", device, errno_name(static_cast<int>(event.number("errno")))));
  }
  if (event.is("dm.load")) {
    add(fmt::format("{} loads a table into {}: {}", who, device, event.text("table")), "", weight);
  }
  if (event.is("dm.remove")) {
    const auto error = static_cast<int>(event.number("errno"));
    add(error == 0 ? fmt::format("{} removes {}", who, device)
                   : fmt::format("{} may not remove {}: {}", who, device, errno_name(error)),
        "", weight);
  }
  if (event.is("dm.last_user")) {
    add(fmt::format("{} has asked {} whether it is congested. It gives up the last reference to a table that has "
                    "been replaced meanwhile, and destroys it",
                    who, device));
  }
  if (event.is("dm.message")) {
    add(fmt::format("{} sends {} the message '{}'", who, device, event.text("text")), "", weight);
  }
}

void Teller::tell_lvm(const StoryEvent& event) {
  if (std::string move = moved_through(event); !move.empty()) move_ = std::move(move);
  auto text = tell_lvm_event(event);
  if (text) add(std::move(*text), "", event.is("lvm.metadata") ? Weight::kUseful : Weight::kEssential);
}

void Teller::tell_kernel(const StoryEvent& event) {
  constexpr std::uint64_t kWarning = 4;
  if (event.is("kernel.trouble")) {
    const std::string_view where = event.text("where");
    add(fmt::format("The kernel meets a {}{}{}: {}", event.text("kind"), where.empty() ? "" : " at ", where,
                    event.text("what")));
  } else if (event.is("kernel.log") && event.number("level") <= kWarning) {
    add(fmt::format("The kernel says: {}", event.text("line")), "", Weight::kUseful);
  }
}

const UserStory* Teller::user_of(TraceId submit) const {
  const auto index = c_.index_of(submit);
  if (!index) return nullptr;
  const auto found = user_by_event_.find(*index);
  return found == user_by_event_.end() ? nullptr : &c_.users[found->second];
}

void Teller::tell_request(const StoryEvent&) {
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
  if (user->content.kind == StoryContent::Kind::kUnknown) {
    return add(fmt::format("{} writes to {} of {}", who, page(), f_.device), notation);
  }
  add(fmt::format("{} writes {} of {} to {}", who, names_.name(user->content), page(), f_.device),
      notation);
}

bool Teller::brought_the_claim(const UserStory& user) const {
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

void Teller::tell_narrow_write(const StoryEvent& event) {
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

bool Teller::was_copied_before(std::size_t index) const {
  for (std::size_t i = index; i-- > 0;) {
    const StoryEvent& event = c_.event(i);
    if (c_.about_region(event) && event.text("phase") == "copied") return true;
  }
  return false;
}

void Teller::tell_answer(const StoryEvent& event) {
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

bool Teller::flush_reached_a_leg(const UserStory& flush) const {
  return std::any_of(c_.disk_requests.begin(), c_.disk_requests.end(),
                     [&](const DiskStory& request) {
                       return request.op == "flush" && c_.is_leg(request.disk) &&
                              request.submit > flush.submit && flush.complete &&
                              request.complete && *request.complete <= *flush.complete;
                     });
}

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

void tell_steps(const Chronicle& chronicle, Story* story) { Teller(chronicle, *story).run(); }

}  // namespace dmsim
