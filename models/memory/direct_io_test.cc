#include "models/memory/direct_io.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/memory/test_device.h"

namespace dmsim {
namespace {

using Log = std::vector<std::string>;

struct Application {
  explicit Application(TestWorld& world)
      : io(world.scheduler, world.pages, world.device, world.trace.actors().intern("application")) {}
  DirectRequest& write(SectorRange range, std::uint64_t count,
                       DirectIo::WriteOptions options = {}) {
    return io.write(range, options, [count](std::byte* out, Sector sector) {
      stamp_sector(out, {1, count, sector});
    });
  }
  DirectIo io;
};

TEST(DirectIo, writes_and_reads_back_any_range_of_sectors) {
  TestWorld world;
  Application application(world);
  world.task("application", [&] {
    for (const SectorRange range : {SectorRange{0, 8}, {3, 5}, {6, 20}, {1023, 1024}}) {
      DirectRequest& write = application.write(range, range.end);
      EXPECT_TRUE(application.io.wait(write).ok());
      application.io.release(write);
      DirectRequest& read = application.io.read(range);
      EXPECT_TRUE(application.io.wait(read).ok());
      for (Sector sector = range.begin; sector < range.end; ++sector) {
        EXPECT_EQ(read_stamp(read.sector_bytes(sector)), (Stamp{1, range.end, sector}));
      }
      application.io.release(read);
    }
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_THAT(world.device.log, testing::ElementsAre(
      "W0+8", "c(W0+8)", "R0+8", "c(R0+8)", "W3+2", "c(W3+2)", "R3+2", "c(R3+2)", "W6+14",
      "c(W6+14)", "R6+14", "c(R6+14)", "W1023+1", "c(W1023+1)", "R1023+1", "c(R1023+1)"));
}

TEST(DirectIo, whole_pages_lie_at_the_start_of_a_frame) {
  TestWorld world;
  Application application(world);
  world.device.holding = true;
  world.task("application", [&] {
    application.write({6, 20}, 1);
    DataCursor cursor(*world.device.held[0]);
    DataPiece piece;
    std::vector<bool> whole;
    while (cursor.next(&piece)) whole.push_back(piece_is_whole_page(piece));
    EXPECT_EQ(whole, (std::vector<bool>{false, true, false}));
    world.device.release_all();
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(DirectIo, carries_fua_flush_preflush_and_discard) {
  TestWorld world;
  Application application(world);
  world.device.holding = true;
  world.task("application", [&] {
    DirectRequest& fua = application.write({8, 12}, 1, {.fua = true});
    EXPECT_EQ(fua.notation(), "W8+4!");
    application.write({16, 17}, 2, {.preflush = true});
    application.io.flush();
    application.io.discard({0, 1024});
    EXPECT_TRUE(world.device.held[0]->fua);
    EXPECT_FALSE(world.device.held[0]->preflush);
    EXPECT_TRUE(world.device.held[1]->preflush);
    EXPECT_EQ(world.device.held[2]->op, Op::kFlush);
    EXPECT_EQ(application.io.in_flight(), 4u);
    world.device.release_all();
    application.io.wait_all();
    EXPECT_EQ(application.io.in_flight(), 0u);
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(Log(world.device.log.begin(), world.device.log.begin() + 4),
            (Log{"W8+4!", "W16+1", "F", "D0+1024"}));
}

TEST(DirectIo, several_requests_in_flight_are_taken_in_order_of_completion) {
  TestWorld world;
  Application application(world);
  world.device.holding = true;
  world.task("application", [&] {
    DirectRequest& first = application.write({0, 8}, 1);
    DirectRequest& second = application.write({8, 16}, 2);
    DirectRequest& third = application.write({16, 24}, 3);
    std::swap(world.device.held[0], world.device.held[2]);
    world.device.release_one();
    EXPECT_EQ(&application.io.wait_any(), &third);
    EXPECT_FALSE(second.done());
    world.device.release_one();
    world.device.release_one();
    EXPECT_TRUE(application.io.wait(first).ok());
    EXPECT_EQ(&application.io.wait_any(), &second);
    EXPECT_FALSE(application.io.any_done());
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(DirectIo, an_error_keeps_its_tag_and_its_request) {
  TestWorld world;
  Application application(world);
  world.device.verdict = [](const Bio& bio) {
    return bio.sector == 8 ? BlockStatus{BlockStatus::Code::kMedium, true} : BlockStatus::okay();
  };
  world.task("application", [&] {
    DirectRequest& good = application.io.read({0, 8});
    DirectRequest& bad = application.io.read({8, 16});
    EXPECT_EQ(application.io.wait(bad), (BlockStatus{BlockStatus::Code::kMedium, true}));
    EXPECT_TRUE(application.io.wait(good).ok());
  });
  ASSERT_TRUE(world.run_tasks());
}

TEST(DirectIo, a_long_request_goes_out_in_pieces_cut_at_pages_and_is_one_answer) {
  TestWorld world;
  Application application(world);
  world.device.limits_.max_sectors = 19;
  int bios = 0;
  world.device.verdict = [&bios](const Bio& bio) {
    ++bios;
    return bio.op == Op::kRead && bio.sector == 16 ? BlockStatus::of(BlockStatus::Code::kIoError)
                                                   : BlockStatus::okay();
  };
  world.task("application", [&] {
    DirectRequest& write = application.write({3, 40}, 7);
    EXPECT_TRUE(application.io.wait(write).ok());
    EXPECT_EQ(bios, 3);
    DirectRequest& read = application.io.read({3, 40});
    EXPECT_EQ(application.io.wait(read).code, BlockStatus::Code::kIoError);
    EXPECT_EQ(bios, 6);
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(Log(world.device.log.begin(), world.device.log.begin() + 3),
            (Log{"W3+13", "W16+16", "W32+8"}));
  EXPECT_EQ(world.device.bytes_at(3, 37), stamped(7, 3, 37));
}

TEST(DirectIo, a_scribble_in_flight_reaches_the_device) {
  TestWorld world;
  Application application(world);
  world.device.holding = true;
  world.task("application", [&] {
    DirectRequest& write = application.write({4, 12}, 1);
    EXPECT_TRUE(application.io.scribble(write, 9, stamped(2, 9, 1)));
    world.device.release_all();
    EXPECT_EQ(world.device.bytes_at(8, 1), stamped(1, 8, 1));
    EXPECT_EQ(world.device.bytes_at(9, 1), stamped(2, 9, 1));
    EXPECT_FALSE(application.io.scribble(write, 9, stamped(3, 9, 1)));
    EXPECT_EQ(world.device.bytes_at(9, 1), stamped(2, 9, 1));
  });
  ASSERT_TRUE(world.run_tasks());
  const auto scribbles = world.events(kDirectScribble);
  ASSERT_EQ(scribbles.size(), 2u);
  EXPECT_EQ(scribbles[0].args[1], 9u);
  EXPECT_EQ(scribbles[0].args[3], 1u);
  EXPECT_EQ(scribbles[1].args[3], 0u);
}

TEST(DirectIo, a_store_observer_hears_of_a_scribble_in_flight) {
  struct Observer final : StoreObserver {
    void on_store_in_flight(Frame&) override { ++heard; }
    int heard = 0;
  } observer;
  TestWorld world;
  Application application(world);
  world.device.holding = true;
  world.task("application", [&] {
    DirectRequest& write = application.write({0, 8}, 1);
    Frame& frame = *world.device.held[0]->segments[0].frame;
    frame.observer = &observer;
    ++frame.writes_in_flight;
    application.io.scribble(write, 0, stamped(2, 0, 1));
    --frame.writes_in_flight;
    world.device.release_all();
  });
  ASSERT_TRUE(world.run_tasks());
  EXPECT_EQ(observer.heard, 1);
}

TEST(DirectIo, a_stuck_wait_names_its_request) {
  TestWorld world;
  Application application(world);
  world.device.holding = true;
  world.task("application", [&] { application.io.wait(application.write({8, 12}, 1, {.fua = true})); });
  EXPECT_FALSE(world.run_tasks());
  ASSERT_EQ(world.scheduler.stuck().size(), 1u);
  EXPECT_EQ(world.scheduler.stuck()[0].waits_for, "c(W8+4!)");
  world.scheduler.shut_down();
}

TEST(DirectIo, a_fiber_unwound_with_requests_in_flight_is_clean) {
  TestWorld world;
  world.task("application", [&] {
    Application application(world);
    application.write({0, 80}, 1);
    application.io.read({0, 80});
    application.io.wait_all();
  });
  world.device.holding = true;
  world.run_for(Duration::milliseconds(1));
  EXPECT_EQ(world.device.held.size(), 2u);
  EXPECT_EQ(world.scheduler.live_tasks(), 1u);
  world.scheduler.shut_down();
  EXPECT_EQ(world.scheduler.live_tasks(), 0u);
}

}  // namespace
}  // namespace dmsim
