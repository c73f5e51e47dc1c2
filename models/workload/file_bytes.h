// A file's bytes, with zstd in between where the file has it. Recorded workloads are kept compressed.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace dmsim {

// A file's bytes, decompressed when they begin as a zstd frame does. Errors name the path; those of
// the compression have the offset within the compressed file.
Result<std::vector<std::byte>> read_file_bytes(const std::string& path);

// Writes a file, compressed when the path ends in ".zst".
Outcome<> write_file_bytes(const std::string& path, std::span<const std::byte> bytes);

}  // namespace dmsim
