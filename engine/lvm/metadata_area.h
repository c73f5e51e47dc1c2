// MetadataArea: how LVM2 keeps a volume group's text on a physical volume, byte for byte.
//
//   sector 1          the label: LABELONE, the volume's UUID, where data and metadata areas lie
//   area_begin        the area's header, one sector: two slots that say where in the ring a text lies
//   area_begin + 512  the ring: texts one after the other, each from a sector's start, wrapping at the end
//
// A new version of the metadata is written in steps, and a power cut may fall between any two:
//   write      the text goes into the ring behind the committed one; nothing points at it
//   precommit  the header's second slot points at it
//   commit     the first slot points at it, the second is cleared; this one sector is the moment of truth
//   revert     the second slot is cleared
// Readers take the first slot (or, while a command is between precommit and commit, the second). This file knows bytes
// only; who writes them to devices, in what order and when, is metadata_steps.h.
//
// Source: the layout is that of lvm2's format_text and label code; `pvck --dump metadata` reads what this writes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "block/sector.h"
#include "engine/lvm/volume_group.h"

namespace dmsim::lvm {

inline constexpr Sector kLabelSector = 1;

using SectorBytes = std::array<std::byte, kSectorBytes>;

struct MetadataArea {
  std::uint64_t begin_byte = 4096;
  std::uint64_t bytes = 60 * 1024;  // header and ring; whole sectors
  Sector begin_sector() const { return begin_byte / kSectorBytes; }
  friend bool operator==(const MetadataArea&, const MetadataArea&) = default;
};

// Where a text lies, in bytes from the area's begin. All zero: there is none.
struct TextSlot {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;  // with its final zero byte
  std::uint32_t checksum = 0;
  friend bool operator==(const TextSlot&, const TextSlot&) = default;
};

struct AreaHeader {
  TextSlot committed;
  TextSlot precommitted;
  friend bool operator==(const AreaHeader&, const AreaHeader&) = default;
};

// Bytes for whole sectors from `first` on.
struct SectorWrite {
  Sector first = 0;
  std::vector<std::byte> bytes;
};

std::uint32_t lvm_checksum(const std::byte* bytes, std::size_t count);

SectorBytes make_label(const PhysicalVolume& volume, const MetadataArea& area);
SectorBytes make_header(const AreaHeader& header, const MetadataArea& area);

// Where the next text would go, and the writes that put it there: two when it wraps. Failure, in words: it
// does not fit beside the committed one. `text` without a final zero byte.
struct PlacedText {
  TextSlot slot;
  std::vector<SectorWrite> writes;
};
Result<PlacedText, std::string> place_text(const AreaHeader& header, const MetadataArea& area,
                                           std::string_view text);

// Copies `count` sectors from `first` on to `out`; false: they cannot be read.
using ReadSectors = std::function<bool(Sector first, std::uint32_t count, std::byte* out)>;

struct LabelFound {
  std::string id;  // the volume's UUID, without dashes
  std::uint64_t device_bytes = 0;
  std::uint64_t data_begin_byte = 0;
  MetadataArea area;
};
// Errors carry the byte offset on the device.
Result<LabelFound> read_label(const ReadSectors& read, std::string_view device);
Result<AreaHeader> read_header(const ReadSectors& read, const MetadataArea& area, std::string_view device);
// The text of a slot, checked against its checksum, without the final zero byte.
Result<std::string> read_text(const ReadSectors& read, const MetadataArea& area, const TextSlot& slot,
                              std::string_view device);

}  // namespace dmsim::lvm
