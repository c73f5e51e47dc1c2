// SPDX-License-Identifier: GPL-2.0-only
// The shim's rewritten library functions (kernel/duplicates) against the C library's, or against what is too simple to be
// wrong. Sizes are small and chance has seeds.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "engine/linux/host/testdata/duplicates.h"
#include "sim/choice.h"

namespace dmsim::kernel {
namespace {

const duplicates& shim() {
  static const duplicates* const all = [] {
    void* const object = dlopen(DMSIM_DUPLICATES, RTLD_NOW | RTLD_LOCAL);
    EXPECT_NE(object, nullptr) << dlerror();
    using Entry = const duplicates* (*)();
    return reinterpret_cast<Entry>(dlsym(object, "dmsim_duplicates"))();
  }();
  return *all;
}

int sign(int value) { return (value > 0) - (value < 0); }

// Few different letters, so that what is looked for is often there.
std::string words(RandomNumbers& random, std::uint64_t longest) {
  constexpr char kLetters[] = "abAB \t";
  std::string out;
  for (std::uint64_t left = random.below(longest + 1); left > 0; --left) out += kLetters[random.below(6)];
  return out;
}

std::vector<bool> bits_of(const std::vector<unsigned long>& map) {
  std::vector<bool> out;
  for (const unsigned long word : map) {
    for (unsigned bit = 0; bit < 64; ++bit) out.push_back((word >> bit & 1) != 0);
  }
  return out;
}

TEST(Duplicates, bits_are_found_from_everywhere_in_bitmaps_of_every_length) {
  RandomNumbers random(1);
  for (unsigned long size = 0; size <= 200; ++size) {
    std::vector<unsigned long> map(4);
    const bool mostly_set = random.below(2) == 0;
    for (unsigned long bit = 0; bit < 256; ++bit) {
      if ((random.below(20) == 0) != mostly_set) map[bit / 64] |= 1ul << bit % 64;
    }
    const std::vector<bool> bits = bits_of(map);
    // A little-endian map ends with its last byte, and may lie at any address.
    std::vector<char> bytes(1 + (size + 7) / 8);
    std::memcpy(bytes.data() + 1, map.data(), bytes.size() - 1);
    for (unsigned long from = 0; from <= size; ++from) {
      unsigned long set = from;
      unsigned long clear = from;
      while (set < size && !bits[set]) ++set;
      while (clear < size && bits[clear]) ++clear;
      ASSERT_EQ(shim().find_next_bit(map.data(), size, from), set) << size << " from " << from;
      ASSERT_EQ(shim().find_next_zero_bit(map.data(), size, from), clear) << size << " from " << from;
      ASSERT_EQ(shim().find_next_bit_le(bytes.data() + 1, size, from), set) << size << " from " << from;
      ASSERT_EQ(shim().find_next_zero_bit_le(bytes.data() + 1, size, from), clear) << size << " from " << from;
    }
  }
}

TEST(Duplicates, stretches_of_bits_are_set_cleared_and_counted) {
  RandomNumbers random(2);
  std::vector<unsigned long> map(5);
  std::vector<bool> expected(320);
  for (int step = 0; step < 2000; ++step) {
    const auto from = static_cast<unsigned>(random.below(321));
    const auto count = static_cast<unsigned>(random.below(321 - from));
    const bool value = random.below(2) == 0;
    (value ? shim().bitmap_set : shim().bitmap_clear)(map.data(), from, count);
    std::fill_n(expected.begin() + from, count, value);
    ASSERT_EQ(bits_of(map), expected) << from << "+" << count;
    const auto end = static_cast<unsigned>(random.below(321));
    const auto ones = std::count(expected.begin(), expected.begin() + end, true);
    ASSERT_EQ(shim().bitmap_weight(map.data(), end), ones);
    const auto bytes = static_cast<unsigned>(random.below(41));
    ASSERT_EQ(shim().memweight(map.data(), bytes),
              static_cast<std::size_t>(std::count(expected.begin(), expected.begin() + bytes * 8, true)));
  }
}

TEST(Duplicates, a_square_root_is_the_largest_number_whose_square_fits) {
  const auto check = [](unsigned long x) {
    const unsigned __int128 root = shim().int_sqrt(x);
    EXPECT_TRUE(root * root <= x && (root + 1) * (root + 1) > x) << x;
  };
  for (unsigned long x = 0; x < 2000; ++x) check(x);
  for (unsigned long root = 3; root < 1ul << 32; root = root * 3 + 1) {
    for (const unsigned long x : {root * root - 1, root * root, root * root + 1}) check(x);
  }
  check(ULONG_MAX);
}

TEST(Duplicates, arrays_of_elements_of_any_size_are_sorted) {
  RandomNumbers random(3);
  const auto compare = [](const void* a, const void* b) {
    return int{*static_cast<const unsigned char*>(a)} - *static_cast<const unsigned char*>(b);
  };
  const auto swap = [](void* a, void* b, int size) {
    auto* const left = static_cast<unsigned char*>(a);
    std::swap_ranges(left, left + size, static_cast<unsigned char*>(b));
  };
  for (const std::size_t size : {1u, 4u, 7u, 8u, 24u}) {
    for (std::size_t count = 0; count < 70; ++count) {
      std::vector<unsigned char> bytes(size * count);
      std::vector<unsigned char> keys;
      for (std::size_t i = 0; i < count; ++i) {
        keys.push_back(static_cast<unsigned char>(random.below(50)));
        std::fill_n(bytes.begin() + static_cast<long>(i * size), size, keys.back());
      }
      shim().sort(bytes.data(), count, size, compare, count % 2 == 0 ? +swap : nullptr);
      std::sort(keys.begin(), keys.end());
      for (std::size_t i = 0; i < bytes.size(); ++i) ASSERT_EQ(bytes[i], keys[i / size]) << size << "*" << count;
    }
  }
}

TEST(Duplicates, a_crc_is_that_of_bit_after_bit) {
  EXPECT_EQ(~shim().crc32c(~0u, "123456789", 9), 0xe3069283u);  // the check value of CRC-32C
  RandomNumbers random(4);
  for (unsigned length = 0; length < 100; ++length) {
    std::vector<unsigned char> bytes(length + 1);
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(random.below(256));
    const auto start = static_cast<unsigned>(random.below(1ull << 32));
    unsigned expected = start;
    for (unsigned i = 1; i <= length; ++i) {
      expected ^= bytes[i];
      for (int bit = 0; bit < 8; ++bit) expected = expected >> 1 ^ (expected & 1 ? 0x82f63b78u : 0);
    }
    ASSERT_EQ(shim().crc32c(start, bytes.data() + 1, length), expected) << length;
  }
}

TEST(Duplicates, an_idr_gives_the_lowest_free_number) {
  RandomNumbers random(5);
  std::map<int, void*> expected;
  int objects[64];
  for (int step = 0; step < 3000; ++step) {
    void* const object = &objects[random.below(64)];
    const auto id = static_cast<int>(random.below(100));
    switch (random.below(4)) {
      case 0:
      case 1: {
        const auto from = static_cast<int>(random.below(40));
        const int to = random.below(2) == 0 ? 0 : from + static_cast<int>(random.below(30)) + 1;
        int lowest = from;
        while (expected.count(lowest) != 0) ++lowest;
        if (to > 0 && lowest >= to) lowest = -ENOSPC;
        ASSERT_EQ(shim().idr_alloc(object, from, to), lowest);
        if (lowest >= 0) expected[lowest] = object;
        break;
      }
      case 2:
        ASSERT_EQ(shim().idr_remove(static_cast<unsigned long>(id)),
                  expected.count(id) != 0 ? expected[id] : nullptr);
        expected.erase(id);
        break;
      default:
        void* const old = shim().idr_replace(object, static_cast<unsigned long>(id));
        ASSERT_EQ(old, expected.count(id) != 0 ? expected[id] : reinterpret_cast<void*>(long{-ENOENT}));
        if (expected.count(id) != 0) expected[id] = object;
    }
    ASSERT_EQ(shim().idr_find(static_cast<unsigned long>(id)), expected.count(id) != 0 ? expected[id] : nullptr);
  }
  shim().idr_destroy();
  EXPECT_EQ(shim().idr_find(0), nullptr);
}

TEST(Duplicates, bytes_are_copied_moved_filled_and_compared_at_every_alignment) {
  RandomNumbers random(6);
  for (int step = 0; step < 3000; ++step) {
    std::vector<unsigned char> ours(1200);
    for (unsigned char& byte : ours) byte = static_cast<unsigned char>(random.below(3));
    std::vector<unsigned char> theirs = ours;
    const std::size_t bytes = random.below(random.below(3) == 0 ? 600 : 40);
    const std::size_t to = random.below(600);
    const std::size_t from = random.below(600);
    const auto value = static_cast<int>(random.below(3));
    ASSERT_EQ(sign(shim().memcmp(ours.data() + to, ours.data() + from, bytes)),
              sign(std::memcmp(ours.data() + to, ours.data() + from, bytes)));
    EXPECT_EQ(shim().memmove(ours.data() + to, ours.data() + from, bytes), ours.data() + to);
    std::memmove(theirs.data() + to, theirs.data() + from, bytes);
    ASSERT_EQ(ours, theirs) << from << " to " << to << ", " << bytes;
    EXPECT_EQ(shim().memset(ours.data() + from, value, bytes), ours.data() + from);
    std::memset(theirs.data() + from, value, bytes);
    ASSERT_EQ(ours, theirs);
    unsigned char* other = theirs.data() + from;
    while (other < theirs.data() + theirs.size() && *other == value) ++other;
    const auto found = static_cast<unsigned char*>(shim().memchr_inv(ours.data() + from, value, ours.size() - from));
    ASSERT_EQ(found == nullptr ? ours.data() + ours.size() : found, ours.data() + (other - theirs.data()));
    std::vector<unsigned char> copy(bytes + 1);
    shim().memcpy(copy.data(), ours.data() + to, bytes);
    ASSERT_TRUE(std::equal(copy.begin(), copy.end() - 1, ours.begin() + static_cast<long>(to)));
    ASSERT_EQ(copy.back(), 0);
  }
}

TEST(Duplicates, strings_are_measured_compared_and_searched_as_by_the_c_library) {
  RandomNumbers random(7);
  for (int step = 0; step < 5000; ++step) {
    const std::string a = words(random, 12);
    const std::string b = random.below(3) == 0 ? a : words(random, 3);
    const std::size_t most = random.below(15);
    const int wanted = "abAB \t"[random.below(7)];  // the last: the end
    ASSERT_EQ(shim().strlen(a.c_str()), a.size());
    ASSERT_EQ(shim().strnlen(a.c_str(), most), std::min(a.size(), most));
    ASSERT_EQ(sign(shim().strcmp(a.c_str(), b.c_str())), sign(std::strcmp(a.c_str(), b.c_str()))) << a << "|" << b;
    ASSERT_EQ(sign(shim().strncmp(a.c_str(), b.c_str(), most)), sign(std::strncmp(a.c_str(), b.c_str(), most)));
    ASSERT_EQ(sign(shim().strcasecmp(a.c_str(), b.c_str())), sign(strcasecmp(a.c_str(), b.c_str())));
    ASSERT_EQ(sign(shim().strncasecmp(a.c_str(), b.c_str(), most)), sign(strncasecmp(a.c_str(), b.c_str(), most)));
    ASSERT_EQ(shim().strchr(a.c_str(), wanted), std::strchr(a.c_str(), wanted));
    ASSERT_EQ(shim().strrchr(a.c_str(), wanted), std::strrchr(a.c_str(), wanted));
    ASSERT_EQ(shim().strstr(a.c_str(), b.c_str()), std::strstr(a.c_str(), b.c_str()));
  }
}

TEST(Duplicates, strings_are_copied_and_taken_apart) {
  RandomNumbers random(8);
  for (int step = 0; step < 3000; ++step) {
    const std::string text = words(random, 12);
    const std::size_t size = random.below(16);
    char ours[32];
    char theirs[32];
    std::memset(ours, 'x', sizeof ours);
    std::memset(theirs, 'x', sizeof theirs);
    const bool fits = text.size() < size;
    ASSERT_EQ(shim().strscpy(ours, text.c_str(), size), fits ? static_cast<long>(text.size()) : -E2BIG);
    if (size > 0) {
      ASSERT_EQ(std::string(ours), text.substr(0, size - 1));
    }
    ASSERT_EQ(ours[std::max<std::size_t>(size, 1)], 'x');
    ASSERT_EQ(shim().strlcpy(ours, text.c_str(), size), text.size());
    std::memset(ours, 'x', sizeof ours);
    shim().strncpy(ours, text.c_str(), size);
    std::strncpy(theirs, text.c_str(), size);
    ASSERT_EQ(std::memcmp(ours, theirs, sizeof ours), 0);

    std::vector<std::string> parts;
    std::vector<std::string> expected;
    char copy[32];
    std::snprintf(copy, sizeof copy, "%s", text.c_str());
    for (char *rest = copy, *part; (part = shim().strsep(&rest, " B")) != nullptr;) parts.push_back(part);
    std::snprintf(copy, sizeof copy, "%s", text.c_str());
    for (char *rest = copy, *part; (part = strsep(&rest, " B")) != nullptr;) expected.push_back(part);
    ASSERT_EQ(parts, expected) << text;

    std::snprintf(copy, sizeof copy, "%s", text.c_str());
    const std::size_t first = text.find_first_not_of(" \t");
    const std::string trimmed =
        first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") + 1 - first);
    ASSERT_EQ(shim().strim(copy), trimmed);
    std::snprintf(ours, sizeof ours, "%s", "begin");
    ASSERT_EQ(shim().strcat(ours, text.c_str()), "begin" + text);
  }
}

template <typename Value>
void expect_same_text(const char* format, Value value) {
  char ours[64];
  char theirs[64];
  for (const std::size_t size : {sizeof ours, std::size_t{4}, std::size_t{1}}) {
    const int length = shim().snprintf(ours, size, format, value);
    EXPECT_EQ(length, std::snprintf(theirs, size, format, value)) << format;
    EXPECT_STREQ(ours, theirs) << format;
    EXPECT_EQ(shim().scnprintf(ours, size, format, value), std::min(length, static_cast<int>(size) - 1)) << format;
  }
}

TEST(Duplicates, values_become_the_text_that_the_c_library_makes_of_them) {
  for (const char* format : {"%d", "%5d", "%-5d|", "%05d", "%+d", "% d", "%.3d", "%8.3d", "%i", "%hd", "%hhd", "a%db%%"}) {
    for (const int value : {0, 1, -1, 42, -1234567, INT_MAX, INT_MIN}) expect_same_text(format, value);
  }
  for (const char* format : {"%u", "%x", "%X", "%#x", "%#010x", "%o", "%08x", "%-8x|", "%.5u", "%hu", "%hhx"}) {
    for (const unsigned value : {0u, 1u, 255u, 65536u, UINT_MAX}) {
      if (value != 0 || std::strchr(format, '#') == nullptr) expect_same_text(format, value);
    }
  }
  for (const char* format : {"%llu", "%lu", "%zu", "%lx", "%20llu"}) {
    for (const unsigned long value : {0ul, 1ul, ULONG_MAX}) expect_same_text(format, value);
  }
  for (const char* format : {"%lld", "%ld", "%zd"}) {
    for (const long value : {0l, -1l, LONG_MAX, LONG_MIN}) expect_same_text(format, value);
  }
  for (const char* format : {"%s", "%10s", "%-10s|", "%.2s", "%5.1s", "[%s]"}) {
    for (const char* value : {"", "a", "dm-mirror"}) expect_same_text(format, value);
  }
  expect_same_text("%c", 'z');
  expect_same_text("%3c", 'z');
  expect_same_text("%-3c|", 'z');
}

TEST(Duplicates, the_base_of_zero_is_told_as_by_kernels) {
  char text[8];
  shim().snprintf(text, sizeof text, "%#x", 0u);
  EXPECT_STREQ(text, "0x0");
}

TEST(Duplicates, pointers_become_what_is_the_same_in_every_run) {
  char text[64];
  shim().snprintf(text, sizeof text, "%pe", reinterpret_cast<void*>(long{-EIO}));
  EXPECT_STREQ(text, "-EIO");
  shim().snprintf(text, sizeof text, "%p", static_cast<void*>(text));
  EXPECT_STREQ(text, "(ptr)");
  const unsigned char uuid[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255};
  shim().snprintf(text, sizeof text, "%pU", static_cast<const void*>(uuid));
  EXPECT_STREQ(text, "00010203-0405-0607-0809-0a0b0c0d0eff");
}

TEST(Duplicates, a_text_is_a_number_or_an_error) {
  unsigned value = 7;
  EXPECT_EQ(shim().kstrtouint("42\n", 10, &value), 0);
  EXPECT_EQ(value, 42u);
  EXPECT_EQ(shim().kstrtouint("0x2A", 0, &value), 0);
  EXPECT_EQ(value, 42u);
  EXPECT_EQ(shim().kstrtouint("052", 0, &value), 0);
  EXPECT_EQ(value, 42u);
  EXPECT_EQ(shim().kstrtouint("4294967295", 10, &value), 0);
  EXPECT_EQ(value, UINT_MAX);
  EXPECT_EQ(shim().kstrtouint("4294967296", 10, &value), -ERANGE);
  for (const char* text : {"", "x", "4 2", "42 ", "42\n\n", "-1", " 42"}) {
    EXPECT_EQ(shim().kstrtouint(text, 10, &value), -EINVAL) << text;
  }
  EXPECT_EQ(value, UINT_MAX);  // an error leaves it alone
  int number = 0;
  EXPECT_EQ(shim().kstrtoint("-2147483648", 10, &number), 0);
  EXPECT_EQ(number, INT_MIN);
  EXPECT_EQ(shim().kstrtoint("2147483648", 10, &number), -ERANGE);
  unsigned long long wide = 0;
  EXPECT_EQ(shim().kstrtoull("18446744073709551615", 10, &wide), 0);
  EXPECT_EQ(wide, ULLONG_MAX);
  EXPECT_EQ(shim().kstrtoull("18446744073709551616", 10, &wide), -ERANGE);
  for (const char* text : {"12rest", "0x1fg", "077", "", "rest", "0x", "99999"}) {
    for (const unsigned base : {0u, 8u, 10u, 16u}) {
      char* ours = nullptr;
      char* theirs = nullptr;
      EXPECT_EQ(shim().simple_strtoull(text, &ours, base), std::strtoull(text, &theirs, static_cast<int>(base)));
      EXPECT_EQ(ours, theirs) << text << " in base " << base;
    }
  }
}

TEST(Duplicates, a_text_is_scanned_as_by_the_c_library) {
  const struct {
    const char* text;
    const char* format;
  } two_numbers[] = {{"8:16", "%u:%u"},  {"8:", "%u:%u"},      {"x", "%u:%u"},     {" 12 34 ", "%u %u"},
                     {"12", "%1u%1u"},   {"ff 0x10", "%x %x"}, {"-3,4", "%d,%d"}, {"017 0x1f", "%i %i"},
                     {"1 % 2", "%u %% %u"}, {"", "%u%u"},      {"5 6", "%*u %u"},  {"7abc", "%u%n"}};
  for (const auto& each : two_numbers) {
    unsigned ours[2] = {91, 92};
    unsigned theirs[2] = {91, 92};
    const int expected = std::max(0, std::sscanf(each.text, each.format, &theirs[0], &theirs[1]));
    EXPECT_EQ(shim().sscanf(each.text, each.format, &ours[0], &ours[1]), expected) << each.text << " by " << each.format;
    EXPECT_EQ(ours[0], theirs[0]) << each.text << " by " << each.format;
    EXPECT_EQ(ours[1], theirs[1]) << each.text << " by " << each.format;
  }
  unsigned long long sectors = 0;
  char word[16] = {};
  char after = 'n';
  EXPECT_EQ(shim().sscanf("1024abc!", "%llu%7s%c", &sectors, word, &after), 2);
  EXPECT_EQ(sectors, 1024u);
  EXPECT_STREQ(word, "abc!");
  EXPECT_EQ(after, 'n');
  EXPECT_EQ(shim().sscanf("key=value", "%15[^=]%c", word, &after), 2);
  EXPECT_STREQ(word, "key");
  EXPECT_EQ(after, '=');
}

}  // namespace
}  // namespace dmsim::kernel
