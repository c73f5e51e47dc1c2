// SPDX-License-Identifier: GPL-2.0-only
// The kernel's own device-mapper, of every series whose sources are installed, on simulated disks. What holds
// for one series holds for each: differences between them are the scenarios' business.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>

#include "base/sanitizer.h"
#include "engine/linux/host/images.h"
#include "models/disk/disk.h"
#include "engine/linux/host/test_machine.h"

namespace dmsim {
namespace {

using kernel::KernelImage;
using kernel_test::Life;
using kernel_test::LifeOptions;
using kernel_test::Request;
using kernel_test::Shop;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kCoreMirror = "0 1024 mirror core 2 16 nosync 2 a 0 b 0 1 handle_errors";
constexpr std::string_view kSyncingMirror = "0 1024 mirror core 1 16 2 a 0 b 0 1 handle_errors";
constexpr std::string_view kDiskMirror = "0 1024 mirror disk 2 log 16 2 a 0 b 0 1 handle_errors";

class RealKernel : public testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    const std::string why = kernel::why_not_available(GetParam());
    if (!why.empty()) GTEST_SKIP() << why;
    const auto image = kernel::image_of(GetParam());
    ASSERT_TRUE(image.ok()) << image.error();
    image_ = *image;
  }
  static LifeOptions with_log() {
    LifeOptions options;
    options.disks = {"a", "b", "log"};
    return options;
  }
  static std::string status(Life& life, std::string_view device = "m") {
    std::string out;
    life.in_fiber([&] {
      const auto answer = life.engine().status(device);
      out = answer.ok() ? *answer : "errno " + std::to_string(answer.error().errno_value);
    });
    return out;
  }
  // Writes pages [first, first + count) of m, one after the other, each with its own value.
  static void write_pages(Life& life, std::uint32_t first, std::uint32_t count) {
    for (std::uint32_t page = first; page < first + count; ++page) {
      Request write(Op::kWrite, page * kPageSectors, kPageSectors);
      write.fill(life.pages(), static_cast<int>(page + 1));
      EXPECT_TRUE(life.ask("m", write).ok()) << page;
    }
  }
  static int value_at(Life& life, std::uint32_t page) {
    Request read(Op::kRead, page * kPageSectors, kPageSectors);
    EXPECT_TRUE(life.ask("m", read).ok()) << page;
    return std::to_integer<int>(read.frames[0].page().bytes()[0]);
  }
  static void expect_no_trouble(Life& life) {
    for (const EngineTrouble& trouble : life.engine().troubles()) {
      ADD_FAILURE() << trouble.kind << " at " << trouble.where << ": " << trouble.what;
    }
  }
  static void wait_for_sync(Life& life) {
    for (int i = 0; i < 1000 && status(life).find("64/64") == std::string::npos; ++i) {
      life.in_fiber([&] { life.scheduler().sleep(Duration::milliseconds(10)); });
    }
  }

  KernelImage* image_ = nullptr;
  Shop shop_;
};

