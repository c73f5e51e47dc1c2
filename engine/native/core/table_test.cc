#include "engine/native/core/table.h"

#include <cerrno>

#include "engine/native/core/core_test_rig.h"

namespace dmsim::native {
namespace {

// Loads `table` into a new device "t"; the error, as "errno: reason".
std::string refusal(Rig& rig, const std::string& table) {
  std::string out = "none";
  rig.run([&] {
    ASSERT_TRUE(rig.dm->create("t").ok());
    auto loaded = rig.dm->load("t", table);
    if (!loaded) out = std::to_string(loaded.error().errno_value) + ": " + loaded.error().reason;
    ASSERT_TRUE(rig.dm->remove("t").ok());
  });
  rig.expect_at_rest();
  return out;
}

TEST(Table, refusals_are_in_the_words_of_dm) {
  Rig rig;
  rig.disk("leg0", 100);
  const std::pair<const char*, const char*> cases[] = {
      {"", "22: populate_table: no targets specified"},
      {"# nothing\n", "22: populate_table: no targets specified"},
      {"0 8", "22: Invalid format on line 1 of table"},
      {"0 0 zero", "22: zero-length target"},
      {"0 18446744073709551615 zero", "22: too large device"},
      {"36028797018963967 2 zero", "22: too large device"},
      {"0 8 raid7", "22: unknown target type"},
      {"1 8 zero", "22: Gap in table"},
      {"0 8 zero\n9 8 zero", "22: Gap in table"},
      {"0 8 zero\n7 8 zero", "22: Gap in table"},
      {"0 8 zero x", "22: No arguments required"},
      {"0 8 linear", "22: Invalid argument count"},
      {"0 8 linear leg0", "22: Invalid argument count"},
      {"0 8 linear leg0 0 0", "22: Invalid argument count"},
      {"0 8 linear leg0 x", "22: Invalid device sector"},
      {"0 8 linear leg9 0", "19: Device lookup failed"},
      {"0 8 linear t 0", "19: Device lookup failed"},
      {"0 8 delay leg0 0", "22: Requires exactly 3, 6 or 9 arguments"},
      {"0 8 delay leg0 x 1", "22: Invalid device sector"},
      {"0 8 delay leg0 0 x", "22: Invalid delay"},
      {"0 8 delay leg0 0 1 leg9 0 1", "19: Device lookup failed"},
      {"0 8 fake a leg9", "19: Device lookup failed"},
      {"0 101 linear leg0 0", "22: leg0 too small for target: start=0, len=101, dev_size=100"},
      {"0 8 linear leg0 93", "22: leg0 too small for target: start=93, len=8, dev_size=100"},
      {"0 8 linear leg0 18446744073709551615",
       "22: leg0 too small for target: start=18446744073709551615, len=8, dev_size=100"},
      {"0 100 linear leg0 0", "none"},
      {"0 8 error whatever words", "none"},
  };
  for (const auto& [table, expected] : cases) EXPECT_EQ(refusal(rig, table), expected) << table;
}

TEST(Table, areas_and_rows_must_fit_the_block_size_of_what_is_below) {
  Rig rig;
  rig.disk("big", 1024).shape.logical_block_sectors = 8;
  rig.disk("small", 1024);
  EXPECT_EQ(refusal(rig, "0 16 linear big 4"),
            "22: start=4 not aligned to h/w logical block size 4096 of big");
  EXPECT_EQ(refusal(rig, "0 12 linear big 8"),
            "22: len=12 not aligned to h/w logical block size 4096 of big");
  EXPECT_EQ(refusal(rig, "0 4 linear small 0\n4 16 linear big 0"),
            "22: table line 1 (start sect 4 len 16) not aligned to h/w logical block size 4096");
  EXPECT_EQ(refusal(rig, "0 4 linear small 0\n4 4 linear small 8\n8 16 linear big 0"), "none");
}

TEST(Table, limits_are_stacked_over_the_devices_below) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  FakeDisk& b = rig.disk("b");
  a.shape = {.logical_block_sectors = 1, .discard = true, .volatile_cache = false,
             .stable_writes = false, .max_sectors = 64};
  b.shape = {.logical_block_sectors = 8, .discard = true, .volatile_cache = true,
             .stable_writes = true, .max_sectors = 128};
  rig.activate("lv", "0 64 linear a 0\n64 64 linear b 0");
  BlockLimits limits = rig.dm->find("lv")->limits();
  EXPECT_EQ(limits.logical_block_sectors, 8u);
  EXPECT_EQ(limits.max_sectors, 64u);
  EXPECT_TRUE(limits.discard);
  EXPECT_TRUE(limits.volatile_cache);
  EXPECT_TRUE(limits.stable_writes);

