#include "engine/lvm/config_text.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

namespace dmsim::lvm {
namespace {

// Deeper than any metadata; a text of braces must not exhaust the stack.
constexpr int kMostDepth = 16;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == '+' || c == '/';
}

void print_scalar(std::string& out, const ConfigScalar& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    out += std::to_string(*number);
    return;
  }
  out += '"';
  for (const char c : std::get<std::string>(value)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace

// A recursive descent over the text. The first error ends it: every function returns false then.
class ConfigParser {
 public:
  ConfigParser(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  Result<ConfigSection> parse() {
    ConfigSection top;
    if (!entries(top, 0)) return Failure{error_};
    return top;
  }

 private:
  bool fail(std::string message) {
    error_.file = std::string(file_);
    error_.line = line_;
    error_.column = static_cast<int>(at_ - line_start_) + 1;
    error_.message = std::move(message);
    return false;
  }
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  void advance() {
    if (text_[at_] == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    }
    ++at_;
  }
  void skip_blank() {
    while (!at_end()) {
      const char c = peek();
      if (c == '#') {
        while (!at_end() && peek() != '\n') advance();
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        advance();
      } else {
        return;
      }
    }
  }
  std::string found() const {
    if (at_end()) return "found the end of the text";
    const char c = peek();
    if (c < ' ' || c > '~') return fmt::format("found byte 0x{:02x}", static_cast<unsigned char>(c));
    return fmt::format("found '{}'", c);
  }

  bool entries(ConfigSection& into, int depth) {
    for (;;) {
      skip_blank();
      if (at_end()) {
        return depth == 0 || fail("found the end of the text, expected '}'");
      }
      if (peek() == '}') {
        if (depth == 0) return fail("found '}', which closes nothing");
        advance();
        return true;
      }
      if (!entry(into, depth)) return false;
    }
  }

  bool entry(ConfigSection& into, int depth) {
    ConfigEntry made;
    made.line = line_;
    const std::size_t begin = at_;
    while (!at_end() && is_name_character(peek())) advance();
    if (at_ == begin) return fail(fmt::format("{}, expected a name", found()));
    made.name = std::string(text_.substr(begin, at_ - begin));
    if (into.find(made.name) != nullptr) return fail(fmt::format("'{}' stands here twice", made.name));
    skip_blank();
    if (peek() == '{') {
      if (depth == kMostDepth) return fail("sections are nested too deeply");
      advance();
      made.section = std::make_unique<ConfigSection>();
      if (!entries(*made.section, depth + 1)) return false;
    } else if (peek() == '=') {
      advance();
      if (!value(made)) return false;
    } else {
      return fail(fmt::format("{}, expected '=' or '{{' after '{}'", found(), made.name));
    }
    into.entries_.push_back(std::move(made));
    return true;
  }

  bool value(ConfigEntry& into) {
    skip_blank();
    if (peek() != '[') return scalar(into.values);
    into.is_list = true;
    advance();
    for (skip_blank(); peek() != ']'; skip_blank()) {
      if (!into.values.empty()) {
        if (peek() != ',') return fail(fmt::format("{}, expected ',' or ']'", found()));
        advance();
        skip_blank();
      }
      if (!scalar(into.values)) return false;
    }
    advance();
    return true;
  }

  bool scalar(ConfigList& into) {
    if (peek() == '"') return text_scalar(into);
    const std::size_t begin = at_;
    if (peek() == '-') advance();
    while (!at_end() && peek() >= '0' && peek() <= '9') advance();
    if (peek() == '.') return fail("found a number with a fraction, expected a whole one");
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text_.data() + begin, text_.data() + at_, number);
    if (error == std::errc::result_out_of_range) return fail("the number is too large");
    if (error != std::errc() || end != text_.data() + at_) {
      return fail(fmt::format("{}, expected a number, a string in quotes or a list", found()));
    }
    into.emplace_back(number);
    return true;
  }

  bool text_scalar(ConfigList& into) {
    advance();
    std::string out;
    while (peek() != '"') {
      if (at_end() || peek() == '\n') return fail("the string has no closing quote");
      if (peek() == '\\') {
        advance();
        if (at_end()) return fail("the string has no closing quote");
      }
      out += peek();
      advance();
    }
    advance();
    into.emplace_back(std::move(out));
    return true;
  }

  std::string_view text_;
  std::string_view file_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;
  InputError error_;
};

Result<ConfigSection> ConfigSection::parse(std::string_view text, std::string_view file) {
  return ConfigParser(text, file).parse();
}

const ConfigEntry* ConfigSection::find(std::string_view name) const {
  for (const ConfigEntry& entry : entries_) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

const ConfigSection* ConfigSection::section(std::string_view name) const {
  const ConfigEntry* const entry = find(name);
  return entry == nullptr ? nullptr : entry->section.get();
}

void ConfigSection::add(std::string name, std::int64_t value) {
  entries_.push_back({std::move(name), nullptr, {value}, false, 0});
}
void ConfigSection::add(std::string name, std::string value) {
  entries_.push_back({std::move(name), nullptr, {std::move(value)}, false, 0});
}
void ConfigSection::add(std::string name, ConfigList values) {
  entries_.push_back({std::move(name), nullptr, std::move(values), true, 0});
}
ConfigSection& ConfigSection::add_section(std::string name) {
  entries_.push_back({std::move(name), std::make_unique<ConfigSection>(), {}, false, 0});
  return *entries_.back().section;
}

void ConfigSection::print(std::string& out, int depth) const {
  const std::string indent(static_cast<std::size_t>(depth), '\t');
  for (const ConfigEntry& entry : entries_) {
    out += indent + entry.name;
    if (entry.section != nullptr) {
      out += " {\n";
      entry.section->print(out, depth + 1);
      out += indent + "}\n";
      continue;
    }
    out += " = ";
    if (entry.is_list) out += '[';
    for (std::size_t i = 0; i < entry.values.size(); ++i) {
      if (i > 0) out += ", ";
      print_scalar(out, entry.values[i]);
    }
    out += entry.is_list ? "]\n" : "\n";
  }
}

std::string ConfigSection::to_text() const {
  std::string out;
  print(out, 0);
  return out;
}

}  // namespace dmsim::lvm
