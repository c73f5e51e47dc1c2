// The crash states of small logs made by hand, counted and looked into.
#include "harness/log_states.h"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "harness/test_logs.h"

namespace dmsim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The first byte of each of the device's first sectors.
std::string look(const Image& image, std::size_t sectors) {
  std::vector<std::byte> bytes(sectors * kSectorBytes);
  image.read({0, sectors}, bytes);
  std::string out;
  for (std::size_t i = 0; i < sectors; ++i) {
    const auto byte = std::to_integer<unsigned char>(bytes[i * kSectorBytes]);
    out += byte == 0 ? '.' : static_cast<char>(byte);
  }
  return out;
}

// What every state of every moment looks like, by entry; the fast ways to make a state are held against
// the one that goes through its choices.
std::map<std::size_t, std::set<std::string>> all_states(const WriteLog& log, LogStateOptions options,
                                                        std::size_t sectors) {
  std::map<std::size_t, std::set<std::string>> out;
  LogStates states(log, options);
  PagePool pool;
  std::vector<std::uint32_t> choices;
  while (states.next()) {
    for (std::uint64_t number = 0; number < states.count(); ++number) {
      const Image image = states.state(number);
      PageSpace space(pool, 0);
      states.choose(number, &choices);
      EXPECT_EQ(image.fingerprint(), states.space().survive(choices, space).fingerprint())
          << states.entry() << "." << number << " " << states.policy(number);
      out[states.entry()].insert(look(image, sectors));
    }
  }
  return out;
}

std::set<std::string> together(const std::map<std::size_t, std::set<std::string>>& by_entry) {
  std::set<std::string> out;
  for (const auto& [entry, states] : by_entry) out.insert(states.begin(), states.end());
  return out;
}

TEST(LogStates, a_write_of_two_sectors_may_land_in_part_until_it_is_flushed) {
  LogWritesWriter writer;
  writer.write(0, 0, sectors_of(2, 'a'));
  writer.flush();
  const WriteLog log = parsed(writer);
  const auto states = all_states(log, {}, 2);
  EXPECT_THAT(states.at(0), ElementsAre("..", ".a", "a.", "aa"));
  EXPECT_THAT(states.at(1), ElementsAre("aa"));
}

TEST(LogStates, with_blocks_of_4_KiB_a_write_within_one_lands_whole_or_not_at_all) {
  LogWritesWriter writer;
  writer.write(0, 0, sectors_of(2, 'a'));
  EXPECT_THAT(together(all_states(parsed(writer), {.atomic_sectors = 8}, 2)),
              ElementsAre("..", "aa"));
}

TEST(LogStates, an_older_write_may_survive_where_a_newer_one_is_lost) {
  LogWritesWriter writer;
  writer.write(0, 0, sectors_of(1, 'a'));
  writer.write(0, 0, sectors_of(1, 'b'));
  EXPECT_THAT(together(all_states(parsed(writer), {}, 1)), ElementsAre(".", "a", "b"));
}

TEST(LogStates, a_FUA_write_is_durable_once_complete_and_overtakes_older_writes) {
  LogWritesWriter writer;
  writer.write(0, 0, sectors_of(2, 'a'));
  writer.write(0, kLogFua, sectors_of(1, 'b'));
  writer.mark("later");
  const auto states = all_states(parsed(writer), {}, 2);
  EXPECT_THAT(states.at(1), ElementsAre("..", ".a", "a.", "aa", "b.", "ba"));
  EXPECT_THAT(states.at(2), ElementsAre("b.", "ba"));
}

TEST(LogStates, a_write_that_carries_a_flush_is_behind_it) {
  LogWritesWriter writer;
  writer.write(0, 0, sectors_of(1, 'a'));
  writer.write(1, kLogFlush, sectors_of(1, 'b'));
  EXPECT_THAT(all_states(parsed(writer), {}, 2).at(1), ElementsAre("a.", "ab"));
}

TEST(LogStates, a_discard_is_a_write_of_zeroes) {
  LogWritesWriter writer;
  writer.discard(0, 8);  // of zeroes: makes no difference
  writer.write(0, kLogFua, sectors_of(1, 'a'));
  writer.mark("written");
  writer.discard(0, 8);
  writer.flush();
  const auto states = all_states(parsed(writer), {}, 1);
  EXPECT_EQ(states.at(0).size(), 1u);
  EXPECT_THAT(states.at(3), ElementsAre(".", "a"));
  EXPECT_THAT(states.at(4), ElementsAre("."));
}

