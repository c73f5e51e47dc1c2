#include <gtest/gtest.h>

#include "block/bio.h"

namespace dmsim {
namespace {

TEST(Bio, is_written_in_the_one_notation) {
  EXPECT_EQ(bio_notation(Op::kWrite, true, 8, 4), "W8+4!");
  EXPECT_EQ(bio_notation(Op::kFlush, false, 0, 0), "F");
}

}  // namespace
}  // namespace dmsim
