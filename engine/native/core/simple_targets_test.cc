#include "engine/native/core/simple_targets.h"

#include <algorithm>

#include "engine/native/core/core_test_rig.h"

namespace dmsim::native {
namespace {

constexpr auto kMillisecond = Duration::milliseconds(1);

TEST(LinearTarget, passes_everything_on_to_its_offset) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 16 linear a 0\n16 16 linear a 100");
  EXPECT_EQ(rig.io("lv", Op::kRead, 16, 8), kOk);
  EXPECT_EQ(rig.io("lv", Op::kDiscard, 20, 4), kOk);
  EXPECT_EQ(a.log, (Strings{"R100+8", "D104+4"}));
}

TEST(ErrorTarget, fails_reads_and_writes_and_leaves_flushes_to_the_others) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 16 linear a 0\n16 16 error");
  EXPECT_EQ(rig.io("lv", Op::kRead, 16, 8), kEioStatus);
  EXPECT_EQ(rig.io("lv", Op::kWrite, 12, 8), kEioStatus);
  EXPECT_EQ(rig.io("lv", Op::kWrite, 0, 8), kOk);
  EXPECT_EQ(rig.io("lv", Op::kFlush, 0, 0), kOk);
  EXPECT_EQ(a.log, (Strings{"W12+4", "W0+8", "F"}));
  rig.expect_at_rest();
}

TEST(ZeroTarget, reads_give_zeros_and_writes_vanish) {
  Rig rig;
  rig.activate("lv", "0 64 zero");
  auto write = rig.bio(Op::kWrite, 8, 8);
  EXPECT_EQ(rig.io("lv", *write), kOk);
  auto read = rig.bio(Op::kRead, 8, 8);
  std::fill(read->memory.begin(), read->memory.end(), std::byte{9});
  EXPECT_EQ(rig.io("lv", *read), kOk);
  EXPECT_TRUE(std::all_of(read->memory.begin(), read->memory.end(),
                          [](std::byte b) { return b == std::byte{0}; }));
  EXPECT_EQ(rig.io("lv", Op::kFlush, 0, 0), kOk);
  EXPECT_EQ(rig.io("lv", Op::kDiscard, 0, 8), BlockStatus::of(BlockStatus::Code::kNotSupported));
  rig.expect_at_rest();
}

TEST(ZeroTarget, zeros_land_in_frames_and_only_where_the_bio_says) {
  Rig rig;
  rig.activate("lv", "0 64 zero");
  Frame frame;
  std::byte* bytes = nullptr;
  PageRef page = rig.pages.make(&bytes);
  std::fill_n(bytes, kPageBytes, std::byte{9});
  frame.set(std::move(page));
  auto read = rig.bio(Op::kRead, 3, 2);
  read->segment = {&frame, nullptr, 512, 1024};
  EXPECT_EQ(rig.io("lv", *read), kOk);
  for (std::uint32_t at = 0; at < kPageBytes; ++at) {
    ASSERT_EQ(frame.page().bytes()[at], std::byte(at >= 512 && at < 1536 ? 0 : 9)) << at;
  }
}

TEST(DelayTarget, holds_each_kind_of_bio_for_its_own_time) {
  Rig rig;
  FakeDisk& r = rig.disk("r");
  FakeDisk& w = rig.disk("w");
  FakeDisk& f = rig.disk("f");
  rig.activate("lv", "0 64 delay r 0 10 w 100 20 f 0 30");
  auto read = rig.bio(Op::kRead, 0, 8);
  auto write = rig.bio(Op::kWrite, 0, 8);
  auto flush = rig.bio(Op::kFlush, 0, 0);
  auto discard = rig.bio(Op::kDiscard, 8, 8);
  Strings statuses;
  rig.run([&] {
    for (TestBio* bio : {flush.get(), discard.get(), write.get(), read.get()}) rig.submit("lv", *bio);
    rig.scheduler.sleep(kMillisecond * 5);
    for (int i = 0; i < 4; ++i) {
      statuses.push_back(rig.dm->status("lv").value());
      rig.scheduler.sleep(kMillisecond * 10);
    }
  });
  EXPECT_EQ(statuses, (Strings{"0 64 delay 1 2 1", "0 64 delay 0 2 1", "0 64 delay 0 0 1",
                               "0 64 delay 0 0 0"}));
  EXPECT_EQ(r.log, Strings{"R0+8"});
  EXPECT_EQ(w.log, (Strings{"D108+8", "W100+8"})) << "in order of arrival";
  EXPECT_EQ(f.log, Strings{"F"});
  EXPECT_TRUE(read->done && write->done && flush->done && discard->done);
  rig.expect_at_rest();
}

