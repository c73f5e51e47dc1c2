#include "engine/native/snapshot/store_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace dmsim::snapshot_store {
namespace {

std::uint64_t get_le(const std::byte* at, std::uint32_t bytes) {
  std::uint64_t value = 0;
  for (std::uint32_t i = bytes; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(at[i]);
  return value;
}

std::uint32_t get_le32(const std::byte* at) { return static_cast<std::uint32_t>(get_le(at, 4)); }

void count_chunks(Store* store) {
  const std::uint32_t per_area = records_per_area(store->header.chunk_sectors);
  std::vector<std::uint64_t> used;
  store->next_free = area_chunk(0, per_area) + 1;
  for (const Record& record : store->records) {
    used.push_back(record.new_chunk);
    store->next_free = std::max(store->next_free, record.new_chunk + 1);
  }
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  for (std::uint64_t chunk = kHeaderChunks; chunk < store->next_free; ++chunk) {
    if (is_area_chunk(chunk, per_area)) continue;
    if (!std::binary_search(used.begin(), used.end(), chunk)) ++store->lost_chunks;
  }
  if (is_area_chunk(store->next_free, per_area)) ++store->next_free;
}

}  // namespace

Header read_header(std::span<const std::byte> chunk) {
  CHECK(chunk.size() >= kHeaderBytes, chunk.size());
  return {get_le32(chunk.data() + kMagicOffset), get_le32(chunk.data() + kValidOffset),
          get_le32(chunk.data() + kVersionOffset), get_le32(chunk.data() + kChunkSectorsOffset)};
}

Record read_record(std::uint32_t index, std::span<const std::byte> area) {
  const std::size_t at = std::size_t{index} * kRecordBytes;
  CHECK(at + kRecordBytes <= area.size(), index, area.size());
  return {get_le(area.data() + at, 8), get_le(area.data() + at + kNewChunkOffset, 8)};
}

Result<Store, std::string> read_store(const ReadSectors& read, std::uint64_t device_sectors) {
  Store store;
  std::vector<std::byte> chunk(kSectorBytes);
  read(0, 1, chunk.data());
  store.header = read_header(chunk);
  if (store.header.magic != kMagic) return Failure{std::string("no magic")};
  if (store.header.version != kVersion) return Failure{fmt::format("version {}", store.header.version)};
  if (store.header.valid == 0) return Failure{std::string("marked invalid")};
  const std::uint32_t sectors = store.header.chunk_sectors;
  if (!std::has_single_bit(sectors) || sectors > device_sectors) {
    return Failure{fmt::format("chunks of {} sectors", sectors)};
  }
  const std::uint32_t per_area = records_per_area(sectors);
  const std::uint64_t chunks = device_sectors / sectors;
  chunk.resize(std::size_t{sectors} * kSectorBytes);
  for (std::uint64_t area = 0;; ++area) {
    const std::uint64_t at = area_chunk(area, per_area);
    if (at >= chunks) return Failure{fmt::format("area {} lies beyond the end", area)};
    read(at * sectors, sectors, chunk.data());
    for (std::uint32_t i = 0; i < per_area; ++i) {
      const Record record = read_record(i, chunk);
      if (record.new_chunk == 0) {
        count_chunks(&store);
        return store;
      }
      if (record.new_chunk >= chunks) {
        return Failure{fmt::format("record {} of area {} names chunk {}", i, area, record.new_chunk)};
      }
      store.records.push_back(record);
    }
  }
}

}  // namespace dmsim::snapshot_store
