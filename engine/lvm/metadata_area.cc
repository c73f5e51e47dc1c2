#include "engine/lvm/metadata_area.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace dmsim::lvm {
namespace {

constexpr std::uint32_t kInitialChecksum = 0xf597a6cf;
constexpr std::uint32_t kPolynomial = 0xedb88320;
constexpr std::string_view kLabelMagic = "LABELONE";
constexpr std::string_view kLabelType = "LVM2 001";
constexpr std::string_view kAreaMagic{"\x20LVM2\x20x[5A%r0N*>", 16};
constexpr std::uint32_t kAreaVersion = 1;
constexpr std::uint32_t kExtensionVersion = 2;
constexpr std::uint32_t kExtensionUsed = 1;  // the volume belongs to a group

// Offsets in the label's sector.
constexpr std::size_t kLabelChecksumAt = 16;
constexpr std::size_t kLabelCheckedFrom = 20;
constexpr std::size_t kVolumeHeaderAt = 32;
constexpr std::size_t kIdBytes = 32;
// Offsets in the area's header.
constexpr std::size_t kHeaderCheckedFrom = 4;
constexpr std::size_t kSlotsAt = 40;
constexpr std::size_t kSlotBytes = 24;

// Little-endian numbers, one after the other, in one sector.
class SectorWriter {
 public:
  explicit SectorWriter(SectorBytes& sector) : sector_(sector) {}
  void seek(std::size_t at) { at_ = at; }
  void text(std::string_view value) {
    CHECK(at_ + value.size() <= sector_.size());
    std::memcpy(sector_.data() + at_, value.data(), value.size());
    at_ += value.size();
  }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }

 private:
  void number(std::uint64_t value, std::size_t bytes) {
    CHECK(at_ + bytes <= sector_.size());
    for (std::size_t i = 0; i < bytes; ++i) {
      sector_[at_++] = static_cast<std::byte>(value >> (8 * i) & 0xff);
    }
  }
  SectorBytes& sector_;
  std::size_t at_ = 0;
};

class SectorReader {
 public:
  explicit SectorReader(const SectorBytes& sector) : sector_(sector) {}
  void seek(std::size_t at) { at_ = at; }
  bool has(std::size_t bytes) const { return at_ + bytes <= sector_.size(); }
  std::string text(std::size_t bytes) {
    std::string out(bytes, '\0');
    std::memcpy(out.data(), sector_.data() + at_, bytes);
    at_ += bytes;
    return out;
  }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }

 private:
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < bytes; ++i) out |= static_cast<std::uint64_t>(sector_[at_++]) << (8 * i);
    return out;
  }
  const SectorBytes& sector_;
  std::size_t at_ = 0;
};

std::uint32_t checksum_of(const SectorBytes& sector, std::size_t from) {
  return lvm_checksum(sector.data() + from, sector.size() - from);
}

Failure<InputError> bad(std::string_view device, std::uint64_t offset, std::string message) {
  InputError error;
  error.file = std::string(device);
  error.offset = static_cast<long long>(offset);
  error.message = std::move(message);
  return Failure{std::move(error)};
}

void write_slot(SectorWriter& to, const TextSlot& slot) {
  to.u64(slot.offset);
  to.u64(slot.bytes);
  to.u32(slot.checksum);
  to.u32(0);  // flags: not ignored
}

std::uint64_t round_up(std::uint64_t bytes) {
  return (bytes + kSectorBytes - 1) / kSectorBytes * kSectorBytes;
}

// The sectors of the ring from `offset` on that `bytes` need, as one or two stretches of the area.
struct Stretch {
  std::uint64_t offset;
  std::uint64_t bytes;
};
std::vector<Stretch> stretches(const MetadataArea& area, std::uint64_t offset, std::uint64_t bytes) {
  const std::uint64_t first = std::min(bytes, area.bytes - offset);
  std::vector<Stretch> out{{offset, first}};
  if (first < bytes) out.push_back({kSectorBytes, bytes - first});
  return out;
}

