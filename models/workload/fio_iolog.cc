#include "models/workload/fio_iolog.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/nearest.h"
#include "models/workload/file_bytes.h"

namespace dmsim {
namespace {

constexpr std::array<std::string_view, 9> kActionNames{
    "add", "open", "close", "read", "write", "trim", "sync", "datasync", "wait"};
constexpr std::uint64_t kMostMicroseconds = INT64_MAX / 1'000;

struct Word {
  std::string_view text;
  int column;  // 1-based
};

// A line's words; fio separates them by white space and knows no quoting.
std::vector<Word> split_words(std::string_view line) {
  std::vector<Word> words;
  std::size_t at = 0;
  while (true) {
    at = line.find_first_not_of(" \t\r", at);
    if (at == std::string_view::npos) return words;
    const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    words.push_back({line.substr(at, end - at), static_cast<int>(at) + 1});
    at = end;
  }
}

bool takes_range(IologAction action) {
  return action == IologAction::kRead || action == IologAction::kWrite ||
         action == IologAction::kTrim;
}
bool is_sync(IologAction action) {
  return action == IologAction::kSync || action == IologAction::kDataSync;
}

class IologParser {
 public:
  IologParser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Result<Iolog> parse() {
    std::string_view line;
    if (!next_line(&line)) {
      line_number_ = 1;
      return fail(1, "the log is empty, expected 'fio version 2 iolog' or 'fio version 3 iolog'");
    }
    if (!parse_version(line)) return Failure{error_};
    while (next_line(&line)) {
      if (!parse_entry(line)) return Failure{error_};
    }
    return std::move(log_);
  }

 private:
  Failure<InputError> fail(int column, std::string message) {
    error_ = {name_, line_number_, column, std::move(message), -1};
    return Failure{error_};
  }
  bool refuse(int column, std::string message) {
    fail(column, std::move(message));
    return false;
  }

  // The next line without its end; false at the end of the text.
  bool next_line(std::string_view* line) {
    if (at_ >= text_.size()) return false;
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    *line = text_.substr(at_, end - at_);
    at_ = end + 1;
    ++line_number_;
    return true;
  }

  bool parse_version(std::string_view line) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line == "fio version 2 iolog") log_.version = 2;
    if (line == "fio version 3 iolog") log_.version = 3;
    if (log_.version != 0) return true;
    return refuse(1, fmt::format("found '{}', expected 'fio version 2 iolog' or 'fio version 3 "
                                 "iolog'",
                                 line.substr(0, 60)));
  }

