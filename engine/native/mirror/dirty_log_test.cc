#include "engine/native/mirror/dirty_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/native/mirror/log_reader.h"
#include "engine/native/mirror/log_writer.h"
#include "engine/native/mirror/mirror_test_rig.h"

namespace dmsim::native {
namespace {

using mirror_log::Header;
using mirror_log::kMagic;

Header header_on(const TestDisk& disk) { return mirror_log::read_header(disk.durable); }
std::uint64_t clean_bits_on(const Bytes& log, std::uint64_t regions = 16) {
  std::uint64_t bits = 0;
  for (std::uint64_t r = 0; r < regions; ++r) {
    bits |= std::uint64_t{mirror_log::read_clean_bit(log, r)} << r;
  }
  return bits;
}
void put_log(TestDisk& disk, const Header& header, std::uint64_t clean_bits) {
  mirror_log::write_header(header, disk.durable);
  for (std::uint64_t r = 0; r < 64; ++r) {
    mirror_log::write_clean_bit(disk.durable, r, (clean_bits >> r & 1) != 0);
  }
  disk.cached = disk.durable;
}

TEST(DiskLog, a_blank_device_becomes_a_log_in_which_nothing_is_clean) {
  MirrorRig rig;
  ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
  rig.leg0().dead = rig.leg1().dead = true;  // nothing can be recovered
  ASSERT_TRUE(rig.resume());
  EXPECT_EQ(header_on(rig.log()), (Header{kMagic, 2, 16}));
  EXPECT_EQ(clean_bits_on(rig.log().durable), 0u);
  EXPECT_EQ(rig.mirror().region(3).in_sync, false);
}

TEST(DiskLog, after_the_first_synchronisation_all_regions_are_clean_on_disk) {
  MirrorRig rig;
  rig.start();
  EXPECT_EQ(clean_bits_on(rig.log().cached), 0xFFFFu);
  EXPECT_TRUE(rig.legs_equal());
  EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 A");
}

TEST(DiskLog, resume_takes_clean_regions_for_synchronised_and_recovers_the_rest) {
  MirrorRig rig;
  put_log(rig.log(), {kMagic, 2, 16}, 0xFFF7);
  ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
  ASSERT_TRUE(rig.resume());
  EXPECT_EQ(rig.info(), "2 leg0 leg1 15/16 1 AA 3 disk log0 A");
  rig.settle();
  EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 A");
  EXPECT_EQ(rig.leg1().at(3 * 64), std::byte{0x10}) << "region 3 was copied";
  EXPECT_EQ(rig.leg1().at(4 * 64), std::byte{0x20}) << "region 4 was not";
  EXPECT_FALSE(rig.leg0().asked("R0+64"));
}

TEST(DiskLog, a_device_that_has_grown_has_dirty_regions_at_its_end) {
  MirrorRig rig;
  put_log(rig.log(), {kMagic, 2, 10}, 0xFFFF);
  ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
  ASSERT_TRUE(rig.resume());
  EXPECT_EQ(rig.info(), "2 leg0 leg1 10/16 1 AA 3 disk log0 A");
  EXPECT_EQ(header_on(rig.log()).region_count, 16u);
}

TEST(DiskLog, a_device_that_has_shrunk_forgets_the_bits_behind_its_end) {
  MirrorRig rig;
  put_log(rig.log(), {kMagic, 2, 60}, ~std::uint64_t{0} >> 4);
  ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
  ASSERT_TRUE(rig.resume());
  EXPECT_EQ(clean_bits_on(rig.log().durable, 64), 0xFFFFu);
  EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 A");
}

TEST(DiskLog, the_argument_nosync_declares_all_regions_clean_and_sync_none) {
  MirrorRig rig;
  put_log(rig.log(), {kMagic, 2, 16}, 0);
  ASSERT_EQ(rig.load(MirrorRig::kNosyncTable), "");
  ASSERT_TRUE(rig.resume());
  EXPECT_EQ(clean_bits_on(rig.log().durable, 64), 0xFFFFu);
  EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 A");

  MirrorRig other;
  put_log(other.log(), {kMagic, 2, 16}, 0xFFFF);
  ASSERT_EQ(other.load("disk 3 log0 64 sync 2 leg0 0 leg1 0 1 handle_errors"), "");
  ASSERT_TRUE(other.resume());
  EXPECT_EQ(clean_bits_on(other.log().durable, 64), 0u);
}

TEST(DiskLog, version_1_is_read_and_version_3_is_refused) {
  MirrorRig old;
  put_log(old.log(), {kMagic, 1, 16}, 0xFFFF);
  ASSERT_EQ(old.load(MirrorRig::kDiskTable), "");
  ASSERT_TRUE(old.resume());
  EXPECT_EQ(old.info(), "2 leg0 leg1 16/16 1 AA 3 disk log0 A");
  EXPECT_EQ(header_on(old.log()).version, 2u);

  MirrorRig newer;
  put_log(newer.log(), {kMagic, 3, 16}, 0xFFFF);
  ASSERT_EQ(newer.load(MirrorRig::kDiskTable), "");
  ASSERT_TRUE(newer.resume());
  EXPECT_EQ(newer.info(), "2 leg0 leg1 0/16 1 AA 3 disk log0 D");
}

TEST(DiskLog, a_log_that_cannot_be_read_at_resume_leaves_nothing_in_sync) {
  for (const bool faulty : {false, true}) {
    MirrorRig rig(faulty ? SwitchValues{{"mirror.resume_read_fail", "ignore"}} : SwitchValues{});
    put_log(rig.log(), {kMagic, 2, 16}, 0);
    rig.log().fail_reads = true;
    ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
    ASSERT_TRUE(rig.resume());
    EXPECT_EQ(rig.mirror().region(0).in_sync, faulty);
    EXPECT_EQ(rig.info(), faulty ? "2 leg0 leg1 16/16 1 AA 3 disk log0 A"
                                 : "2 leg0 leg1 0/16 1 AA 3 disk log0 D");
  }
}

TEST(DiskLog, a_region_is_dirty_on_disk_before_its_first_write_is_issued) {
  MirrorRig rig;
  rig.start();
  rig.leg0().history.clear();
  rig.log().history.clear();
  rig.begin(Op::kWrite, 64);
  while (!rig.leg0().asked("W64+8")) ASSERT_TRUE(rig.scheduler.step());
  EXPECT_THAT(rig.log().history, ::testing::ElementsAre("W0+3", "F"));
  EXPECT_EQ(clean_bits_on(rig.log().durable), 0xFFFDu);
}

TEST(DiskLog, without_the_flush_the_dirty_mark_is_not_durable_when_writes_are_issued) {
  MirrorRig rig(SwitchValues{{"mirror.log_flush_on_dirty", "off"}});
  rig.start();
  rig.log().durable = rig.log().cached;
  rig.begin(Op::kWrite, 64);
  while (!rig.leg0().asked("W64+8")) ASSERT_TRUE(rig.scheduler.step());
  EXPECT_EQ(clean_bits_on(rig.log().durable), 0xFFFFu);
}

TEST(DiskLog, without_the_mark_the_log_never_hears_of_a_write) {
  MirrorRig rig(SwitchValues{{"mirror.mark_dirty", "off"}});
  rig.start();
  rig.begin(Op::kWrite, 64);
  while (!rig.leg0().asked("W64+8")) ASSERT_TRUE(rig.scheduler.step());
  EXPECT_EQ(clean_bits_on(rig.log().cached), 0xFFFFu);
  EXPECT_TRUE(rig.mirror().region(1).clean);
  EXPECT_EQ(rig.mirror().region(1).pending, 1u);
}

// The instant at which the clean bit is on its way to the log: are the legs durable?
void write_until_clean(MirrorRig& rig) {
  rig.start();
  rig.begin(Op::kWrite, 64, 8, 0x55);
  while (!rig.leg1().asked("W64+8")) ASSERT_TRUE(rig.scheduler.step());
  rig.log().history.clear();
  while (!rig.log().asked("W0+3")) ASSERT_TRUE(rig.scheduler.step());
}

TEST(DiskLog, legs_are_flushed_before_a_region_becomes_clean) {
  MirrorRig rig;
  write_until_clean(rig);
  EXPECT_EQ(rig.leg1().durable[64 * 512], std::byte{0x55});
}

TEST(DiskLog, without_the_flush_a_region_is_clean_while_its_data_are_in_a_cache) {
  MirrorRig rig(SwitchValues{{"mirror.leg_flush_before_clean", "off"}});
  write_until_clean(rig);
  rig.settle(Duration::microseconds(20));
  EXPECT_EQ(clean_bits_on(rig.log().cached), 0xFFFFu);
  EXPECT_NE(rig.leg1().durable[64 * 512], std::byte{0x55});
}

TEST(DiskLog, after_a_failed_leg_flush_everything_is_dirty_and_nothing_becomes_clean) {
  for (const bool sticky : {true, false}) {
    MirrorRig rig(sticky ? SwitchValues{} : SwitchValues{{"mirror.flush_error_sticky", "off"}});
    rig.start();
    rig.leg1().fail_flushes = true;
    rig.write(64);
    rig.leg1().fail_flushes = false;
    rig.settle();
    EXPECT_EQ(clean_bits_on(rig.log().cached), sticky ? 0u : 0xFFFFu);
    rig.write(128);
    EXPECT_EQ(clean_bits_on(rig.log().cached), sticky ? 0u : 0xFFFFu);
    EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AF 3 disk log0 A");
  }
}

TEST(DiskLog, the_log_is_written_once_for_all_writes_of_a_pass) {
  MirrorRig rig;
  rig.start();
  rig.log().history.clear();
  for (Sector region = 0; region < 10; ++region) rig.begin(Op::kWrite, region * 64);
  while (!rig.leg0().asked("W576+8")) ASSERT_TRUE(rig.scheduler.step());
  EXPECT_EQ(rig.log().count("W0+3"), 1);
}

TEST(DiskLog, a_flush_of_the_log_that_failed_is_made_up_for_by_the_next) {
  MirrorRig rig;
  rig.start(MirrorRig::kNoErrorsTable);
  rig.log().fail_flushes = true;
  rig.leg0().write_delay = Duration::milliseconds(200);
  rig.begin(Op::kWrite, 64);
  rig.settle(Duration::milliseconds(1));
  rig.log().fail_flushes = false;
  rig.log().history.clear();
  rig.begin(Op::kWrite, 72);  // the region is dirty already
  rig.settle(Duration::milliseconds(1));
  EXPECT_THAT(rig.log().history, ::testing::ElementsAre("W0+3", "F"));
}

TEST(DiskLog, a_log_whose_creation_failed_gets_its_bits_before_its_header_whenever_it_is_written_next) {
  for (const bool bits_first : {true, false}) {
    MirrorRig rig(bits_first ? SwitchValues{} : SwitchValues{{"mirror.log_create", "at-once"}});
    ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
    rig.log().fail_writes = true;
    ASSERT_TRUE(rig.resume());
    rig.log().fail_writes = false;
    rig.log().history.clear();
    rig.settle();
    ASSERT_GE(rig.log().history.size(), 3u);
    const std::vector<std::string> first(rig.log().history.begin(), rig.log().history.begin() + 3);
    if (bits_first) {
      EXPECT_THAT(first, ::testing::ElementsAre("W2+1", "F", "W0+3"));
      EXPECT_EQ(rig.log().count("W2+1"), 1) << "once the header is there it stays";
    } else {
      EXPECT_THAT(rig.log().history, ::testing::Not(::testing::Contains("W2+1")));
    }
    EXPECT_EQ(header_on(rig.log()), (Header{kMagic, 2, 16}));
  }
}

TEST(DiskLog, the_search_for_regions_to_recover_starts_again_at_resume) {
  for (const bool reset : {true, false}) {
    MirrorRig rig(reset ? SwitchValues{} : SwitchValues{{"mirror.resume_resets_cursor", "off"}});
    ASSERT_EQ(rig.load(MirrorRig::kDiskTable), "");
    rig.leg1().fail_writes = true;
    ASSERT_TRUE(rig.resume());
    rig.settle();
    EXPECT_EQ(rig.info(), "2 leg0 leg1 0/16 1 AS 3 disk log0 A");
    rig.leg1().fail_writes = false;
    ASSERT_TRUE(rig.suspend());
    ASSERT_TRUE(rig.resume());
    rig.settle();
    EXPECT_EQ(rig.mirror().region(0).in_sync, reset);
  }
}

TEST(DiskLog, bits_in_another_machines_order_name_other_regions) {
  for (const bool swapped : {false, true}) {
    MirrorRig rig(swapped ? SwitchValues{{"mirror.bit_order", "native-swapped"}} : SwitchValues{});
    rig.start();
    rig.leg0().complete_after = Duration::milliseconds(20);
    rig.begin(Op::kWrite, 3 * 64);
    rig.settle(Duration::milliseconds(1));
    EXPECT_FALSE(rig.mirror().region(3).clean);
    EXPECT_EQ(clean_bits_on(rig.log().cached), swapped ? 0u : 0xFFF7u) << "as others read it";
    if (swapped) {
      EXPECT_EQ(rig.log().cached[1024 + 7], std::byte{0xF7});
    }
    MirrorRig after(swapped ? SwitchValues{{"mirror.bit_order", "native-swapped"}}
                            : SwitchValues{});
    after.take_durable_from(rig);
    ASSERT_EQ(after.load(MirrorRig::kDiskTable), "");
    ASSERT_TRUE(after.resume());
    EXPECT_EQ(after.info(), "2 leg0 leg1 15/16 1 AA 3 disk log0 A") << "as the writer reads it";
    EXPECT_FALSE(after.mirror().region(3).in_sync);
  }
}

TEST(DiskLog, a_device_that_is_too_small_is_refused_or_fails_late) {
  const std::string table = "disk 2 tiny 64 2 leg0 0 leg1 0 1 handle_errors";
  MirrorRig rig;
  EXPECT_EQ(rig.load(table),
            "Error creating mirror dirty log (log device tiny too small: need 1536 bytes)");
  MirrorRig faulty(SwitchValues{{"mirror.log_size_check", "off"}});
  ASSERT_EQ(faulty.load(table), "");
  ASSERT_TRUE(faulty.resume());
  EXPECT_EQ(faulty.info(), "2 leg0 leg1 0/16 1 AA 3 disk tiny D");
}

TEST(CoreLog, starts_with_nothing_in_sync_and_touches_no_device) {
  MirrorRig rig;
  rig.start(MirrorRig::kCoreTable);
  EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 1 core");
  EXPECT_TRUE(rig.legs_equal());
  EXPECT_THAT(rig.log().history, ::testing::IsEmpty());
  rig.write(64);
  EXPECT_FALSE(rig.leg0().asked("F"));
}

TEST(CoreLog, with_nosync_is_in_sync_at_once_and_says_so_without_an_event) {
  MirrorRig rig;
  rig.start("core 2 64 nosync 2 leg0 0 leg1 0");
  EXPECT_EQ(rig.info(), "2 leg0 leg1 16/16 1 AA 1 core");
  EXPECT_EQ(rig.table(), "core 2 64 nosync 2 leg0 0 leg1 0");
  EXPECT_FALSE(rig.legs_equal());
  EXPECT_EQ(rig.events, 0u);
}

TEST(DirtyLog, arguments_are_judged_in_the_kernels_words) {
  const auto refused = [](const std::string& table) {
    MirrorRig rig;
    return rig.load(table);
  };
  const std::string legs = " 2 leg0 0 leg1 0";
  const auto log_error = [](const std::string& why) {
    return "Error creating mirror dirty log (" + why + ")";
  };
  EXPECT_EQ(refused("core"), "Insufficient mirror log arguments");
  EXPECT_EQ(refused("core x"), "Invalid mirror log argument count");
  EXPECT_EQ(refused("core 9 64"), "Insufficient mirror log arguments");
  EXPECT_EQ(refused("paper 1 64" + legs),
            log_error("Module for logging type \"paper\" not found."));
  EXPECT_EQ(refused("core 0" + legs), log_error("wrong number of arguments to dirty region log"));
  EXPECT_EQ(refused("disk 1 log0" + legs),
            log_error("wrong number of arguments to disk dirty region log"));
  EXPECT_EQ(refused("core 1 63" + legs), log_error("invalid region size 63"));
  EXPECT_EQ(refused("core 1 1" + legs), log_error("invalid region size 1"));
  EXPECT_EQ(refused("core 1 2048" + legs), log_error("invalid region size 2048"));
  EXPECT_EQ(refused("core 2 64 maybe" + legs),
            log_error("unrecognised sync argument to dirty region log: maybe"));
  EXPECT_EQ(refused("disk 2 nodisk 64" + legs), log_error("no such device: nodisk"));
}

TEST(DirtyLog, block_on_error_is_the_old_word_for_handle_errors) {
  MirrorRig rig;
  rig.start("disk 4 log0 64 nosync block_on_error 2 leg0 0 leg1 0");
  EXPECT_EQ(rig.table(), "disk 4 log0 64 nosync block_on_error 2 leg0 0 leg1 0");
  rig.leg1().dead = true;
  rig.begin(Op::kWrite, 0);
  rig.settle();
  EXPECT_EQ(rig.mirror().held_bios(), 1u);
}

}  // namespace
}  // namespace dmsim::native
