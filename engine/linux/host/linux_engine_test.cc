// SPDX-License-Identifier: GPL-2.0-only
// The host side over an image that is no kernel (testdata/fake_kernel.c): every question that an image may
// ask, every kind of trouble, and lives within lives.
#include "engine/linux/host/linux_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>

#include "models/disk/disk.h"
#include "engine/linux/host/test_machine.h"

namespace dmsim {
namespace {

using kernel::Allocations;
using kernel::KernelImage;
using kernel_test::Life;
using kernel_test::LifeOptions;
using kernel_test::Request;
using kernel_test::Shop;
using testing::HasSubstr;

constexpr std::string_view kTable = "0 1024 mirror a b";

class FakeKernel : public testing::Test {
 protected:
  FakeKernel() {
    auto loaded = KernelImage::load(DMSIM_FAKE_KERNEL);
    EXPECT_TRUE(loaded.ok()) << (loaded.ok() ? "" : loaded.error());
    image_ = std::move(*loaded);
  }
  // Says a message to device m and returns the answer.
  static std::string say(Life& life, std::string_view text, Sector number = 0) {
    std::string out;
    life.in_fiber([&] {
      const auto answer = life.engine().message("m", number, text);
      out = answer.ok() ? *answer : "errno " + std::to_string(answer.error().errno_value);
    });
    return out;
  }
  static std::size_t count_events(Life& life, std::string_view kind) {
    std::size_t count = 0;
    for (const TraceEvent& event : life.trace().kept()) count += event.kind->name == kind;
    return count;
  }

  std::unique_ptr<KernelImage> image_;
  Shop shop_;
};

TEST_F(FakeKernel, a_write_reaches_both_disks_and_a_read_brings_it_back) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  EXPECT_EQ(life.engine().find("m")->sectors(), 1024u);
  Request write(Op::kWrite, 8, 16);
  write.fill(life.pages(), 0x5a);
  EXPECT_TRUE(life.ask("m", write).ok());
  Request read(Op::kRead, 8, 16);
  EXPECT_TRUE(life.ask("m", read).ok());
  EXPECT_TRUE(equal_bytes(read.frames[1].page(), write.frames[1].page()));
  // By reference: not one byte was copied on the way.
  EXPECT_TRUE(life.disk(0).current_page(1).same_content(write.frames[0].page()));
  EXPECT_TRUE(life.disk(1).current_page(2).same_content(write.frames[1].page()));
  EXPECT_EQ(life.engine().bios_in_flight(), 0u);
  EXPECT_TRUE(life.engine().leaks().empty());
}

TEST_F(FakeKernel, a_part_of_the_submitters_segments_is_what_the_bio_is_about) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  Request write(Op::kWrite, 32, 16);
  write.fill(life.pages(), 0x11);
  write.frames[1].set([&] {
    std::byte* bytes = nullptr;
    PageRef page = life.pages().make(&bytes);
    std::memset(bytes, 0x22, kPageBytes);
    return page;
  }());
  write.bio.data_offset = 4 * kSectorBytes;
  write.bio.sectors = 8;
  EXPECT_TRUE(life.ask("m", write).ok());
  const PageRef& page = life.disk(0).current_page(4);
  EXPECT_EQ(page.bytes()[0], std::byte{0x11});
  EXPECT_EQ(page.bytes()[4 * kSectorBytes - 1], std::byte{0x11});
  EXPECT_EQ(page.bytes()[4 * kSectorBytes], std::byte{0x22});
}

TEST_F(FakeKernel, plain_bytes_travel_without_frames) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  alignas(kPageBytes) std::array<std::byte, 3 * kPageBytes> bytes;
  bytes.fill(std::byte{0x77});
  Request write(Op::kWrite, 0, 8);
  write.segments = {{nullptr, bytes.data(), 512, kPageBytes}};
  write.bio.segments = write.segments.data();
  write.bio.segment_count = 1;
  EXPECT_TRUE(life.ask("m", write).ok());
  EXPECT_EQ(life.disk(1).current_page(0).bytes()[4095], std::byte{0x77});
}

TEST_F(FakeKernel, a_request_of_more_pieces_than_a_record_holds_arrives_whole) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  Request write(Op::kWrite, 0, 40 * kPageSectors);
  write.fill(life.pages(), 0x33);
  EXPECT_TRUE(life.ask("m", write).ok());
  EXPECT_TRUE(life.disk(1).current_page(39).same_content(write.frames[39].page()));
  EXPECT_EQ(life.engine().machine().arena().live_blocks(), 0u);
}

