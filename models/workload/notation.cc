#include "models/workload/notation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace dmsim {
namespace {

constexpr std::array kErrors{
    BlockStatus::Code::kIoError, BlockStatus::Code::kNotSupported, BlockStatus::Code::kNoSpace,
    BlockStatus::Code::kTimeout, BlockStatus::Code::kMedium};

// Reads one word; remembers the first error, after which every step says no.
class WordReader {
 public:
  WordReader(std::string_view word, int line, int column, const ScriptPlace& place)
      : word_(word), line_(line), column_(column), place_(place) {}

  bool read(IoStep* step) {
    step->line = line_;
    step->column = column_;
    if (peek() == '*') {
      ++at_;
      step->kind = IoStep::Kind::kCutPower;
      return at_end("nothing behind '*'");
    }
    if (peek() == 'c' || peek() == 'e') return read_wait(step);
    step->kind = IoStep::Kind::kStart;
    return read_request(&step->request) && at_end("white space behind the request");
  }

  bool fail(std::size_t at, std::string message) {
    error_ = {place_.file, line_, column_ + static_cast<int>(at), std::move(message), -1};
    return false;
  }
  const InputError& error() const { return error_; }

 private:
  char peek() const { return at_ < word_.size() ? word_[at_] : '\0'; }
  std::string found() const {
    return at_ < word_.size() ? fmt::format("'{}'", word_.substr(at_, 1)) : "the word's end";
  }
  bool expected(std::string_view what) {
    return fail(at_, fmt::format("found {} in '{}', expected {}", found(), word_, what));
  }
  bool at_end(std::string_view what) { return at_ == word_.size() || expected(what); }
  bool take(char wanted, std::string_view what) {
    if (peek() != wanted) return expected(what);
    ++at_;
    return true;
  }

  bool read_wait(IoStep* step) {
    const bool fails = peek() == 'e';
    step->kind = fails ? IoStep::Kind::kFails : IoStep::Kind::kSucceeds;
    ++at_;
    if (!take('(', fails ? "'(' behind e" : "'(' behind c") || !read_request(&step->request)) {
      return false;
    }
    if (fails && (!take(',', "',' and the error that must come") || !read_error(&step->error))) {
      return false;
    }
    return take(')', "')'") && at_end("white space behind ')'");
  }

  bool read_request(IoRequest* request) {
    switch (peek()) {
      case 'R': request->op = Op::kRead; break;
      case 'W': request->op = Op::kWrite; break;
      case 'D': request->op = Op::kDiscard; break;
      case 'F': request->op = Op::kFlush; break;
      default: return expected(at_ == 0 ? "R, W, D, F, c(...), e(...) or *" : "R, W, D or F");
    }
    ++at_;
    if (request->op != Op::kFlush && !read_range(request)) return false;
    if (peek() != '!') return true;
    if (request->op != Op::kWrite) {
      return fail(at_, fmt::format("'!' (FUA) in '{}' on a {}, only a write can have it", word_,
                                   op_name(request->op)));
    }
    request->fua = true;
    ++at_;
    return true;
  }

  bool read_range(IoRequest* request) {
    const std::size_t begin = at_;
    if (!read_number("a sector number", &request->sector) ||
        !take('+', "'+' and a count of sectors")) {
      return false;
    }
    const std::size_t count_at = at_;
    if (!read_number("a count of sectors", &request->sectors)) return false;
    if (request->sectors == 0) return fail(count_at, "found 0 sectors, expected at least 1");
    if (request->sector > UINT64_MAX - request->sectors) {
      return fail(begin, fmt::format("'{}' ends behind the last sector there is", word_));
    }
    return true;
  }

  template <typename Number>
  bool read_number(std::string_view what, Number* number) {
    const auto [end, code] =
        std::from_chars(word_.data() + at_, word_.data() + word_.size(), *number);
    if (code == std::errc::invalid_argument) return expected(what);
    if (code == std::errc::result_out_of_range) {
      return fail(at_, fmt::format("{} is too large in '{}'", what, word_));
    }
    at_ = static_cast<std::size_t>(end - word_.data());
    return true;
  }

