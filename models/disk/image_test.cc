#include "models/disk/image.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <map>

#include "models/disk/image_file.h"
#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

struct ImageTest : testing::Test {
  static DiskOptions options_of(std::string name, std::uint64_t sectors, DiskContent content) {
    DiskOptions options;
    options.name = std::move(name);
    options.sectors = sectors;
    options.content = content;
    return options;
  }
  std::vector<std::byte> bytes_of(const Image& image, SectorRange range) {
    std::vector<std::byte> bytes(range.count() * kSectorBytes);
    image.read(range, bytes);
    return bytes;
  }
  PageRef filled(char fill) { return disk_test::filled_page(space, fill); }

  PagePool pool;
  ImagePool nodes;
  PageSpace space{pool, 0};
  // 5000 pages need three levels of the tree, 512 two.
  Pristine big{pool, options_of("leg0", 40000, DiskContent::kOwn)};
  Pristine twin{pool, options_of("leg1", 40000, DiskContent::kOwn)};
  Pristine zero{pool, options_of("log", 4096, DiskContent::kZero)};
};

TEST_F(ImageTest, a_pristine_sector_says_whose_it_is) {
  const Image image(big, nodes);
  const std::string text(reinterpret_cast<const char*>(image.page(3).sector_bytes(1)), 24);
  EXPECT_EQ(text, "pristine leg0 sector 25\n");
  EXPECT_EQ(image.page(3).version(), 0u);
}

TEST_F(ImageTest, no_two_pristine_sectors_are_equal) {
  const Image a(big, nodes), b(twin, nodes);
  std::map<std::uint64_t, Sector> seen;
  for (std::uint64_t page = 0; page < 200; ++page) {
    for (std::uint32_t sector = 0; sector < kPageSectors; ++sector) {
      EXPECT_TRUE(seen.emplace(a.page(page).sector_digest(sector), page).second);
      EXPECT_TRUE(seen.emplace(b.page(page).sector_digest(sector), page).second);
    }
  }
}

TEST_F(ImageTest, pristine_pages_are_made_once_and_shared) {
  const Image a(big, nodes);
  const Image b = a;
  EXPECT_TRUE(a.page(4999).same_content(b.page(4999)));
  const std::uint64_t live = pool.live();
  (void)a.page(4999);
  EXPECT_EQ(pool.live(), live);
}

TEST_F(ImageTest, a_zero_disk_holds_zeros) {
  const Image image(zero, nodes);
  EXPECT_EQ(bytes_of(image, {0, 9}), std::vector<std::byte>(9 * kSectorBytes));
}

TEST_F(ImageTest, a_change_to_a_fork_leaves_the_original_alone) {
  Image a(big, nodes);
  a.set_page(4000, filled('a'));
  Image b = a;
  b.set_page(4000, filled('b'));
  b.set_page(1, filled('c'));
  EXPECT_EQ(a.page(4000).bytes()[0], std::byte{'a'});
  EXPECT_EQ(b.page(4000).bytes()[0], std::byte{'b'});
  EXPECT_FALSE(a.written(1));
  EXPECT_TRUE(b.written(1));
}

TEST_F(ImageTest, nodes_and_pages_go_back_to_their_pools) {
  const std::uint64_t live = pool.live();
  {
    Image a(big, nodes);
    for (std::uint64_t page = 0; page < 5000; page += 7) a.set_page(page, filled('a'));
    Image b = a;
    b.set_page(2, filled('b'));
    a = b;
  }
  EXPECT_EQ(nodes.leaves.live(), 0u);
  EXPECT_EQ(nodes.branches.live(), 0u);
  EXPECT_EQ(pool.live(), live);
}

// The slow specification: written pages in a map.
TEST_F(ImageTest, forks_agree_with_a_plain_map_whatever_is_written) {
  RandomChoices random(7);
  const ChoicePoint point{"test"};
  const auto draw = [&](std::uint64_t bound) { return random.draw(point, Actor::kNobody, bound); };
  using Model = std::map<std::uint64_t, char>;
  std::vector<std::pair<Image, Model>> forks(1, {Image(big, nodes), Model()});
  for (int step = 0; step < 3000; ++step) {
    const std::size_t which = draw(forks.size());
    if (draw(10) == 0 && forks.size() < 12) forks.push_back(forks[which]);
    if (draw(40) == 0 && forks.size() > 1) forks.erase(forks.begin() + static_cast<long>(which));
    auto& [image, model] = forks[draw(forks.size())];
    const std::uint64_t page = draw(2) == 0 ? draw(5000) : draw(70);
    const char fill = static_cast<char>('a' + draw(3));
    image.set_page(page, filled(fill));
    model[page] = fill;
    if (draw(3) == 0) (void)image.fingerprint();
  }
  for (const auto& fork : forks) {
    const Image& image = fork.first;
    const Model& model = fork.second;
    std::vector<std::uint64_t> changed;
    image.for_each_changed([&](std::uint64_t page, const PageRef& content) {
      changed.push_back(page);
      ASSERT_TRUE(model.contains(page));
      EXPECT_EQ(content.bytes()[kPageBytes - 1], std::byte(model.at(page)));
    });
    ASSERT_EQ(changed.size(), model.size());
    EXPECT_TRUE(std::ranges::is_sorted(changed));
    Image fresh(big, nodes);
    for (const auto& [page, fill] : model) fresh.set_page(page, filled(fill));
    EXPECT_EQ(image.fingerprint(), fresh.fingerprint());
    for (const auto& [other, other_model] : forks) {
      EXPECT_EQ(image.fingerprint() == other.fingerprint(), model == other_model);
      EXPECT_EQ(image.equal({0, 40000}, other, 0), model == other_model);
    }
  }
}

