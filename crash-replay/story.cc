#include "crash-replay/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "crash-replay/story_before.h"
#include "crash-replay/story_clone.h"
#include "crash-replay/story_details.h"
#include "crash-replay/story_lvm1.h"
#include "crash-replay/story_pvmove.h"
#include "crash-replay/story_snapshot.h"
#include "crash-replay/story_steps.h"
#include "harness/oracle_names.h"

namespace dmsim {
namespace {

constexpr std::size_t kMostSteps = 25;
constexpr std::size_t kMostWithDetails = 14;  // details are told in short stories only

std::string blame_words(Blame blame) {
  switch (blame) {
    case Blame::kEngine:
      return "the engine";
    case Blame::kApplication:
      return "the application";
    case Blame::kDisk:
      return "a disk";
  }
  UNMODELLED("a blame");
}

// What a story with too many steps does without: details first, the oldest of them first.
std::size_t thin_out(std::vector<StoryStep>* steps) {
  std::size_t removed = 0;
  for (const StoryStep::Weight weight :
       {StoryStep::Weight::kDetail, StoryStep::Weight::kUseful, StoryStep::Weight::kEssential}) {
    const std::size_t most = weight == StoryStep::Weight::kDetail ? kMostWithDetails : kMostSteps;
    std::size_t too_many = steps->size() - std::min(steps->size(), most);
    removed += std::erase_if(*steps, [&](const StoryStep& step) {
      if (too_many == 0 || step.weight != weight) return false;
      --too_many;
      return true;
    });
  }
  return removed;
}

std::vector<std::string> tell_left_out(const Chronicle& c, const Story& story,
                                       std::size_t thinned) {
  std::vector<std::string> out;
  std::size_t others = 0;
  for (const UserStory& user : c.users) {
    others += !user.touches_page && user.who != "checker" && user.op != "flush" ? 1 : 0;
  }
  if (others > 0) out.push_back(plural(others, "other request", "other requests"));
  if (story.first_event > 0) {
    const Duration quiet = c.event(story.first_event).at - Instant();
    out.push_back(fmt::format("what happened in the first {}", duration_words(quiet)));
  }
  if (thinned > 0) out.push_back(plural(thinned, "detail", "details"));
  if (!c.others.empty()) {
    out.push_back(plural(c.others.size(), "further broken promise", "further broken promises"));
  }
  return out;
}

// No recovery of the region in the last life, although there was one of others or none at all.
void tell_no_recovery(const Chronicle& c, Story* story) {
  if (c.lives < 2 || c.focus.clone || c.focus.legs.size() < 2 || !c.focus.region ||
      !c.clean_after_cut) {
    return;
  }
  std::size_t boot = 0;
  for (std::size_t i = 0; i < c.events.size(); ++i) {
    if (c.event(i).is("power.on")) boot = i;
  }
  for (std::size_t i = boot; i < c.events.size(); ++i) {
    if (c.about_region(c.event(i)) && c.event(i).is("mirror.recover")) return;
  }
  StoryStep step;
  step.event = c.events.size() - 1;
  step.at = c.events.back().at;
  step.text =
      *c.clean_after_cut
          ? fmt::format("Region {} is not copied, because the log calls it clean", *c.focus.region)
          : fmt::format("Region {} has not been copied", *c.focus.region);
  auto where = story->steps.end();
  while (where != story->steps.begin() && (where - 1)->event > boot) --where;
  if (where != story->steps.end()) step.event = where->event, step.at = where->at;
  story->steps.insert(where, step);
}

// A run that got stuck: who still waits for an answer.
void tell_waiting(const Chronicle& c, Story* story) {
  if (c.violation.oracle != oracle::kLiveness || c.events.empty()) return;
  StoryStep step;
  step.event = c.events.size() - 1;
  step.at = c.events.back().at;
  for (const UserStory& user : c.users) {
    if (user.complete || user.life + 1 != c.lives || !user.touches_page) continue;
    const std::string who = who_words(c, user.who);
    // Daemons may go on for ever.
    const bool quiet = c.violation.sentence.starts_with("nothing is runnable");
    step.text = fmt::format("{}{} still waits for the answer to its {}", quiet ? "Nothing more happens: " : "", who,
                            user.op);
    step.text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(step.text[0])));
    const std::string missing = c.focus.snapshot ? missing_for_write(c) : "";
    if (!missing.empty()) step.text += ", and " + missing;
    step.notation = notation_of(user.op, user.fua, user.range);
    story->steps.push_back(step);
    return;
  }
}

void tell_left_over(const Chronicle& c, Story* story) {
  if (c.violation.oracle != oracle::kNoLeak || c.events.empty() || !c.focus.region) return;
  StoryStep step;
  step.event = c.events.size() - 1;
  step.at = c.events.back().at;
  step.text = fmt::format("Nothing more happens, but the entry for region {} stays in the region hash of {}",
                          *c.focus.region, c.focus.mirror);
  story->steps.push_back(step);
}

