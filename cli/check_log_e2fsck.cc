#include "cli/check_log_e2fsck.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <sstream>
#include <thread>

#include "cli/interrupt.h"
#include "cli/workers.h"
#include "harness/fingerprint_set.h"
#include "models/disk/image_file.h"
#include "sim/choice.h"

namespace dmsim {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kChunksPerWorker = 4;
constexpr std::size_t kMostOutputLines = 12;

struct Command {
  int code = 0;  // -1: could not be run
  std::string output;
};

// The shell's search path may lack the system administrator's folders.
Command run_e2fsck(const std::string& arguments) {
  const std::string line = "PATH=\"$PATH:/usr/sbin:/sbin\" E2FSCK_TIME=2000000000 LC_ALL=C e2fsck " +
                           arguments + " 2>&1 </dev/null";
  Command result;
  std::FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) return {-1, std::strerror(errno)};
  char buffer[4096];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    result.output.append(buffer, got);
  }
  const int status = pclose(pipe);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

// A folder that goes with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dmsim-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;  // empty: could not be made
};

// Names of states in the order of the walk.
std::vector<StateName> sample_states(const WriteLog& log, const E2fsckOptions& options,
                                     std::uint64_t* all) {
  struct Moment {
    std::size_t entry;
    std::uint64_t begin;  // of its states, in the numbers of all moments
    std::uint64_t count;
  };
  std::vector<Moment> moments;
  LogStates states(log, options.states);
  while (states.next()) {
    if (states.count() == 0) continue;
    moments.push_back({states.entry(), *all, states.count()});
    *all += states.count();
  }
  std::vector<std::pair<std::size_t, std::uint64_t>> picked;
  const std::uint64_t evenly = *all <= options.sample ? *all : (options.sample + 1) / 2;
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < evenly; ++i) {
    const std::uint64_t number = i * *all / evenly;
    while (number >= moments[at].begin + moments[at].count) ++at;
    picked.emplace_back(moments[at].entry, number - moments[at].begin);
  }
  RandomNumbers numbers(mix_words(options.seed, *all));
  for (std::uint64_t i = evenly; i < options.sample && evenly < *all; ++i) {
    const Moment& moment = moments[numbers.below(moments.size())];
    picked.emplace_back(moment.entry, numbers.below(moment.count));
  }
  std::sort(picked.begin(), picked.end());
  std::vector<StateName> names;
  for (const auto& [entry, number] : picked) names.push_back({entry, number});
  return names;
}

// Walks the log and calls visit(states, name) at each of `names`, which are in its order.
template <typename Visit>
void visit_states(const WriteLog& log, const LogStateOptions& options,
                  std::span<const StateName> names, Visit visit) {
  LogStates states(log, options);
  for (std::size_t i = 0; i < names.size() && states.next();) {
    for (; i < names.size() && names[i].entry == states.entry(); ++i) visit(states, names[i]);
  }
}

// `path` is the image's, which differs from run to run.
void add_output(const char* what, const Command& command, const std::string& path, Json* details) {
  details->push_back(fmt::format("{} ended with {}:", what, command.code));
  auto lines = lines_of(command.output);
  for (std::string& line : lines) {
    for (auto at = line.find(path); at != std::string::npos; at = line.find(path)) {
      line.replace(at, path.size(), "IMAGE");
    }
  }
  for (std::size_t i = 0; i < std::min(lines.size(), kMostOutputLines); ++i) {
    details->push_back("  " + lines[i]);
  }
  if (lines.size() > kMostOutputLines) {
    details->push_back(fmt::format("  and {} lines more", lines.size() - kMostOutputLines));
  }
}

// What one worker does: a run of states. Answers with failures, or an error.
class E2fsckJob {
 public:
  E2fsckJob(const WriteLog& log, const LogStateOptions& options, std::span<const StateName> names)
      : log_(log), options_(options), names_(names) {}

  Json run() {
    const TemporaryFolder folder;
    if (folder.path().empty()) return {{"error", "no temporary folder can be made"}};
    visit_states(log_, options_, names_, [&](LogStates& states, StateName name) {
      if (interrupted() || answer_.contains("error")) return;
      check(states, name, folder.path() + "/image");
    });
    return answer_;
  }

