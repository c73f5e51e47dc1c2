#include "crash-replay/story.h"
#include "crash-replay/story_steps.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "crash-replay/story_test_crash.h"

namespace dmsim {

std::unique_ptr<ToldCrash> tell_crash_of_text(const std::string& name, const std::string& yaml) {
  const std::string path = testing::TempDir() + name + ".yaml";
  std::ofstream(path) << "scenario: " << name << "\n" << yaml;
  auto told = tell_crash_of(path, "");
  std::filesystem::remove(path);
  return told;
}

namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

constexpr std::string_view kMirror = R"(
disks:
  leg0: &leg {size: 1MiB}
  leg1: *leg
  log0: {size: 64KiB, content: zero}
devices:
  lv: "0 2048 mirror disk 2 log0 256 2 leg0 0 leg1 0 1 handle_errors"
)";

// The steps stand in the story in this order, each within some sentence.
void expect_in_order(const Story& story, const std::vector<std::string>& parts) {
  std::size_t at = 0;
  for (const std::string& part : parts) {
    while (at < story.steps.size() && story.steps[at].text.find(part) == std::string::npos) ++at;
    if (at == story.steps.size()) {
      std::string all;
      for (const StoryStep& step : story.steps) all += "  " + step.text + "\n";
      FAIL() << "no step says, in this order: " << part << "\n" << all;
    }
    ++at;
  }
}