INSTANTIATE_TEST_SUITE_P(Linux, RealKernel, testing::Values("linux-6.1", "linux-6.12"), [](const auto& engine) {
  std::string name(engine.param);
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

TEST_P(RealKernel, a_host_of_plain_c_lives_through_a_mirror_a_snapshot_and_a_clone) {
#if defined(DMSIM_ADDRESS_SANITIZER)
  GTEST_SKIP() << "its host has no sanitizer, which images of this build need";
#endif
  const std::string command = std::string(DMSIM_KERNEL_SMOKE) + " '" + image_->path() + "' 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

TEST_P(RealKernel, a_mirror_writes_both_legs_and_reads_back) {
  Life life(*image_, shop_);
  life.bring_up("m", kCoreMirror);
  EXPECT_EQ(status(life), "0 1024 mirror 2 a b 64/64 1 AA 1 core");
  write_pages(life, 0, 20);
  EXPECT_EQ(value_at(life, 7), 8);
  EXPECT_TRUE(equal_bytes(life.disk(0).current_page(19), life.disk(1).current_page(19)));
  EXPECT_EQ(life.disk(0).current_page(19).bytes()[100], std::byte{20});
  EXPECT_EQ(life.engine().find("m")->sectors(), 1024u);
  expect_no_trouble(life);
}

TEST_P(RealKernel, a_mirror_out_of_sync_is_brought_into_sync) {
  Life life(*image_, shop_);
  life.bring_up("m", kSyncingMirror);
  wait_for_sync(life);
  EXPECT_EQ(status(life), "0 1024 mirror 2 a b 64/64 1 AA 1 core");
  for (std::uint64_t page = 0; page < 128; ++page) {
    // By reference: the kernel has copied it without anybody copying bytes.
    EXPECT_TRUE(life.disk(0).current_page(page).same_content(life.disk(1).current_page(page))) << page;
  }
  expect_no_trouble(life);
}

TEST_P(RealKernel, the_verbs_answer_as_dmsetup_says) {
  Life life(*image_, shop_);
  life.in_fiber([&] {
    auto& engine = life.engine();
    EXPECT_EQ(engine.load("m", kCoreMirror).error().errno_value, ENXIO);
    ASSERT_TRUE(engine.create("m").ok());
    EXPECT_EQ(engine.create("m").error().errno_value, EBUSY);
    EXPECT_EQ(engine.load("m", "0 1024 mirror core 2 16 nosync 2 a 0 nobody 0").error().reason,
              "Device lookup failure");
    EXPECT_EQ(engine.load("m", "0 1024 rubbish").error().errno_value, EINVAL);
    ASSERT_TRUE(engine.load("m", kCoreMirror).ok());
    EXPECT_THAT(*engine.table("m", TableSlot::kInactive), HasSubstr("mirror core 2 16 nosync 2 a 0 b 0"));
    ASSERT_TRUE(engine.resume("m").ok());
    EXPECT_THAT(*engine.table("m", TableSlot::kLive), HasSubstr("mirror core 2 16 nosync 2 a 0 b 0"));
    EXPECT_EQ(engine.table_generation(), 1u);
    ASSERT_TRUE(engine.suspend("m", {}).ok());
    ASSERT_TRUE(engine.resume("m").ok());
    ASSERT_TRUE(engine.remove("m").ok());
    EXPECT_EQ(engine.find("m"), nullptr);
  });
  EXPECT_TRUE(life.engine().leaks().empty()) << life.engine().leaks().front();
  expect_no_trouble(life);
}

TEST_P(RealKernel, what_is_written_while_suspended_waits_for_the_resume) {
  Life life(*image_, shop_);
  life.bring_up("m", kCoreMirror);
  Request write(Op::kWrite, 0, 8);
  write.fill(life.pages(), 9);
  life.in_fiber([&] { ASSERT_TRUE(life.engine().suspend("m", {}).ok()); });
  life.in_fiber([&] { life.engine().find("m")->submit(write.bio); });
  life.in_fiber([&] { life.scheduler().sleep(Duration::seconds(1)); });
  EXPECT_EQ(write.ended, 0);
  life.in_fiber([&] { ASSERT_TRUE(life.engine().resume("m").ok()); });
  life.in_fiber([&] { life.scheduler().sleep(Duration::seconds(1)); });
  EXPECT_EQ(write.ended, 1);
  EXPECT_TRUE(write.bio.status.ok());
  expect_no_trouble(life);
}

TEST_P(RealKernel, a_leg_that_fails_is_told_and_survived) {
  LifeOptions options;
  options.faults = {{.disk = "a", .kind = FaultKind::kDies}};
  Life life(*image_, shop_, options);
  life.bring_up("m", kCoreMirror);
  std::uint32_t seen = 0;
  life.start("dmeventd", [&] { seen = *life.engine().wait_event("m", 0); });
  Request write(Op::kWrite, 0, 8);
  write.fill(life.pages(), 3);
  life.in_fiber([&] { life.engine().find("m")->submit(write.bio); });
  life.in_fiber([&] { life.scheduler().sleep(Duration::seconds(2)); });
  EXPECT_EQ(write.ended, 0) << "it is held until dmeventd has repaired the mirror";
  EXPECT_GE(seen, 1u);
  EXPECT_THAT(status(life), HasSubstr(" DA "));
  ASSERT_EQ(life.engine().mirrors("m").size(), 1u);
  EXPECT_TRUE(life.engine().mirrors("m")[0]->legs()[0].failed);
  EXPECT_GT(life.engine().machine().injected_errors(), 0u);
  life.in_fiber([&] {
    Life::expect_ok(life.engine().load("m", "0 1024 linear b 0"));
    Life::expect_ok(life.engine().suspend("m", {.noflush = true}));
    Life::expect_ok(life.engine().resume("m"));
    life.scheduler().sleep(Duration::seconds(2));
  });
  EXPECT_EQ(write.ended, 1);
  EXPECT_TRUE(write.bio.status.ok());
  EXPECT_EQ(value_at(life, 0), 3);
  expect_no_trouble(life);
}

TEST_P(RealKernel, a_disk_log_remembers_across_a_reboot_what_was_dirty) {
  std::vector<Image> media;
  {
    Life first(*image_, shop_, with_log());
    first.bring_up("m", kDiskMirror);
    wait_for_sync(first);
    EXPECT_THAT(status(first), HasSubstr("64/64"));
    write_pages(first, 20, 2);
    Request write(Op::kWrite, 0, 8);
    write.fill(first.pages(), 4);
    first.in_fiber([&] { first.engine().find("m")->submit(write.bio); });
    while (first.disk(1).in_flight() == 0 && first.scheduler().run(1)) {
    }
    media = first.images();
    expect_no_trouble(first);
  }
  Life second(*image_, shop_, with_log(), std::move(media));
  second.bring_up("m", kDiskMirror);
  const MirrorView* view = second.engine().mirrors("m").at(0);
  EXPECT_EQ(view->log_device(), "log");
  EXPECT_TRUE(view->region(40).in_sync);
  wait_for_sync(second);
  EXPECT_EQ(second.disk(0).stats().sectors_read, 16u) << "the region that was being written to is copied, no other";
  EXPECT_EQ(status(second), "0 1024 mirror 2 a b 64/64 1 AA 3 disk log A");
  EXPECT_EQ(value_at(second, 21), 22);
  expect_no_trouble(second);
}

TEST_P(RealKernel, a_views_claims_follow_the_writes) {
  Life life(*image_, shop_);
  life.bring_up("m", kCoreMirror);
  const MirrorView* view = life.engine().mirrors("m").at(0);
  EXPECT_EQ(view->region_count(), 64u);
  EXPECT_EQ(view->region_sectors(), 16u);
  EXPECT_EQ(view->legs()[1].device, "b");
  const std::uint64_t before = view->claim_generation();
  Request write(Op::kWrite, 32, 8);
  write.fill(life.pages(), 9);
  life.in_fiber([&] { life.engine().find("m")->submit(write.bio); });
  bool pending = false;
  while (write.ended == 0 && life.scheduler().run(1)) pending = pending || view->region(2).pending > 0;
  EXPECT_TRUE(pending);
  EXPECT_GT(view->claim_generation(), before);
  EXPECT_TRUE(view->region(2).in_sync);
  EXPECT_TRUE(view->region(3).clean);
}

TEST_P(RealKernel, a_run_is_the_same_twice_and_with_lives_within_it) {
  const auto run = [this](bool nested, std::uint64_t seed) {
    LifeOptions options = with_log();
    options.seed = seed;
    options.scheduler.preemption = {1, 10};
    Life life(*image_, shop_, options);
    life.bring_up("m", kDiskMirror);
    std::vector<std::unique_ptr<Request>> requests;
    for (std::uint32_t i = 0; i < 30; ++i) {
      requests.push_back(std::make_unique<Request>(i % 3 == 2 ? Op::kRead : Op::kWrite, (i * 7 % 120) * 8, 8));
      requests.back()->fill(life.pages(), static_cast<int>(i));
      life.start("writer", [&life, &request = *requests.back()] { life.engine().find("m")->submit(request.bio); });
      life.run(20);
      if (!nested || i % 5 != 0) continue;
      LifeOptions inner = with_log();
      inner.seed = i;
      Life after(*image_, shop_, inner, life.images());
      after.bring_up("m", kDiskMirror);
      wait_for_sync(after);
      EXPECT_THAT(status(after), HasSubstr("64/64"));
    }
    life.run(50'000);
    for (const auto& request : requests) EXPECT_EQ(request->ended, 1);
    expect_no_trouble(life);
    return life.trace().fingerprint().to_string();
  };
  const std::string plain = run(false, 3);
  EXPECT_EQ(plain, run(false, 3));
  EXPECT_EQ(plain, run(true, 3));
  EXPECT_NE(plain, run(false, 4));
}

// Points of preemption are more of them, or fewer, each time, and the writes end with whatever.
TEST_P(RealKernel, is_preempted_where_the_machine_says) {
  const auto points = [this](kernel::MachineOptions machine) {
    LifeOptions options;
    options.machine = machine;
    options.scheduler.preemption = {1, 8};
    Life life(*image_, shop_, options);
    life.bring_up("m", "0 512 snapshot a b N 8");
    Request write(Op::kWrite, 8, 8);
    write.fill(life.pages(), 1);
    EXPECT_TRUE(life.ask("m", write).ok());
    expect_no_trouble(life);
    const auto& record = life.scheduler().choices().record();
    return std::count_if(record.begin(), record.end(), [](const auto& drawn) {
      return drawn.point->name == std::string_view("sched.preempt");
    });
  };
  const auto locks = points({});
  EXPECT_LT(points({.preemption = kernel::Preemption::kOffered}), locks);
  EXPECT_GT(points({.preemption = kernel::Preemption::kAtAtomics}), locks);
  EXPECT_GE(points({.preempts_rcu_readers = true}), locks);
}

// Nothing but reserves: who finds one empty waits for others to end.
TEST_P(RealKernel, a_mirror_without_memory_goes_on_from_its_reserves) {
  LifeOptions options;
  options.machine.allocations = kernel::Allocations::kFail;
  Life life(*image_, shop_, options);
  life.bring_up("m", kCoreMirror);
  std::vector<std::unique_ptr<Request>> requests;
  for (std::uint32_t i = 0; i < 60; ++i) {
    requests.push_back(std::make_unique<Request>(Op::kWrite, i * 8, 8));
    requests.back()->fill(life.pages(), 1);
    life.start("writer", [&life, &request = *requests.back()] { life.engine().find("m")->submit(request.bio); });
  }
  life.run(50'000);
  for (const auto& request : requests) EXPECT_TRUE(request->ended == 1 && request->bio.status.ok());
  expect_no_trouble(life);
}

TEST_P(RealKernel, a_life_ends_wherever_the_kernel_stands) {
  for (std::uint64_t steps = 0; steps < 400; steps += 7) {
    Life life(*image_, shop_, with_log());
    life.start("boot", [&] {
      (void)life.engine().create("m");
      (void)life.engine().load("m", kDiskMirror);
      (void)life.engine().resume("m");
    });
    life.run(steps);
    EXPECT_TRUE(life.engine().troubles().empty());
  }
}

TEST_P(RealKernel, an_interrupted_suspend_leaves_the_device_running) {
  LifeOptions options;
  Life life(*image_, shop_, options);
  life.bring_up("m", kCoreMirror);
  Request write(Op::kWrite, 0, 8);
  write.fill(life.pages(), 5);
  life.in_fiber([&] {
    Fiber& self = life.scheduler().current();
    life.engine().find("m")->submit(write.bio);
    life.scheduler().signal(self);
    EXPECT_EQ(life.engine().suspend("m", {}).error().errno_value, EINTR);
    self.signalled = false;
  });
  write_pages(life, 3, 1);
  expect_no_trouble(life);
}

// A linear target takes its begin off every bio's sector, and a flush has none.
TEST_P(RealKernel, a_flush_reaches_the_disks_of_all_targets) {
  Life life(*image_, shop_);
  life.bring_up("m", "0 64 linear a 0\n64 512 linear b 0");
  Request flush(Op::kFlush, 0, 0);
  EXPECT_TRUE(life.ask("m", flush).ok());
  expect_no_trouble(life);
}

// 6.12 waits for delays of a few milliseconds by looking at the clock again and again.
TEST_P(RealKernel, a_delay_ends_although_nobody_else_has_anything_to_do) {
  Life life(*image_, shop_);
  life.bring_up("m", "0 512 delay a 0 5");
  const Instant begin = life.scheduler().now();
  Request read(Op::kRead, 8, 8);
  EXPECT_TRUE(life.ask("m", read).ok());
  EXPECT_GE(life.scheduler().now() - begin, Duration::milliseconds(4));
  expect_no_trouble(life);
}

// The worker that runs a target's last work looks at its queue no more once that may be destroyed.
TEST_P(RealKernel, a_mirror_goes_while_its_workers_are_preempted_everywhere) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    LifeOptions options;
    options.seed = seed;
    options.scheduler.preemption = {1, 2};
    Life life(*image_, shop_, options);
    life.bring_up("m", kCoreMirror);
    Request write(Op::kWrite, 0, 8);
    write.fill(life.pages(), 5);
    life.in_fiber([&] {
      life.engine().find("m")->submit(write.bio);
      EXPECT_TRUE(life.engine().suspend("m", {}).ok());
      EXPECT_TRUE(life.engine().remove("m").ok());
    });
    life.run(10'000);
    expect_no_trouble(life);
  }
}

// An oracle asks between two steps, with no fiber to block in.
TEST_P(RealKernel, the_status_of_a_mirror_can_be_asked_from_outside) {
  Life life(*image_, shop_);
  life.bring_up("m", kCoreMirror);
  const auto answer = life.engine().status("m");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(*answer, status(life));
  expect_no_trouble(life);
}

}  // namespace
}  // namespace dmsim
