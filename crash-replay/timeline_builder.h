// Layout: a timeline in the making, from what is shown to where it stands. What is shown, lanes, rows and places are in
// timeline_layout.cc; bars of requests and marks of single events in timeline_bars.cc; strips, which show what a lane
// holds from row to row, in timeline_strips.cc.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crash-replay/timeline_layout.h"

namespace dmsim {

class Layout {
 public:
  Layout(const Chronicle& chronicle, Story& story) : c_(chronicle), f_(chronicle.focus), s_(story) {
    for (std::size_t i = 0; i < s_.steps.size(); ++i) steps_at_[s_.steps[i].event].push_back(i);
    end_ = s_.last_event;
  }

  Timeline run();

 private:
  // What is shown.
  void choose();
  bool in_window(std::size_t event) const { return event >= s_.first_event && event <= end_; }
  bool is_told(const DiskStory& request) const {
    return request.transfer && steps_at_.count(*request.transfer) > 0;
  }

  // Lanes.
  std::size_t lane(LaneKind kind, const std::string& name);
  std::optional<std::size_t> find_lane(const std::string& name) const;
  std::optional<std::size_t> find_lane(LaneKind kind) const;
  bool is_task(const std::string& name) const;
  bool acts(const StoryEvent& event) const;
  void make_lanes();

  // Rows.
  // A label that needs a place of its own: an event and the lane it will stand in.
  void want(std::size_t event, std::size_t in_lane) { wanted_[event].insert(in_lane); }

  void make_rows();
  std::size_t row(std::size_t event) const;
  // The row of the first power cut after `event`, or the last row.
  std::size_t end_row(std::size_t event) const;

  // Bars.
  void make_bars();
  void add_user_bar(const UserStory& user);
  void add_disk_bar(const DiskStory& request);
  std::string ended_words(std::optional<std::size_t> complete, const std::string& status) const;
  std::string events_words(std::vector<std::size_t> events,
                           std::optional<std::size_t> complete) const;

  // Marks.
  // Events that are no request and no strip of their own, and have a word to say in a lane.
  static bool has_mark(const StoryEvent& event) { return !mark_word(event).empty(); }
  static std::string mark_word(const StoryEvent& event);
  std::optional<std::size_t> mark_lane(const StoryEvent& event) const;
  void make_marks();

  // Strips.
  // The row in which a change becomes visible: what is there after a power cut, from the cut on.
  std::size_t change_row(std::size_t event) const;

  // A change of what a strip shows.
  struct Change {
    std::size_t event;
    StoryContent content;
    std::string word;
  };
  void add_stretches(std::size_t in_lane, const std::vector<Change>& changes,
                     std::optional<std::size_t> ends_at);

  // A version that the story does not mention.
  bool is_untold(const StoryContent& content) const;
  std::optional<std::size_t> last_event_of(std::string_view kind) const;
  void make_stretches();
  void add_leg_strip(const std::string& disk);
  void add_clone_region_strip(std::size_t in_lane, std::optional<std::size_t> cut);
  void add_region_strip(std::size_t in_lane, std::optional<std::size_t> cut);

  // Places.
  void place();

  const Chronicle& c_;
  const StoryFocus& f_;
  Story& s_;
  Timeline t_;
  std::size_t end_ = 0;                                       // last event shown
  std::map<std::size_t, std::vector<std::size_t>> steps_at_;  // by event: indices into story.steps
  std::vector<std::size_t> users_;                            // shown
  std::vector<std::size_t> requests_;                         // shown
  std::map<std::size_t, std::set<std::size_t>> wanted_;       // by event: lanes with a label
  std::map<std::size_t, std::size_t> row_of_;                 // by event
};

}  // namespace dmsim
