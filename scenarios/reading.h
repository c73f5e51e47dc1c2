// Reading: what the readers of a scenario's parts share: the first error, the names met so far, and
// MapReader, which reads the values of one map by its key table.
//
// After the first error every further read does nothing and leaves its output alone, so readers are
// written without a branch per value and are asked once, at the end, whether they failed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "harness/plan.h"
#include "scenarios/keys.h"
#include "scenarios/vocabulary.h"
#include "scenarios/yaml_tree.h"

namespace dmsim {

// A disk or mapped device that tables and tasks may name.
struct KnownDevice {
  std::string name;
  std::uint64_t sectors = 0;  // 0: not known
  bool is_disk = false;
};

class Reading {
 public:
  Reading(std::string file, const Vocabulary& vocabulary)
      : file_(std::move(file)), vocabulary_(vocabulary) {}

  const Vocabulary& vocabulary() const { return vocabulary_; }
  void fail(YamlPosition where, std::string message);  // the first one counts
  bool failed() const { return error_.has_value(); }
  const InputError& error() const;

  void add_device(KnownDevice device) { devices_.push_back(std::move(device)); }
  // Null when there is none of that name.
  KnownDevice* find_device(std::string_view name);
  std::vector<std::string_view> device_names(bool disks, bool mapped) const;

  // With `base`, files that tasks name must exist: paths are relative to it.
  void require_files_in(std::string base) { base_ = std::move(base); }
  void check_file(YamlPosition where, const std::string& file);

  // Checks that need the whole file: run in order by finish().
  void later(std::function<void()> check) { later_.push_back(std::move(check)); }
  void finish();

 private:
  std::string file_;
  const Vocabulary& vocabulary_;
  std::optional<InputError> error_;
  std::vector<KnownDevice> devices_;
  std::optional<std::string> base_;
  std::vector<std::function<void()>> later_;
};

// ", did you mean 'X'?" with the nearest name among the siblings of `path`, or "".
std::string nearest_file(const std::filesystem::path& path);
// "a map", "a list", "nothing", "'text'": what stands there, for "found ...".
std::string describe(const YamlNode& node);
std::string in_quotes(std::string_view text);  // in single quotes, cut when long
// "unknown WHAT 'WORD' OF, did you mean 'X'?", or the names there are.
std::string unknown_name(std::string_view what, std::string_view word,
                         std::span<const std::string_view> names, std::string_view of = {});
// "a, b or c".
std::string one_of(std::span<const std::string_view> names);
// Fails unless `name` is letters, digits and any of _ . + - only.
void check_name(Reading& reading, YamlPosition where, std::string_view what, std::string_view name);

// Fails when `node` is not a map, or has a key that `table` does not.
void check_keys(Reading& reading, const YamlNode& node, const KeyTable& table);

// Reads the values of one map. A key that the table does not have is an error at once; so is a key
// without a fallback that is missing, when it is asked for. Values that are absent leave `value` as it
// is: the structures of the plan hold the defaults. At its end every key must have been asked for.
class MapReader {
 public:
  // With `extra_keys`, keys that the table does not have are ignored.
  MapReader(Reading& reading, const YamlNode& node, const KeyTable& table, bool extra_keys = false);
  ~MapReader();
  MapReader(const MapReader&) = delete;
  MapReader& operator=(const MapReader&) = delete;

  YamlPosition position() const { return node_.position; }
  // Where the value of `key` stands; where the map does, if it is absent. Does not count as asking.
  YamlPosition position_of(std::string_view key) const;
  bool has(std::string_view key) const { return node_.find(key) != nullptr; }

  // Says that `key` is not asked for although the table has it, since it is absent and may be.
  void leave_out(std::string_view key) { asked_ |= std::uint32_t{1} << index_of(key); }

  // The value, never a null node; null when it is absent or the reading has failed.
  const YamlNode* find(std::string_view key);
  const YamlNode* find_map(std::string_view key);
  const YamlNode* find_list(std::string_view key);
  const std::string* find_text(std::string_view key);

  void text(std::string_view key, std::string& value);
  void flag(std::string_view key, bool& value);
  // At least `least`.
  void count(std::string_view key, std::uint64_t& value, std::uint64_t least = 0);
  void count(std::string_view key, std::uint32_t& value, std::uint32_t least = 0);
  void bytes(std::string_view key, std::uint32_t& value);
  void sectors(std::string_view key, std::uint64_t& value);
  void sectors(std::string_view key, std::uint32_t& value);
  void duration(std::string_view key, Duration& value);
  void duration(std::string_view key, std::optional<Duration>& value);
  void durations(std::string_view key, DurationRange& value);
  void range(std::string_view key, SectorRange& value);
  void ratio(std::string_view key, Ratio& value);
  // The index in KeyInfo::words.
  void word(std::string_view key, std::size_t& index);
  template <typename Enum>
  void word(std::string_view key, Enum& value) {
    auto index = static_cast<std::size_t>(value);
    word(key, index);
    value = static_cast<Enum>(index);
  }

  // Fails at the value of `key`: "KEY: MESSAGE".
  void fail(std::string_view key, std::string_view message);

 private:
  std::size_t index_of(std::string_view key) const;
  template <typename Value, typename Parse>
  void parse(std::string_view key, Value& value, Parse parser);
  template <typename Parse>
  void parse_narrow(std::string_view key, std::uint32_t& value, Parse parser);

  Reading& reading_;
  const YamlNode& node_;
  const KeyTable& table_;
  std::uint32_t asked_ = 0;  // bit i: keys[i] was asked for
};

}  // namespace dmsim
