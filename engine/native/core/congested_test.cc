// What a mapped device says when it is asked whether it is congested, and core.table_reference: who destroys a table
// that is replaced while somebody asks.
#include <gtest/gtest.h>

#include "engine/native/core/core_test_rig.h"

namespace dmsim::native {
namespace {

TEST(Congested, a_device_is_if_one_below_it_is) {
  Rig rig;
  FakeDisk& one = rig.disk("one");
  FakeDisk& two = rig.disk("two");
  rig.activate("low", "0 512 linear two 0");
  rig.activate("lv", "0 512 linear one 0\n512 512 linear low 0");
  BlockDevice& lv = *rig.dm->find("lv");
  EXPECT_FALSE(lv.congested());
  two.busy = true;
  EXPECT_TRUE(lv.congested());
  two.busy = false;
  one.busy = true;
  EXPECT_TRUE(lv.congested());
}

TEST(Congested, a_device_without_a_table_is_and_a_suspended_one_too) {
  Rig rig;
  rig.disk("disk");
  ASSERT_TRUE(rig.dm->create("bare").ok());
  EXPECT_TRUE(rig.dm->find("bare")->congested());
  rig.activate("lv", "0 512 linear disk 0");
  rig.spawn([&] { EXPECT_TRUE(rig.dm->suspend("lv", {}).ok()); });
  rig.settle();
  EXPECT_TRUE(rig.dm->find("lv")->congested());
  rig.spawn([&] { EXPECT_TRUE(rig.dm->resume("lv").ok()); });
  rig.settle();
  EXPECT_FALSE(rig.dm->find("lv")->congested());
}

// A table is replaced while somebody asks the device whether it is congested.
class Replaced : public testing::Test {
 protected:
  void replace(const SwitchValues& switches) {
    rig.emplace(switches);
    FakeDisk& disk = rig->disk("disk");
    rig->disk("other");
    rig->activate("low", "0 512 linear disk 0");
    rig->activate("lv", "0 512 linear low 0");
    answer.emplace(rig->scheduler, "the answer of a disk");
    disk.asked = [this] {
      wait_until(*answer, [this] { return may_answer; });
    };
    rig->spawn([this] {
      EXPECT_FALSE(rig->dm->find("lv")->congested());
      asked = true;
    });
    rig->settle();
    ASSERT_FALSE(asked);
    rig->spawn([this] {
      EXPECT_TRUE(rig->dm->load("lv", "0 512 linear other 0").ok());
      EXPECT_TRUE(rig->dm->resume("lv").ok());
      replaced = true;
      removed = rig->dm->remove("low");
    });
    rig->settle();
  }
  void go_on() {
    may_answer = true;
    answer->wake_all();
    rig->settle();
  }
  ~Replaced() override {
    if (rig) rig->scheduler.shut_down();
  }
  std::optional<Rig> rig;
  std::optional<WaitQueue> answer;
  bool may_answer = false;
  bool asked = false;
  bool replaced = false;
  DmResult<> removed = Done{};
};

TEST_F(Replaced, waits_for_whoever_asks) {
  replace({});
  EXPECT_FALSE(replaced);
  go_on();
  EXPECT_TRUE(asked);
  EXPECT_TRUE(replaced);
  EXPECT_TRUE(removed.ok());
}

TEST_F(Replaced, leaves_the_table_to_whoever_asks_where_references_are_counted) {
  replace({{"core.table_reference", "counted"}});
  EXPECT_TRUE(replaced);
  ASSERT_FALSE(removed.ok());
  EXPECT_EQ(removed.error().errno_value, EBUSY);
  EXPECT_FALSE(asked);
  go_on();
  EXPECT_TRUE(asked);
  rig->spawn([this] { removed = rig->dm->remove("low"); });
  rig->settle();
  EXPECT_TRUE(removed.ok());
  rig->expect_at_rest();
}

}  // namespace
}  // namespace dmsim::native
