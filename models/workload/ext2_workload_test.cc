#include "models/workload/ext2_workload.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>
#include <map>

#include "models/workload/fake_byte_device.h"

namespace dmsim {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;
using Kind = FakeByteDevice::Kind;

// What a file system needs around it: a clock, mostly.
struct World {
  StackPool stacks;
  PlainChoices plain;
  Trace trace;
  Scheduler scheduler{stacks, plain, trace};
};

struct Machine : World {
  explicit Machine(std::size_t size) : device(size), fs(device, scheduler) {}
  FakeByteDevice device;
  Ext2FileSystem fs;
};

struct Verdict {
  int exit_code = -1;
  std::string text;
};

// Debian's own e2fsck over an image: 0 when nothing is to be complained of.
Verdict fsck(std::span<const std::byte> image) {
  std::string path = testing::TempDir() + "dmsim-ext2-XXXXXX";
  const int fd = mkstemp(path.data());
  EXPECT_GE(fd, 0);
  std::FILE* file = fdopen(fd, "wb");
  EXPECT_EQ(std::fwrite(image.data(), 1, image.size(), file), image.size());
  std::fclose(file);
  const std::string command = "PATH=\"$PATH:/usr/sbin:/sbin\" e2fsck -fn '" + path + "' 2>&1";
  std::FILE* output = popen(command.c_str(), "r");
  Verdict verdict;
  char line[256];
  while (std::fgets(line, sizeof line, output) != nullptr) verdict.text += line;
  const int status = pclose(output);
  verdict.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  std::remove(path.c_str());
  return verdict;
}

#define EXPECT_CLEAN(image)                          \
  do {                                               \
    const Verdict verdict = fsck(image);             \
    EXPECT_EQ(verdict.exit_code, 0) << verdict.text; \
  } while (false)
#define ASSERT_DONE(expression)                                               \
  do {                                                                        \
    const auto& done_ = (expression);                                         \
    ASSERT_TRUE(done_.ok()) << #expression << ": " << done_.error().to_string(); \
  } while (false)

std::vector<std::byte> text(std::size_t size, char letter) {
  return std::vector<std::byte>(size, static_cast<std::byte>(letter));
}

struct Shape {
  std::size_t size;
  std::uint32_t block_bytes;
};
void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.size << " bytes in blocks of " << shape.block_bytes;
}
class Ext2Shapes : public testing::TestWithParam<Shape> {};

INSTANTIATE_TEST_SUITE_P(All, Ext2Shapes,
                         testing::Values(Shape{kMiB, 1024}, Shape{kMiB, 2048}, Shape{kMiB, 4096},
                                         Shape{8 * kMiB, 1024}, Shape{24 * kMiB, 1024},
                                         Shape{24 * kMiB, 4096}, Shape{kMiB + 3 * 4096, 4096}));

TEST_P(Ext2Shapes, a_fresh_file_system_is_clean) {
  Machine machine(GetParam().size);
  ASSERT_DONE(machine.fs.format({.block_bytes = GetParam().block_bytes}));
  EXPECT_CLEAN(machine.device.bytes);
  EXPECT_EQ(machine.device.log.back().kind, Kind::kSync);
}

TEST(Ext2, nothing_of_what_was_on_the_device_is_left_around_the_super_block) {
  Machine machine(kMiB);
  ASSERT_DONE(machine.fs.format({.block_bytes = 4096}));
  for (std::size_t at = 0; at < 4096; ++at) {
    if (at >= 1024 && at < 2048) continue;
    EXPECT_EQ(machine.device.bytes[at], std::byte{0}) << at;
  }
}

