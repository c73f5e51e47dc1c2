#include "scenarios/yaml_tree.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace dmsim {
namespace {

// Values that aliases may add to a document before it is taken for a trap.
constexpr std::size_t kMostAliasedNodes = 100'000;

YamlPosition position_of(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

std::size_t count_nodes(const YamlNode& node) {
  std::size_t count = 1;
  for (const YamlNode& item : node.items) count += count_nodes(item);
  for (const YamlEntry& entry : node.entries) count += count_nodes(entry.value);
  return count;
}

// Builds the tree of the first document from yaml-cpp's events. After the first error it ignores the
// rest.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view text) : text_(text) {}

  YamlNode& root() { return root_; }
  bool failed() const { return !message_.empty(); }
  const std::string& message() const { return message_; }
  YamlPosition where() const { return where_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (failed()) return;
    if (expects_key()) return fail(position_of(mark), "found an empty key, expected a name");
    YamlNode node;
    node.position = position_of(mark);
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (failed()) return;
    if (expects_key()) return fail(position_of(mark), "found an alias as a key, expected a name");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      return fail(position_of(mark), "found an alias inside of what it stands for");
    }
    aliased_nodes_ += count_nodes(found->second);
    if (aliased_nodes_ > kMostAliasedNodes) {
      return fail(position_of(mark), fmt::format("found aliases that expand to more than {} values",
                                                 kMostAliasedNodes));
    }
    add(YamlNode(found->second), 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (failed() || !tag_is_plain(mark, tag) || !quote_is_closed(mark)) return;
    if (expects_key()) return take_key(position_of(mark), value);
    YamlNode node;
    node.kind = YamlNode::Kind::kScalar;
    node.position = position_of(mark);
    node.text = value;
    add(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::kSequence);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Kind::kMap);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  // A sequence or map whose end has not come yet.
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    std::optional<YamlEntry> entry;  // of a map: a key that waits for its value
  };

  bool expects_key() const {
    return !open_.empty() && open_.back().node.is_map() && !open_.back().entry;
  }
  void fail(YamlPosition where, std::string message) {
    where_ = where;
    message_ = std::move(message);
  }
  bool tag_is_plain(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return true;
    fail(position_of(mark), fmt::format("found the tag '{}', expected none", tag));
    return false;
  }
  // yaml-cpp takes the end of the file for a closing quote.
  bool quote_is_closed(const YAML::Mark& mark) {
    const auto at = static_cast<std::size_t>(mark.pos);
    if (mark.pos < 0 || at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) return true;
    const char quote = text_[at];
    for (std::size_t i = at + 1; i < text_.size(); ++i) {
      if (text_[i] == quote && (quote == '"' || text_.substr(i, 2) != "''")) return true;
      if (text_[i] == (quote == '"' ? '\\' : '\'')) ++i;
    }
    fail(position_of(mark), "found a quote that is never closed");
    return false;
  }
  void take_key(YamlPosition where, const std::string& key) {
    for (const YamlEntry& entry : open_.back().node.entries) {
      if (entry.key != key) continue;
      return fail(where, fmt::format("found key '{}' twice in one map, first in line {}", key,
                                     entry.key_position.line));
    }
    open_.back().entry = YamlEntry{key, where, {}};
  }
  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Kind kind) {
    if (failed() || !tag_is_plain(mark, tag)) return;
    if (expects_key()) {
      return fail(position_of(mark), "found a list or map as a key, expected a name");
    }
    Open opened;
    opened.node.kind = kind;
    opened.node.position = position_of(mark);
    opened.anchor = anchor;
    open_.push_back(std::move(opened));
  }
  void close() {
    if (failed()) return;
    CHECK(!open_.empty());
    Open closed = std::move(open_.back());
    open_.pop_back();
    add(std::move(closed.node), closed.anchor);
  }
  void add(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.is_sequence()) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    CHECK(parent.entry.has_value());
    // A missing value has no place of its own: yaml-cpp gives that of whatever follows.
    if (node.is_null()) node.position = parent.entry->key_position;
    parent.entry->value = std::move(node);
    parent.node.entries.push_back(std::move(*parent.entry));
    parent.entry.reset();
  }

  std::string_view text_;
  YamlNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::size_t aliased_nodes_ = 0;
  std::string message_;
  YamlPosition where_;
};

