#include "crash-replay/timeline.h"

#include <gmock/gmock.h>

#include <set>

#include "crash-replay/story_test_crash.h"
#include "crash-replay/timeline_layout.h"
#include "crash-replay/timeline_svg.h"

namespace dmsim {
namespace {

using testing::HasSubstr;
using testing::Not;

// tools/html_test.py looks at the rendered page; here is what the layout itself must keep.
void expect_sound(const Timeline& timeline, const Story& story) {
  for (std::size_t i = 1; i < timeline.rows.size(); ++i) {
    EXPECT_LT(timeline.rows[i - 1].y, timeline.rows[i].y);
    EXPECT_LE(timeline.rows[i - 1].at, timeline.rows[i].at);
  }
  std::set<std::pair<std::size_t, std::size_t>> labels;  // lane and row
  for (const TimelineBar& bar : timeline.bars) {
    ASSERT_LT(bar.to_row, timeline.rows.size());
    EXPECT_LE(bar.from_row, bar.to_row);
    EXPECT_TRUE(labels.insert({bar.lane, bar.from_row}).second) << bar.notation;
    EXPECT_FALSE(bar.tooltip.empty());
    if (bar.moved_row) {
      EXPECT_GE(*bar.moved_row, bar.from_row);
      EXPECT_LE(*bar.moved_row, bar.to_row);
    }
  }
  for (const TimelineBar& one : timeline.bars) {
    for (const TimelineBar& other : timeline.bars) {
      if (&one == &other || one.lane != other.lane || one.slot != other.slot) continue;
      EXPECT_TRUE(one.to_row < other.from_row || other.to_row < one.from_row)
          << one.notation << " and " << other.notation << " share a slot";
    }
  }
  std::set<std::size_t> told;
  for (const TimelineBadge& badge : timeline.badges) told.insert(badge.step);
  EXPECT_EQ(told.size(), story.steps.size()) << "every step stands beside a row";
  for (std::size_t i = 1; i < timeline.lanes.size(); ++i) {
    EXPECT_GE(timeline.lanes[i].x, timeline.lanes[i - 1].x + timeline.lanes[i - 1].width);
  }
}

TEST(timeline, the_layout_of_an_unstable_page_is_sound_and_has_all_its_actors) {
  const auto told =
      tell_crash_of("scenarios/seeds/mirror-unstable-page.yaml", "mmap-store-pdflush");
  ASSERT_NE(told, nullptr);
  const Timeline timeline = lay_out(told->chronicle, told->story);
  expect_sound(timeline, told->story);
  std::vector<std::string> titles;
  for (const TimelineLane& lane : timeline.lanes) titles.push_back(lane.title);
  EXPECT_THAT(titles, testing::ElementsAre("database", "page cache", "pdflush", "lv", "region 0",
                                           "leg0", "leg1", "log0"));
  // The power goes while the log is being written: that bar is broken off at the cut.
  const auto cut = std::find_if(timeline.rows.begin(), timeline.rows.end(),
                                [](const TimelineRow& row) { return row.cut; });
  ASSERT_NE(cut, timeline.rows.end());
  const auto cut_row = static_cast<std::size_t>(cut - timeline.rows.begin());
  EXPECT_TRUE(std::any_of(timeline.bars.begin(), timeline.bars.end(), [&](const TimelineBar& bar) {
    return !bar.ended && bar.to_row == cut_row;
  }));
}

TEST(timeline, the_layouts_of_other_seeds_are_sound) {
  for (const auto& [file, variant] : {std::pair{"mirror-unstable-page", "mmap-store-kswapd"},
                                      std::pair{"mirror-unstable-page", "ext2-pdflush"},
                                      std::pair{"mirror-nosync-promoted", "as-2006"},
                                      std::pair{"mirror-nosync-promoted", "as-2006-at-once"}}) {
    const auto told = tell_crash_of(std::string("scenarios/seeds/") + file + ".yaml", variant);
    ASSERT_NE(told, nullptr);
    expect_sound(lay_out(told->chronicle, told->story), told->story);
  }
}

TEST(timeline, the_page_stands_alone) {
  const auto told =
      tell_crash_of("scenarios/seeds/mirror-unstable-page.yaml", "mmap-store-pdflush");
  ASSERT_NE(told, nullptr);
  const std::string page = timeline_page(told->chronicle, told->story);
  EXPECT_THAT(page, HasSubstr("id=\"cut\""));
  EXPECT_THAT(page, HasSubstr("id=\"legs\""));
  EXPECT_THAT(page, HasSubstr("@media print"));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  EXPECT_THAT(page, Not(HasSubstr("href=\"http")));
  EXPECT_THAT(page, HasSubstr("dmsim replay crash.yaml"));
  for (std::size_t i = 1; i <= told->story.steps.size(); ++i) {
    EXPECT_THAT(page, HasSubstr("id=\"step" + std::to_string(i) + "\""));
  }
}

TEST(timeline, text_of_the_user_cannot_become_markup) {
  EXPECT_EQ(escaped("<b> & \"x\""), "&lt;b&gt; &amp; &quot;x&quot;");
}

}  // namespace
}  // namespace dmsim