  a.shape.discard = false;
  rig.run([&] { rig.reload("lv", "0 64 linear a 0"); });
  limits = rig.dm->find("lv")->limits();
  EXPECT_FALSE(limits.discard);
  EXPECT_FALSE(limits.volatile_cache);
  EXPECT_FALSE(limits.stable_writes);
  EXPECT_EQ(limits.logical_block_sectors, 1u);
}

TEST(Table, a_target_without_devices_offers_no_discards_and_no_cache) {
  Rig rig;
  rig.disk("a");
  rig.activate("lv", "0 8 linear a 0\n8 8 error");
  EXPECT_FALSE(rig.dm->find("lv")->limits().discard);
  EXPECT_TRUE(rig.dm->find("lv")->limits().volatile_cache);
  rig.run([&] { rig.reload("lv", "0 8 zero"); });
  EXPECT_FALSE(rig.dm->find("lv")->limits().volatile_cache);
}

TEST(Table, a_target_that_does_not_tell_its_devices_stands_on_what_it_opened) {
  Rig rig;
  rig.disk("a", 4).shape.max_sectors = 2;
  rig.activate("lv", "0 8 fake f a silent");  // its size is not looked at
  EXPECT_EQ(rig.dm->find("lv")->limits().max_sectors, 2u);
  EXPECT_TRUE(rig.dm->find("lv")->limits().volatile_cache);
}

TEST(Table, later_tables_are_checked_when_they_are_swapped_in) {
  Rig rig;
  rig.disk("a", 16);
  rig.activate("lv", "0 16 linear a 0");
  rig.run([&] {
    EXPECT_TRUE(rig.dm->load("lv", "0 32 linear a 0").ok());
    auto resumed = rig.dm->resume("lv");
    ASSERT_FALSE(resumed.ok());
    EXPECT_EQ(resumed.error().errno_value, EINVAL);
    EXPECT_EQ(resumed.error().reason, "a too small for target: start=0, len=32, dev_size=16");
    // The refused table is gone, the old one waits suspended.
    EXPECT_EQ(rig.dm->table("lv", TableSlot::kInactive).value(), "");
    EXPECT_EQ(rig.dm->table("lv", TableSlot::kLive).value(), "0 16 linear a 0");
    EXPECT_TRUE(rig.dm->resume("lv").ok());
  });
  EXPECT_EQ(rig.io("lv", Op::kRead, 0, 8), kOk);
  rig.expect_at_rest();
}

TEST(Table, a_bio_finds_its_row_among_many) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  std::string table;
  for (int i = 0; i < 9; ++i) {
    table += std::to_string(i * 10) + " 10 linear a " + std::to_string(900 - i * 100) + "\n";
  }
  rig.activate("lv", table);
  for (const Sector at : {0u, 9u, 10u, 45u, 79u, 80u, 89u}) {
    a.log.clear();
    EXPECT_EQ(rig.io("lv", Op::kRead, at, 1), kOk);
    EXPECT_EQ(a.log, Strings{bio_notation(Op::kRead, false, 900 - at / 10 * 100 + at % 10, 1)});
  }
  EXPECT_EQ(rig.dm->find("lv")->sectors(), 90u);
}

}  // namespace
}  // namespace dmsim::native