// Without a power cut: what the legs and the log hold when the promise is found broken.
void tell_end_state(const Chronicle& c, Story* story) {
  if (c.lives > 1 || c.focus.legs.size() < 2 || !c.focus.region) return;
  const std::string& name = c.violation.oracle;
  if (name != oracle::kLegsIdentical && name != oracle::kNoFalseSync) return;
  StoryStep step;
  step.event = c.events.size() - 1;
  step.at = c.events.back().at;
  const bool untouched = std::all_of(c.legs.begin(), c.legs.end(), [](const LegState& leg) {
    return leg.at_end == StoryContent::initial_of(leg.disk);
  });
  bool copied = false;
  for (std::size_t i = 0; i < c.events.size(); ++i) {
    copied = copied || (c.about_region(c.event(i)) && c.event(i).text("phase") == "copied");
  }
  if (c.clean_at_end) {
    step.text = fmt::format("Now the log says that region {} is {}{} ", *c.focus.region,
                            *c.clean_at_end ? "clean" : "dirty", untouched ? ", but" : ";");
  }
  for (std::size_t i = 0; !untouched && i < c.legs.size(); ++i) {
    step.text += fmt::format("{}{} has {}", i == 0 ? "" : ", ", c.legs[i].disk,
                             story->names.name(c.legs[i].at_end, c.legs[i].disk));
    if (i == 0) step.text += fmt::format(" of page {}", c.focus.page);
  }
  if (untouched) {
    step.text += fmt::format("{}ach leg still holds in page {} what it happened to hold at first",
                             step.text.empty() ? "E" : "e",
                             c.focus.page);
  }
  if (!copied) {
    const std::size_t others = count_before(c, c.events.size(), [&](const StoryEvent& event) {
      return event.is("mirror.recover") && event.text("phase") == "copied";
    });
    step.text += others == 0 ? std::string(". Recovery has never copied anything")
                             : fmt::format(". Recovery has copied {}, this one never",
                                           plural(others, "other region", "other regions"));
  }
  story->steps.push_back(step);
}

}  // namespace

std::string StoryNames::name(const StoryContent& content, std::string_view holder) {
  switch (content.kind) {
    case StoryContent::Kind::kUnknown:
      return "a content that the trace does not tell";
    case StoryContent::Kind::kInitial:
      return content.disk == holder ? "its own initial content"
                                    : content.disk + "'s initial content";
    case StoryContent::Kind::kVersion:
      return fmt::format("version {}",
                         numbers_.emplace(content.version, numbers_.size() + 1).first->second);
    case StoryContent::Kind::kMixture:
      return fmt::format("a mixture with version {}",
                         numbers_.emplace(content.version, numbers_.size() + 1).first->second);
    case StoryContent::Kind::kDiscarded:
      return "what a discard has left";
  }
  UNMODELLED("a content");
}

std::string StoryNames::label(const StoryContent& content) {
  switch (content.kind) {
    case StoryContent::Kind::kUnknown:
      return "?";
    case StoryContent::Kind::kInitial:
      return content.disk + "'s own";
    case StoryContent::Kind::kDiscarded:
      return "discarded";
    case StoryContent::Kind::kVersion:
    case StoryContent::Kind::kMixture: {
      const std::size_t known = number(content);
      if (known == 0) return "earlier";
      return fmt::format("v{}{}", known, content.kind == StoryContent::Kind::kMixture ? "+" : "");
    }
  }
  UNMODELLED("a content");
}

void StoryNames::set_legs(const std::vector<StoryFocus::Leg>& legs) {
  legs_.clear();
  for (const StoryFocus::Leg& leg : legs) legs_.push_back(leg.disk);
}

std::size_t StoryNames::initial_number(const StoryContent& content) const {
  return static_cast<std::size_t>(std::find(legs_.begin(), legs_.end(), content.disk) -
                                  legs_.begin());
}

std::size_t StoryNames::number(const StoryContent& content) const {
  if (content.kind != StoryContent::Kind::kVersion && content.kind != StoryContent::Kind::kMixture)
    return 0;
  const auto found = numbers_.find(content.version);
  return found == numbers_.end() ? 0 : found->second;
}

Story tell_story(const Chronicle& chronicle, const std::string& file) {
  Story story;
  const Plan& plan = chronicle.crash->plan;
  const Violation& violation = chronicle.violation;
  story.title = plan.scenario + (plan.variant.empty() ? "" : "/" + plan.variant);
  story.about = plan.about;
  story.names.set_legs(chronicle.focus.legs);
  // A move that goes wrong is told from its begin.
  story.first_event = std::min(story_start(chronicle), last_move(chronicle.events).value_or(chronicle.events.size()));
  story.last_event = chronicle.events.empty() ? 0 : chronicle.events.size() - 1;
  story.before = tell_before(chronicle, story.first_event);
  tell_steps(chronicle, &story);
  tell_no_recovery(chronicle, &story);
  tell_end_state(chronicle, &story);
  if (chronicle.focus.clone) {
    if (auto step = tell_clone_end(chronicle)) story.steps.push_back(std::move(*step));
  }
  tell_waiting(chronicle, &story);
  tell_left_over(chronicle, &story);
  fold_repetitions(&story.steps);
  const std::size_t thinned = thin_out(&story.steps);
  story.left_out = tell_left_out(chronicle, story, thinned);
  story.oracle = violation.oracle;
  for (const OracleInfo& info : oracle_table()) {
    if (info.name == violation.oracle) story.promise = info.promise;
  }
  story.found.push_back(violation.sentence);
  for (const std::string& detail : violation.details) story.found.push_back(sentence_of_detail(detail));
  story.blame = blame_words(violation.blame);
  story.command = "dmsim replay " + file;
  return story;
}

}  // namespace dmsim