TEST_F(FakeKernel, flush_and_discard_go_down_without_data) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  Request flush(Op::kFlush, 0, 0);
  EXPECT_TRUE(life.ask("m", flush).ok());
  Request discard(Op::kDiscard, 0, 8);
  EXPECT_TRUE(life.ask("m", discard).ok());
  EXPECT_EQ(life.disk(0).stats().flushes, 1u);
  EXPECT_EQ(life.disk(1).stats().discards, 1u);
}

TEST_F(FakeKernel, requests_beyond_the_end_end_with_eio_above) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  Request write(Op::kWrite, 1020, 8);
  write.fill(life.pages(), 1);
  EXPECT_EQ(life.ask("m", write), BlockStatus::of(BlockStatus::Code::kIoError));
}

TEST_F(FakeKernel, requests_beyond_the_end_of_a_disk_end_with_eio_below) {
  LifeOptions options;
  options.disk_sectors = 512;
  Life life(*image_, shop_, options);
  life.bring_up("m", kTable);
  Request write(Op::kWrite, 1000, 8);
  write.fill(life.pages(), 1);
  EXPECT_EQ(life.ask("m", write), BlockStatus::of(BlockStatus::Code::kIoError));
}

TEST_F(FakeKernel, a_failing_disk_is_read_around_and_its_errors_are_known_as_injected) {
  LifeOptions options;
  options.faults = {{.disk = "a", .kind = FaultKind::kReadError},
                    {.disk = "b", .kind = FaultKind::kReadError, .skip = 1}};
  Life life(*image_, shop_, options);
  life.bring_up("m", kTable);
  Request first(Op::kRead, 0, 8);
  EXPECT_TRUE(life.ask("m", first).ok());
  EXPECT_EQ(life.engine().machine().injected_errors(), 1u);
  Request second(Op::kRead, 0, 8);
  EXPECT_EQ(life.ask("m", second), (BlockStatus{BlockStatus::Code::kIoError, true}));
  life.in_fiber([&] {
    const auto status = life.engine().status("m");
    ASSERT_TRUE(status.ok());
    EXPECT_EQ(*status, "0 1024 mirror a b DD");
    EXPECT_EQ(*life.engine().event_number("m"), 3u);
  });
  const MirrorView* view = life.engine().mirrors("m").at(0);
  EXPECT_TRUE(view->legs()[0].failed);
}

TEST_F(FakeKernel, verbs_answer_with_errno_and_the_kernels_reason) {
  Life life(*image_, shop_);
  life.in_fiber([&] {
    auto& engine = life.engine();
    EXPECT_EQ(engine.load("m", kTable).error().errno_value, ENXIO);
    EXPECT_EQ(engine.create("a").error().errno_value, EBUSY);
    ASSERT_TRUE(engine.create("m").ok());
    EXPECT_EQ(engine.create("m").error().errno_value, EBUSY);
    const auto unknown = engine.load("m", "0 8 raid a b");
    EXPECT_EQ(unknown.error().errno_value, EINVAL);
    EXPECT_EQ(unknown.error().reason, "unknown target type");
    EXPECT_EQ(engine.load("m", "0 8 mirror a c").error().reason, "Device lookup failure");
    EXPECT_EQ(engine.resume("m").error().errno_value, EINVAL);
    ASSERT_TRUE(engine.load("m", kTable).ok());
    EXPECT_EQ(*engine.table("m", TableSlot::kInactive), kTable);
    EXPECT_EQ(*engine.table("m", TableSlot::kLive), "");
    ASSERT_TRUE(engine.resume("m").ok());
    EXPECT_EQ(*engine.table("m", TableSlot::kLive), kTable);
    EXPECT_EQ(engine.table_generation(), 1u);
    EXPECT_EQ(engine.message("m", 0, "no such thing").error().errno_value, EINVAL);
    ASSERT_TRUE(engine.remove("m").ok());
    EXPECT_EQ(engine.find("m"), nullptr);
    EXPECT_EQ(engine.remove("m").error().errno_value, ENXIO);
  });
}

TEST_F(FakeKernel, outside_of_fibers_the_table_is_the_one_that_was_loaded) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  EXPECT_EQ(*life.engine().table("m", TableSlot::kLive), kTable);
  EXPECT_EQ(*life.engine().table("m", TableSlot::kInactive), "");
}

