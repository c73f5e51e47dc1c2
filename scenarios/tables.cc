#include "scenarios/tables.h"

#include <array>
#include <limits>
#include <span>

#include <fmt/format.h>

#include "base/nearest.h"
#include "scenarios/reading.h"
#include "scenarios/units.h"

namespace dmsim {
namespace {

constexpr std::uint64_t kMostSectors = std::numeric_limits<std::int64_t>::max() / kSectorBytes;

// The words of one line, taken one by one; remembers the first that was not as expected.
class Line {
 public:
  Line(std::string_view text, std::size_t number) : number_(number) {
    constexpr std::string_view kBlank = " \t";
    for (std::size_t at = text.find_first_not_of(kBlank); at != std::string_view::npos;
         at = text.find_first_not_of(kBlank, at)) {
      const std::size_t end = std::min(text.find_first_of(kBlank, at), text.size());
      words_.push_back(text.substr(at, end - at));
      at = end;
    }
  }

  std::size_t left() const { return words_.size() - next_; }
  bool failed() const { return !message_.empty(); }
  const std::string& message() const { return message_; }
  void fail(std::string message) {
    if (!failed()) message_ = std::move(message);
  }

  std::string_view word(std::string_view what) {
    if (left() == 0) fail(fmt::format("found the end of the line, expected {}", what));
    return failed() ? std::string_view() : words_[next_++];
  }
  std::uint64_t number(std::string_view what) {
    const std::string_view found = word(what);
    if (failed()) return 0;
    const Result<std::uint64_t> parsed = parse_count(found);
    if (parsed && *parsed <= kMostSectors) return *parsed;
    fail(fmt::format("found {}, expected {}{}", in_quotes(found), what,
                     parsed ? " (this is too large)" : " as a plain number"));
    return 0;
  }
  void skip(std::uint64_t count, std::string_view what) {
    for (std::uint64_t i = 0; i < count && !failed(); ++i) word(what);
  }

  // DEVICE alone.
  void device(std::vector<TableUse>& uses, std::string_view what) {
    const std::string_view name = word(what);
    if (!failed()) uses.push_back({std::string(name), std::nullopt, number_});
  }
  // DEVICE, used for `length` sectors from its start.
  void whole_device(std::vector<TableUse>& uses, std::uint64_t length, std::string_view what) {
    const std::string_view name = word(what);
    if (!failed()) uses.push_back({std::string(name), SectorRange{0, length}, number_});
  }
  // DEVICE OFFSET, used for `length` sectors.
  void device_at(std::vector<TableUse>& uses, std::uint64_t length,
                 std::string_view what = "a device") {
    const std::string_view name = word(what);
    const std::uint64_t offset = number(fmt::format("the offset on '{}' in sectors", name));
    if (!failed()) uses.push_back({std::string(name), SectorRange{offset, offset + length}, number_});
  }

 private:
  std::size_t number_;
  std::vector<std::string_view> words_;
  std::size_t next_ = 0;
  std::string message_;
};

using Arguments = void (*)(Line& line, std::uint64_t length, std::vector<TableUse>& uses);

void no_devices(Line&, std::uint64_t, std::vector<TableUse>&) {}

void linear_arguments(Line& line, std::uint64_t length, std::vector<TableUse>& uses) {
  line.device_at(uses, length);
}

void delay_arguments(Line& line, std::uint64_t length, std::vector<TableUse>& uses) {
  do {
    line.device_at(uses, length);
    line.number("a delay in milliseconds");
  } while (line.left() > 0 && !line.failed());
}

// LOGTYPE #ARGS ARGS... #LEGS (DEVICE OFFSET)... [#FEATURES FEATURES...]
void mirror_arguments(Line& line, std::uint64_t length, std::vector<TableUse>& uses) {
  static constexpr std::array<std::string_view, 2> kLogTypes{"core", "disk"};
  const std::string_view type = line.word("core or disk");
  if (!line.failed() && type != "core" && type != "disk") {
    line.fail(unknown_name("mirror log type", type, kLogTypes));
  }
  std::uint64_t arguments = line.number("the number of log arguments");
  if (type == "disk" && arguments > 0) {
    line.device(uses, "the log's device");
    --arguments;
  }
  line.skip(arguments, "a log argument");
  const std::uint64_t legs = line.number("the number of legs");
  for (std::uint64_t i = 0; i < legs && !line.failed(); ++i) {
    line.device_at(uses, length, fmt::format("leg {} of {}", i + 1, legs));
  }
}

void origin_arguments(Line& line, std::uint64_t, std::vector<TableUse>& uses) {
  line.device(uses, "the origin");
}

void snapshot_arguments(Line& line, std::uint64_t, std::vector<TableUse>& uses) {
  line.device(uses, "the origin");
  line.device(uses, "the COW store");
}

// METADATA DESTINATION SOURCE REGION_SECTORS [#FEATURES FEATURES... [#CORE CORE...]]
void clone_arguments(Line& line, std::uint64_t length, std::vector<TableUse>& uses) {
  line.device(uses, "the metadata device");
  line.whole_device(uses, length, "the destination");
  line.whole_device(uses, length, "the source");
  line.number("the region size in sectors");
}

struct TargetSyntax {
  std::string_view name;
  Arguments arguments;
};
constexpr std::array kTargets = std::to_array<TargetSyntax>({
    {"linear", linear_arguments},
    {"error", no_devices},
    {"zero", no_devices},
    {"delay", delay_arguments},
    {"mirror", mirror_arguments},
    {"snapshot-origin", origin_arguments},
    {"snapshot", snapshot_arguments},
    {"snapshot-merge", snapshot_arguments},
    {"clone", clone_arguments},
});

const TargetSyntax* find_target(Line& line, std::string_view name) {
  std::vector<std::string_view> names;
  for (const TargetSyntax& target : kTargets) {
    if (target.name == name) return &target;
    names.push_back(target.name);
  }
  if (!line.failed()) line.fail(unknown_name("target", name, names));
  return nullptr;
}

void parse_line(Line& line, ParsedTable& table) {
  const std::uint64_t start = line.number("the line's start in sectors");
  const std::uint64_t length = line.number("the line's length in sectors");
  const TargetSyntax* target = find_target(line, line.word("a target such as linear or mirror"));
  if (line.failed()) return;
  if (start != table.sectors) {
    return line.fail(table.sectors == 0
                         ? fmt::format("found '{}' as the first line's start, expected 0", start)
                         : fmt::format("found '{}' as the line's start, expected {}, where the line "
                                       "before ends",
                                       start, table.sectors));
  }
  if (length == 0) return line.fail("found '0', expected the line's length of at least 1 sector");
  if (length > kMostSectors - start) return line.fail("the table's end is too large");
  table.sectors = start + length;
  target->arguments(line, length, table.uses);
}

}  // namespace

Result<ParsedTable, TableError> parse_table(std::string_view table) {
  ParsedTable parsed;
  for (std::size_t number = 0; !table.empty(); ++number) {
    const std::size_t end = std::min(table.find('\n'), table.size());
    Line line(table.substr(0, end), number);
    parse_line(line, parsed);
    if (line.failed()) return Failure{TableError{number, line.message()}};
    table.remove_prefix(std::min(end + 1, table.size()));
  }
  if (parsed.sectors == 0) return Failure{TableError{0, "found no line, expected a table"}};
  return parsed;
}

}  // namespace dmsim
