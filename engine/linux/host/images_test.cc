// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dmsim::kernel {
namespace {

using testing::HasSubstr;

TEST(Images, engines_are_told_by_the_form_of_their_names) {
  EXPECT_TRUE(is_linux_engine("linux-6.1"));
  EXPECT_TRUE(is_linux_engine("linux-6.12"));
  EXPECT_TRUE(is_linux_engine("linux-6.12+log-no-dirty-mark"));
  EXPECT_TRUE(is_linux_engine("linux:/some/tree"));
  EXPECT_FALSE(is_linux_engine("linux:"));
  EXPECT_FALSE(is_linux_engine("linux-6.2"));
  EXPECT_FALSE(is_linux_engine("linux-6.1x"));
  EXPECT_FALSE(is_linux_engine("native"));
}

TEST(Images, a_folder_without_the_sources_is_no_kernel_tree) {
  EXPECT_THAT(why_not_available("linux:no/such/tree"), HasSubstr("no drivers/md/dm.c"));
  const auto image = image_of("linux:no/such/tree");
  ASSERT_FALSE(image.ok());
  EXPECT_THAT(image.error(), HasSubstr("no/such/tree is no kernel tree"));
}

}  // namespace
}  // namespace dmsim::kernel
