// dmsim check-log: a recorded dm-log-writes log as a source of crash states, each held against a promise:
// a mirror's legs against its recorded dirty log, or a file system against e2fsck. docs/CHECK_LOG.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "harness/log_states.h"

namespace dmsim {

struct CheckLogCommand {
  std::string file;
  std::string table;                 // of the recorded mirror, in dmsetup's syntax
  std::vector<std::string> legs;     // "0s..12288s", or several with commas
  std::string log;                   // "24576s..26624s"
  bool e2fsck = false;
  std::uint64_t sample = 500;        // crash states that e2fsck looks at
  std::string device;                // its size, "24MiB"; empty: as far as the log reaches
  std::string from_mark;             // crash states only behind this mark; empty: all
  std::uint64_t max_states = 0;      // 0: no bound
  std::uint64_t exhaustive = 256;
  std::uint64_t random_subsets = 16;
  std::uint64_t seed = 1;
  std::uint64_t atomic_bytes = 0;    // 512 or 4096; 0: 512, and with e2fsck 4096
  bool one_cache = false;            // legs and log lie on one disk: any flush is a flush of all
  bool stale = false;                // log and all legs but the first begin as 0xFF bytes
  std::string export_state;          // "ENTRY.NUMBER"
  std::string out;                   // of export_state
  std::string json_file;
  unsigned jobs = 0;                 // 0: one per processor
};
int check_log_command(const CheckLogCommand& command);

// A crash state's name.
struct StateName {
  std::size_t entry = 0;
  std::uint64_t number = 0;
  std::string to_string() const;
  friend bool operator==(const StateName&, const StateName&) = default;
};
Result<StateName> parse_state_name(std::string_view text);

}  // namespace dmsim
