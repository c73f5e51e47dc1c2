// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/images.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "base/sanitizer.h"

namespace dmsim::kernel {
namespace {

#if defined(DMSIM_ADDRESS_SANITIZER)
constexpr std::string_view kFlavour = "asan";
#else
constexpr std::string_view kFlavour = "release";
#endif
constexpr std::string_view kOwnTree = "linux:";
constexpr std::string_view kPackaged = "linux-";

std::string sources() { return DMSIM_LINUX_SOURCES; }

std::string image_folder() {
  const char* const chosen = std::getenv("DMSIM_LINUX_DIR");
  return chosen != nullptr && *chosen != 0 ? chosen : DMSIM_LINUX_IMAGES;
}

// What follows "linux-", without mutants.
std::string series_of(std::string_view engine) {
  engine.remove_prefix(kPackaged.size());
  return std::string(engine.substr(0, engine.find('+')));
}

std::vector<std::string> builder_arguments(std::string_view engine, std::string_view flavour) {
  std::vector<std::string> out{"python3", sources() + "/build.py", "--out", image_folder(),
                               "--flavour", std::string(flavour)};
  if (engine.substr(0, kOwnTree.size()) == kOwnTree) {
    out.insert(out.end(), {"--tree", std::string(engine.substr(kOwnTree.size()))});
    return out;
  }
  out.insert(out.end(), {"--series", series_of(engine)});
  for (std::size_t at = engine.find('+'); at != std::string_view::npos;) {
    const std::size_t next = engine.find('+', at + 1);
    const std::string_view mutant = engine.substr(at + 1, next == std::string_view::npos ? next : next - at - 1);
    out.insert(out.end(), {"--mutant", fmt::format("{}/mutants/{}.cocci", sources(), mutant)});
    at = next;
  }
  return out;
}

// A program's stdout and stderr, collected; what it says on stderr is passed on line by line, one line late,
// so that the last one can be held back.
class Builder {
 public:
  // False: it did not end well.
  bool run(const std::vector<std::string>& arguments) {
    int out[2];
    int err[2];
    CHECK(pipe2(out, O_CLOEXEC) == 0);
    CHECK(pipe2(err, O_CLOEXEC) == 0);
    std::vector<char*> words;
    for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      dup2(out[1], STDOUT_FILENO);
      dup2(err[1], STDERR_FILENO);
      execvp(words[0], words.data());
      _exit(127);
    }
    close(out[1]);
    close(err[1]);
    collect(out[0], err[0]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    const bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) last_line_ = "python3 is needed to build it";
    if (good && !nothing_was_done()) std::fprintf(stderr, "%s\n", last_line_.c_str());
    return good;
  }
  std::string answer() const { return answer_.substr(0, answer_.find('\n')); }
  const std::string& last_line() const { return last_line_; }

 private:
  void collect(int out, int err) {
    std::array<pollfd, 2> open{{{out, POLLIN, 0}, {err, POLLIN, 0}}};
    while (open[0].fd >= 0 || open[1].fd >= 0) {
      if (poll(open.data(), open.size(), -1) < 0) continue;
      for (pollfd& each : open) {
        if (each.fd < 0 || each.revents == 0) continue;
        std::array<char, 4096> buffer;
        const ssize_t count = read(each.fd, buffer.data(), buffer.size());
        if (count > 0) {
          const std::string_view text(buffer.data(), static_cast<std::size_t>(count));
          if (&each == &open[0]) {
            answer_ += text;
          } else {
            pass_on(text);
          }
        } else if (count == 0 || errno != EINTR) {
          close(each.fd);
          each.fd = -1;
        }
      }
    }
  }
  void pass_on(std::string_view text) {
    pending_ += text;
    for (std::size_t end; (end = pending_.find('\n')) != std::string::npos; pending_.erase(0, end + 1)) {
      if (!last_line_.empty()) std::fprintf(stderr, "%s\n", last_line_.c_str());
      last_line_ = pending_.substr(0, end);
    }
  }
  bool nothing_was_done() const { return last_line_.find(": 0 of ") != std::string::npos; }

  std::string answer_;
  std::string pending_;
  std::string last_line_;
};

using Loaded = Result<std::unique_ptr<KernelImage>, std::string>;

Loaded build_and_load(std::string_view engine, std::string_view flavour = kFlavour) {
  if (const std::string why = why_not_available(engine); !why.empty()) return Failure{why};
  Builder builder;
  if (!builder.run(builder_arguments(engine, flavour))) {
    return Failure{fmt::format("engine '{}' cannot be built: {}", engine, builder.last_line())};
  }
  return KernelImage::load(builder.answer());
}

}  // namespace

bool is_linux_engine(std::string_view engine) {
  if (engine.substr(0, kOwnTree.size()) == kOwnTree) return engine.size() > kOwnTree.size();
  if (engine.substr(0, kPackaged.size()) != kPackaged) return false;
  const std::string series = series_of(engine);
  return series == "6.1" || series == "6.12";
}

std::string why_not_available(std::string_view engine) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (engine.substr(0, kOwnTree.size()) == kOwnTree) {
    const std::string tree(engine.substr(kOwnTree.size()));
    if (fs::exists(tree + "/drivers/md/dm.c", error)) return {};
    return fmt::format("{} is no kernel tree: it has no drivers/md/dm.c", tree);
  }
  const std::string series = series_of(engine);
  if (fs::exists(fmt::format("/usr/src/linux-source-{}.tar.xz", series), error)) return {};
  if (fs::exists(fmt::format("{}/tree-{}", image_folder(), series), error)) return {};
  return fmt::format("engine '{}' needs the sources of Linux {}: apt-get install linux-source-{}", engine, series,
                     series);
}

namespace {

// Images outlive everything that the process does: they are never unloaded.
std::map<std::string, Loaded, std::less<>>& images() {
  static auto& kImages = *new std::map<std::string, Loaded, std::less<>>;
  return kImages;
}

}  // namespace

Result<KernelImage*, std::string> image_of(std::string_view engine) {
  auto found = images().find(engine);
  if (found == images().end()) found = images().emplace(std::string(engine), build_and_load(engine)).first;
  if (!found->second.ok()) return Failure{found->second.error()};
  return found->second->get();
}

Result<KernelImage*, std::string> image_with_coverage(std::string_view engine) {
  if (kFlavour != "release") {
    return Failure{std::string("coverage is measured by a dmsim that is built without sanitizers")};
  }
  CHECK(!images().contains(engine), "the engine is in use already", engine);
  images().emplace(std::string(engine), build_and_load(engine, "coverage"));
  return image_of(engine);
}

}  // namespace dmsim::kernel
