// Story: what led to a broken promise, in numbered sentences that a tired person understands.
//
// It tells only what concerns the promise: the page, its region, the legs, the log, the power cut, from
// the first event that still matters at the end. Everything else is counted. Versions of the page are
// renumbered 1, 2, 3 in the order in which the story mentions them.
#pragma once

#include <string>
#include <vector>

#include "crash-replay/story_chronicle.h"

namespace dmsim {

struct StoryStep {
  // What a reader can do without when there are too many: kDetail goes first.
  enum class Weight : std::uint8_t { kEssential, kUseful, kDetail };
  std::size_t event = 0;  // index into Chronicle::events: where it stands in time
  Instant at;
  std::string text;      // a sentence, without a full stop
  std::string notation;  // in the notation of docs/GLOSSARY.md; may be empty
  Weight weight = Weight::kEssential;
  std::vector<std::size_t> requests;  // Chronicle::disk_requests that it tells of as one thing
};

// What the log on disk says of the region in focus, from an event on.
struct LogWord {
  std::size_t event = 0;
  bool clean = false;
};

// Gives contents their names, in order of first mention. Shared by story, timeline and table.
class StoryNames {
 public:
  // "version 2", "the initial content", "leg1's initial content"; `holder`: the disk that it is on.
  std::string name(const StoryContent& content, std::string_view holder = {});
  // "v2", "initial", "?": for labels.
  std::string label(const StoryContent& content);
  // 1, 2, ... for a version; 0: not a version, or never mentioned.
  std::size_t number(const StoryContent& content) const;
  std::size_t count() const { return numbers_.size(); }
  // Which disk's initial content it is: 0, 1, ... in the order of the legs.
  void set_legs(const std::vector<StoryFocus::Leg>& legs);
  std::size_t initial_number(const StoryContent& content) const;

 private:
  std::vector<std::string> legs_;
  std::map<std::uint64_t, std::size_t> numbers_;
};

struct Story {
  std::string title;                // "mirror-unstable-page/mmap-store-pdflush"
  std::string about;                // the scenario's own word; may be empty
  std::vector<std::string> before;  // what had happened when the story begins
  std::vector<StoryStep> steps;
  std::vector<std::string> left_out;  // counts
  std::vector<std::string> found;     // what was found, and further lines (who waits for whom)
  std::string oracle;
  std::string promise;             // the oracle's sentence
  std::string blame;               // "the engine"
  std::string command;             // to replay it
  std::vector<LogWord> log_words;  // by event; the first may lie before the story
  std::size_t first_event = 0;     // window of the story in Chronicle::events
  std::size_t last_event = 0;      // inclusive
  StoryNames names;
};

// `file` is how the user names the crash file.
Story tell_story(const Chronicle& chronicle, const std::string& file);
// As plain text, wrapped at 100 columns.
std::string story_text(const Chronicle& chronicle, Story& story);

// "legs against log": one row for each leg, for text and page alike.
struct StoryTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};
StoryTable legs_against_log(const Chronicle& chronicle, StoryNames& names);

}  // namespace dmsim
