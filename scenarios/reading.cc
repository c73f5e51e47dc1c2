#include "scenarios/reading.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/nearest.h"
#include "scenarios/units.h"

namespace dmsim {
namespace {

constexpr std::size_t kMostQuoted = 60;  // bytes of the user's text repeated in a message
constexpr std::size_t kMostNames = 20;   // names listed when none is near

std::vector<std::string_view> names_of(const KeyTable& table) {
  std::vector<std::string_view> names;
  for (const KeyInfo& key : table.keys) names.push_back(key.name);
  return names;
}

}  // namespace

std::string nearest_file(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(parent, error), end; !error && at != end;
       at.increment(error)) {
    files.push_back(at->path().filename().string());
  }
  std::sort(files.begin(), files.end());
  const std::vector<std::string_view> names(files.begin(), files.end());
  return did_you_mean(path.filename().string(), names);
}

void Reading::fail(YamlPosition where, std::string message) {
  if (error_) return;
  error_.emplace();
  error_->file = file_;
  error_->line = where.line;
  error_->column = where.column;
  error_->message = std::move(message);
}

const InputError& Reading::error() const {
  CHECK(error_.has_value());
  return *error_;
}

KnownDevice* Reading::find_device(std::string_view name) {
  const auto found = std::find_if(devices_.begin(), devices_.end(),
                                  [&](const KnownDevice& device) { return device.name == name; });
  return found == devices_.end() ? nullptr : &*found;
}

std::vector<std::string_view> Reading::device_names(bool disks, bool mapped) const {
  std::vector<std::string_view> names;
  for (const KnownDevice& device : devices_) {
    if (device.is_disk ? disks : mapped) names.push_back(device.name);
  }
  return names;
}

void Reading::check_file(YamlPosition where, const std::string& file) {
  if (failed() || !base_) return;
  const std::filesystem::path path = std::filesystem::path(*base_) / file;
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return;
  const std::string place = path.parent_path().string();
  fail(where, fmt::format("file: found no file {} in {}{}", in_quotes(path.filename().string()),
                          place.empty() ? "." : place, nearest_file(path)));
}

void Reading::finish() {
  for (const std::function<void()>& check : later_) {
    if (failed()) return;
    check();
  }
}

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, kMostQuoted)) out += c == '\n' ? ' ' : c;
  // A cut through a UTF-8 sequence takes the rest of it away too.
  if (text.size() > kMostQuoted) {
    while ((static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
    if (static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
    out += "...";
  }
  return out + "'";
}

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull: return "nothing";
    case YamlNode::Kind::kScalar: return in_quotes(node.text);
    case YamlNode::Kind::kSequence: return "a list";
    case YamlNode::Kind::kMap: return "a map";
  }
  CHECK(false);
  return {};
}

std::string one_of(std::span<const std::string_view> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == kMostNames) return out + ", ...";
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

std::string unknown_name(std::string_view what, std::string_view word,
                         std::span<const std::string_view> names, std::string_view of) {
  std::string message = fmt::format("unknown {} {}", what, in_quotes(word));
  if (!of.empty()) message.append(" of ").append(of);
  if (names.empty()) return message + ": there is none";
  const std::string nearest = did_you_mean(word, names);
  return message + (nearest.empty() ? ", expected " + one_of(names) : nearest);
}

void check_name(Reading& reading, YamlPosition where, std::string_view what,
                std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '.' || c == '+' || c == '-';
  };
  if (!name.empty() && std::all_of(name.begin(), name.end(), allowed)) return;
  reading.fail(where, fmt::format("found {} as the name of {}, expected letters, digits and _ . + -",
                                  in_quotes(name), what));
}

void check_keys(Reading& reading, const YamlNode& node, const KeyTable& table) {
  const std::vector<std::string_view> names = names_of(table);
  if (!node.is_map()) {
    return reading.fail(node.position, fmt::format("found {} for {}, expected a map with keys such "
                                                   "as {}",
                                                   describe(node), table.name, names.front()));
  }
  for (const YamlEntry& entry : node.entries) {
    if (std::find(names.begin(), names.end(), entry.key) != names.end()) continue;
    // In {script: e(R0+8,EIO)} YAML sees a second key, "EIO)".
    if (entry.value.is_null() && entry.key.find_first_of(" +().,\"'") != std::string::npos) {
      return reading.fail(entry.key_position,
                          fmt::format("found {} without a value as a key of {}: is it part of a text "
                                      "with a comma, which needs quotes?",
                                      in_quotes(entry.key), table.name));
    }
    return reading.fail(entry.key_position,
                        unknown_name("key", entry.key, names, table.name));
  }
}

MapReader::MapReader(Reading& reading, const YamlNode& node, const KeyTable& table, bool extra_keys)
    : reading_(reading), node_(node), table_(table) {
  CHECK(table.keys.size() <= 32, table.name, table.keys.size());
  if (!node.is_map() || !extra_keys) check_keys(reading, node, table);
}

MapReader::~MapReader() {
  if (reading_.failed()) return;
  CHECK(asked_ == (std::uint64_t{1} << table_.keys.size()) - 1, table_.name, asked_);
}