void expect_readable(const ToldCrash& told) {
  EXPECT_GE(told.story.steps.size(), 4u) << told.text;
  EXPECT_LE(told.story.steps.size(), 25u) << told.text;
  for (std::size_t i = 1; i < told.story.steps.size(); ++i) {
    EXPECT_LE(told.story.steps[i - 1].event, told.story.steps[i].event) << told.text;
  }
  for (const StoryStep& step : told.story.steps) EXPECT_FALSE(step.text.empty());
  for (std::size_t i = 2; i < told.story.steps.size(); ++i) {
    const StoryStep& step = told.story.steps[i];
    EXPECT_TRUE(step.text != told.story.steps[i - 1].text || step.text != told.story.steps[i - 2].text ||
                step.notation != told.story.steps[i - 2].notation)
        << told.text;
  }
  std::istringstream lines(told.text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
  EXPECT_THAT(told.text, HasSubstr("\ndmsim replay crash.yaml\n"));
}

TEST(story, an_unstable_page_is_told_from_the_store_to_the_legs_that_differ) {
  const auto told =
      tell_crash_of("scenarios/seeds/mirror-unstable-page.yaml", "mmap-store-pdflush");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(
      told->story,
      {"The task database stores version 1 of page 3",
       "pdflush writes page 3 back: it holds version 1", "receives version", "receives version",
       "is called clean", "Power is cut", "After the reboot the log says that region 0 is clean",
       "Region 0 is not copied, because the log calls it clean"});
  EXPECT_THAT(told->text, HasSubstr("Broken by the engine: legs-identical-where-clean."));
  // What the story says of the legs is what the simulated disks hold.
  ASSERT_EQ(told->chronicle.legs.size(), 2u);
  EXPECT_NE(told->chronicle.legs[0].digest, told->chronicle.legs[1].digest);
  EXPECT_FALSE(told->chronicle.legs[0].at_end == told->chronicle.legs[1].at_end);
  EXPECT_EQ(told->chronicle.clean_after_cut, true);
  EXPECT_THAT(told->chronicle.differing,
              testing::Contains(told->chronicle.violation.sectors.begin));
}

TEST(story, a_mixed_page_of_ext2_is_told_within_the_limit) {
  const auto told = tell_crash_of("scenarios/seeds/mirror-unstable-page.yaml", "ext2-pdflush");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(told->story,
                  {"receives version", "receives version", "Power is cut", "After the reboot"});
}

TEST(story, a_region_promoted_without_a_copy_is_told_without_a_power_cut) {
  const auto told = tell_crash_of("scenarios/seeds/mirror-nosync-promoted.yaml", "as-2006");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(told->story,
                  {"only: region", "is called clean, although it has never been copied",
                   "The task admin resumes lv", "this one never"});
  EXPECT_THAT(told->text, testing::Not(HasSubstr("Power is cut")));
}

TEST(story, a_chunk_saved_into_a_cache_alone_is_told_with_its_record_and_the_write_that_overtook_it) {
  const auto told = tell_crash_of("scenarios/snapshot/exception-barriers.yaml", "origin-before-record");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(told->story, {"writes to origin, over chunk", "gets place", "has been copied",
                                "is written to cow, behind a flush, into its cache",
                                "is read from cow from now on", "Power is cut", "reached the media"});
  EXPECT_THAT(told->text, HasSubstr("snap is a snapshot of real, its chunks are kept on cow."));
}

TEST(story, a_merge_that_overtakes_a_handover_is_told_between_the_store_and_the_table_that_counts) {
  const auto told = tell_crash_of("scenarios/snapshot/merge-races-handover.yaml", "as-linux");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(told->story,
                  {"The task admin resumes other with a new table", "The store of other goes to its new table",
                   "The merge into lv copies sectors", "From now on other saves what is overwritten on real"});
}

TEST(story, a_write_that_waits_for_a_snapshot_is_told_with_the_store_that_went_away_from_its_chunk) {
  const auto told = tell_crash_of("scenarios/snapshot/handover-races-origin.yaml", "origin-runs-on");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(told->story, {"The write waits until the chunk has been saved",
                                "The store of snap goes to its new table, while copies into it are under way",
                                "has been copied", "has never been recorded"});
}

TEST(story, a_deadlock_names_both_processes_the_lock_the_devices_and_the_bio_in_a_circle) {
  const auto told = tell_crash_of("scenarios/seeds/snapshot-of-mirror.yaml", "lock");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  for (const char* words : {"holds it", "has begun to suspend vg-lv", "until it is repaired", "the circle closes at",
                            "vg-lv has never answered"}) {
    EXPECT_THAT(told->story.found, testing::Contains(HasSubstr(words)));
  }
}

TEST(story, a_deadlock_of_daemons_alone_is_told_from_the_request_that_waits_for_them) {
  const auto told = tell_crash_of("scenarios/lvm/two-groups-one-repair.yaml", "one-at-a-time");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  for (const char* words : {"the mirror other-lv holds 1 bios until it is repaired", "a bio of root-lv",
                            "the lock of dmeventd's commands: dmeventd-2 holds it",
                            "the circle closes at dmeventd-2"}) {
    EXPECT_THAT(told->story.found, testing::Contains(HasSubstr(words)));
  }
}

TEST(story, a_region_committed_before_its_flush_is_told_from_the_copy_to_the_reader) {
  const auto told =
      tell_crash_of("scenarios/seeds/clone-commit-before-flush.yaml", "as-2019-background");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(told->story,
                  {"In the background lv begins to copy region", "copied to the destination",
                   "lv begins to commit its metadata", "nobody has flushed dest", "Power is cut",
                   "After the reboot the metadata say that region", "A reader reads",
                   "is read from dest, which has its own initial content"});
  EXPECT_THAT(told->text, HasSubstr("lv is a clone of src on dest, its metadata are on meta."));
  EXPECT_EQ(told->chronicle.clean_after_cut, true);
}

TEST(story, a_write_of_part_of_a_cloned_region_is_told_with_its_neighbours_copy) {
  const auto told =
      tell_crash_of("scenarios/seeds/clone-commit-before-flush.yaml", "as-2019-user-write");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(told->story, {"The task database writes", "is not hydrated: before the write",
                                "copied to the destination", "Power is cut", "is read from dest"});
}

TEST(story, a_region_that_missed_the_flush_is_told_as_such) {
  for (const char* variant : {"one-phase", "word-tracking"}) {
    const auto told = tell_crash_of("scenarios/seeds/clone-commit-before-flush.yaml", variant);
    ASSERT_NE(told, nullptr);
    expect_in_order(told->story, {"begins to commit", "copied to the destination", "came later",
                                  "says for good that region"});
  }
}

TEST(story, a_lost_write_is_told_with_its_flush_and_the_reader) {
  const auto told = tell_crash_of_text("lost-write", std::string(kMirror) + R"(
tasks:
  - name: user
    write: {device: lv, every: 100us..1ms, count: 60, flush-every: 4}
power-cut: {when: any, states: 3}
check: [durability]
switches: {mirror.forward_flush: "off"}
expect: violates durability
)");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(told->story,
                  {"The task user writes version 1 of page", "lv answers that the write is done",
                   "The task user flushes lv", "without having sent one to any leg", "Power is cut",
                   "After the reboot", "A reader reads", "delivers"});
}

