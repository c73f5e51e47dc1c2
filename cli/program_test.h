// The program as a user runs it: a folder of its own, a process, its exit code and what it said.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace dmsim::test {

namespace fs = std::filesystem;

inline std::string contents(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

class ProgramTest : public testing::Test {
 protected:
  struct Output {
    int code = -1;
    std::string out;
    std::string err;
  };

  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("dmsim-cli-" + std::to_string(getpid()) + "-" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }

  pid_t start(const std::vector<std::string>& arguments) {
    const pid_t pid = fork();
    if (pid != 0) return pid;
    std::vector<std::string> words{DMSIM_BINARY};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    if (chdir(folder_.c_str()) != 0 || freopen("stdout.txt", "w", stdout) == nullptr ||
        freopen("stderr.txt", "w", stderr) == nullptr) {
      _exit(99);
    }
    execv(DMSIM_BINARY, argv.data());
    _exit(98);
  }
  Output finish(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status),
            contents(folder_ / "stdout.txt"), contents(folder_ / "stderr.txt")};
  }
  Output run(const std::vector<std::string>& arguments) { return finish(start(arguments)); }

  fs::path folder_;
};

}  // namespace dmsim::test

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)