 private:
  void check(LogStates& states, StateName name, const std::string& path) {
    const Outcome<> written = export_raw(states.state(name.number), path);
    if (!written.ok()) {
      answer_["error"] = written.error().to_string();
      return;
    }
    answer_["checked"] = answer_["checked"].get<std::uint64_t>() + 1;
    Json details = Json::array();
    const Command mount = run_e2fsck("-p '" + path + "'");
    const auto repairs = repairs_beyond_mount(mount.output);
    const Command look = run_e2fsck("-fn '" + path + "'");
    const bool mounts = (mount.code == 0 || mount.code == 1) && repairs.empty();
    if (mounts && look.code == 0) return;
    details.push_back(states.policy(name.number));
    for (const std::string& line : states.survivors(name.number)) details.push_back(line);
    add_output("e2fsck -p", mount, path, &details);
    add_output("e2fsck -fn", look, path, &details);
    answer_["failures"].push_back(
        {{"entry", name.entry},
         {"number", name.number},
         {"sentence", mounts ? "damage remains after the journal was replayed"
                             : "more is to be done than to replay the journal"},
         {"details", details}});
  }

  const WriteLog& log_;
  const LogStateOptions& options_;
  std::span<const StateName> names_;
  Json answer_ = {{"checked", 0}, {"failures", Json::array()}};
};

void take_answer(const Json& answer, E2fsckReport* report, std::string* error) {
  if (answer.contains("error")) {
    if (error->empty()) *error = answer.at("error").get<std::string>();
    return;
  }
  report->checked += answer.at("checked").get<std::uint64_t>();
  for (const Json& failure : answer.at("failures")) {
    report->failures.push_back({{failure.at("entry").get<std::size_t>(),
                                 failure.at("number").get<std::uint64_t>()},
                                failure.at("sentence").get<std::string>(),
                                failure.at("details").get<std::vector<std::string>>()});
  }
}

}  // namespace

std::vector<std::string> repairs_beyond_mount(const std::string& output) {
  constexpr std::string_view kOfAMount[] = {": recovering journal", ": clean, ",
                                            ": Clearing orphaned inode ",
                                            ": Truncating orphaned inode "};
  std::vector<std::string> repairs;
  for (std::string& line : lines_of(output)) {
    const bool expected = std::any_of(
        std::begin(kOfAMount), std::end(kOfAMount),
        [&](std::string_view phrase) { return line.find(phrase) != std::string::npos; });
    if (!expected) repairs.push_back(std::move(line));
  }
  return repairs;
}

Result<E2fsckReport> check_with_e2fsck(const WriteLog& log, const E2fsckOptions& options) {
  if (run_e2fsck("-V").code != 0) {
    return Failure{InputError{{}, 0, 0, "e2fsck cannot be run: is e2fsprogs installed?", -1}};
  }
  E2fsckReport report;
  std::vector<StateName> names = sample_states(log, options, &report.all_states);
  FingerprintSet seen;
  std::vector<StateName> distinct;
  visit_states(log, options.states, names, [&](LogStates& states, StateName name) {
    if (seen.insert(states.state(name.number).fingerprint())) {
      distinct.push_back(name);
    } else {
      ++report.duplicates;
    }
  });
  WorkerOptions workers;
  workers.at_once = options.jobs != 0 ? options.jobs : std::max(1u, std::thread::hardware_concurrency());
  const std::size_t chunks = std::min<std::size_t>(distinct.size(), workers.at_once * kChunksPerWorker);
  std::string error;
  run_workers(
      chunks, workers,
      [&](std::size_t i) {
        const std::size_t begin = i * distinct.size() / chunks;
        const std::size_t end = (i + 1) * distinct.size() / chunks;
        const std::span<const StateName> all(distinct);
        return E2fsckJob(log, options.states, all.subspan(begin, end - begin)).run().dump();
      },
      [&](std::size_t, WorkerAnswer answer) {
        if (answer.end == WorkerAnswer::End::kAnswered) {
          take_answer(Json::parse(answer.text), &report, &error);
          return;
        }
        ++report.workers_failed;
        std::fprintf(stderr, "a worker %s. The last it said:\n%s\n", answer.message.c_str(),
                     answer.stderr_tail.c_str());
      });
  if (!error.empty()) return Failure{InputError{{}, 0, 0, error, -1}};
  return report;
}

}  // namespace dmsim