TEST(story, a_write_that_nobody_answers_is_told_with_who_waits) {
  const auto told = tell_crash_of_text("no-leg", std::string(kMirror) + R"(
faults:
  - {disk: leg0, kind: dies, from: 60ms}
  - {disk: leg1, kind: dies, from: 60ms}
tasks:
  - name: user
    write: {device: lv, start: 61ms, every: 100us..1ms, count: 60}
check: [liveness]
switches: {mirror.no_valid_leg: hold}
expect: violates liveness
)");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(told->story,
                  {"The task user writes", "by the fault 'dies'", "as failed",
                   "holds the write back", "the task user still waits for the answer"});
  EXPECT_THAT(told->text, HasSubstr("user waits for"));
}

TEST(story, a_false_error_is_told_with_the_fault_and_the_answer) {
  const auto told = tell_crash_of_text("read-error", std::string(kMirror) + R"(
faults:
  - {disk: leg0, kind: read-error, from: 59ms, range: 80s..88s}
tasks:
  - name: reader
    read: {device: lv, start: 60ms, every: 100us..1ms, count: 200, range: 64s..128s}
check: [no-false-error]
switches: {mirror.read_retry: none}
expect: violates no-false-error
)");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(told->story, {"The task reader reads page 10 of lv",
                                "leg0 fails the read with EIO", "lv fails the read with EIO"});
}

TEST(story, a_page_in_the_cache_of_a_device_further_up_is_followed_down_to_the_mirror) {
  const auto told = tell_crash_of_text("stack", R"(
disks:
  leg0: &leg {size: 2MiB}
  leg1: *leg
  log0: {size: 64KiB, content: zero}
devices:
  m: "0 2048 mirror disk 2 log0 256 2 leg0 8 leg1 24 1 handle_errors"
  lv: "0 1024 linear m 512"
memory: {pages: 64}
pdflush: {interval: 5ms, expire: 30ms}
tasks:
  - name: database
    mmap-store: {device: lv, page: 3, start: 20ms, every: 50us..1ms, count: 200}
power-cut: {when: any, states: 3}
check: [legs-identical-where-clean]
expect: violates legs-identical-where-clean
)");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  EXPECT_EQ(told->chronicle.focus.device, "m");
  EXPECT_EQ(told->chronicle.focus.page, 67u);
  EXPECT_EQ(told->chronicle.focus.cache_page, 3u);
  expect_in_order(told->story,
                  {"The task database stores version 1 of page 67", "pdflush writes page 67 back",
                   "receives version", "receives version", "Power is cut"});
}

// What the story says of two legs agrees with the digests in its table.
void expect_true(const ToldCrash& told) {
  const auto& legs = told.chronicle.legs;
  for (const LegState& leg : legs) {
    const bool told_equal = leg.at_end.kind != StoryContent::Kind::kUnknown && leg.at_end == legs.front().at_end;
    EXPECT_TRUE(!told_equal || leg.digest == legs.front().digest) << told.text;
  }
}

TEST(story, what_happens_over_and_over_is_told_once_with_how_often_it_comes_again) {
  const auto folded = [](const std::string& letters) {
    std::vector<StoryStep> steps;
    for (const char letter : letters) {
      steps.push_back({steps.size(), Instant::at_ns(static_cast<std::int64_t>(steps.size()) * 1000),
                       std::string(1, letter), "", StoryStep::Weight::kEssential, {}});
    }
    fold_repetitions(&steps);
    std::string text;
    for (const StoryStep& step : steps) text += step.text + ";";
    return text;
  };
  EXPECT_EQ(folded(""), "");
  EXPECT_EQ(folded("abcabc"), "a;b;c;a;b;c;");
  EXPECT_EQ(folded("xaaay"), "x;a;The same happens 2 more times, the last time at 0.003 ms;y;");
  EXPECT_EQ(folded("xababababy"), "x;a;b;The same happens 3 more times, the last time at 0.008 ms;y;");
  EXPECT_EQ(folded("abababa"), "a;b;The same happens 2 more times, the last time at 0.005 ms;a;");
}