bool overlap(const Stretch& a, const Stretch& b) {
  return a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

bool lies_in_ring(const MetadataArea& area, const TextSlot& slot) {
  return slot.offset >= kSectorBytes && slot.offset < area.bytes && slot.bytes > 0 &&
         slot.bytes <= area.bytes - kSectorBytes && slot.offset % kSectorBytes == 0;
}

}  // namespace

std::uint32_t lvm_checksum(const std::byte* bytes, std::size_t count) {
  std::uint32_t sum = kInitialChecksum;
  for (std::size_t i = 0; i < count; ++i) {
    sum ^= static_cast<std::uint32_t>(bytes[i]);
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ ((sum & 1) != 0 ? kPolynomial : 0);
  }
  return sum;
}

SectorBytes make_label(const PhysicalVolume& volume, const MetadataArea& area) {
  SectorBytes sector{};
  SectorWriter to(sector);
  to.text(kLabelMagic);
  to.u64(kLabelSector);
  to.u32(0);  // the checksum, below
  to.u32(kVolumeHeaderAt);
  to.text(kLabelType);
  to.text(id_without_dashes(volume.id));
  to.u64(volume.device_sectors * kSectorBytes);
  // Data areas, metadata areas and (in the extension) boot loader areas: each list ends with zeros.
  for (const std::uint64_t number : {volume.first_extent * kSectorBytes, std::uint64_t{0}, std::uint64_t{0},
                                     std::uint64_t{0}, area.begin_byte, area.bytes, std::uint64_t{0},
                                     std::uint64_t{0}}) {
    to.u64(number);
  }
  to.u32(kExtensionVersion);
  to.u32(kExtensionUsed);
  to.seek(kLabelChecksumAt);
  to.u32(checksum_of(sector, kLabelCheckedFrom));
  return sector;
}

SectorBytes make_header(const AreaHeader& header, const MetadataArea& area) {
  SectorBytes sector{};
  SectorWriter to(sector);
  to.seek(kHeaderCheckedFrom);
  to.text(kAreaMagic);
  to.u32(kAreaVersion);
  to.u64(area.begin_byte);
  to.u64(area.bytes);
  write_slot(to, header.committed);
  write_slot(to, header.precommitted);
  to.seek(0);
  to.u32(checksum_of(sector, kHeaderCheckedFrom));
  return sector;
}

Result<PlacedText, std::string> place_text(const AreaHeader& header, const MetadataArea& area,
                                           std::string_view text) {
  PlacedText out;
  const std::uint64_t bytes = text.size() + 1;
  out.slot.bytes = bytes;
  out.slot.offset = kSectorBytes;
  const TextSlot& old = header.committed;
  if (old.bytes != 0) {
    out.slot.offset = old.offset + round_up(old.bytes);
    if (out.slot.offset >= area.bytes) out.slot.offset -= area.bytes - kSectorBytes;
  }
  bool fits = round_up(bytes) <= area.bytes - kSectorBytes;
  if (fits && old.bytes != 0) {
    for (const Stretch& mine : stretches(area, out.slot.offset, round_up(bytes))) {
      for (const Stretch& theirs : stretches(area, old.offset, round_up(old.bytes))) {
        fits &= !overlap(mine, theirs);
      }
    }
  }
  if (!fits) {
    return Failure{fmt::format("metadata of {} bytes does not fit into an area of {}", bytes, area.bytes)};
  }
  std::vector<std::byte> padded(round_up(bytes));
  std::memcpy(padded.data(), text.data(), text.size());
  out.slot.checksum = lvm_checksum(padded.data(), bytes);
  auto at = padded.begin();
  for (const Stretch& part : stretches(area, out.slot.offset, padded.size())) {
    const auto end = at + static_cast<std::ptrdiff_t>(part.bytes);
    out.writes.push_back({(area.begin_byte + part.offset) / kSectorBytes, std::vector<std::byte>(at, end)});
    at = end;
  }
  return out;
}

