// Tables: what the loader looks at in dmsetup's tables: each line's START LENGTH TARGET, that lines
// follow each other without a gap, and which devices they name. The rest of a target's arguments is
// the engine's to judge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "block/sector.h"

namespace dmsim {

// A device that a table line uses, and the part of it.
struct TableUse {
  std::string device;
  std::optional<SectorRange> range;  // none: the target does not say
  std::size_t line = 0;              // from 0
};

struct ParsedTable {
  std::uint64_t sectors = 0;  // of the mapped device, at least 1
  std::vector<TableUse> uses;
};

struct TableError {
  std::size_t line = 0;  // from 0
  std::string message;
};

// `table` holds lines separated by '\n', none of them blank.
Result<ParsedTable, TableError> parse_table(std::string_view table);

}  // namespace dmsim
