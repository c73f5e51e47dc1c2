// Where everything of a timeline stands: lanes across, rows downwards. Knows nothing of SVG.
//
// Every event that is drawn gets a row; events of one instant share one as long as no two labels of one
// lane meet. So labels cannot overlap: a lane has one label in a row, and room for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crash-replay/story.h"

namespace dmsim {

enum class LaneKind : std::uint8_t { kTask, kCache, kDaemon, kDevice, kRegion, kLeg, kLog };

struct TimelineLane {
  LaneKind kind = LaneKind::kTask;
  std::string name;       // of the actor
  std::string title;      // head line
  std::string subtitle;   // what the lane's strip shows; may be empty
  std::size_t slots = 1;  // bars side by side
  double x = 0;           // left edge
  double width = 0;
};

struct TimelineRow {
  std::size_t event = 0;  // the first of them
  Instant at;
  double y = 0;           // of its middle
  std::string gap;        // idle time before it, in words; empty: none worth a mark
  double gap_y = 0;
  bool cut = false;       // the power is cut here
};

// A request, as a bar in the lane of whoever it was sent to.
struct TimelineBar {
  std::size_t lane = 0;
  std::size_t slot = 0;
  std::size_t from_row = 0;
  std::size_t to_row = 0;
  bool ended = true;                      // false: cut off by power, or still waiting at the end
  std::string notation;
  StoryContent content;
  std::optional<std::size_t> moved_row;   // its data moved
  std::optional<std::size_t> from_lane;   // who sent it
  std::optional<std::size_t> sampled_lane;  // where its data came from, when they moved
  std::string end_label;                  // "done", "EIO"
  std::string tooltip;
  bool failed = false;
};

// Something that happens at one instant in one lane.
struct TimelineMark {
  std::size_t lane = 0;
  std::size_t row = 0;
  std::string label;
  StoryContent content;   // kUnknown: none
  bool store = false;
  std::optional<std::size_t> to_lane;  // an arrow
  std::string tooltip;
};

// A stretch of a lane's strip: what it holds, or which state it is in.
struct TimelineStretch {
  std::size_t lane = 0;
  std::size_t from_row = 0;
  std::size_t to_row = 0;
  std::size_t label_row = 0;
  StoryContent content;   // kUnknown with a word: a state
  std::string word;       // "clean", "dirty"; empty: content's label
  bool labelled = true;   // false: it began before the timeline does
  std::string tooltip;
};

struct TimelineBadge {
  std::size_t row = 0;
  std::size_t step = 0;   // 1, 2, ...
  std::size_t place = 0;  // 0, 1, ... within the row
};

struct Timeline {
  std::vector<TimelineLane> lanes;
  std::vector<TimelineRow> rows;
  std::vector<TimelineBar> bars;
  std::vector<TimelineMark> marks;
  std::vector<TimelineStretch> stretches;
  std::vector<TimelineBadge> badges;
  double axis_width = 0;
  double head_height = 0;
  double width = 0;
  double height = 0;
};

inline constexpr double kStripWidth = 10;
inline constexpr double kSlotWidth = 13;

Timeline lay_out(const Chronicle& chronicle, Story& story);

}  // namespace dmsim