TEST(DelayTarget, what_is_not_given_is_taken_from_what_is) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  FakeDisk& b = rig.disk("b");
  rig.activate("three", "0 64 delay a 8 0");
  rig.activate("six", "0 64 delay a 0 0 b 16 5");
  rig.run([&] {
    EXPECT_EQ(rig.dm->table("three", TableSlot::kLive).value(), "0 64 delay a 8 0");
    EXPECT_EQ(rig.dm->table("six", TableSlot::kLive).value(), "0 64 delay a 0 0 b 16 5");
  });
  EXPECT_EQ(rig.io("three", Op::kWrite, 0, 8), kOk);
  EXPECT_EQ(rig.io("three", Op::kFlush, 0, 0), kOk);
  EXPECT_EQ(a.log, (Strings{"W8+8", "F"}));
  a.log.clear();
  EXPECT_EQ(rig.io("six", Op::kRead, 0, 8), kOk);
  EXPECT_EQ(rig.io("six", Op::kFlush, 0, 0), kOk);
  EXPECT_EQ(a.log, Strings{"R0+8"});
  EXPECT_EQ(b.log, Strings{"F"});
}

TEST(DelayTarget, nine_arguments_come_back_in_the_table_line) {
  Rig rig;
  rig.disk("a");
  const std::string line = "0 64 delay a 0 1 a 2 3 a 4 5";
  rig.activate("lv", line);
  rig.run([&] { EXPECT_EQ(rig.dm->table("lv", TableSlot::kLive).value(), line); });
}

TEST(DelayTarget, a_suspend_lets_everything_go_and_a_resume_holds_again) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 delay a 0 10000");
  auto held = rig.bio(Op::kWrite, 0, 8);
  rig.run([&] {
    rig.submit("lv", *held);
    EXPECT_TRUE(a.log.empty());
    const Instant before = rig.scheduler.now();
    EXPECT_TRUE(rig.dm->suspend("lv", {}).ok());
    EXPECT_LT(rig.scheduler.now() - before, Duration::seconds(1));
    EXPECT_TRUE(held->done);
    EXPECT_TRUE(rig.dm->resume("lv").ok());
  });
  const Instant before = rig.scheduler.now();
  EXPECT_EQ(rig.io("lv", Op::kRead, 0, 8), kOk);
  EXPECT_GE(rig.scheduler.now() - before, Duration::seconds(10));
  rig.expect_at_rest();
}

TEST(DelayTarget, after_an_interrupted_suspend_nothing_is_held_until_the_next_resume_as_in_linux) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("lv", "0 64 delay a 0 10000");
  a.hold = true;
  auto stuck = rig.bio(Op::kWrite, 0, 8);
  rig.run([&] { rig.submit("lv", *stuck); });
  // The delay has passed; the disk holds the write.
  Fiber& suspender = rig.spawn([&] { EXPECT_FALSE(rig.dm->suspend("lv", {}).ok()); });
  rig.settle();
  rig.scheduler.signal(suspender);
  rig.settle();
  a.release_all();
  a.hold = false;
  Instant before = rig.scheduler.now();
  EXPECT_EQ(rig.io("lv", Op::kRead, 0, 8), kOk);
  EXPECT_LT(rig.scheduler.now() - before, Duration::seconds(1));
  rig.run([&] {
    EXPECT_TRUE(rig.dm->suspend("lv", {}).ok());
    EXPECT_TRUE(rig.dm->resume("lv").ok());
  });
  before = rig.scheduler.now();
  EXPECT_EQ(rig.io("lv", Op::kRead, 0, 8), kOk);
  EXPECT_GE(rig.scheduler.now() - before, Duration::seconds(10));
}

TEST(DelayTarget, it_stands_on_other_mapped_devices_and_is_suspended_under_them) {
  Rig rig;
  FakeDisk& a = rig.disk("a");
  rig.activate("slow", "0 64 delay a 0 5");
  rig.activate("lv", "0 64 linear slow 0");
  auto write = rig.bio(Op::kWrite, 0, 8);
  write->bio.preflush = true;
  EXPECT_EQ(rig.io("lv", *write), kOk);
  EXPECT_EQ(a.log, (Strings{"F", "W0+8"}));
  EXPECT_GE(rig.scheduler.now() - Instant(), Duration::milliseconds(10));
  rig.expect_at_rest();
}

}  // namespace
}  // namespace dmsim::native
