#include "cli/workers.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "base/check.h"
#include "cli/interrupt.h"

namespace dmsim {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kStderrTail = 8192;

struct Worker {
  std::size_t index;
  pid_t pid;
  int answer_fd;  // -1 once closed
  int stderr_fd;  // -1 once closed
  Clock::time_point begun;
  bool killed = false;
  bool interrupted = false;  // it has been told
  WorkerAnswer answer;
};

void write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = write(fd, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    done += static_cast<std::size_t>(wrote);
  }
}

[[noreturn]] void work(pid_t parent, std::size_t index, int answer_fd, int stderr_fd,
                       const std::function<std::string(std::size_t)>& job) {
  // Ctrl-C reaches the parent alone, which passes it on once: a second one would kill. A worker does not
  // outlive its parent.
  setpgid(0, 0);
  die_with_parent(parent);
  dup2(stderr_fd, STDERR_FILENO);
  write_all(answer_fd, job(index));
  close(answer_fd);
  std::fflush(nullptr);
  _exit(0);
}

// None: the system gives no more pipes, or processes; errno says which.
std::optional<Worker> start(std::size_t index, const std::function<std::string(std::size_t)>& job) {
  int answer[2];
  int errors[2];
  if (pipe(answer) != 0) return std::nullopt;
  const bool both = pipe(errors) == 0;
  std::fflush(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = both ? fork() : -1;
  if (pid < 0) {
    const int why = errno;
    for (const int fd : {answer[0], answer[1], both ? errors[0] : -1, both ? errors[1] : -1}) close(fd);
    errno = why;
    return std::nullopt;
  }
  if (pid == 0) {
    close(answer[0]);
    close(errors[0]);
    work(parent, index, answer[1], errors[1], job);
  }
  close(answer[1]);
  close(errors[1]);
  return Worker{index, pid, answer[0], errors[0], Clock::now(), false, false, {}};
}

// Takes what there is to read; closes at the end of the stream.
void drain(int* fd, std::string* into) {
  char buffer[65536];
  const ssize_t got = read(*fd, buffer, sizeof buffer);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) {
    close(*fd);
    *fd = -1;
    return;
  }
  into->append(buffer, static_cast<std::size_t>(got));
}

void wait_for_output(std::vector<Worker>& workers) {
  std::vector<pollfd> fds;
  for (const Worker& worker : workers) {
    fds.push_back({worker.answer_fd, POLLIN, 0});
    fds.push_back({worker.stderr_fd, POLLIN, 0});
  }
  if (poll(fds.data(), fds.size(), 200) <= 0) return;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    if (fds[2 * i].revents != 0) drain(&workers[i].answer_fd, &workers[i].answer.text);
    if (fds[2 * i + 1].revents != 0) {
      drain(&workers[i].stderr_fd, &workers[i].answer.stderr_tail);
      std::string& tail = workers[i].answer.stderr_tail;
      if (tail.size() > 2 * kStderrTail) tail.erase(0, tail.size() - kStderrTail);
    }
  }
}

void finish(Worker& worker, const WorkerOptions& options) {
  int status = 0;
  while (waitpid(worker.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (worker.killed) {
    worker.answer.end = WorkerAnswer::End::kHung;
    worker.answer.message = fmt::format("did not end within {} s", options.seconds_to_live);
  } else if (WIFSIGNALED(status)) {
    worker.answer.end = WorkerAnswer::End::kDied;
    worker.answer.message = fmt::format("died of signal {} ({})", WTERMSIG(status),
                                        strsignal(WTERMSIG(status)));
  } else if (WEXITSTATUS(status) != 0) {
    worker.answer.end = WorkerAnswer::End::kDied;
    worker.answer.message = fmt::format("ended with code {}", WEXITSTATUS(status));
  }
}

}  // namespace

void die_with_parent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it was faster
}

void run_workers(std::size_t count, const WorkerOptions& options,
                 const std::function<std::string(std::size_t)>& job,
                 const std::function<void(std::size_t, WorkerAnswer)>& take) {
  std::vector<Worker> workers;
  std::map<std::size_t, WorkerAnswer> ready;  // ended before those in front of them
  std::size_t next_start = 0;
  std::size_t next_take = 0;
  while (true) {
    while (workers.size() < options.at_once && next_start < count && !interrupted()) {
      std::optional<Worker> started = start(next_start, job);
      if (!started) {
        CHECK(!workers.empty(), errno);
        break;  // it is tried again when one of these has ended
      }
      workers.push_back(std::move(*started));
      ++next_start;
    }
    if (workers.empty()) break;
    wait_for_output(workers);
    for (std::size_t i = 0; i < workers.size();) {
      Worker& worker = workers[i];
      if (interrupted() && !worker.interrupted) {
        worker.interrupted = true;
        kill(worker.pid, SIGINT);
      }
      if (options.seconds_to_live > 0 && !worker.killed &&
          Clock::now() - worker.begun > std::chrono::seconds(options.seconds_to_live)) {
        worker.killed = true;
        kill(worker.pid, SIGKILL);
      }
      if (worker.answer_fd != -1 || worker.stderr_fd != -1) {
        ++i;
        continue;
      }
      finish(worker, options);
      ready.emplace(worker.index, std::move(worker.answer));
      workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
    }
    for (auto it = ready.find(next_take); it != ready.end(); it = ready.find(next_take)) {
      take(next_take++, std::move(it->second));
      ready.erase(it);
    }
  }
}

}  // namespace dmsim
