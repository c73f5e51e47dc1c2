#include "models/workload/file_bytes.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace dmsim {
namespace {

// Bytes that compress a little, but not to nothing.
std::vector<std::byte> noise(std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::uint64_t state = 1;
  for (std::byte& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<std::byte>(state >> 60);
  }
  return bytes;
}

struct Scratch {
  std::string path;
  explicit Scratch(const std::string& name) : path(testing::TempDir() + "dmsim-" + name) {}
  ~Scratch() { std::remove(path.c_str()); }
};

TEST(FileBytes, a_file_comes_back_as_it_was_raw_or_compressed) {
  for (const std::size_t size : {0u, 1u, 131072u, 131073u, 1000000u}) {
    for (const char* name : {"bytes.bin", "bytes.bin.zst"}) {
      const Scratch scratch(name);
      ASSERT_TRUE(write_file_bytes(scratch.path, noise(size)).ok());
      const auto back = read_file_bytes(scratch.path);
      ASSERT_TRUE(back.ok()) << back.error().to_string();
      EXPECT_EQ(back.value(), noise(size)) << size << name;
    }
  }
}

TEST(FileBytes, the_name_decides_whether_a_file_is_compressed) {
  const Scratch raw("a.bin");
  const Scratch packed("a.bin.zst");
  const std::vector<std::byte> zeroes(100000);
  ASSERT_TRUE(write_file_bytes(raw.path, zeroes).ok());
  ASSERT_TRUE(write_file_bytes(packed.path, zeroes).ok());
  const auto size_of = [](const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "rb");
    EXPECT_EQ(std::fseek(file, 0, SEEK_END), 0);
    const long size = std::ftell(file);
    std::fclose(file);
    return size;
  };
  EXPECT_EQ(size_of(raw.path), 100000);
  EXPECT_LT(size_of(packed.path), 1000);
}

// A compressed file's own bytes, read as if they were raw.
std::vector<std::byte> packed_bytes(const std::string& path, std::size_t size) {
  EXPECT_TRUE(write_file_bytes(path, noise(size)).ok());
  std::FILE* file = std::fopen(path.c_str(), "rb");
  std::vector<std::byte> bytes(size * 2);
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
  std::fclose(file);
  return bytes;
}

TEST(FileBytes, compressed_data_that_ends_early_is_refused) {
  const Scratch packed("b.zst");
  const Scratch broken("b.bin");
  std::vector<std::byte> bytes = packed_bytes(packed.path, 300000);
  const std::size_t half = bytes.size() / 2;
  bytes.resize(half);
  ASSERT_TRUE(write_file_bytes(broken.path, bytes).ok());
  const auto back = read_file_bytes(broken.path);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().message, "the zstd data ends early");
  EXPECT_EQ(back.error().offset, static_cast<long long>(half));
}

TEST(FileBytes, damaged_compressed_data_is_refused) {
  const Scratch packed("c.zst");
  const Scratch broken("c.bin");
  std::vector<std::byte> bytes = packed_bytes(packed.path, 300000);
  for (std::size_t i = 4; i < 12; ++i) bytes[i] = std::byte{0xff};
  ASSERT_TRUE(write_file_bytes(broken.path, bytes).ok());
  const auto back = read_file_bytes(broken.path);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().message.substr(0, 14), "bad zstd data:");
  EXPECT_GE(back.error().offset, 0);
}

TEST(FileBytes, files_that_cannot_be_read_or_written_are_named) {
  EXPECT_EQ(read_file_bytes("no/such/file").error().to_string(),
            "no/such/file: No such file or directory");
  EXPECT_EQ(read_file_bytes(testing::TempDir()).error().message, "Is a directory");
  const auto written = write_file_bytes("no/such/file", {});
  ASSERT_FALSE(written.ok());
  EXPECT_EQ(written.error().to_string(), "no/such/file: No such file or directory");
}

}  // namespace
}  // namespace dmsim
