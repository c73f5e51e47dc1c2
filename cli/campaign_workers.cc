// The talk between a worker and its parent is lines on a pipe: "B 17" before run 17 and before each further step
// of it, "A 17 TEXT" after it. Text is one line.
#include "cli/campaign_workers.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <deque>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "cli/interrupt.h"
#include "cli/workers.h"

namespace dmsim {
namespace {

using Clock = std::chrono::steady_clock;
using Job = std::function<std::string(std::uint64_t, const std::function<void()>&)>;
using Take = std::function<void(RunAnswer)>;
constexpr std::size_t kStderrTail = 16384;

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) _exit(1);  // the parent is gone
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

class Worker {
 public:
  Worker(std::uint64_t begin, std::uint64_t end, const Job& job) : next_(begin), end_(end) {
    int lines[2];
    int errors[2];
    CHECK(pipe(lines) == 0, errno);
    CHECK(pipe(errors) == 0, errno);
    std::fflush(nullptr);
    const pid_t parent = getpid();
    pid_ = fork();
    CHECK(pid_ >= 0, errno);
    if (pid_ == 0) {
      close(lines[0]);
      close(errors[0]);
      die_with_parent(parent);
      work(lines[1], errors[1], job);
    }
    close(lines[1]);
    close(errors[1]);
    lines_fd_ = lines[0];
    errors_fd_ = errors[0];
  }

  int lines_fd() const { return lines_fd_; }
  int errors_fd() const { return errors_fd_; }
  bool ended() const { return lines_fd_ == -1 && errors_fd_ == -1; }
  std::uint64_t end() const { return end_; }
  std::uint64_t next() const { return next_; }

  void read_lines(const Take& take) {
    if (!drain(&lines_fd_, &text_)) return;
    std::size_t at = 0;
    for (std::size_t stop = text_.find('\n'); stop != std::string::npos; stop = text_.find('\n', at)) {
      line(std::string_view(text_).substr(at, stop - at), take);
      at = stop + 1;
    }
    text_.erase(0, at);
  }
  void read_errors() {
    drain(&errors_fd_, &errors_);
    if (errors_.size() > 2 * kStderrTail) errors_.erase(0, errors_.size() - kStderrTail);
  }
  // By the processor's time: on a busy machine others take theirs. What only sleeps has ten times as long.
  void kill_if_late(unsigned seconds) {
    const std::chrono::seconds limit(seconds);
    if (killed_ || Clock::now() - begun_ <= limit) return;
    if (Clock::now() - begun_ <= 10 * limit && processor_time() - used_before_ <= limit) return;
    killed_ = true;
    kill(pid_, SIGKILL);
  }
  // Nobody wants what it has not reported yet.
  void drop() {
    dropped_ = true;
    kill(pid_, SIGKILL);
  }
  // After the end of both streams: whether it did all that it was to do. Else `*answer` says what happened.
  bool finish(RunAnswer* answer) {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    if (dropped_) return true;
    if (!killed_ && WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    answer->end = killed_ ? RunAnswer::End::kHung : RunAnswer::End::kDied;
    answer->run = next_++;
    answer->stderr_tail = std::move(errors_);
    if (killed_) {
      answer->message = "does not end";
    } else if (WIFSIGNALED(status)) {
      answer->message = std::string("dies: ") + strsignal(WTERMSIG(status));
    } else {
      answer->message = fmt::format("ends with code {}", WEXITSTATUS(status));
    }
    return false;
  }

 private:
  [[noreturn]] void work(int lines, int errors, const Job& job) const {
    dup2(errors, STDERR_FILENO);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    for (std::uint64_t run = next_; run < end_ && !interrupted(); ++run) {
      const auto begins = [lines, run] { write_all(lines, fmt::format("B {}\n", run)); };
      begins();
      const std::string text = job(run, begins);
      write_all(lines, fmt::format("A {} {}\n", run, text));
    }
    std::fflush(nullptr);
    _exit(0);
  }

  void line(std::string_view text, const Take& take) {
    CHECK(text.size() > 2 && text[1] == ' ', text);
    std::uint64_t run = 0;
    const auto parsed = std::from_chars(text.data() + 2, text.data() + text.size(), run);
    CHECK(parsed.ec == std::errc(), text);
    begun_ = Clock::now();
    used_before_ = processor_time();
    next_ = run;
    if (text[0] != 'A') return;
    next_ = run + 1;
    RunAnswer answer;
    answer.run = run;
    answer.text.assign(parsed.ptr + 1, text.data() + text.size());
    take(std::move(answer));
  }

  // False: nothing came.
  static bool drain(int* fd, std::string* into) {
    char buffer[65536];
    const ssize_t got = read(*fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) return false;
    if (got <= 0) {
      close(*fd);
      *fd = -1;
      return false;
    }
    into->append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  // What the worker has used so far.
  std::chrono::nanoseconds processor_time() const {
    clockid_t clock;
    timespec used{};
    if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &used) != 0) return {};
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
  }

  pid_t pid_ = -1;
  int lines_fd_ = -1;
  int errors_fd_ = -1;
  std::uint64_t next_;  // the run under way, or that comes next
  std::uint64_t end_;
  Clock::time_point begun_ = Clock::now();
  std::chrono::nanoseconds used_before_{};
  bool killed_ = false;
  bool dropped_ = false;
  std::string text_;
  std::string errors_;
};

void wait_for_output(std::vector<Worker>& workers, const Take& take) {
  std::vector<pollfd> fds;
  for (const Worker& worker : workers) {
    fds.push_back({worker.lines_fd(), POLLIN, 0});
    fds.push_back({worker.errors_fd(), POLLIN, 0});
  }
  if (poll(fds.data(), fds.size(), 200) <= 0) return;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    if (fds[2 * i].revents != 0) workers[i].read_lines(take);
    if (fds[2 * i + 1].revents != 0) workers[i].read_errors();
  }
}

}  // namespace

void CampaignWorkers::run(std::uint64_t begin, std::uint64_t end, const Job& job,
                          const Take& take, const std::function<bool()>& enough) const {
  std::deque<std::pair<std::uint64_t, std::uint64_t>> shares;
  for (std::uint64_t at = begin; at < end; at += share) shares.push_back({at, std::min(at + share, end)});
  std::vector<Worker> workers;
  bool dropped = false;
  while (!shares.empty() || !workers.empty()) {
    if (interrupted()) shares.clear();
    if (!dropped && enough()) {
      dropped = true;
      for (Worker& worker : workers) worker.drop();
    }
    if (dropped) shares.clear();
    while (workers.size() < at_once && !shares.empty()) {
      const auto [from, to] = shares.front();
      shares.pop_front();
      workers.emplace_back(from, to, job);
    }
    if (workers.empty()) break;
    wait_for_output(workers, take);
    for (std::size_t i = 0; i < workers.size();) {
      Worker& worker = workers[i];
      worker.kill_if_late(seconds_per_run);
      if (!worker.ended()) {
        ++i;
        continue;
      }
      RunAnswer answer;
      if (!worker.finish(&answer)) {
        take(std::move(answer));
        if (worker.next() < worker.end()) shares.push_front({worker.next(), worker.end()});
      }
      workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

}  // namespace dmsim
