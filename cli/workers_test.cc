// Workers: whatever a job does to its process, the tool goes on and says what happened.
#include "cli/workers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace dmsim {
namespace {

using End = WorkerAnswer::End;

std::map<std::size_t, WorkerAnswer> answers(std::size_t count, const WorkerOptions& options,
                                            const std::function<std::string(std::size_t)>& job) {
  std::map<std::size_t, WorkerAnswer> out;
  run_workers(count, options, job, [&](std::size_t index, WorkerAnswer answer) {
    EXPECT_EQ(index, out.size()) << "in order";
    out.emplace(index, std::move(answer));
  });
  EXPECT_EQ(out.size(), count);
  return out;
}

TEST(Workers, answers_come_in_order_whoever_is_first) {
  const auto got = answers(8, {4, 0}, [](std::size_t i) {
    usleep(static_cast<useconds_t>((8 - i) * 10'000));
    return "answer " + std::to_string(i);
  });
  for (const auto& [index, answer] : got) {
    EXPECT_EQ(answer.end, End::kAnswered);
    EXPECT_EQ(answer.text, "answer " + std::to_string(index));
  }
}

TEST(Workers, no_jobs_give_no_answers) {
  EXPECT_TRUE(answers(0, {4, 0}, [](std::size_t) { return "never"; }).empty());
}

TEST(Workers, an_answer_longer_than_a_pipe_arrives_whole) {
  const auto got = answers(2, {2, 0}, [](std::size_t i) {
    return std::string(3'000'000 + i, static_cast<char>('a' + i));
  });
  EXPECT_EQ(got.at(0).text, std::string(3'000'000, 'a'));
  EXPECT_EQ(got.at(1).text, std::string(3'000'001, 'b'));
}

TEST(Workers, a_worker_that_aborts_is_named_by_its_signal_and_the_others_go_on) {
  const auto got = answers(3, {1, 0}, [](std::size_t i) -> std::string {
    if (i == 1) {
      std::fprintf(stderr, "something dreadful\n");
      std::abort();
    }
    return "fine";
  });
  EXPECT_EQ(got.at(0).end, End::kAnswered);
  EXPECT_EQ(got.at(2).text, "fine");
  EXPECT_EQ(got.at(1).end, End::kDied);
  EXPECT_EQ(got.at(1).message, "died of signal 6 (Aborted)");
  EXPECT_EQ(got.at(1).stderr_tail, "something dreadful\n");
}

TEST(Workers, a_worker_that_exits_is_named_by_its_code) {
  const auto got = answers(1, {1, 0}, [](std::size_t) -> std::string { _exit(3); });
  EXPECT_EQ(got.at(0).end, End::kDied);
  EXPECT_EQ(got.at(0).message, "ended with code 3");
}

TEST(Workers, a_worker_that_hangs_is_killed_when_its_time_is_up) {
  const auto begun = std::chrono::steady_clock::now();
  const auto got = answers(2, {2, 1}, [](std::size_t i) -> std::string {
    while (i == 0) pause();
    return "quick";
  });
  EXPECT_EQ(got.at(0).end, End::kHung);
  EXPECT_EQ(got.at(0).message, "did not end within 1 s");
  EXPECT_EQ(got.at(1).text, "quick");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
}

TEST(Workers, only_the_end_of_what_a_worker_says_is_kept) {
  const auto got = answers(1, {1, 0}, [](std::size_t) {
    for (int i = 0; i < 20'000; ++i) std::fprintf(stderr, "line %d\n", i);
    return "spoke";
  });
  EXPECT_EQ(got.at(0).text, "spoke");
  EXPECT_LT(got.at(0).stderr_tail.size(), 100'000u);
  EXPECT_TRUE(got.at(0).stderr_tail.ends_with("line 19999\n"));
}

}  // namespace
}  // namespace dmsim