Result<LabelFound> read_label(const ReadSectors& read, std::string_view device) {
  const std::uint64_t at = kLabelSector * kSectorBytes;
  SectorBytes sector;
  if (!read(kLabelSector, 1, sector.data())) return bad(device, at, "the label cannot be read");
  SectorReader from(sector);
  if (from.text(8) != kLabelMagic) return bad(device, at, "there is no label of a physical volume");
  if (from.u64() != kLabelSector) return bad(device, at + 8, "the label was written for another sector");
  if (from.u32() != checksum_of(sector, kLabelCheckedFrom)) {
    return bad(device, at + kLabelChecksumAt, "the label's checksum is wrong");
  }
  if (from.u32() != kVolumeHeaderAt || from.text(8) != kLabelType) {
    return bad(device, at + kLabelCheckedFrom, "the label is not one of LVM2");
  }
  LabelFound out;
  out.id = from.text(kIdBytes);
  out.device_bytes = from.u64();
  out.data_begin_byte = from.u64();
  from.u64();
  // The rest of the data areas' list, then the first metadata area.
  for (bool ended = out.data_begin_byte == 0; !ended;) {
    if (!from.has(32)) return bad(device, at, "the label's list of areas has no end");
    ended = from.u64() == 0;
    from.u64();
  }
  out.area.begin_byte = from.u64();
  out.area.bytes = from.u64();
  const MetadataArea& area = out.area;
  if (area.begin_byte == 0 || area.begin_byte % kSectorBytes != 0 || area.bytes % kSectorBytes != 0 ||
      area.bytes < 2 * kSectorBytes || area.bytes > out.device_bytes ||
      area.begin_byte > out.device_bytes - area.bytes) {
    return bad(device, at, "the label names no usable metadata area");
  }
  return out;
}

Result<AreaHeader> read_header(const ReadSectors& read, const MetadataArea& area, std::string_view device) {
  SectorBytes sector;
  const std::uint64_t at = area.begin_byte;
  if (!read(area.begin_sector(), 1, sector.data())) return bad(device, at, "the metadata header cannot be read");
  SectorReader from(sector);
  if (from.u32() != checksum_of(sector, kHeaderCheckedFrom)) {
    return bad(device, at, "the metadata header's checksum is wrong");
  }
  if (from.text(kAreaMagic.size()) != kAreaMagic || from.u32() != kAreaVersion ||
      from.u64() != area.begin_byte || from.u64() != area.bytes) {
    return bad(device, at + kHeaderCheckedFrom, "the metadata header is not that of this area");
  }
  AreaHeader out;
  std::size_t slot_at = kSlotsAt;
  for (TextSlot* slot : {&out.committed, &out.precommitted}) {
    slot->offset = from.u64();
    slot->bytes = from.u64();
    slot->checksum = from.u32();
    from.u32();
    if (*slot != TextSlot() && !lies_in_ring(area, *slot)) {
      return bad(device, at + slot_at, "the metadata header points outside its ring");
    }
    slot_at += kSlotBytes;
  }
  return out;
}

Result<std::string> read_text(const ReadSectors& read, const MetadataArea& area, const TextSlot& slot,
                              std::string_view device) {
  const std::uint64_t at = area.begin_byte + slot.offset;
  if (!lies_in_ring(area, slot)) return bad(device, at, "there is no metadata");
  std::vector<std::byte> bytes;
  for (const Stretch& part : stretches(area, slot.offset, round_up(slot.bytes))) {
    const std::size_t before = bytes.size();
    bytes.resize(before + part.bytes);
    if (!read((area.begin_byte + part.offset) / kSectorBytes,
              static_cast<std::uint32_t>(part.bytes / kSectorBytes), bytes.data() + before)) {
      return bad(device, area.begin_byte + part.offset, "the metadata cannot be read");
    }
  }
  if (lvm_checksum(bytes.data(), slot.bytes) != slot.checksum) {
    return bad(device, at, "the metadata's checksum is wrong");
  }
  return std::string(reinterpret_cast<const char*>(bytes.data()), slot.bytes - 1);
}

}  // namespace dmsim::lvm