TEST_F(FakeKernel, a_device_with_a_request_under_way_is_busy) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  Request read(Op::kRead, 0, 8);
  life.in_fiber([&] {
    life.engine().find("m")->submit(read.bio);
    EXPECT_EQ(life.engine().remove("m").error().errno_value, EBUSY);
  });
  life.run();
  life.in_fiber([&] { EXPECT_TRUE(life.engine().remove("m").ok()); });
}

TEST_F(FakeKernel, a_suspend_drains_and_a_signal_ends_it) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  Request read(Op::kRead, 0, 8);
  Fiber* admin = nullptr;
  life.in_fiber([&] {
    admin = &life.scheduler().current();
    life.engine().find("m")->submit(read.bio);
    life.scheduler().signal(*admin);
    const auto interrupted = life.engine().suspend("m", {});
    EXPECT_EQ(interrupted.error().errno_value, EINTR);
    EXPECT_TRUE(admin->signalled) << "a signal stays pending until its task has left the kernel";
    admin->signalled = false;
    EXPECT_TRUE(life.engine().suspend("m", {}).ok());
    EXPECT_EQ(read.ended, 1);
  });
}

TEST_F(FakeKernel, a_file_system_is_frozen_and_thawed) {
  struct CountingFreezer final : Freezer {
    bool freeze() override { return ++frozen != 1; }
    void thaw() override { ++thawed; }
    int frozen = 0;
    int thawed = 0;
  } freezer;
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  life.engine().set_freezer("m", &freezer);
  life.in_fiber([&] {
    EXPECT_EQ(life.engine().suspend("m", {}).error().errno_value, EIO);
    EXPECT_TRUE(life.engine().suspend("m", {.noflush = true}).ok());
    EXPECT_EQ(freezer.frozen, 1);
    EXPECT_TRUE(life.engine().resume("m").ok());
    EXPECT_EQ(freezer.thawed, 0);
    EXPECT_TRUE(life.engine().suspend("m", {}).ok());
    EXPECT_TRUE(life.engine().resume("m").ok());
    EXPECT_EQ(freezer.thawed, 1);
  });
}

TEST_F(FakeKernel, a_waiter_for_events_hears_of_the_next) {
  LifeOptions options;
  options.faults = {{.disk = "a", .kind = FaultKind::kWriteError, .count = 1}};
  Life life(*image_, shop_, options);
  life.bring_up("m", kTable);
  std::uint32_t heard = 0;
  life.start("waiter", [&] { heard = *life.engine().wait_event("m", 0); });
  life.run();
  EXPECT_EQ(heard, 0u);
  Request write(Op::kWrite, 0, 8);
  write.fill(life.pages(), 1);
  EXPECT_TRUE(life.ask("m", write).ok());
  life.run();
  EXPECT_EQ(heard, 1u);
}

TEST_F(FakeKernel, daemons_timers_and_sleepers_run_on_the_scheduler) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  say(life, "work");
  life.run();
  EXPECT_EQ(say(life, "count"), "7 test 2");
  say(life, "work");
  life.run();
  const Instant before = life.scheduler().now();
  EXPECT_EQ(say(life, "sleep", 5'000'000), "14 interrupt 2");
  EXPECT_GE((life.scheduler().now() - before).count_ns(), 5'000'000);
  EXPECT_TRUE(life.scheduler().stuck().empty()) << "an idle daemon is not stuck: " << life.stuck();
}

TEST_F(FakeKernel, who_waits_for_whom_is_told_in_the_kernels_words) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  life.start("admin", [&] { (void)life.engine().message("m", 0, "hang"); });
  life.run();
  const auto stuck = life.scheduler().stuck();
  ASSERT_EQ(stuck.size(), 1u);
  EXPECT_EQ(stuck[0].waits_for, "a lock that nobody gives back");
  EXPECT_EQ(life.trace().actors().name(stuck[0].held_by), "kfaked");
}

TEST_F(FakeKernel, a_signal_reaches_an_interruptible_wait) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  int error = 0;
  Fiber& waiter = life.start("waiter", [&] { error = life.engine().message("m", 0, "wait").error().errno_value; });
  life.run();
  EXPECT_EQ(error, 0);
  life.scheduler().signal(waiter);
  life.run();
  EXPECT_EQ(error, EINTR);
}

