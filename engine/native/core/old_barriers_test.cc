// core.flush and core.resize: what dm core did with barriers, and with a change of size, in earlier years.
#include "engine/device_inode.h"
#include "engine/native/core/core_test_rig.h"

namespace dmsim::native {
namespace {

constexpr BlockStatus kRefused = BlockStatus::of(BlockStatus::Code::kNotSupported);

std::unique_ptr<TestBio> fua_write(Rig& rig) {
  auto write = rig.bio(Op::kWrite, 0, 8);
  write->bio.fua = true;
  return write;
}

TEST(OldBarriers, refused_ones_end_with_eopnotsupp_and_nothing_else_does) {
  Rig rig(SwitchValues{{"core.flush", "refused"}});
  FakeDisk& disk = rig.disk("disk");
  rig.activate("lv", "0 1024 linear disk 0");
  EXPECT_EQ(rig.io("lv", Op::kFlush, 0, 0), kRefused);
  EXPECT_EQ(rig.io("lv", *fua_write(rig)), kRefused);
  EXPECT_EQ(rig.io("lv", Op::kWrite, 0, 8), kOk);
  EXPECT_EQ(disk.log, std::vector<std::string>{"W0+8"});
  rig.expect_at_rest();
}

TEST(OldBarriers, linear_only_passes_them_on_for_one_linear_target_and_for_no_more) {
  Rig rig(SwitchValues{{"core.flush", "linear-only"}});
  FakeDisk& disk = rig.disk("disk");
  rig.activate("lv", "0 1024 linear disk 0");
  rig.activate("two", "0 512 linear disk 0\n512 512 linear disk 512");
  EXPECT_EQ(rig.io("lv", Op::kFlush, 0, 0), kOk);
  EXPECT_EQ(rig.io("two", Op::kFlush, 0, 0), kRefused);
  EXPECT_EQ(disk.log, std::vector<std::string>{"F"});
}

TEST(OldBarriers, ordered_ones_wait_for_what_came_before_and_hold_back_what_comes_after) {
  Rig rig(SwitchValues{{"core.flush", "ordered"}});
  FakeDisk& disk = rig.disk("disk");
  rig.activate("lv", "0 1024 linear disk 0");
  disk.hold = true;
  auto before = rig.bio(Op::kWrite, 0, 8);
  auto barrier = fua_write(rig);
  barrier->bio.sector = 8;
  auto flush = rig.bio(Op::kFlush, 0, 0);
  auto after = rig.bio(Op::kWrite, 16, 8);
  rig.spawn([&] {
    for (TestBio* each : {before.get(), barrier.get(), flush.get(), after.get()}) rig.submit("lv", *each);
  });
  rig.settle();
  EXPECT_EQ(disk.log, std::vector<std::string>{"W0+8"});
  disk.release();
  rig.settle();
  EXPECT_EQ(disk.log, (std::vector<std::string>{"W0+8", "W8+8"})) << "not FUA: no cache hears of it";
  disk.release();
  rig.settle();
  EXPECT_EQ(disk.log, (std::vector<std::string>{"W0+8", "W8+8", "W16+8"})) << "and of no flush";
  disk.release();
  rig.settle();
  EXPECT_TRUE(before->done && barrier->done && flush->done && after->done);
  EXPECT_LT(barrier->order, flush->order);
  EXPECT_LT(flush->order, after->order);
  rig.expect_at_rest();
}

TEST(OldBarriers, forwarded_ones_reach_the_disk) {
  Rig rig;
  FakeDisk& disk = rig.disk("disk");
  rig.activate("lv", "0 512 linear disk 0\n512 512 linear disk 512");
  EXPECT_EQ(rig.io("lv", *fua_write(rig)), kOk);
  EXPECT_EQ(rig.io("lv", Op::kFlush, 0, 0), kOk);
  EXPECT_EQ(disk.log, (std::vector<std::string>{"W0+8!", "F", "F"}));
}

// An inode whose lock somebody may hold.
class BusyInode final : public Freezer, public DeviceInode {
 public:
  explicit BusyInode(Scheduler& scheduler) : mutex(scheduler, "the inode") {}
  bool freeze() override { return true; }
  void thaw() override {}
  void lock_inode() override { mutex.lock(); }
  void unlock_inode() override { mutex.unlock(); }
  Mutex mutex;
};

// Whether the device has its new size while somebody holds its inode's lock; a second noflush suspend.
bool grows_meanwhile(const SwitchValues& switches, DmResult<>* answer) {
  Rig rig(switches);
  rig.disk("disk");
  rig.activate("lv", "0 512 linear disk 0");
  BusyInode inode(rig.scheduler);
  rig.dm->set_freezer("lv", &inode);
  bool may_let_go = false;
  WaitQueue queue(rig.scheduler, "the test");
  rig.spawn([&] {
    const MutexGuard guard(inode.mutex);
    wait_until(queue, [&] { return may_let_go; });
  });
  rig.spawn([&] {
    EXPECT_TRUE(rig.dm->load("lv", "0 1024 linear disk 0").ok());
    EXPECT_TRUE(rig.dm->suspend("lv", {.noflush = true}).ok());
    *answer = rig.dm->resume("lv");
  });
  rig.settle();
  const bool grown = rig.dm->find("lv")->sectors() == 1024;
  may_let_go = true;
  queue.wake_all();
  rig.settle();
  return grown;
}

TEST(OldResize, waits_for_the_inode_only_where_it_did) {
  DmResult<> answer = Done{};
  EXPECT_TRUE(grows_meanwhile({}, &answer));
  EXPECT_TRUE(answer.ok());
  EXPECT_FALSE(grows_meanwhile({{"core.resize", "inode-lock"}}, &answer));
  EXPECT_TRUE(answer.ok());
  EXPECT_FALSE(grows_meanwhile({{"core.resize", "refused"}}, &answer));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().errno_value, EINVAL);
}

}  // namespace
}  // namespace dmsim::native
