// The notation for I/O (docs/GLOSSARY.md), as a script that can be run: "W0+8 c(W0+8) F c(F) *".
//
// A word starts a request (W, R, D with SECTOR+SECTORS, F alone; `!` behind a write: FUA), waits for
// one (c: it must succeed; e: it must fail with that error), or cuts the power (*). c(X) and e(X,ERR)
// mean the earliest X that nothing has waited for yet; a wait for what was never started is an error
// here, not at run time. Words are separated by white space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "block/bio.h"

namespace dmsim {

// What a word `W0+8!` says.
struct IoRequest {
  Op op = Op::kRead;
  bool fua = false;           // writes only
  Sector sector = 0;
  std::uint32_t sectors = 0;  // 0 for a flush, else > 0
  friend bool operator==(const IoRequest&, const IoRequest&) = default;
};

struct IoStep {
  enum class Kind : std::uint8_t { kStart, kSucceeds, kFails, kCutPower };
  Kind kind = Kind::kStart;
  IoRequest request;          // started, or awaited; not for kPowerCut
  std::size_t started_by = 0; // kSucceeds, kFails: index of the kStart step awaited
  BlockStatus::Code error = BlockStatus::Code::kOk;  // kFails: the error that must come
  int column = 0;             // 1-based, of the word's first character in its line
  int line = 0;               // 1-based, of the same
};

struct IoScript {
  std::vector<IoStep> steps;
  bool has_power_cut() const;
  // One past the last sector that a request touches; 0: none touches any.
  std::uint64_t end_sector() const;
};

// Where a script stands: what its first character's position is, for errors.
struct ScriptPlace {
  std::string file;
  int line = 1;
  int column = 1;
};

Result<IoScript> parse_notation(std::string_view text, const ScriptPlace& place = {});

// The inverse: equal steps give equal text, words separated by one space.
std::string notation(const IoRequest& request);
std::string notation(const IoStep& step);
std::string notation(const IoScript& script);

// "EIO", "EOPNOTSUPP", "ENOSPC", "ETIMEDOUT", "ENODATA": what may stand in e(X,...).
// False when `name` is none of them.
bool block_error_by_name(std::string_view name, BlockStatus::Code* code);

}  // namespace dmsim
