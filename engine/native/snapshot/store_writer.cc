#include "engine/native/snapshot/store_writer.h"

#include "base/check.h"

namespace dmsim::snapshot_store {
namespace {

void put_le(std::byte* at, std::uint64_t value, std::uint32_t bytes) {
  for (std::uint32_t i = 0; i < bytes; ++i) at[i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace

void write_header(const Header& header, std::span<std::byte> chunk) {
  CHECK(chunk.size() >= kHeaderBytes, chunk.size());
  put_le(chunk.data() + kMagicOffset, header.magic, 4);
  put_le(chunk.data() + kValidOffset, header.valid, 4);
  put_le(chunk.data() + kVersionOffset, header.version, 4);
  put_le(chunk.data() + kChunkSectorsOffset, header.chunk_sectors, 4);
}

void write_record(const Record& record, std::uint32_t index, std::span<std::byte> area) {
  const std::size_t at = std::size_t{index} * kRecordBytes;
  CHECK(at + kRecordBytes <= area.size(), index, area.size());
  put_le(area.data() + at, record.old_chunk, 8);
  put_le(area.data() + at + kNewChunkOffset, record.new_chunk, 8);
}

}  // namespace dmsim::snapshot_store
