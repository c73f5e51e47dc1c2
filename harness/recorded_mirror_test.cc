#include "harness/recorded_mirror.h"

#include <gmock/gmock.h>

#include "harness/test_logs.h"

namespace dmsim {
namespace {

using ::testing::HasSubstr;

TEST(RecordedMirror, bad_tables_and_ranges_are_refused_with_what_was_found) {
  const std::vector<SectorRange> legs{{0, 32}, {32, 64}};
  const auto said = [&](const char* table, SectorRange log = {64, 72}) {
    const auto mirror = parse_recorded_mirror(table, legs, log);
    return mirror.ok() ? std::string("accepted") : mirror.error().message;
  };
  EXPECT_EQ(said("0 32 mirror disk 4 C 8 nosync block_on_error 2 A 0 B 0"), "accepted");
  EXPECT_EQ(said("0 32 mirror disk 2 C 8 2 A 0 B 0 2 handle_errors keep_log"), "accepted");
  EXPECT_THAT(said("0 32 linear A 0"), HasSubstr("word 3: found 'linear', expected 'mirror'"));
  EXPECT_THAT(said("0 32 mirror core 1 8 2 A 0 B 0"), HasSubstr("found 'core', expected 'disk'"));
  EXPECT_THAT(said("0 32 mirror disk 2 C 12 2 A 0 B 0"), HasSubstr("found '12', expected a power of two"));
  EXPECT_THAT(said("0 32 mirror disk 2 C 8 3 A 0 B 0 D 0"), HasSubstr("found '3', expected 2"));
  EXPECT_THAT(said("0 32 mirror disk 2 C 8 2 A 0"), HasSubstr("ends where a leg's device"));
  EXPECT_THAT(said("0 32 mirror disk 2 C 8 2 A 0 B 8"), HasSubstr("needs sectors 8 to 40"));
  EXPECT_THAT(said("0 32 mirror disk 2 C 8 2 A 0 B 0 1 mauve"), HasSubstr("found 'mauve'"));
  EXPECT_THAT(said("0 32 mirror disk 2 C 8 2 A 0 B 0 1 keep_log 7"), HasSubstr("goes on"));
  EXPECT_THAT(said("0 32 mirror disk 2 C 8 2 A 0 B 0", {60, 72}), HasSubstr("32s..64s and 60s..72s overlap"));
  EXPECT_THAT(said("0 32 mirror disk 2 C 8 2 A 0 B 0", {64, 66}), HasSubstr("takes 3 sectors"));
  EXPECT_THAT(said(""), HasSubstr("ends where the start"));
}

TEST(RecordedMirror, a_write_across_a_border_and_a_slice_outside_the_device_are_refused) {
  const auto mirror = parse_recorded_mirror("0 32 mirror disk 2 C 8 2 A 0 B 0", {{0, 32}, {32, 64}}, {64, 72});
  ASSERT_TRUE(mirror.ok());
  LogWritesWriter writer;
  writer.write(30, 0, sectors_of(4, 'a'));
  const WriteLog across = parsed(writer);
  const Outcome<> border = check_slices(across, "a.log", *mirror, 72);
  ASSERT_FALSE(border.ok());
  EXPECT_THAT(border.error().to_string(), HasSubstr("a.log: at byte 512: entry 0 writes 30s..34s, across"));
  const Outcome<> outside = check_slices(across, "a.log", *mirror, 0);
  ASSERT_FALSE(outside.ok());
  EXPECT_THAT(outside.error().message, HasSubstr("range 64s..72s lies outside"));
}

}  // namespace
}  // namespace dmsim