TEST(LogStates, a_flush_empties_only_the_cache_of_the_part_it_was_sent_to) {
  LogWritesWriter writer;
  writer.write(0, 0, sectors_of(1, 'a'));
  writer.write(8, 0, sectors_of(1, 'b'));
  writer.flush(8);
  const WriteLog log = parsed(writer);
  const LogStateOptions apart{.caches = {{0, 8}, {8, 16}}};
  EXPECT_THAT(all_states(log, apart, 9).at(2), ElementsAre("........b", "a.......b"));
  EXPECT_THAT(all_states(log, {}, 9).at(2), ElementsAre("a.......b"));
}

TEST(LogStates, too_many_combinations_are_sampled_by_policy) {
  LogWritesWriter writer;
  writer.write(0, 0, sectors_of(3, 'a'));
  writer.write(3, 0, sectors_of(3, 'b'));
  const auto states = all_states(parsed(writer), {.exhaustive = 8, .random_subsets = 0}, 6);
  EXPECT_THAT(states.at(1), ElementsAre("......", ".....b", "....b.", "...b..", "...bbb", ".aabbb", "a.abbb", "aa.bbb",
                                        "aaa...", "aaa.bb", "aaab.b", "aaabb.", "aaabbb"));
}

TEST(LogStates, all_combinations_contain_whatever_a_policy_picks) {
  LogWritesWriter writer;
  writer.write(0, 0, sectors_of(4, 'a'));
  writer.write(2, 0, sectors_of(3, 'b'));
  writer.write(1, kLogFua, sectors_of(2, 'c'));
  writer.write(0, 0, sectors_of(2, 'd'));
  const WriteLog log = parsed(writer);
  const auto all = together(all_states(log, {.exhaustive = 100000}, 5));
  const auto sampled = together(all_states(log, {.exhaustive = 1, .random_subsets = 50}, 5));
  EXPECT_TRUE(std::includes(all.begin(), all.end(), sampled.begin(), sampled.end()));
  EXPECT_GT(sampled.size(), 20u);
}

TEST(LogStates, a_state_has_the_same_number_in_every_walk_and_random_ones_follow_the_seed) {
  LogWritesWriter writer;
  writer.write(0, 0, sectors_of(40, 'a'));
  const WriteLog log = parsed(writer);
  const auto fingerprints = [&](std::uint64_t seed, bool backwards) {
    LogStates states(log, {.seed = seed});
    EXPECT_TRUE(states.next());
    std::vector<std::uint64_t> out(states.count());
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t number = backwards ? out.size() - 1 - i : i;
      out[number] = states.state(number).fingerprint();
    }
    return out;
  };
  EXPECT_EQ(fingerprints(1, false), fingerprints(1, true));
  EXPECT_NE(fingerprints(1, false), fingerprints(2, false));
}

TEST(LogStates, states_from_an_entry_on_begin_with_what_was_durable_before) {
  LogWritesWriter writer;
  writer.write(0, 0, sectors_of(1, 'a'));
  writer.flush();
  writer.mark("here");
  writer.write(1, 0, sectors_of(1, 'b'));
  const auto states = all_states(parsed(writer), {.first_entry = 2}, 2);
  EXPECT_EQ(states.count(1), 0u);
  EXPECT_THAT(states.at(2), ElementsAre("a."));
  EXPECT_THAT(states.at(3), ElementsAre("a.", "ab"));
}

TEST(LogStates, what_survived_is_told_entry_by_entry) {
  LogWritesWriter writer;
  writer.write(0, 0, sectors_of(2, 'a'));
  writer.write(4, kLogFua, sectors_of(1, 'b'));
  const WriteLog log = parsed(writer);
  LogStates states(log, {});
  ASSERT_TRUE(states.next());
  ASSERT_TRUE(states.next());
  ASSERT_EQ(states.count(), 8u);
  EXPECT_THAT(states.survivors(5), ElementsAre("entry 0 W0+2: torn: 1 of 2 units landed, at 0",
                                               "entry 1 W4+1!: landed"));
  EXPECT_THAT(states.survivors(0), ElementsAre(HasSubstr("lost"), HasSubstr("lost")));
  EXPECT_FALSE(states.next());
}

TEST(LogStates, stale_parts_begin_as_ones) {
  LogWritesWriter writer;
  writer.write(0, 0, sectors_of(1, 'a'));
  EXPECT_THAT(together(all_states(parsed(writer), {.stale = {{0, 1}}}, 2)),
              ElementsAre("a.", "\xFF."));
}

}  // namespace
}  // namespace dmsim
