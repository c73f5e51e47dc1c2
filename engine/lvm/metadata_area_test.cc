#include "engine/lvm/metadata_area.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "engine/lvm/test_groups.h"

namespace dmsim::lvm {
namespace {

// A physical volume in memory.
struct Volume {
  std::vector<std::byte> bytes = std::vector<std::byte>(512 * 1024, std::byte{0x5a});
  MetadataArea area;
  AreaHeader header;

  void put(Sector first, const std::byte* data, std::size_t count) {
    std::memcpy(bytes.data() + first * kSectorBytes, data, count);
  }
  void put(const std::vector<SectorWrite>& writes) {
    for (const SectorWrite& write : writes) put(write.first, write.bytes.data(), write.bytes.size());
  }
  void put_header() {
    const SectorBytes sector = make_header(header, area);
    put(area.begin_sector(), sector.data(), sector.size());
  }
  void commit(std::string_view text) {
    const auto placed = place_text(header, area, text);
    ASSERT_TRUE(placed) << placed.error();
    put(placed->writes);
    header = {placed->slot, {}};
    put_header();
  }
  ReadSectors reader() const {
    return [this](Sector first, std::uint32_t count, std::byte* out) {
      std::memcpy(out, bytes.data() + first * kSectorBytes, count * kSectorBytes);
      return true;
    };
  }
  Result<std::string> committed_text() const {
    const auto found = read_header(reader(), area, "pv0");
    if (!found) return Failure{found.error()};
    return read_text(reader(), area, found->committed, "pv0");
  }
};

Volume labelled(const MetadataArea& area = {}) {
  Volume volume;
  volume.area = area;
  const SectorBytes label = make_label(test_group().physical_volumes[0], area);
  volume.put(kLabelSector, label.data(), label.size());
  return volume;
}

TEST(MetadataArea, a_label_says_whose_it_is_and_where_metadata_lies) {
  const Volume volume = labelled();
  const auto found = read_label(volume.reader(), "pv0");
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(found->id, id_without_dashes(make_id("pv0")));
  EXPECT_EQ(found->area, volume.area);
  EXPECT_EQ(found->data_begin_byte, 128 * kSectorBytes);
  EXPECT_EQ(found->device_bytes, (128 + 64 * 8) * kSectorBytes);
}

TEST(MetadataArea, damage_to_label_header_or_text_is_told_with_its_offset) {
  Volume volume = labelled();
  volume.commit("text");
  Volume damaged = volume;
  damaged.bytes[600] ^= std::byte{1};
  EXPECT_EQ(read_label(damaged.reader(), "pv0").error().to_string(),
            "pv0: at byte 528: the label's checksum is wrong");
  damaged.bytes[513] ^= std::byte{1};
  EXPECT_EQ(read_label(damaged.reader(), "pv0").error().to_string(),
            "pv0: at byte 512: there is no label of a physical volume");
  damaged = volume;
  damaged.bytes[4096 + 50] ^= std::byte{1};
  EXPECT_EQ(damaged.committed_text().error().to_string(),
            "pv0: at byte 4096: the metadata header's checksum is wrong");
  damaged = volume;
  damaged.bytes[4096 + 512] ^= std::byte{1};
  EXPECT_EQ(damaged.committed_text().error().to_string(), "pv0: at byte 4608: the metadata's checksum is wrong");
}

TEST(MetadataArea, a_header_that_points_outside_its_ring_is_refused) {
  Volume volume = labelled();
  volume.header.committed = {512, volume.area.bytes, 0};
  volume.put_header();
  EXPECT_EQ(read_header(volume.reader(), volume.area, "pv0").error().to_string(),
            "pv0: at byte 4136: the metadata header points outside its ring");
}

TEST(MetadataArea, texts_go_round_the_ring_and_never_touch_the_committed_one) {
  Volume volume = labelled({4096, 512 * 8});
  bool wrapped = false;
  for (int round = 0; round < 40; ++round) {
    const std::string before(static_cast<std::size_t>(900 + 31 * round % 600), static_cast<char>('a' + round % 26));
    volume.commit(before);
    const std::string next(static_cast<std::size_t>(1000 + 17 * round % 500), 'z');
    const auto placed = place_text(volume.header, volume.area, next);
    ASSERT_TRUE(placed) << placed.error();
    volume.put(placed->writes);
    wrapped |= placed->writes.size() == 2;
    ASSERT_TRUE(volume.committed_text());
    EXPECT_EQ(*volume.committed_text(), before) << "the new text has overwritten the committed one";
    EXPECT_EQ(*read_text(volume.reader(), volume.area, placed->slot, "pv0"), next);
  }
  EXPECT_TRUE(wrapped);
}

TEST(MetadataArea, a_text_that_would_overwrite_the_committed_one_is_refused) {
  Volume volume = labelled({4096, 512 * 8});
  volume.commit(std::string(1800, 'a'));
  EXPECT_EQ(place_text(volume.header, volume.area, std::string(1800, 'b')).error(),
            "metadata of 1801 bytes does not fit into an area of 4096");
  EXPECT_TRUE(place_text(volume.header, volume.area, std::string(1500, 'b')));
}

// Debian's own tool is the judge of the format.
TEST(MetadataArea, pvck_of_lvm2_reads_what_is_committed_and_not_what_is_precommitted) {
  Volume volume = labelled();
  VolumeGroup group = test_group();
  volume.commit(to_text(group, "first"));
  group.sequence = 8;
  group.logical_volumes.pop_back();
  volume.commit(to_text(group, "second"));
  group.sequence = 9;
  const auto placed = place_text(volume.header, volume.area, to_text(group, "third"));
  ASSERT_TRUE(placed);
  volume.put(placed->writes);
  volume.header.precommitted = placed->slot;
  volume.put_header();

  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  const std::filesystem::path image = folder / ("dmsim-pvck-" + std::to_string(getpid()) + ".img");
  const std::filesystem::path out = image.string() + ".out";
  std::ofstream(image, std::ios::binary)
      .write(reinterpret_cast<const char*>(volume.bytes.data()), static_cast<std::streamsize>(volume.bytes.size()));
  const std::string command = "LVM_SUPPRESS_FD_WARNINGS=1 pvck --dump metadata " + image.string() + " > " +
                              out.string() + " 2>&1";
  const int status = std::system(command.c_str());
  std::ifstream in(out);
  const std::string said((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  std::filesystem::remove(image);
  std::filesystem::remove(out);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) GTEST_SKIP() << "lvm2 is not installed";
  EXPECT_EQ(status, 0) << said;
  EXPECT_NE(said.find("seqno = 8"), std::string::npos) << said;
  EXPECT_EQ(said.find("data {"), std::string::npos) << said;
  EXPECT_EQ(said.find("checksum"), std::string::npos) << said;
}

}  // namespace
}  // namespace dmsim::lvm