TEST_F(ImageTest, writing_the_pristine_bytes_back_restores_the_fingerprint) {
  Image image(big, nodes);
  const std::uint64_t before = image.fingerprint();
  const auto bytes = bytes_of(image, {13, 14});
  image.set_page(1, filled('a'));
  EXPECT_NE(image.fingerprint(), before);
  image.set_page(1, big.page(1));
  image.write_sectors(space, 13, bytes);
  EXPECT_EQ(image.fingerprint(), before);
  int changed = 0;
  image.for_each_changed([&](std::uint64_t, const PageRef&) { ++changed; });
  EXPECT_EQ(changed, 0);
}

TEST_F(ImageTest, equal_contents_at_another_page_give_another_fingerprint) {
  Image a(big, nodes), b(big, nodes);
  a.set_page(1, filled('a'));
  b.set_page(2, filled('a'));
  EXPECT_NE(a.fingerprint(), b.fingerprint());
}

TEST_F(ImageTest, sectors_are_written_and_read_at_any_alignment) {
  Image image(big, nodes);
  std::vector<std::byte> bytes(21 * kSectorBytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte(i * 7 % 251);
  const auto before = bytes_of(image, {4, 5});
  image.write_sectors(space, 5, bytes);
  EXPECT_EQ(bytes_of(image, {5, 26}), bytes);
  EXPECT_EQ(bytes_of(image, {4, 5}), before);
  const Image fresh(big, nodes);
  EXPECT_EQ(bytes_of(image, {26, 40}), bytes_of(fresh, {26, 40}));
}

TEST_F(ImageTest, set_sectors_takes_only_the_sectors_of_the_mask) {
  Image image(big, nodes);
  image.set_sectors(space, 0, 0b00000110, filled('a'));
  EXPECT_EQ(image.page(0).sector_bytes(1)[5], std::byte{'a'});
  EXPECT_EQ(image.page(0).sector_bytes(2)[5], std::byte{'a'});
  for (const std::uint32_t sector : {0u, 3u, 7u}) {
    EXPECT_EQ(image.page(0).sector_digest(sector), big.page(0).sector_digest(sector));
  }
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(big.page(0).sector_bytes(1)), 8), "pristine");
}

TEST_F(ImageTest, images_of_two_disks_differ_until_copied) {
  Image a(big, nodes), b(twin, nodes);
  EXPECT_EQ(a.first_difference({8, 24}, b, 8), 8u);
  b.set_page(1, a.page(1));
  EXPECT_EQ(a.first_difference({8, 24}, b, 8), 16u);
  b.set_page(2, a.page(2));
  EXPECT_TRUE(a.equal({8, 24}, b, 8));
  EXPECT_TRUE(a.equal({9, 23}, b, 9));
}

TEST_F(ImageTest, comparison_finds_the_sector_at_any_offset) {
  Image a(big, nodes), b(twin, nodes);
  std::vector<std::byte> bytes(30 * kSectorBytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte(i / 100 % 256);
  for (const Sector shift : {0u, 3u, 8u}) {
    a.write_sectors(space, 40, bytes);
    b.write_sectors(space, 40 + shift, bytes);
    EXPECT_TRUE(a.equal({40, 70}, b, 40 + shift));
    EXPECT_EQ(a.first_difference({39, 70}, b, 39 + shift), 39u);
    bytes[17 * kSectorBytes + 3] ^= std::byte{1};
    b.write_sectors(space, 40 + shift, bytes);
    EXPECT_EQ(a.first_difference({40, 70}, b, 40 + shift), 57u);
  }
}

TEST_F(ImageTest, an_image_survives_export_and_import) {
  const std::string path = testing::TempDir() + "dmsim_image_test.raw";
  Image image(zero, nodes);
  image.set_page(7, filled('a'));
  ASSERT_TRUE(export_raw(image, path).ok());
  Image back(zero, nodes);
  ASSERT_TRUE(import_raw(path, space, &back).ok());
  EXPECT_EQ(back.fingerprint(), image.fingerprint());
  EXPECT_TRUE(back.written(7));
  EXPECT_FALSE(back.written(6));
  std::remove(path.c_str());
}

TEST_F(ImageTest, an_exported_file_has_the_disks_size_even_if_it_ends_in_zeros) {
  const std::string path = testing::TempDir() + "dmsim_image_size_test.raw";
  ASSERT_TRUE(export_raw(Image(zero, nodes), path).ok());
  std::FILE* file = std::fopen(path.c_str(), "rb");
  ASSERT_NE(file, nullptr);
  std::fseek(file, 0, SEEK_END);
  EXPECT_EQ(std::ftell(file), 4096 * 512);
  std::fclose(file);
  std::remove(path.c_str());
}

TEST_F(ImageTest, a_file_that_does_not_fit_is_refused_with_its_offset) {
  const std::string path = testing::TempDir() + "dmsim_image_bad_test.raw";
  std::FILE* file = std::fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  std::fwrite("abc", 1, 3, file);
  std::fclose(file);
  Image image(zero, nodes);
  const auto result = import_raw(path, space, &image);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "the file's size is not a multiple of 512 bytes");
  std::remove(path.c_str());
}

}  // namespace
}  // namespace dmsim
