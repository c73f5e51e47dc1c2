#include "models/workload/ext2_io.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "models/workload/fake_byte_device.h"

namespace dmsim {
namespace {

using Kind = FakeByteDevice::Kind;

// An open channel on a device of 64 KiB.
struct Channel {
  Channel() : io(device) {
    EXPECT_EQ(io.manager()->open(io.name(), IO_FLAG_RW, &channel), 0);
    EXPECT_EQ(io_channel_set_blksize(channel, 1024), 0);
  }
  ~Channel() { EXPECT_EQ(io_channel_close(channel), 0); }

  std::vector<FakeByteDevice::Operation> stores() const {
    std::vector<FakeByteDevice::Operation> found;
    for (const auto& operation : device.log) {
      if (operation.kind == Kind::kStore) found.push_back(operation);
    }
    return found;
  }

  FakeByteDevice device{64 * 1024};
  Ext2Io io;
  io_channel channel = nullptr;
};

std::vector<std::byte> block_of(const FakeByteDevice& device, std::size_t offset, std::size_t size) {
  return {device.bytes.begin() + static_cast<long>(offset),
          device.bytes.begin() + static_cast<long>(offset + size)};
}

TEST(Ext2Io, blocks_are_read_where_they_lie) {
  Channel c;
  std::vector<std::byte> data(3 * 1024);
  ASSERT_EQ(io_channel_read_blk64(c.channel, 5, 3, data.data()), 0);
  EXPECT_EQ(data, block_of(c.device, 5 * 1024, 3 * 1024));
}

TEST(Ext2Io, a_negative_count_is_a_count_of_bytes) {
  Channel c;
  std::vector<std::byte> data(100);
  ASSERT_EQ(io_channel_read_blk64(c.channel, 2, -100, data.data()), 0);
  EXPECT_EQ(data, block_of(c.device, 2048, 100));
  ASSERT_EQ(io_channel_write_blk64(c.channel, 1, -100, data.data()), 0);
  EXPECT_EQ(block_of(c.device, 1024, 100), data);
  EXPECT_EQ(c.device.log.back().size, 100u);
}

TEST(Ext2Io, the_block_size_can_change) {
  Channel c;
  ASSERT_EQ(io_channel_set_blksize(c.channel, 4096), 0);
  std::vector<std::byte> data(4096);
  ASSERT_EQ(io_channel_read_blk64(c.channel, 2, 1, data.data()), 0);
  EXPECT_EQ(data, block_of(c.device, 8192, 4096));
}

TEST(Ext2Io, while_formatting_blocks_are_written_whole) {
  Channel c;
  const std::vector<std::byte> data = block_of(c.device, 1024, 1024);
  ASSERT_EQ(io_channel_write_blk64(c.channel, 1, 1, data.data()), 0);
  ASSERT_EQ(c.device.log.size(), 1u);
  EXPECT_EQ(c.device.log[0].kind, Kind::kWrite);
  EXPECT_EQ(c.device.log[0].size, 1024u);
  EXPECT_EQ(c.io.stats().bytes_written, 1024u);
}

TEST(Ext2Io, while_mounted_an_unchanged_block_stores_nothing) {
  Channel c;
  c.io.set_mode(Ext2Io::Mode::kMounted);
  const std::vector<std::byte> data = block_of(c.device, 1024, 2048);
  ASSERT_EQ(io_channel_write_blk64(c.channel, 1, 2, data.data()), 0);
  EXPECT_TRUE(c.stores().empty());
}

TEST(Ext2Io, while_mounted_one_changed_bit_stores_one_byte) {
  Channel c;
  c.io.set_mode(Ext2Io::Mode::kMounted);
  std::vector<std::byte> data = block_of(c.device, 1024, 1024);
  data[77] ^= std::byte{8};
  ASSERT_EQ(io_channel_write_blk64(c.channel, 1, 1, data.data()), 0);
  ASSERT_EQ(c.stores().size(), 1u);
  EXPECT_EQ(c.stores()[0].offset, 1024u + 77);
  EXPECT_EQ(c.stores()[0].size, 1u);
  EXPECT_EQ(block_of(c.device, 1024, 1024), data);
  EXPECT_EQ(c.io.stats().bytes_stored, 1u);
  EXPECT_EQ(c.io.stats().stores, 1u);
}

TEST(Ext2Io, near_changes_are_one_store_and_distant_ones_two) {
  Channel c;
  c.io.set_mode(Ext2Io::Mode::kMounted);
  std::vector<std::byte> data = block_of(c.device, 0, 1024);
  for (const std::size_t at : {0u, 4u, 10u, 1023u}) data[at] ^= std::byte{1};
  ASSERT_EQ(io_channel_write_blk64(c.channel, 0, 1, data.data()), 0);
  ASSERT_EQ(c.stores().size(), 3u);
  EXPECT_EQ(c.stores()[0].offset, 0u);
  EXPECT_EQ(c.stores()[0].size, 5u);
  EXPECT_EQ(c.stores()[1].offset, 10u);
  EXPECT_EQ(c.stores()[1].size, 1u);
  EXPECT_EQ(c.stores()[2].offset, 1023u);
  EXPECT_EQ(block_of(c.device, 0, 1024), data);
}

TEST(Ext2Io, a_store_never_crosses_a_page) {
  Channel c;
  c.io.set_mode(Ext2Io::Mode::kMounted);
  std::vector<std::byte> data = block_of(c.device, 3072, 6144);
  for (std::byte& byte : data) byte ^= std::byte{1};
  ASSERT_EQ(io_channel_write_blk64(c.channel, 3, 6, data.data()), 0);
  ASSERT_EQ(c.stores().size(), 3u);
  EXPECT_EQ(c.stores()[0].size, 1024u);
  EXPECT_EQ(c.stores()[1].size, 4096u);
  EXPECT_EQ(c.stores()[2].size, 1024u);
  EXPECT_EQ(block_of(c.device, 3072, 6144), data);
}

TEST(Ext2Io, bytes_and_zeroes_go_the_same_ways) {
  Channel c;
  const std::vector<std::byte> bytes(3, std::byte{0x5a});
  ASSERT_EQ(io_channel_write_byte(c.channel, 1025, 3, bytes.data()), 0);
  EXPECT_EQ(block_of(c.device, 1025, 3), bytes);
  ASSERT_EQ(io_channel_zeroout(c.channel, 4, 10), 0);
  EXPECT_EQ(block_of(c.device, 4096, 10240), std::vector<std::byte>(10240));
  EXPECT_NE(c.device.bytes[14336], std::byte{0});
  c.io.set_mode(Ext2Io::Mode::kMounted);
  c.device.log.clear();
  ASSERT_EQ(io_channel_zeroout(c.channel, 4, 10), 0);
  EXPECT_TRUE(c.stores().empty());
}

TEST(Ext2Io, a_flush_is_a_sync) {
  Channel c;
  ASSERT_EQ(io_channel_flush(c.channel), 0);
  EXPECT_EQ(c.device.log.back().kind, Kind::kSync);
}

TEST(Ext2Io, a_failing_device_is_remembered_with_its_tag) {
  Channel c;
  std::vector<std::byte> data(1024);
  c.device.fail_at = 0;
  EXPECT_NE(io_channel_read_blk64(c.channel, 1, 1, data.data()), 0);
  EXPECT_EQ(c.io.failure(), (BlockStatus{BlockStatus::Code::kIoError, true}));
  c.io.forget_failure();
  EXPECT_EQ(io_channel_read_blk64(c.channel, 1, 1, data.data()), 0);
  EXPECT_TRUE(c.io.failure().ok());
}

TEST(Ext2Io, transfers_beyond_the_device_are_refused_and_are_not_the_devices_fault) {
  Channel c;
  std::vector<std::byte> data(2048);
  EXPECT_EQ(io_channel_read_blk64(c.channel, 63, 2, data.data()), EXT2_ET_SHORT_READ);
  EXPECT_EQ(io_channel_write_blk64(c.channel, 64, 1, data.data()), EXT2_ET_SHORT_WRITE);
  EXPECT_EQ(io_channel_write_blk64(c.channel, UINT64_MAX / 1024, 1, data.data()),
            EXT2_ET_SHORT_WRITE);
  EXPECT_EQ(io_channel_zeroout(c.channel, 63, 2), EXT2_ET_SHORT_WRITE);
  EXPECT_TRUE(c.device.log.empty());
  EXPECT_TRUE(c.io.failure().ok());
}

TEST(Ext2Io, two_instances_do_not_know_of_each_other) {
  Channel a;
  Channel b;
  const std::vector<std::byte> data(1024, std::byte{1});
  ASSERT_EQ(io_channel_write_blk64(a.channel, 0, 1, data.data()), 0);
  EXPECT_EQ(a.device.log.size(), 1u);
  EXPECT_TRUE(b.device.log.empty());
}

TEST(Ext2Io, only_a_name_of_ours_can_be_opened) {
  FakeByteDevice device(4096);
  Ext2Io io(device);
  io_channel channel = nullptr;
  EXPECT_DEATH((void)io.manager()->open("/dev/sda", 0, &channel), "CHECK failed");
}

TEST(Ext2Io, a_channel_that_is_shared_closes_with_its_last_user) {
  FakeByteDevice device(4096);
  Ext2Io io(device);
  io_channel channel = nullptr;
  ASSERT_EQ(io.manager()->open(io.name(), 0, &channel), 0);
  io_channel_bumpcount(channel);
  ASSERT_EQ(io_channel_close(channel), 0);
  EXPECT_DEATH((void)io.manager()->open(io.name(), 0, &channel), "CHECK failed");
  ASSERT_EQ(io_channel_close(channel), 0);
  ASSERT_EQ(io.manager()->open(io.name(), 0, &channel), 0);
  ASSERT_EQ(io_channel_close(channel), 0);
}

}  // namespace
}  // namespace dmsim