TEST_F(FakeKernel, the_kernels_log_is_in_the_trace) {
  LifeOptions options;
  options.keep = Trace::Keep::kAll;
  Life life(*image_, shop_, options);
  life.bring_up("m", kTable);
  say(life, "log");
  EXPECT_EQ(count_events(life, "kernel.log"), 1u);
  EXPECT_THAT(life.trace().render(life.trace().kept().back()), HasSubstr("fake: an error"));
}

TEST_F(FakeKernel, after_a_warning_the_kernel_goes_on) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  EXPECT_EQ(say(life, "warn"), "0 test 2");
  ASSERT_EQ(life.engine().troubles().size(), 1u);
  const EngineTrouble& trouble = life.engine().troubles()[0];
  EXPECT_EQ(trouble.kind, "WARN");
  EXPECT_EQ(trouble.where, "drivers/md/fake.c:10");
  EXPECT_EQ(trouble.what, "warned");
  EXPECT_FALSE(trouble.fatal);
}

TEST_F(FakeKernel, after_a_bug_the_fiber_never_runs_again_and_others_do) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  bool returned = false;
  life.start("unlucky", [&] {
    (void)life.engine().message("m", 0, "bug");
    returned = true;
  });
  life.run();
  EXPECT_FALSE(returned);
  ASSERT_EQ(life.engine().troubles().size(), 1u);
  EXPECT_EQ(life.engine().troubles()[0].kind, "BUG");
  EXPECT_TRUE(life.engine().troubles()[0].fatal);
  ASSERT_EQ(life.scheduler().stuck().size(), 1u);
  EXPECT_THAT(life.scheduler().stuck()[0].waits_for, HasSubstr("kaputt"));
  EXPECT_EQ(say(life, "count", 1), "1 test 2");
}

TEST_F(FakeKernel, a_bug_in_an_interrupt_ends_the_interrupt) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  say(life, "bug in an interrupt");
  life.run();
  ASSERT_EQ(life.engine().troubles().size(), 1u);
  EXPECT_EQ(life.engine().troubles()[0].where, "drivers/md/fake.c:12");
  EXPECT_EQ(say(life, "count"), "0 test 2") << "nothing after the BUG has run";
}

TEST_F(FakeKernel, memory_written_to_after_it_was_freed_is_found) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  say(life, "use after free", 100);
  ASSERT_EQ(life.engine().troubles().size(), 1u);
  EXPECT_EQ(life.engine().troubles()[0].kind, "use after free");
  EXPECT_EQ(life.engine().troubles()[0].what,
            "a block of 100 bytes freed by test was written to at byte 3 after it was freed");
}

TEST_F(FakeKernel, memory_written_to_beyond_its_end_is_found) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  say(life, "overrun", 100);
  ASSERT_EQ(life.engine().troubles().size(), 1u);
  EXPECT_EQ(life.engine().troubles()[0].what, "a block of 100 bytes was written to beyond its end, at byte 100");
}

TEST_F(FakeKernel, memory_freed_twice_is_found) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  say(life, "free twice", 4096);
  ASSERT_EQ(life.engine().troubles().size(), 1u);
  EXPECT_EQ(life.engine().troubles()[0].what, "a block of 4096 bytes freed by test was freed twice");
}

TEST_F(FakeKernel, a_request_that_ends_twice_is_found_and_its_user_hears_once) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  Request read(Op::kRead, 0, 8);
  EXPECT_TRUE(life.ask("m", read).ok());
  say(life, "end the last request again");
  ASSERT_EQ(life.engine().troubles().size(), 1u);
  EXPECT_EQ(life.engine().troubles()[0].kind, "double completion");
  EXPECT_EQ(read.ended, 1);
  EXPECT_EQ(life.engine().bios_in_flight(), 0u);
}

TEST_F(FakeKernel, leaks_are_the_kernels_own_words) {
  Life life(*image_, shop_);
  life.bring_up("m", kTable);
  EXPECT_EQ(say(life, "leak", 33), "33");
  EXPECT_THAT(life.engine().leaks(), testing::ElementsAre("1 object of a test"));
}

