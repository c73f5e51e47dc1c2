#include "crash-replay/story_events.h"

#include <gtest/gtest.h>

#include "crash-replay/story_test_crash.h"

namespace dmsim {
namespace {

TEST(story_events, a_line_is_read_back_name_by_name) {
  const auto event = parse_trace_line(
      "     292        58209315 leg0           disk.submit        cause=279 op=\"write\" sector=24 "
      "count=8 "
      "fua=0 preflush=0");
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->id, 292u);
  EXPECT_EQ(event->at.ns(), 58209315);
  EXPECT_EQ(event->actor, "leg0");
  EXPECT_EQ(event->kind, "disk.submit");
  EXPECT_EQ(event->cause, 279u);
  EXPECT_EQ(event->text("op"), "write");
  EXPECT_EQ(event->range(), (SectorRange{24, 32}));
  EXPECT_TRUE(event->text("nothing").empty());
}

TEST(story_events, names_with_blanks_and_texts_with_equals_signs_stay_whole) {
  const auto event = parse_trace_line(
      "       1               0 kmirrord lv    dm.load            cause=0 device=cache lv "
      "table=\"0 8 a "
      "b=c \"d\" e\" errno=0");
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ(event->actor, "kmirrord lv");
  EXPECT_EQ(event->text("device"), "cache lv");
  EXPECT_EQ(event->text("table"), "0 8 a b=c \"d\" e");
  EXPECT_EQ(event->text("errno"), "0");
}

TEST(story_events, what_is_no_event_is_refused) {
  EXPECT_FALSE(parse_trace_line(""));
  EXPECT_FALSE(parse_trace_line("hello"));
  EXPECT_FALSE(parse_trace_line("1 2 3"));
  EXPECT_FALSE(parse_trace_line("       1               0 -              power.on"));
  EXPECT_FALSE(parse_trace_line("scenario: mirror cause=1"));
}

TEST(story_events, every_event_of_a_crash_is_read_back_with_its_number_and_cause) {
  const auto told =
      tell_crash_of("scenarios/seeds/mirror-unstable-page.yaml", "mmap-store-pdflush");
  ASSERT_NE(told, nullptr);
  TraceId next = 1;
  for (const StoryEvent& event : told->chronicle.events) {
    EXPECT_EQ(event.id, next++);
    EXPECT_LT(event.cause, event.id);
    EXPECT_NE(event.kind.find('.'), std::string::npos);
  }
  EXPECT_GT(next, 100u);
}

TEST(story_events, instants_and_durations_are_written_for_people) {
  EXPECT_EQ(instant_words(Instant::at_ns(58'209'315)), "58.209 ms");
  EXPECT_EQ(instant_words(Instant::at_ns(7'000)), "0.007 ms");
  EXPECT_EQ(duration_words(Duration::microseconds(850)), "850 us");
  EXPECT_EQ(duration_words(Duration::microseconds(12'345)), "12.3 ms");
  EXPECT_EQ(duration_words(Duration::milliseconds(1'500)), "1.5 s");
}

}  // namespace
}  // namespace dmsim