// Only says where a document starts.
class StartFinder final : public YAML::EventHandler {
 public:
  YamlPosition start;
  void OnDocumentStart(const YAML::Mark& mark) override { start = position_of(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

Failure<InputError> failure(const std::string& file, YamlPosition where, std::string message) {
  InputError error;
  error.file = file;
  error.line = where.line;
  error.column = where.column;
  error.message = std::move(message);
  return Failure{error};
}

// The length of the UTF-8 sequence at the start of `text`; 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const std::size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xF0 && byte(1) < 0x90);
  const bool surrogate = byte(0) == 0xED && byte(1) >= 0xA0;
  const bool beyond_unicode = byte(0) == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond_unicode ? 0 : length;
}

// yaml-cpp guesses at other encodings and takes byte 4 for the end of the file: both are refused here.
Outcome<> check_bytes(std::string_view text, const std::string& file) {
  YamlPosition where{1, 1};
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) {
      return failure(file, where, fmt::format("found byte 0x{:02x}, expected UTF-8 text", byte));
    }
    if (byte == 0x7F || (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t')) {
      return failure(file, where,
                     fmt::format("found control character 0x{:02x}, expected text", byte));
    }
    where = byte == '\n' ? YamlPosition{where.line + 1, 1}
                         : YamlPosition{where.line, where.column + 1};
    at += length;
  }
  return Done{};
}

// What yaml-cpp says, with the slip that mostly causes it.
std::string explain(const std::string& message) {
  struct Hint {
    std::string_view said;
    std::string_view hint;
  };
  static constexpr std::array<Hint, 7> kHints{{
      {"illegal map value", "text with ': ' in it needs quotes"},
      {"end of map not found", "is a key indented unlike its neighbours?"},
      {"end of sequence not found", "is an item indented unlike its neighbours?"},
      {"end of map flow not found", "is a '}' or ',' missing?"},
      {"end of sequence flow not found", "is a ']' or ',' missing?"},
      {"illegal EOF in scalar", "is a closing quote missing?"},
      {"bad file", "is it nested too deeply?"},
  }};
  for (const Hint& hint : kHints) {
    if (message.find(hint.said) == 0) {
      return fmt::format("not valid YAML: {} ({})", message, hint.hint);
    }
  }
  return "not valid YAML: " + message;
}

// The column of a tab before the first word of a line; 0: there is none.
int tab_in_indentation(std::string_view text, int line) {
  for (int i = 1; i < line && !text.empty(); ++i) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
  const std::size_t first = text.find_first_not_of(' ');
  return first != std::string_view::npos && text[first] == '\t' ? static_cast<int>(first) + 1 : 0;
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Result<YamlNode> parse_yaml(std::string_view text, const std::string& file) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, 3) == kByteOrderMark) text.remove_prefix(3);
  if (const Outcome<> bytes = check_bytes(text, file); !bytes) return Failure{bytes.error()};
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    TreeBuilder builder(text);
    const bool found = parser.HandleNextDocument(builder);
    if (builder.failed()) return failure(file, builder.where(), builder.message());
    if (!found) {
      return failure(file, {}, text.empty() ? "found an empty file, expected YAML"
                                            : "found nothing but comments, expected YAML");
    }
    StartFinder second;
    if (parser.HandleNextDocument(second)) {
      return failure(file, second.start, "found a second document, expected one in a file");
    }
    return std::move(builder.root());
  } catch (const YAML::Exception& exception) {
    const YamlPosition where =
        exception.mark.is_null() ? YamlPosition{} : position_of(exception.mark);
    if (const int tab = tab_in_indentation(text, where.line); tab > 0) {
      return failure(file, {where.line, tab}, "not valid YAML: found a tab in the indentation, "
                                              "expected spaces");
    }
    return failure(file, where, explain(exception.msg));
  }
}

YamlNode merge_yaml(const YamlNode& base, const YamlNode& overlay) {
  if (!base.is_map() || !overlay.is_map()) return overlay;
  YamlNode merged = base;
  for (const YamlEntry& entry : overlay.entries) {
    const auto same =
        std::find_if(merged.entries.begin(), merged.entries.end(),
                     [&](const YamlEntry& candidate) { return candidate.key == entry.key; });
    if (same == merged.entries.end()) {
      merged.entries.push_back(entry);
    } else if (entry.value.is_null()) {
      merged.entries.erase(same);
    } else {
      same->key_position = entry.key_position;
      same->value = merge_yaml(same->value, entry.value);
    }
  }
  return merged;
}

}  // namespace dmsim