TEST_F(FakeKernel, allocations_fail_by_choice_only_where_the_machine_lets_them) {
  Life plain(*image_, shop_);
  plain.bring_up("m", kTable);
  LifeOptions options;
  options.machine.allocations = Allocations::kFailByChoice;
  Life failing(*image_, shop_, options);
  failing.bring_up("m", kTable);
  const auto drawn = [](Life& life) {
    const std::size_t before = life.scheduler().choices().record().size();
    say(life, "draw", 1000);
    std::size_t count = 0;
    const auto& record = life.scheduler().choices().record();
    for (std::size_t i = before; i < record.size(); ++i) {
      count += record[i].point->name == std::string_view("linux.random");
      count += record[i].point->name == std::string_view("linux.alloc_fails");
    }
    return count;
  };
  EXPECT_EQ(drawn(plain), 1u);
  EXPECT_EQ(drawn(failing), 2u);
  options.machine.allocations = Allocations::kFail;
  Life scarce(*image_, shop_, options);
  scarce.bring_up("m", kTable);
  EXPECT_EQ(drawn(scarce), 1u);
}

TEST_F(FakeKernel, each_life_begins_with_the_state_that_the_image_was_loaded_with) {
  {
    Life first(*image_, shop_);
    first.bring_up("m", kTable);
    EXPECT_EQ(say(first, "count", 5), "5 test 2");
  }
  Life second(*image_, shop_);
  second.bring_up("m", kTable);
  EXPECT_EQ(say(second, "count", 1), "1 test 2");
}

TEST_F(FakeKernel, a_life_that_waits_finds_its_state_again) {
  Life outer(*image_, shop_);
  outer.bring_up("m", kTable);
  Request write(Op::kWrite, 0, 8);
  write.fill(outer.pages(), 0x44);
  outer.in_fiber([&] { outer.engine().find("m")->submit(write.bio); });
  EXPECT_EQ(say(outer, "count", 5), "5 test 2");
  for (int i = 1; i <= 3; ++i) {
    Life inner(*image_, shop_, {}, outer.images());
    inner.bring_up("m", kTable);
    EXPECT_EQ(say(inner, "count", 70), "70 test 2");
    Life innermost(*image_, shop_, {}, inner.images());
    innermost.bring_up("m", kTable);
    EXPECT_EQ(say(innermost, "count", 800), "800 test 2");
    EXPECT_EQ(say(outer, "count", 1), std::to_string(5 + i) + " test 2");
    EXPECT_EQ(say(inner, "count", 1), "71 test 2");
  }
  outer.run();
  EXPECT_EQ(write.ended, 1);
  EXPECT_TRUE(write.bio.status.ok());
}

TEST_F(FakeKernel, a_run_is_the_same_with_and_without_lives_within_it) {
  const auto run = [this](bool nested) {
    Life life(*image_, shop_);
    life.bring_up("m", kTable);
    std::vector<std::unique_ptr<Request>> requests;
    for (std::uint32_t i = 0; i < 20; ++i) {
      requests.push_back(std::make_unique<Request>(Op::kWrite, i * 8, 8));
      requests.back()->fill(life.pages(), static_cast<int>(i));
      life.start("writer", [&life, &request = *requests.back()] {
        life.engine().find("m")->submit(request.bio);
        (void)life.engine().message("m", 0, "work");
      });
      for (int step = 0; step < 7; ++step) {
        life.scheduler().run(1);
        if (!nested) continue;
        Life inner(*image_, shop_, {}, life.images());
        inner.bring_up("m", kTable);
        say(inner, "count", 3);
      }
    }
    life.run();
    return life.trace().fingerprint().to_string();
  };
  const std::string plain = run(false);
  EXPECT_EQ(plain, run(false));
  EXPECT_EQ(plain, run(true));
}

TEST_F(FakeKernel, a_life_ends_wherever_its_fibers_stand) {
  for (int steps = 0; steps < 60; ++steps) {
    Life life(*image_, shop_);
    life.bring_up("m", kTable);
    Request write(Op::kWrite, 0, 8);
    write.fill(life.pages(), 1);
    life.start("writer", [&] { life.engine().find("m")->submit(write.bio); });
    life.start("hangs", [&] { (void)life.engine().message("m", 0, "hang"); });
    life.start("sleeps", [&] { (void)life.engine().message("m", 100, "sleep"); });
    life.start("suspends", [&] { (void)life.engine().suspend("m", {}); });
    for (int i = 0; i < steps; ++i) life.scheduler().run(1);
    EXPECT_LE(write.ended, 1);
  }
}

TEST_F(FakeKernel, a_file_that_is_no_image_is_refused_with_a_reason) {
  const auto missing = KernelImage::load("no/such/image.so");
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error(), HasSubstr("no/such/image.so"));
}

}  // namespace
}  // namespace dmsim
