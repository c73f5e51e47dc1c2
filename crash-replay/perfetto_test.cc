#include "crash-replay/perfetto.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "crash-replay/story_test_crash.h"

namespace dmsim {
namespace {

using Json = nlohmann::json;

Json events_of(const std::vector<StoryEvent>& events) {
  return Json::parse(perfetto_json(events)).at("traceEvents");
}

// The rules of the format that a viewer relies on.
void expect_well_formed(const Json& events) {
  std::set<std::string> open;
  std::set<std::string> ever;
  std::map<std::string, std::pair<double, int>> flows;  // id: begun at, how often ended
  std::map<std::pair<int, int>, double> slice_ends;
  std::map<std::pair<int, int>, double> slice_begins;
  for (const Json& event : events) {
    const std::string phase = event.at("ph");
    ASSERT_TRUE(event.at("pid").is_number_integer());
    ASSERT_TRUE(event.at("tid").is_number_integer());
    if (phase == "M") continue;
    ASSERT_TRUE(event.at("ts").is_number());
    const std::string id =
        event.value("id", "").empty() ? "" : event.value("cat", "") + event.value("id", "");
    if (phase == "b") {
      EXPECT_TRUE(ever.insert(id).second) << id << " begins twice";
      open.insert(id);
    } else if (phase == "n") {
      EXPECT_EQ(open.count(id), 1u) << id << " is not under way";
    } else if (phase == "e") {
      EXPECT_EQ(open.erase(id), 1u) << id << " ends without having begun";
    } else if (phase == "s") {
      flows[id] = {event.at("ts"), 0};
    } else if (phase == "f") {
      ASSERT_EQ(flows.count(id), 1u);
      EXPECT_LE(flows[id].first, event.at("ts").get<double>());
      ++flows[id].second;
    } else if (phase == "X") {
      // Slices of a track are equal or apart.
      const std::pair<int, int> track{event.at("pid"), event.at("tid")};
      const double begin = event.at("ts"), end = begin + event.at("dur").get<double>();
      if (slice_ends.count(track) != 0 && slice_begins[track] != begin) {
        EXPECT_GE(begin + 1e-6, slice_ends[track]);
      }
      slice_begins[track] = begin;
      slice_ends[track] = end;
    } else {
      EXPECT_TRUE(phase == "i" || phase == "C") << phase;
    }
  }
  EXPECT_TRUE(open.empty()) << *open.begin() << " never ends";
  for (const auto& [id, flow] : flows) EXPECT_EQ(flow.second, 1) << id;
}

TEST(perfetto, a_crash_with_a_power_cut_is_well_formed) {
  const auto told =
      tell_crash_of("scenarios/seeds/mirror-unstable-page.yaml", "mmap-store-pdflush");
  ASSERT_NE(told, nullptr);
  const Json events = events_of(told->chronicle.events);
  expect_well_formed(events);
  std::size_t begun = 0, submitted = 0, cut = 0, flows = 0, counters = 0;
  for (const StoryEvent& event : told->chronicle.events) {
    submitted += event.is("disk.submit") || event.is("dm.submit") ? 1 : 0;
  }
  for (const Json& event : events) {
    begun += event.at("ph") == "b" ? 1 : 0;
    flows += event.at("ph") == "f" ? 1 : 0;
    counters += event.at("ph") == "C" ? 1 : 0;
    cut += event.at("ph") == "e" && event.contains("args") && event.at("args").contains("ended_by")
               ? 1
               : 0;
  }
  EXPECT_EQ(begun, submitted);
  EXPECT_GE(cut, 1u) << "the log write was under way when the power was cut";
  EXPECT_GE(flows, 2u) << "each leg's write follows from the device's";
  EXPECT_GE(counters, 2u);
}

TEST(perfetto, a_long_run_without_a_cut_is_well_formed) {
  const auto told = tell_crash_of("scenarios/seeds/mirror-nosync-promoted.yaml", "as-2006");
  ASSERT_NE(told, nullptr);
  expect_well_formed(events_of(told->chronicle.events));
}

TEST(perfetto, quotes_and_control_characters_in_texts_are_escaped) {
  StoryEvent event;
  event.id = 1;
  event.actor = "ad\"min";
  event.kind = "dm.message";
  event.args = {{"text", "a\\b\n\"c\""}};
  const Json events = events_of({event});
  EXPECT_EQ(events.back().at("args").at("text"), "a\\b\n\"c\"");
}

TEST(perfetto, times_are_microseconds_to_the_nanosecond) {
  StoryEvent event;
  event.id = 1;
  event.at = Instant::at_ns(1'234'567);
  event.actor = "-";
  event.kind = "power.on";
  EXPECT_NE(perfetto_json({event}).find("\"ts\":1234.567"), std::string::npos);
}

}  // namespace
}  // namespace dmsim
