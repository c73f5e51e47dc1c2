#include "models/workload/journal_fs.h"

#include <gtest/gtest.h>

#include <cstring>

#include "models/memory/test_device.h"

namespace dmsim {
namespace {

using journal_format::Block;

struct Rig : TestWorld {
  explicit Rig(JournalFsOptions options = {})
      : TestWorld({}, {}, 1024), fs(scheduler, pages, *cache, record, trace.actors().intern("journal"), options) {}

  JournalImage image() {
    return JournalImage([this](std::uint32_t number, Block& out) {
      const auto bytes = device.bytes_at(Sector{number} * kPageSectors, kPageSectors);
      std::memcpy(out.data(), bytes.data(), bytes.size());
      return true;
    });
  }
  void run(std::function<void()> body) {
    task("application", std::move(body));
    ASSERT_TRUE(run_tasks());
  }
  JournalRecord record;
  JournalFs fs;
};

std::vector<std::byte> content(std::uint64_t number, std::size_t size = 5000) {
  std::vector<std::byte> out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(number * 31 + i % 251);
  return out;
}

TEST(JournalFs, what_was_synced_is_there_after_a_cut_at_any_write) {
  Rig rig({.journal_blocks = 8, .inode_blocks = 2});
  std::size_t seen = 0;
  std::uint64_t replayed = 0;
  rig.task("application", [&] {
    ASSERT_TRUE(rig.fs.format());
    ASSERT_TRUE(rig.fs.mount());
    for (std::uint64_t i = 0; i < 12; ++i) {
      const std::string name = "file" + std::to_string(i % 4);
      ASSERT_TRUE(rig.fs.write(name, content(i)));
      ASSERT_TRUE(i % 3 != 1 || rig.fs.fsync(name));
      ASSERT_TRUE(i != 7 || rig.fs.unlink("file2"));
    }
    ASSERT_TRUE(rig.fs.unmount());
  });
  while (rig.scheduler.live_tasks() > 0) {
    ASSERT_TRUE(rig.scheduler.step());
    if (rig.device.log.size() == seen) continue;
    seen = rig.device.log.size();
    JournalImage image = rig.image();
    replayed += image.transactions();
    const auto wrong = rig.record.check_after_cut(image);
    ASSERT_TRUE(wrong.empty()) << wrong.front() << " after " << rig.device.log.back();
  }
  EXPECT_GT(replayed, 10u);
  JournalImage last = rig.image();
  EXPECT_FALSE(last.needs_recovery());
  EXPECT_TRUE(rig.record.check_frozen(last, false).empty());
  EXPECT_EQ(last.find("file2")->version, 4u);  // its second is followed by an unlink
}

TEST(JournalFs, a_frozen_image_needs_no_recovery_and_holds_everything) {
  Rig rig;
  rig.run([&] {
    ASSERT_TRUE(rig.fs.format() && rig.fs.mount());
    ASSERT_TRUE(rig.fs.write("a", content(1)));
    ASSERT_TRUE(rig.fs.freeze());
  });
  JournalImage image = rig.image();
  EXPECT_FALSE(image.needs_recovery());
  EXPECT_TRUE(rig.record.check_frozen(image, true).empty());
  ASSERT_NE(image.find("a"), nullptr);
  EXPECT_EQ(image.content(*image.find("a")), content(1));
}

TEST(JournalFs, nobody_writes_while_it_is_frozen) {
  Rig rig;
  bool written = false;
  rig.run([&] {
    ASSERT_TRUE(rig.fs.format() && rig.fs.mount() && rig.fs.freeze());
    rig.task("writer", [&] {
      EXPECT_TRUE(rig.fs.write("a", content(1)) && rig.fs.fsync("a"));
      written = true;
    });
    rig.scheduler.sleep(Duration::seconds(1));
    EXPECT_FALSE(written);
    rig.fs.thaw();
  });
  EXPECT_TRUE(written);
}

TEST(JournalFs, an_image_that_was_not_frozen_says_so) {
  Rig rig;
  rig.run([&] {
    ASSERT_TRUE(rig.fs.format() && rig.fs.mount());
    ASSERT_TRUE(rig.fs.write("a", content(1)) && rig.fs.fsync("a"));
  });
  JournalImage image = rig.image();
  const auto wrong = rig.record.check_frozen(image, false);
  ASSERT_FALSE(wrong.empty());
  EXPECT_EQ(wrong.front(), "it needs recovery: 1 transactions are only in its journal");
}

TEST(JournalFs, the_journal_goes_past_the_page_cache) {
  Rig rig;
  rig.run([&] {
    ASSERT_TRUE(rig.fs.format() && rig.fs.mount());
    ASSERT_TRUE(rig.fs.write("a", content(1)) && rig.fs.fsync("a"));
    // The inode's block waits in the cache; what is in the journal is on the device.
    EXPECT_EQ(rig.cache->dirty_pages(), 1u);
    rig.cache->write_and_wait({0, 1024});
    EXPECT_EQ(rig.cache->dirty_pages(), 0u);
  });
  EXPECT_EQ(rig.image().transactions(), 1u);
}

TEST(JournalFs, the_commit_thread_commits_what_nobody_syncs) {
  Rig rig({.commit_every = Duration::seconds(5)});
  rig.run([&] {
    ASSERT_TRUE(rig.fs.format() && rig.fs.mount() && rig.fs.write("a", content(1)));
    rig.scheduler.sleep(Duration::seconds(4));
    EXPECT_EQ(rig.fs.commits(), 0u);
    rig.scheduler.sleep(Duration::seconds(2));
    EXPECT_EQ(rig.fs.commits(), 1u);
  });
}

TEST(JournalFs, a_mount_brings_back_what_is_only_in_the_journal) {
  Rig rig;
  rig.run([&] {
    ASSERT_TRUE(rig.fs.format() && rig.fs.mount());
    ASSERT_TRUE(rig.fs.write("a", content(1)) && rig.fs.fsync("a"));
    rig.cache->invalidate({0, 1024});
  });
  // Power is cut: another machine, with the bytes of this one's device.
  Rig after;
  after.run([&] {
    for (Sector sector = 0; sector < 1024; sector += kPageSectors) {
      ASSERT_TRUE(after.cache->write(sector * kSectorBytes, rig.device.bytes_at(sector, kPageSectors)).ok());
    }
    ASSERT_TRUE(after.cache->fsync().ok());
    ASSERT_TRUE(after.fs.mount());
  });
  JournalImage image = after.image();
  EXPECT_FALSE(image.needs_recovery());
  EXPECT_TRUE(rig.record.check_after_cut(image).empty());
  EXPECT_NE(image.find("a"), nullptr);
}

TEST(JournalFs, after_an_io_error_nothing_is_promised_any_more) {
  Rig rig;
  rig.run([&] {
    ASSERT_TRUE(rig.fs.format() && rig.fs.mount() && rig.fs.write("a", content(1)));
    rig.device.verdict = [](const Bio& bio) {
      return bio.op == Op::kWrite ? BlockStatus::of(BlockStatus::Code::kIoError) : BlockStatus::okay();
    };
    EXPECT_FALSE(rig.fs.fsync("a"));
    EXPECT_TRUE(rig.fs.aborted());
    rig.device.verdict = nullptr;
    EXPECT_FALSE(rig.fs.fsync("a"));
    EXPECT_FALSE(rig.fs.write("b", content(2)));
    EXPECT_FALSE(rig.fs.freeze());
  });
}

TEST(JournalFs, damage_is_found) {
  Rig rig;
  rig.run([&] {
    ASSERT_TRUE(rig.fs.format() && rig.fs.mount());
    ASSERT_TRUE(rig.fs.write("a", content(1)) && rig.fs.freeze());
  });
  const std::uint32_t inodes = 1 + 32;
  const auto damaged = [&](std::uint32_t at, std::size_t byte) {
    return JournalImage([&rig, at, byte](std::uint32_t number, Block& out) {
      const auto bytes = rig.device.bytes_at(Sector{number} * kPageSectors, kPageSectors);
      std::memcpy(out.data(), bytes.data(), bytes.size());
      if (number == at) out[byte] ^= std::byte{1};
      return true;
    });
  };
  EXPECT_EQ(damaged(0, 3).complaints().front(), "there is no super block");
  EXPECT_EQ(damaged(inodes, 20).complaints().front(), "inode 0 is damaged");
  JournalImage data = damaged(inodes + 4, 100);
  EXPECT_EQ(rig.record.check_after_cut(data).front(), "a has version 1, but not its content");
}

}  // namespace
}  // namespace dmsim