  bool read_error(BlockStatus::Code* code) {
    const std::size_t end = std::min(word_.find(')', at_), word_.size());
    const std::string_view name = word_.substr(at_, end - at_);
    if (!block_error_by_name(name, code)) {
      return fail(at_, fmt::format("found error '{}', expected EIO, EOPNOTSUPP, ENOSPC, ETIMEDOUT "
                                   "or ENODATA",
                                   name));
    }
    at_ = end;
    return true;
  }

  std::string_view word_;
  int line_;
  int column_;
  const ScriptPlace& place_;
  std::size_t at_ = 0;
  InputError error_;
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The earliest start of `request` that no earlier step waits for; steps.size(): none.
std::size_t find_unawaited(const std::vector<IoStep>& steps, const std::vector<bool>& awaited,
                           const IoRequest& request) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].kind == IoStep::Kind::kStart && !awaited[i] && steps[i].request == request) {
      return i;
    }
  }
  return steps.size();
}

}  // namespace

bool block_error_by_name(std::string_view name, BlockStatus::Code* code) {
  for (const BlockStatus::Code candidate : kErrors) {
    if (status_name(candidate) != name) continue;
    *code = candidate;
    return true;
  }
  return false;
}

Result<IoScript> parse_notation(std::string_view text, const ScriptPlace& place) {
  IoScript script;
  std::vector<bool> awaited;
  int line = place.line;
  int column = place.column;
  std::size_t at = 0;
  while (true) {
    for (; at < text.size() && is_space(text[at]); ++at) {
      const bool new_line = text[at] == '\n';
      column = new_line ? 1 : column + 1;
      line += new_line ? 1 : 0;
    }
    if (at == text.size()) break;
    std::size_t end = at;
    while (end < text.size() && !is_space(text[end])) ++end;
    WordReader reader(text.substr(at, end - at), line, column, place);
    IoStep step;
    if (!reader.read(&step)) return Failure{reader.error()};
    if (step.kind == IoStep::Kind::kSucceeds || step.kind == IoStep::Kind::kFails) {
      step.started_by = find_unawaited(script.steps, awaited, step.request);
      if (step.started_by == script.steps.size()) {
        reader.fail(0, fmt::format("'{}' waits for {}, expected one started before that nothing "
                                   "has waited for yet",
                                   text.substr(at, end - at), notation(step.request)));
        return Failure{reader.error()};
      }
      awaited[step.started_by] = true;
    }
    script.steps.push_back(step);
    awaited.push_back(false);
    column += static_cast<int>(end - at);
    at = end;
  }
  return script;
}

bool IoScript::has_power_cut() const {
  return std::any_of(steps.begin(), steps.end(),
                     [](const IoStep& step) { return step.kind == IoStep::Kind::kCutPower; });
}

std::uint64_t IoScript::end_sector() const {
  std::uint64_t end = 0;
  for (const IoStep& step : steps) {
    if (step.request.sectors > 0) end = std::max(end, step.request.sector + step.request.sectors);
  }
  return end;
}

std::string notation(const IoRequest& request) {
  return bio_notation(request.op, request.fua, request.sector, request.sectors);
}

std::string notation(const IoStep& step) {
  switch (step.kind) {
    case IoStep::Kind::kStart: return notation(step.request);
    case IoStep::Kind::kSucceeds: return fmt::format("c({})", notation(step.request));
    case IoStep::Kind::kFails:
      return fmt::format("e({},{})", notation(step.request), status_name(step.error));
    case IoStep::Kind::kCutPower: return "*";
  }
  UNMODELLED("step of an I/O script");
}

std::string notation(const IoScript& script) {
  std::string text;
  for (const IoStep& step : script.steps) {
    if (!text.empty()) text += ' ';
    text += notation(step);
  }
  return text;
}

}  // namespace dmsim
