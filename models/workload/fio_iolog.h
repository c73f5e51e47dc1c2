// fio's I/O logs, version 2 and 3 (fio's HOWTO, "Trace file format v2/v3").
//
// First line `fio version N iolog`. Then one action a line: version 2 `FILE ACTION [OFFSET LENGTH]`,
// version 3 the same with a timestamp first, in microseconds since the log began. File actions are add,
// open and close; I/O actions are read, write, sync, datasync and trim. `wait` (version 2 only) carries
// its microseconds where an offset would stand, counted from the wait before, as the documentation has
// it (fio's own replay takes them for milliseconds since its start).
//
// A file must be added before it is named again, as fio demands, and opened before it is used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sim/time.h"

namespace dmsim {

enum class IologAction : std::uint8_t {
  kAdd, kOpen, kClose,                          // of a file
  kRead, kWrite, kTrim, kSync, kDataSync,       // of its bytes
  kWait,                                        // version 2 only
};
std::string_view iolog_action_name(IologAction action);  // "datasync"

struct IologEntry {
  IologAction action = IologAction::kAdd;
  std::uint32_t file = 0;       // index into Iolog::files; of a wait too, which ignores it
  std::uint64_t offset = 0;     // bytes; read, write, trim
  std::uint64_t length = 0;     // bytes, > 0; read, write, trim
  // Not before this much after the log's beginning. Version 3: the timestamp. Version 2: the sum of
  // the waits above. Never smaller than the entry's before.
  Duration at;
  int line = 0;                 // 1-based, in the log
};

struct Iolog {
  int version = 0;              // 2 or 3
  std::vector<std::string> files;
  std::vector<IologEntry> entries;
};

Result<Iolog> read_fio_iolog(const std::string& path);
// The same for text in memory; `name` is what errors call it.
Result<Iolog> parse_fio_iolog(std::string_view text, const std::string& name);

}  // namespace dmsim
