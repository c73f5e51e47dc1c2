// The time that a run of a campaign may take.
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <map>
#include <thread>

#include "cli/campaign_workers.h"

namespace dmsim {
namespace {

using OnStep = std::function<void()>;

std::map<std::uint64_t, RunAnswer> answers(const std::function<std::string(std::uint64_t, const OnStep&)>& job) {
  const CampaignWorkers workers{2, 1, 1};
  std::map<std::uint64_t, RunAnswer> out;
  workers.run(
      0, 2, job, [&](RunAnswer answer) { out[answer.run] = std::move(answer); }, [] { return false; });
  return out;
}

void spend(std::chrono::nanoseconds processor_time) {
  const auto used = [] {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  };
  const auto until = used() + processor_time;
  while (used() < until) {
  }
}

// A machine on which others take the processor is no reason to give a run up.
TEST(CampaignWorkers, count_the_time_that_a_run_uses_and_not_the_time_that_passes) {
  const auto got = answers([](std::uint64_t, const OnStep&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    return std::string("done");
  });
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got.at(0).end, RunAnswer::End::kAnswered);
  EXPECT_EQ(got.at(1).end, RunAnswer::End::kAnswered);
}

// Run 1 says that it goes on, run 0 does not.
TEST(CampaignWorkers, count_the_seconds_of_a_run_anew_at_each_of_its_steps) {
  const auto got = answers([](std::uint64_t run, const OnStep& on_step) {
    for (int step = 0; step < 3; ++step) {
      if (run == 1) on_step();
      spend(std::chrono::milliseconds(600));
    }
    return std::string("done");
  });
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got.at(0).end, RunAnswer::End::kHung);
  EXPECT_EQ(got.at(0).message, "does not end");
  EXPECT_EQ(got.at(1).end, RunAnswer::End::kAnswered);
  EXPECT_EQ(got.at(1).text, "done");
}

}  // namespace
}  // namespace dmsim
