// Turns the events of a chronicle into the steps of its story. See story.h.
#pragma once

#include "crash-replay/story.h"

namespace dmsim {

// Where the story begins: the first event that still matters when the promise breaks.
std::size_t story_start(const Chronicle& chronicle);

// Fills steps and log_words from the events in [first_event, last_event] of `story`; names contents as
// it goes.
void tell_steps(const Chronicle& chronicle, Story* story);

// Which suspends are a resume's own, when it brings a new table: to be asked about each event of a trace in turn.
class ResumeUnderWay {
 public:
  bool suspends(const StoryEvent& event) {
    const std::string_view device = event.text("device");
    if (event.is("dm.resume")) device_ = device;
    const bool own = device_ == device && (event.is("dm.suspend") || event.is("dm.suspended"));
    if (event.is("dm.resumed")) device_.clear();
    return own;
  }

 private:
  std::string device_;  // empty: none
};

// The same few steps over and over become one round, and how often it comes again.
void fold_repetitions(std::vector<StoryStep>* steps);

// "the task database" for a task of the plan, else the name.
std::string who_words(const Chronicle& chronicle, std::string_view actor);
// "W24+8", "F".
std::string notation_of(std::string_view op, bool fua, SectorRange range);

}  // namespace dmsim