  bool parse_entry(std::string_view line) {
    const std::vector<Word> words = split_words(line);
    if (words.empty()) return true;
    const int end_column = static_cast<int>(line.size()) + 1;
    std::size_t at = 0;
    IologEntry entry;
    entry.line = line_number_;
    if (log_.version == 3) {
      std::uint64_t us = 0;
      if (!parse_number(words[at++], "a timestamp in microseconds", kMostMicroseconds, &us)) {
        return false;
      }
      now_ = std::max(now_, Duration::microseconds(static_cast<std::int64_t>(us)));
    }
    entry.at = now_;
    if (at == words.size()) return refuse(end_column, "found the line's end, expected a file");
    const Word file = words[at++];
    if (at == words.size()) return refuse(end_column, "found the line's end, expected an action");
    const Word action = words[at++];
    const std::vector<Word> arguments(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
    if (!parse_action(action, &entry.action)) return false;
    if (!find_file(file, action, &entry)) return false;
    if (!parse_arguments(action, arguments, end_column, &entry)) return false;
    log_.entries.push_back(entry);
    return true;
  }

  bool parse_action(const Word& word, IologAction* action) {
    const auto* found = std::find(kActionNames.begin(), kActionNames.end(), word.text);
    if (found == kActionNames.end()) {
      return refuse(word.column,
                    fmt::format("unknown action '{}'{}", word.text,
                                did_you_mean(word.text, kActionNames)));
    }
    *action = static_cast<IologAction>(found - kActionNames.begin());
    if (*action == IologAction::kWait && log_.version != 2) {
      return refuse(word.column, "found wait, which only version 2 has");
    }
    return true;
  }

  // Resolves the file's name and follows its life: added, opened, closed.
  bool find_file(const Word& word, const Word& action, IologEntry* entry) {
    const auto found = std::find(log_.files.begin(), log_.files.end(), word.text);
    const bool known = found != log_.files.end();
    entry->file = static_cast<std::uint32_t>(found - log_.files.begin());
    if (entry->action == IologAction::kAdd) {
      if (known) return refuse(word.column, fmt::format("file '{}' is added twice", word.text));
      log_.files.emplace_back(word.text);
      open_.push_back(false);
      return true;
    }
    if (!known) {
      return refuse(word.column,
                    fmt::format("file '{}' was never added, expected '{} add' above", word.text,
                                word.text));
    }
    if (entry->action == IologAction::kOpen) {
      open_[entry->file] = true;
      return true;
    }
    if (entry->action != IologAction::kWait && !open_[entry->file]) {
      return refuse(word.column, fmt::format("{} of file '{}', which is not open, expected '{} "
                                             "open' above",
                                             action.text, word.text, word.text));
    }
    if (entry->action == IologAction::kClose) open_[entry->file] = false;
    return true;
  }

  bool parse_arguments(const Word& action, const std::vector<Word>& arguments, int end_column,
                       IologEntry* entry) {
    // fio writes an offset and a length behind a sync, and accepts a length behind a wait.
    const bool timed = entry->action == IologAction::kWait;
    const std::size_t most = takes_range(entry->action) || is_sync(entry->action) || timed ? 2 : 0;
    const std::size_t least = takes_range(entry->action) ? 2 : timed ? 1 : 0;
    if (arguments.size() > most) {
      return refuse(arguments[most].column, fmt::format("found '{}' behind {}, expected the line's "
                                                        "end",
                                                        arguments[most].text, action.text));
    }
    if (arguments.size() < least) {
      return refuse(end_column, fmt::format("found the line's end, expected {} of the {}",
                                            timed                 ? "the microseconds"
                                            : arguments.empty()   ? "the offset"
                                                                  : "the length",
                                            action.text));
    }
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    if (!arguments.empty() &&
        !parse_number(arguments[0], timed ? "microseconds" : "an offset in bytes",
                      timed ? kMostMicroseconds : UINT64_MAX, &first)) {
      return false;
    }
    if (arguments.size() > 1 &&
        !parse_number(arguments[1], "a length in bytes", UINT64_MAX - first, &second)) {
      return false;
    }
    if (timed) return wait(arguments[0], first, entry);
    if (!takes_range(entry->action)) return true;
    if (second == 0) {
      return refuse(arguments[1].column, "found a length of 0, expected at least one byte");
    }
    entry->offset = first;
    entry->length = second;
    return true;
  }

  bool wait(const Word& word, std::uint64_t us, IologEntry* entry) {
    if (now_.count_ns() > INT64_MAX - static_cast<std::int64_t>(us) * 1'000) {
      return refuse(word.column, "this wait ends after the end of time (292 years)");
    }
    now_ = now_ + Duration::microseconds(static_cast<std::int64_t>(us));
    entry->at = now_;
    return true;
  }

  bool parse_number(const Word& word, std::string_view what, std::uint64_t most,
                    std::uint64_t* number) {
    const char* end = word.text.data() + word.text.size();
    const auto [stop, code] = std::from_chars(word.text.data(), end, *number);
    if (code == std::errc::result_out_of_range || (code == std::errc() && *number > most)) {
      return refuse(word.column, fmt::format("{} is too large for {}", word.text, what));
    }
    if (code == std::errc() && stop == end) return true;
    return refuse(word.column, fmt::format("found '{}', expected {}", word.text, what));
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  int line_number_ = 0;
  Duration now_;
  std::vector<bool> open_;  // by file
  Iolog log_;
  InputError error_;
};

}  // namespace

std::string_view iolog_action_name(IologAction action) {
  return kActionNames.at(static_cast<std::size_t>(action));
}

Result<Iolog> parse_fio_iolog(std::string_view text, const std::string& name) {
  return IologParser(text, name).parse();
}

Result<Iolog> read_fio_iolog(const std::string& path) {
  auto bytes = read_file_bytes(path);
  if (!bytes.ok()) return Failure{bytes.error()};
  return parse_fio_iolog({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, path);
}

}  // namespace dmsim