TEST(story, a_write_that_the_power_cut_caught_in_flight_is_what_the_leg_holds_afterwards) {
  const auto told = tell_crash_of("scenarios/mirror/dirty-not-flushed.yaml", "mark-in-cache");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_true(*told);
  EXPECT_FALSE(told->chronicle.legs[0].at_end == told->chronicle.legs[1].at_end) << told->text;
}

TEST(story, what_was_discarded_is_not_told_as_what_was_there_before) {
  const auto told = tell_crash_of("scenarios/mirror/discard-degrades.yaml", "degrades-and-holds");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_true(*told);
}

TEST(story, a_log_write_that_failed_is_not_told_as_written) {
  const auto told = tell_crash_of("scenarios/mirror/log-fail-fake-success.yaml", "acknowledged");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  std::size_t failed = 0;
  for (std::size_t i = 0; i < told->story.steps.size(); ++i) {
    const std::string& text = told->story.steps[i].text;
    if (text.find("log0 fails the write") != std::string::npos) failed = i + 1;
    EXPECT_TRUE(i == 0 || failed != i || text.find("The log is written") == std::string::npos) << told->text;
  }
  EXPECT_GT(failed, 0u) << told->text;
}

TEST(story, a_write_of_an_origin_that_nobody_answers_is_told_with_what_became_of_its_snapshot) {
  const auto told = tell_crash_of("scenarios/snapshot/destroyed-with-pending.yaml", "as-2007");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(told->story, {"gets place", "removes snap", "Nothing more happens"});
}

TEST(story, a_suspend_that_ended_before_the_first_step_is_told_in_front_of_it) {
  const auto told = tell_crash_of("scenarios/mirror/interrupted-suspend-hangs.yaml", "freeze-fails-leg-fails");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  EXPECT_THAT(told->text, HasSubstr("the suspend of lv ended with E")) << told->text;
}

TEST(story, a_flush_that_a_disk_only_pretends_is_told) {
  const auto told = tell_crash_of_text("linear-lie", R"(
disks:
  d0: {size: 1MiB}
faults:
  - {disk: d0, kind: lying-flush}
devices:
  lv: "0 2048 linear d0 0"
tasks:
  - name: user
    write: {device: lv, every: 100us..1ms, count: 40, block: 8KiB, flush-every: 2}
power-cut: {when: any, states: 3}
check: [durability]
expect: violates durability by disk
)");
  ASSERT_NE(told, nullptr);
  expect_readable(*told);
  expect_in_order(
      told->story,
      {"writes version 1", "flushes lv", "The fault 'lying-flush' strikes a flush on d0",
       "the flush is done", "Power is cut", "delivers its own initial content"});
  EXPECT_THAT(told->text, HasSubstr("Broken by a disk: durability."));
}

TEST(story, versions_are_numbered_in_the_order_of_their_mention) {
  StoryNames names;
  EXPECT_EQ(names.name(StoryContent::of_version(86)), "version 1");
  EXPECT_EQ(names.name(StoryContent::of_version(12)), "version 2");
  EXPECT_EQ(names.name(StoryContent::of_version(86)), "version 1");
  EXPECT_EQ(names.label(StoryContent::of_version(12)), "v2");
  EXPECT_EQ(names.label(StoryContent::of_version(99)), "earlier");
  EXPECT_EQ(names.count(), 2u);
}

TEST(story, an_initial_content_says_whose_it_is_unless_it_is_its_holders_own) {
  StoryNames names;
  EXPECT_EQ(names.name(StoryContent::initial_of("leg0"), "leg0"), "its own initial content");
  EXPECT_EQ(names.name(StoryContent::initial_of("leg0"), "leg1"), "leg0's initial content");
}

}  // namespace
}  // namespace dmsim
