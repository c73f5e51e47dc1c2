// The map of LVM1 as bytes.
#include "engine/lvm/lvm1_group.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "engine/lvm/lvm1_test_rig.h"

namespace dmsim::lvm1 {
namespace {

struct Disks {
  std::map<std::string, std::vector<std::byte>> bytes;
  void put(const std::string& disk, const Group& group) {
    auto& whole = bytes[disk];
    whole.resize(3 * kPageBytes);
    const std::vector<std::byte> page = encode(group);
    std::memcpy(whole.data() + map_sector(group.sequence) * kSectorBytes, page.data(), page.size());
  }
  std::optional<Group> newest() {
    return lvm1::newest("vg", {"pv0", "pv1"}, [this](const std::string& disk, Sector first, std::byte* out) {
      if (bytes[disk].empty()) return false;
      std::memcpy(out, bytes[disk].data() + first * kSectorBytes, kPageBytes);
      return true;
    });
  }
};

TEST(Lvm1Group, what_is_encoded_is_decoded_as_it_was) {
  Group group = Lvm1Rig::group();
  group.sequence = 0x0102030405060708;
  group.volumes.push_back({"other", {{1, 7}}});
  const auto back = decode(encode(group).data());
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, group);
}

// The worked bytes of docs/LVM1_METADATA.md.
TEST(Lvm1Group, bytes_lie_where_the_document_says) {
  const std::vector<std::byte> page = encode(Lvm1Rig::group());
  const auto byte = [&](std::size_t at) { return std::to_integer<int>(page[at]); };
  EXPECT_EQ(std::memcmp(page.data(), "DMSLVM1\0", 8), 0);
  EXPECT_EQ(byte(16), 1);                                        // sequence
  EXPECT_EQ(byte(24), 16);                                       // sectors of an extent
  EXPECT_EQ(byte(28), 32);                                       // first sector of extent 0
  EXPECT_EQ(byte(32), 2);                                        // physical volumes
  EXPECT_EQ(byte(36), 1);                                        // logical volumes
  EXPECT_EQ(std::memcmp(page.data() + 40, "vg\0", 3), 0);
  EXPECT_EQ(std::memcmp(page.data() + 72, "pv0\0", 4), 0);
  EXPECT_EQ(byte(104), 8);                                       // its extents
  EXPECT_EQ(std::memcmp(page.data() + 144, "lv\0", 3), 0);
  EXPECT_EQ(byte(176), 4);                                       // its extents
  EXPECT_EQ(byte(184), 0);                                       // the second lies on disk 0
  EXPECT_EQ(byte(186), 1);                                       // as extent 1
}

TEST(Lvm1Group, any_torn_sector_makes_a_page_no_map) {
  Group older = Lvm1Rig::group();
  Group newer = older;
  newer.sequence = 3;
  newer.volumes[0].map[0] = {1, 5};
  const std::vector<std::byte> before = encode(older), after = encode(newer);
  std::vector<std::byte> torn = before;
  std::memcpy(torn.data(), after.data(), kSectorBytes);
  EXPECT_TRUE(decode(torn.data()).has_value()) << "all that differs lies in the first sector";
  torn = before;
  torn[3000] ^= std::byte{1};
  EXPECT_FALSE(decode(torn.data()).has_value());
  torn = before;
  torn[17] ^= std::byte{1};
  EXPECT_FALSE(decode(torn.data()).has_value());
}

TEST(Lvm1Group, the_newest_whole_map_of_any_disk_counts) {
  Disks disks;
  Group group = Lvm1Rig::group();
  disks.put("pv0", group);
  disks.put("pv1", group);
  group.sequence = 2;
  group.volumes[0].map[3] = {1, 0};
  disks.put("pv1", group);  // and then the power went
  ASSERT_TRUE(disks.newest().has_value());
  EXPECT_EQ(*disks.newest(), group);
  disks.bytes["pv1"][kPageBytes * 1 + 100] ^= std::byte{1};
  EXPECT_EQ(disks.newest()->sequence, 1u);
}

TEST(Lvm1Group, a_map_is_a_table_of_linear_lines) {
  Group group = Lvm1Rig::group();
  group.volumes[0].map[1] = {1, 2};
  EXPECT_EQ(group.table(group.volumes[0]),
            "0 16 linear pv0 32\n16 16 linear pv1 64\n32 16 linear pv0 64\n48 16 linear pv0 80");
}

}  // namespace
}  // namespace dmsim::lvm1