TEST_P(Ext2Shapes, it_is_clean_after_every_operation_and_sync) {
  Machine machine(GetParam().size);
  auto& fs = machine.fs;
  ASSERT_DONE(fs.format({.block_bytes = GetParam().block_bytes}));
  ASSERT_DONE(fs.mount());
  const std::vector<std::pair<const char*, std::function<Ext2Result<>()>>> steps{
      {"nothing", [&]() -> Ext2Result<> { return Done{}; }},
      {"create an empty file", [&] { return fs.create("empty", {}); }},
      {"create a small file", [&] { return fs.create("small", text(100, 's')); }},
      {"create a file with indirect blocks", [&] { return fs.create("big", text(100'000, 'b')); }},
      {"fill a last block", [&] { return fs.append("small", text(50, 't')); }},
      {"append over blocks", [&] { return fs.append("small", text(20'000, 'u')); }},
      {"append to an empty file", [&] { return fs.append("empty", text(1, 'e')); }},
      {"make a directory", [&] { return fs.mkdir("dir"); }},
      {"make one inside", [&] { return fs.mkdir("dir/inner"); }},
      {"create in a directory", [&] { return fs.create("dir/inner/file", text(5000, 'f')); }},
      {"overwrite", [&] { return fs.overwrite("big", 4000, text(5000, 'x')); }},
      {"unlink a big file", [&] { return fs.unlink("big"); }},
      {"unlink in a directory", [&] { return fs.unlink("dir/inner/file"); }},
      {"use the space again", [&] { return fs.create("again", text(90'000, 'a')); }},
  };
  for (const auto& [what, step] : steps) {
    SCOPED_TRACE(what);
    ASSERT_DONE(step());
    ASSERT_DONE(fs.sync());
    EXPECT_CLEAN(machine.device.bytes);
  }
  ASSERT_DONE(fs.unmount());
  EXPECT_CLEAN(machine.device.bytes);
}

TEST(Ext2, what_was_written_to_files_is_read_after_another_mount) {
  Machine machine(2 * kMiB);
  auto& fs = machine.fs;
  ASSERT_DONE(fs.format({}));
  ASSERT_DONE(fs.mount());
  // 12 direct blocks, 256 behind the indirect one, and some behind the doubly indirect one.
  const std::vector<std::byte> contents = junk(400'000, 77);
  ASSERT_DONE(fs.create("a", std::span(contents).first(300)));
  ASSERT_DONE(fs.append("a", std::span(contents).subspan(300, 20'000)));
  ASSERT_DONE(fs.append("a", std::span(contents).subspan(20'300)));
  ASSERT_DONE(fs.mkdir("d"));
  ASSERT_DONE(fs.create("d/b", text(10, 'b')));
  ASSERT_DONE(fs.unmount());
  ASSERT_DONE(fs.mount());
  auto a = fs.read("a");
  ASSERT_DONE(a);
  EXPECT_TRUE(a.value() == contents);
  EXPECT_EQ(fs.read("d/b").value(), text(10, 'b'));
  ASSERT_DONE(fs.overwrite("a", 299'999, text(3, 'y')));
  EXPECT_EQ(fs.read("a")->at(300'001), std::byte{'y'});
  EXPECT_EQ(fs.read("a")->at(300'002), contents[300'002]);
  ASSERT_DONE(fs.unmount());
  EXPECT_CLEAN(machine.device.bytes);
}

TEST(Ext2, the_space_of_a_file_comes_back_when_it_is_unlinked) {
  Machine machine(kMiB);
  auto& fs = machine.fs;
  ASSERT_DONE(fs.format({}));
  ASSERT_DONE(fs.mount());
  const std::uint64_t blocks = fs.free_blocks();
  const std::uint64_t inodes = fs.free_inodes();
  ASSERT_DONE(fs.create("f", text(400'000, 'f')));
  // 391 blocks of data, one indirect, one doubly indirect with one below it.
  EXPECT_EQ(fs.free_blocks(), blocks - 391 - 3);
  EXPECT_EQ(fs.free_inodes(), inodes - 1);
  ASSERT_DONE(fs.unlink("f"));
  EXPECT_EQ(fs.free_blocks(), blocks);
  EXPECT_EQ(fs.free_inodes(), inodes);
}

TEST(Ext2, names_that_are_wrong_are_refused_and_nothing_breaks) {
  using Error = Ext2Error::Kind;
  Machine machine(kMiB);
  auto& fs = machine.fs;
  ASSERT_DONE(fs.format({}));
  ASSERT_DONE(fs.mount());
  ASSERT_DONE(fs.create("f", text(10, 'f')));
  ASSERT_DONE(fs.mkdir("d"));
  EXPECT_EQ(fs.create("f", {}).error().kind, Error::kExists);
  EXPECT_EQ(fs.mkdir("f").error().kind, Error::kExists);
  EXPECT_EQ(fs.create("d", {}).error().kind, Error::kExists);
  EXPECT_EQ(fs.append("g", {}).error().kind, Error::kNotFound);
  EXPECT_EQ(fs.unlink("g").error().kind, Error::kNotFound);
  EXPECT_EQ(fs.read("no/f").error().kind, Error::kNotFound);
  EXPECT_EQ(fs.create("f/g", {}).error().kind, Error::kWrongType);
  EXPECT_EQ(fs.unlink("d").error().kind, Error::kWrongType);
  EXPECT_EQ(fs.read("d").error().kind, Error::kWrongType);
  EXPECT_EQ(fs.read("g").error().to_string(), "ext2fs_lookup: not found");
  ASSERT_DONE(fs.unmount());
  EXPECT_CLEAN(machine.device.bytes);
}

TEST(Ext2, a_full_file_system_keeps_what_fitted_and_stays_clean) {
  for (const std::uint32_t block_bytes : {1024u, 4096u}) {
    Machine machine(kMiB);
    auto& fs = machine.fs;
    ASSERT_DONE(fs.format({.block_bytes = block_bytes}));
    ASSERT_DONE(fs.mount());
    const std::vector<std::byte> contents = junk(2 * kMiB, 3);
    const auto created = fs.create("too-big", contents);
    ASSERT_FALSE(created.ok());
    EXPECT_EQ(created.error().kind, Ext2Error::Kind::kNoSpace);
    auto kept = fs.read("too-big");
    ASSERT_DONE(kept);
    EXPECT_GT(kept->size(), kMiB / 2);
    EXPECT_TRUE(std::equal(kept->begin(), kept->end(), contents.begin()));
    EXPECT_LE(fs.free_blocks(), 3u);
    ASSERT_DONE(fs.sync());
    EXPECT_CLEAN(machine.device.bytes);
    ASSERT_DONE(fs.unlink("too-big"));
    ASSERT_DONE(fs.unmount());
    EXPECT_CLEAN(machine.device.bytes);
  }
}

TEST(Ext2, it_stays_clean_wherever_space_runs_out) {
  for (std::size_t spare = 0; spare < 9; ++spare) {
    Machine machine(kMiB);
    auto& fs = machine.fs;
    ASSERT_DONE(fs.format({}));
    ASSERT_DONE(fs.mount());
    ASSERT_DONE(fs.create("near", text((12 + 256) * 1024 - 1024, 'n')));
    ASSERT_DONE(fs.create("rest", text(1024, 'r')));
    while (fs.free_blocks() > spare) ASSERT_DONE(fs.append("rest", text(1024, 'r')));
    // Crosses into the doubly indirect blocks, where each step needs a block of another kind.
    const auto appended = fs.append("near", text(64 * 1024, 'm'));
    ASSERT_FALSE(appended.ok());
    EXPECT_EQ(appended.error().kind, Ext2Error::Kind::kNoSpace);
    Ext2Result<> made = Done{};
    for (int i = 0; made.ok(); ++i) made = fs.mkdir("directory" + std::to_string(i));
    EXPECT_EQ(made.error().kind, Ext2Error::Kind::kNoSpace);
    bool linked = true;
    for (int i = 0; i < 60 && linked; ++i) {
      linked = fs.create("long-name-to-fill-directories-" + std::to_string(i), {}).ok();
    }
    EXPECT_FALSE(linked);  // the root cannot grow
    ASSERT_DONE(fs.sync());
    EXPECT_CLEAN(machine.device.bytes);
  }
}

TEST(Ext2, a_device_without_inodes_left_refuses_files) {
  Machine machine(kMiB);
  auto& fs = machine.fs;
  ASSERT_DONE(fs.format({.block_bytes = 1024, .inodes = 16}));
  ASSERT_DONE(fs.mount());
  int created = 0;
  Ext2Result<> outcome = Done{};
  while (outcome.ok() && created < 100) outcome = fs.create(std::to_string(created++), {});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, Ext2Error::Kind::kNoSpace);
  ASSERT_DONE(fs.unmount());
  EXPECT_CLEAN(machine.device.bytes);
}

TEST(Ext2, many_files_make_a_directory_grow) {
  Machine machine(2 * kMiB);
  auto& fs = machine.fs;
  ASSERT_DONE(fs.format({}));
  ASSERT_DONE(fs.mount());
  for (int i = 0; i < 150; ++i) ASSERT_DONE(fs.create("file-number-" + std::to_string(i), text(7, '7')));
  for (int i = 0; i < 150; i += 3) ASSERT_DONE(fs.unlink("file-number-" + std::to_string(i)));
  EXPECT_EQ(fs.read("file-number-149").value(), text(7, '7'));
  ASSERT_DONE(fs.unmount());
  EXPECT_CLEAN(machine.device.bytes);
}

// --- how it writes ------------------------------------------------------------------------------

TEST(Ext2, a_mounted_file_system_stores_only_bytes_that_change) {
  Machine machine(kMiB);
  auto& fs = machine.fs;
  ASSERT_DONE(fs.format({}));
  ASSERT_DONE(fs.mount());
  ASSERT_DONE(fs.create("before", text(1024, 'b')));
  machine.device.log.clear();
  ASSERT_DONE(fs.create("f", text(1024, 'f')));
  std::uint64_t stored = 0;
  std::size_t written = 0;
  for (const auto& operation : machine.device.log) {
    if (operation.kind == Kind::kStore) stored += operation.size;
    if (operation.kind == Kind::kWrite) written += operation.size;
  }
  EXPECT_EQ(written, 1024u);  // the file's data, and nothing else
  EXPECT_GT(stored, 20u);
  EXPECT_LT(stored, 250u);    // an inode, a directory entry, two bits, counts
}

TEST(Ext2, an_allocation_stores_single_bytes_into_the_bitmaps_before_anything_points_there) {
  Machine machine(kMiB);
  auto& fs = machine.fs;
  ASSERT_DONE(fs.format({}));
  ASSERT_DONE(fs.mount());
  // The bitmaps' places, from the group descriptor behind the super block.
  std::uint32_t block_bitmap = 0;
  std::uint32_t inode_bitmap = 0;
  std::uint32_t inode_table = 0;
  std::memcpy(&block_bitmap, machine.device.bytes.data() + 2048, 4);
  std::memcpy(&inode_bitmap, machine.device.bytes.data() + 2052, 4);
  std::memcpy(&inode_table, machine.device.bytes.data() + 2056, 4);
  machine.device.log.clear();
  ASSERT_DONE(fs.create("f", text(3 * 1024, 'f')));
  std::string order;
  for (const auto& operation : machine.device.log) {
    if (operation.kind == Kind::kWrite) order += 'D';
    if (operation.kind != Kind::kStore) continue;
    const std::uint64_t block = operation.offset / 1024;
    if (block == block_bitmap || block == inode_bitmap) {
      EXPECT_EQ(operation.size, 1u);
    }
    if (block == block_bitmap) order += 'b';
    if (block == inode_bitmap) order += 'i';
    if (block >= inode_table && block < inode_table + 32 && order.back() != 'I') order += 'I';
  }
  EXPECT_EQ(order, "iIbDIbDIbDI");
}

TEST(Ext2, a_mounted_file_system_is_not_marked_clean_until_it_is_unmounted) {
  Machine machine(kMiB);
  auto& fs = machine.fs;
  ASSERT_DONE(fs.format({}));
  const auto state = [&] { return std::to_integer<int>(machine.device.bytes[1024 + 58]); };
  EXPECT_EQ(state(), 1);
  ASSERT_DONE(fs.mount());
  EXPECT_EQ(state(), 0);
  ASSERT_DONE(fs.create("f", {}));
  ASSERT_DONE(fs.sync());
  EXPECT_EQ(state(), 0);
  ASSERT_DONE(fs.unmount());
  EXPECT_EQ(state(), 1);
}

TEST(Ext2, a_file_system_whose_power_was_cut_stays_marked_after_the_next_unmount) {
  Machine machine(kMiB);
  ASSERT_DONE(machine.fs.format({}));
  {
    Ext2FileSystem cut(machine.device, machine.scheduler);
    ASSERT_DONE(cut.mount());
    ASSERT_DONE(cut.create("f", text(10, 'f')));
  }
  EXPECT_EQ(machine.device.bytes[1024 + 58], std::byte{0});
  ASSERT_DONE(machine.fs.mount());
  EXPECT_EQ(machine.fs.read("f").value(), text(10, 'f'));
  ASSERT_DONE(machine.fs.unmount());
  EXPECT_EQ(machine.device.bytes[1024 + 58], std::byte{0});
  EXPECT_CLEAN(machine.device.bytes);
}

// --- determinism --------------------------------------------------------------------------------

std::vector<std::byte> image_of_a_life() {
  Machine machine(kMiB);
  auto& fs = machine.fs;
  EXPECT_TRUE(fs.format({}).ok());
  machine.scheduler.start_at(Instant::at_ns(5'000'000'000));
  EXPECT_TRUE(fs.mount().ok());
  EXPECT_TRUE(fs.mkdir("d").ok());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(fs.create("d/" + std::to_string(i), text(3000, 'x')).ok());
  EXPECT_TRUE(fs.unlink("d/3").ok());
  EXPECT_TRUE(fs.unmount().ok());
  return machine.device.bytes;
}

TEST(Ext2, two_runs_give_the_same_image_whatever_the_environment_says) {
  const std::vector<std::byte> first = image_of_a_life();
  ASSERT_EQ(setenv("E2FSPROGS_FAKE_TIME", "1000000000", 1), 0);
  ASSERT_EQ(setenv("SOURCE_DATE_EPOCH", "1000000001", 1), 0);
  ASSERT_EQ(setenv("TZ", "Asia/Tokyo", 1), 0);
  const std::vector<std::byte> second = image_of_a_life();
  unsetenv("E2FSPROGS_FAKE_TIME");
  unsetenv("SOURCE_DATE_EPOCH");
  unsetenv("TZ");
  EXPECT_TRUE(first == second);
}

TEST(Ext2, no_time_of_the_real_world_is_in_an_image) {
  // Blank beneath, so that junk is not mistaken for a time.
  Machine machine(kMiB);
  std::fill(machine.device.bytes.begin(), machine.device.bytes.end(), std::byte{0});
  ASSERT_DONE(machine.fs.format({}));
  ASSERT_DONE(machine.fs.mount());
  ASSERT_DONE(machine.fs.create("f", text(3000, 'x')));
  ASSERT_DONE(machine.fs.mkdir("d"));
  ASSERT_DONE(machine.fs.create("g", text(30, 'x')));
  ASSERT_DONE(machine.fs.unlink("g"));
  ASSERT_DONE(machine.fs.unmount());
  const auto real = static_cast<std::int64_t>(std::time(nullptr));
  std::size_t virtual_times = 0;
  for (std::size_t at = 0; at < machine.device.bytes.size(); at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, machine.device.bytes.data() + at, 4);
    if (word == kExt2Epoch) ++virtual_times;
    EXPECT_FALSE(word > real - 1000 && word < real + 1000) << "at byte " << at;
  }
  EXPECT_GT(virtual_times, 10u);
}

// --- when things go wrong -----------------------------------------------------------------------

TEST(Ext2, a_device_error_anywhere_is_reported_with_its_tag) {
  std::size_t operations = 0;
  {
    Machine machine(kMiB);
    ASSERT_DONE(machine.fs.format({}));
    machine.device.log.clear();
    ASSERT_DONE(machine.fs.mount());
    ASSERT_DONE(machine.fs.create("f", text(20'000, 'f')));
    ASSERT_DONE(machine.fs.unlink("f"));
    ASSERT_DONE(machine.fs.unmount());
    operations = machine.device.log.size();
  }
  ASSERT_GT(operations, 50u);
  std::size_t reported = 0;
  for (std::size_t at = 0; at < operations; ++at) {
    Machine machine(kMiB);
    ASSERT_DONE(machine.fs.format({}));
    machine.device.log.clear();
    machine.device.fail_at = at;
    const auto life = [&]() -> Ext2Result<> {
      if (auto done = machine.fs.mount(); !done.ok()) return done;
      if (auto done = machine.fs.create("f", text(20'000, 'f')); !done.ok()) return done;
      if (auto done = machine.fs.unlink("f"); !done.ok()) return done;
      return machine.fs.unmount();
    };
    const auto outcome = life();
    if (outcome.ok()) continue;
    ++reported;
    EXPECT_EQ(outcome.error().kind, Ext2Error::Kind::kDevice) << outcome.error().to_string();
    EXPECT_EQ(outcome.error().device, (BlockStatus{BlockStatus::Code::kIoError, true})) << at;
  }
  EXPECT_EQ(reported, operations);
}

TEST(Ext2, a_device_error_during_format_is_reported) {
  Machine whole(kMiB);
  ASSERT_DONE(whole.fs.format({}));
  for (std::size_t at = 0; at < whole.device.log.size(); ++at) {
    Machine machine(kMiB);
    machine.device.fail_at = at;
    const auto outcome = machine.fs.format({});
    ASSERT_FALSE(outcome.ok()) << at;
    EXPECT_EQ(outcome.error().kind, Ext2Error::Kind::kDevice) << outcome.error().to_string();
  }
}

TEST(Ext2, what_is_no_ext2_is_not_mounted) {
  Machine machine(kMiB);
  const auto outcome = machine.fs.mount();
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, Ext2Error::Kind::kDamaged);
  EXPECT_FALSE(machine.fs.mounted());
}

TEST(Ext2, a_flipped_bit_in_a_bitmap_is_found_by_e2fsck) {
  Machine machine(kMiB);
  ASSERT_DONE(machine.fs.format({}));
  ASSERT_DONE(machine.fs.mount());
  ASSERT_DONE(machine.fs.create("f", text(5000, 'f')));
  ASSERT_DONE(machine.fs.unmount());
  std::uint32_t block_bitmap = 0;
  std::memcpy(&block_bitmap, machine.device.bytes.data() + 2048, 4);
  machine.device.bytes[block_bitmap * 1024 + 5] ^= std::byte{1};
  const Verdict verdict = fsck(machine.device.bytes);
  EXPECT_NE(verdict.exit_code, 0);
  EXPECT_NE(verdict.text.find("Block bitmap differences"), std::string::npos) << verdict.text;
}

TEST(Ext2, a_flipped_bit_in_an_inode_is_found_by_e2fsck) {
  Machine machine(kMiB);
  ASSERT_DONE(machine.fs.format({}));
  std::uint32_t inode_table = 0;
  std::memcpy(&inode_table, machine.device.bytes.data() + 2056, 4);
  machine.device.bytes[inode_table * 1024 + 128 + 26] ^= std::byte{4};  // links of the root
  EXPECT_NE(fsck(machine.device.bytes).exit_code, 0);
}

TEST(Ext2, an_image_with_any_damage_mounts_or_is_refused_but_never_breaks_us) {
  Machine origin(kMiB);
  ASSERT_DONE(origin.fs.format({}));
  ASSERT_DONE(origin.fs.mount());
  ASSERT_DONE(origin.fs.create("f", text(20'000, 'f')));
  ASSERT_DONE(origin.fs.unmount());
  RandomChoices choices(3);
  static constexpr ChoicePoint kPoint{"test.damage"};
  std::size_t failed = 0;
  for (int round = 0; round < 300; ++round) {
    Machine machine(kMiB);
    machine.device.bytes = origin.device.bytes;
    for (int i = 0; i < 3; ++i) {
      // Anywhere in super block, descriptors, bitmaps and inode table.
      const std::size_t at = 1024 + choices.draw(kPoint, Actor::kNobody, 40 * 1024);
      machine.device.bytes[at] = static_cast<std::byte>(choices.draw(kPoint, Actor::kNobody, 256));
    }
    if (!machine.fs.mount().ok()) {
      ++failed;
      continue;
    }
    const bool all = machine.fs.read("f").ok() && machine.fs.append("f", text(3000, 'g')).ok() &&
                     machine.fs.create("g", text(3000, 'g')).ok() && machine.fs.unlink("f").ok() &&
                     machine.fs.unmount().ok();
    failed += all ? 0 : 1;
  }
  EXPECT_GT(failed, 0u);
  EXPECT_LT(failed, 300u);
}

// --- fibers -------------------------------------------------------------------------------------

void live(Ext2FileSystem& fs) {
  EXPECT_TRUE(fs.format({}).ok());
  EXPECT_TRUE(fs.mount().ok());
  EXPECT_TRUE(fs.create("f", text(20'000, 'f')).ok());
  EXPECT_TRUE(fs.mkdir("d").ok());
  EXPECT_TRUE(fs.create("d/g", text(2000, 'g')).ok());
  EXPECT_TRUE(fs.unlink("f").ok());
  EXPECT_TRUE(fs.unmount().ok());
}

TEST(Ext2, a_fiber_that_waits_for_the_device_runs_to_the_end) {
  Machine machine(kMiB);
  machine.device.scheduler = &machine.scheduler;
  bool ended = false;
  machine.scheduler.spawn(machine.trace.actors().intern("ext2"), FiberRole::kTask, [&] {
    live(machine.fs);
    ended = true;
  });
  machine.scheduler.run(UINT64_MAX);
  EXPECT_TRUE(ended);
  EXPECT_CLEAN(machine.device.bytes);
}

TEST(Ext2, a_fiber_can_be_unwound_at_any_of_its_waits) {
  std::uint64_t steps = 0;
  {
    Machine machine(kMiB);
    machine.device.scheduler = &machine.scheduler;
    machine.scheduler.spawn(machine.trace.actors().intern("ext2"), FiberRole::kTask,
                            [&] { live(machine.fs); });
    while (machine.scheduler.step()) ++steps;
  }
  ASSERT_GT(steps, 200u);
  std::uint64_t unwound = 0;
  for (std::uint64_t stop = 1; stop < steps; stop += 7) {
    Machine machine(kMiB);
    machine.device.scheduler = &machine.scheduler;
    bool ended = false;
    machine.scheduler.spawn(machine.trace.actors().intern("ext2"), FiberRole::kTask, [&] {
      live(machine.fs);
      ended = true;
    });
    for (std::uint64_t i = 0; i < stop; ++i) ASSERT_TRUE(machine.scheduler.step());
    machine.scheduler.shut_down();
    unwound += ended ? 0 : 1;
  }
  EXPECT_GT(unwound, 20u);
}

// The whole of it: ext2 in a page cache, while a daemon writes pages back as fast as it can.
TEST(Ext2, bitmaps_change_while_they_are_written_back_and_the_end_is_clean) {
  World world;
  PagePool pool;
  {
    PageSpace pages(pool, 0);
    Memory memory(world.scheduler, MemoryOptions{});
    FakeBlockDevice disk(world.scheduler, pages, kMiB);
    PageCache cache(world.scheduler, memory, pages, disk, world.trace.actors().intern("pagecache"));
    PageCacheDevice device(cache);
    Ext2FileSystem fs(device, world.scheduler);
    bool ended = false;
    world.scheduler.spawn(world.trace.actors().intern("ext2"), FiberRole::kTask, [&] {
      ASSERT_DONE(fs.format({}));
      ASSERT_DONE(fs.mount());
      for (int i = 0; i < 40; ++i) {
        ASSERT_DONE(fs.create("f" + std::to_string(i), text(2500, 'f')));
        world.scheduler.sleep(Duration::microseconds(120));
        if (i % 3 == 2) ASSERT_DONE(fs.unlink("f" + std::to_string(i - 1)));
      }
      ASSERT_DONE(fs.unmount());
      ended = true;
    });
    world.scheduler.spawn(world.trace.actors().intern("pdflush"), FiberRole::kTask, [&] {
      while (!ended) {
        cache.write_back(Instant::at_ns(INT64_MAX));
        world.scheduler.sleep(Duration::microseconds(100));
      }
    });
    world.scheduler.run(UINT64_MAX);
    ASSERT_TRUE(ended);
    EXPECT_GT(cache.stats().redirtied_under_writeback, 10u);
    EXPECT_EQ(disk.in_flight, 0u);
    EXPECT_CLEAN(disk.bytes);
    world.scheduler.shut_down();
  }
}

}  // namespace
}  // namespace dmsim