std::size_t MapReader::index_of(std::string_view key) const {
  const auto found = std::find_if(table_.keys.begin(), table_.keys.end(),
                                  [&](const KeyInfo& info) { return info.name == key; });
  CHECK(found != table_.keys.end(), table_.name, key);
  return static_cast<std::size_t>(found - table_.keys.begin());
}

YamlPosition MapReader::position_of(std::string_view key) const {
  const YamlNode* value = node_.find(key);
  return value != nullptr ? value->position : node_.position;
}

const YamlNode* MapReader::find(std::string_view key) {
  const std::size_t index = index_of(key);
  asked_ |= std::uint32_t{1} << index;
  if (reading_.failed()) return nullptr;
  const YamlNode* value = node_.find(key);
  const KeyInfo& info = table_.keys[index];
  if (value == nullptr && info.fallback.empty()) {
    reading_.fail(node_.position, fmt::format("missing key '{}' of {}, expected {}", key,
                                              table_.name, info.about));
  } else if (value != nullptr && value->is_null()) {
    reading_.fail(value->position, fmt::format("{}: found nothing, expected a value", key));
  }
  return reading_.failed() ? nullptr : value;
}

const YamlNode* MapReader::find_map(std::string_view key) {
  const YamlNode* value = find(key);
  if (value == nullptr || value->is_map()) return value;
  fail(key, fmt::format("found {}, expected a map", describe(*value)));
  return nullptr;
}

const YamlNode* MapReader::find_list(std::string_view key) {
  const YamlNode* value = find(key);
  if (value == nullptr || value->is_sequence()) return value;
  fail(key, fmt::format("found {}, expected a list", describe(*value)));
  return nullptr;
}

const std::string* MapReader::find_text(std::string_view key) {
  const YamlNode* value = find(key);
  if (value == nullptr) return nullptr;
  if (value->is_scalar()) return &value->text;
  fail(key, fmt::format("found {}, expected a single value", describe(*value)));
  return nullptr;
}

void MapReader::fail(std::string_view key, std::string_view message) {
  reading_.fail(position_of(key), fmt::format("{}: {}", key, message));
}

template <typename Value, typename Parse>
void MapReader::parse(std::string_view key, Value& value, Parse parser) {
  const std::string* found = find_text(key);
  if (found == nullptr) return;
  auto parsed = parser(*found);
  if (!parsed) return fail(key, parsed.error().message);
  value = *parsed;
}

template <typename Parse>
void MapReader::parse_narrow(std::string_view key, std::uint32_t& value, Parse parser) {
  std::uint64_t wide = value;
  parse(key, wide, parser);
  if (wide > std::numeric_limits<std::uint32_t>::max()) {
    return fail(key, fmt::format("found {}, which is too large", describe(*node_.find(key))));
  }
  value = static_cast<std::uint32_t>(wide);
}

void MapReader::text(std::string_view key, std::string& value) {
  if (const std::string* found = find_text(key)) value = *found;
}

void MapReader::flag(std::string_view key, bool& value) {
  const std::string* found = find_text(key);
  if (found == nullptr) return;
  if (*found != "true" && *found != "false") {
    return fail(key, fmt::format("found {}, expected true or false", in_quotes(*found)));
  }
  value = *found == "true";
}

void MapReader::count(std::string_view key, std::uint64_t& value, std::uint64_t least) {
  parse(key, value, parse_count);
  if (!reading_.failed() && has(key) && value < least) {
    fail(key, fmt::format("found '{}', expected at least {}", value, least));
  }
}

void MapReader::count(std::string_view key, std::uint32_t& value, std::uint32_t least) {
  parse_narrow(key, value, parse_count);
  if (!reading_.failed() && has(key) && value < least) {
    fail(key, fmt::format("found '{}', expected at least {}", value, least));
  }
}

void MapReader::bytes(std::string_view key, std::uint32_t& value) {
  parse_narrow(key, value, parse_size);
}
void MapReader::sectors(std::string_view key, std::uint64_t& value) {
  parse(key, value, parse_sectors);
}
void MapReader::sectors(std::string_view key, std::uint32_t& value) {
  parse_narrow(key, value, parse_sectors);
}
void MapReader::duration(std::string_view key, Duration& value) {
  parse(key, value, parse_duration);
}
void MapReader::duration(std::string_view key, std::optional<Duration>& value) {
  parse(key, value, parse_duration);
}
void MapReader::durations(std::string_view key, DurationRange& value) {
  parse(key, value, parse_duration_range);
}
void MapReader::range(std::string_view key, SectorRange& value) { parse(key, value, parse_range); }
void MapReader::ratio(std::string_view key, Ratio& value) { parse(key, value, parse_ratio); }

void MapReader::word(std::string_view key, std::size_t& index) {
  const std::string* found = find_text(key);
  if (found == nullptr) return;
  const std::span<const std::string_view> words = table_.keys[index_of(key)].words;
  const auto same = std::find(words.begin(), words.end(), *found);
  if (same != words.end()) {
    index = static_cast<std::size_t>(same - words.begin());
    return;
  }
  const std::string nearest = did_you_mean(*found, words);
  fail(key, fmt::format("found {}{}", in_quotes(*found),
                        nearest.empty() ? ", expected " + one_of(words) : nearest));
}

}  // namespace dmsim
