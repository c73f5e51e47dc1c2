// What a dirty log is when its mirror starts: parsed from the table, read from its device.
#include <algorithm>
#include <bit>

#include "base/reached.h"
#include "engine/native/mirror/dirty_log.h"
#include "engine/native/mirror/log_reader.h"
#include "engine/native/mirror/log_writer.h"
#include "engine/native/mirror/mirror_trace.h"
#include "engine/native/mirror/table_words.h"

namespace dmsim::native {

bool DiskLog::read_header() {
  if (!transfer(Op::kRead, {0, log_sectors_}, segments_)) return false;
  header_ = mirror_log::read_header({frames_[0].page().bytes(), kPageBytes});
  if (arguments_.sync != SyncArgument::kNone || header_.magic != mirror_log::kMagic) {
    header_ = {mirror_log::kMagic, mirror_log::kVersion, 0};
  }
  if (header_.version == mirror_log::kNativeOrderVersion) header_.version = mirror_log::kVersion;
  return header_.version == mirror_log::kVersion;
}

// Brings the clean bits to this mirror's size: regions that the header does not know of are dirty,
// or clean if the table says so; bits behind the last region are 0.
void DiskLog::adopt_header() {
  for (std::uint64_t region = header_.region_count; region < region_count(); ++region) {
    put_clean(region, arguments_.sync == SyncArgument::kNosync);
  }
  for (std::uint64_t bit = region_count(); bit % mirror_log::kBitsPerWord != 0; ++bit) {
    put_clean(bit, false);
  }
  copy_clean_to_sync();
  reset_cursor();
  header_.region_count = region_count();
  std::byte bytes[mirror_log::kHeaderBytes];
  mirror_log::write_header(header_, bytes);
  frames_[0].store(pages(), 0, bytes, mirror_log::kHeaderBytes);
}

// A header vouches for the bits behind it: were both written at once, a power cut could leave a new
// header over bits of something else. So where the header changes, the bits are made durable first.
// What shares an atomic block with the header needs no such care.
bool DiskLog::write_bits_first() {
  const Sector first = arguments_.device->limits().logical_block_sectors == 1
                           ? mirror_log::kBitmapSector
                           : kPageSectors;
  if (first >= log_sectors_) return true;
  std::vector<Segment> behind_header;
  std::uint64_t skip = first * kSectorBytes;
  for (Segment segment : segments_) {
    const auto skipped = static_cast<std::uint32_t>(std::min<std::uint64_t>(skip, segment.length));
    skip -= skipped;
    segment.offset += skipped;
    segment.length -= skipped;
    if (segment.length > 0) behind_header.push_back(segment);
  }
  return transfer(Op::kWrite, {first, log_sectors_}, behind_header) && flush_device();
}

bool DiskLog::resume() {
  const bool readable = read_header();
  const mirror_log::Header believed = header_;
  if (!readable) {
    REACHED("the log cannot be read at resume");
    if (site_.switches.resume_read_fail == ResumeReadFail::kIgnore) {
      all_in_sync();
      return false;
    }
    fail_device("read");
    header_.region_count = 0;  // nothing is known: everything is out of sync
  }
  adopt_header();
  bool ok = true;
  header_pending_ = header_ != believed && site_.switches.log_create_bits_first;
  if (header_pending_) {
    REACHED("a log is created or resized: its bits are made durable before its header");
    ok = write_bits_first();
  }
  ok = ok && write_header();
  if (ok) {
    header_pending_ = false;
    ok = flush_device();
    if (!ok) device_flush_failed_ = true;
  }
  if (!ok) fail_device("write at resume");
  unread_ = !readable && !ok;
  // The first pass of the worker tries again: until it succeeds, nothing is known to be known on disk.
  if (unread_ && site_.switches.unread_log_holds) touched_dirtied_ = true;
  return ok;
}

std::string DiskLog::status(StatusKind kind) const {
  const std::string& device = arguments_.device->name();
  if (kind == StatusKind::kInfo) {
    const char health = device_flush_failed_ ? 'F' : device_failed_ ? 'D' : 'A';
    return fmt::format("3 disk {} {}", device, health);
  }
  return fmt::format("disk {} {} {} {}", argument_count() + 1, device, region_sectors(),
                     sync_word());
}

namespace {

Failure<DmError> refuse(std::string reason) { return Failure{DmError{22, std::move(reason)}}; }

// What follows the region size: [sync|nosync] [block_on_error].
DmResult<> parse_options(std::span<const std::string_view> words, LogArguments* out) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool last = i + 1 == words.size();
    if (words[i] == "block_on_error" && last) {
      out->block_on_error = true;
    } else if (i == 0 && words[i] == "sync") {
      out->sync = SyncArgument::kSync;
    } else if (i == 0 && words[i] == "nosync") {
      out->sync = SyncArgument::kNosync;
    } else {
      return refuse(fmt::format("unrecognised sync argument to dirty region log: {}", words[i]));
    }
  }
  return Done{};
}

DmResult<> parse_region_size(std::string_view word, std::uint64_t target_sectors,
                             LogArguments* out) {
  const auto size = parse_number(word, UINT32_MAX);
  if (!size || *size < 2 || *size > target_sectors || !std::has_single_bit(*size)) {
    return refuse(fmt::format("invalid region size {}", word));
  }
  out->region_sectors = static_cast<std::uint32_t>(*size);
  out->region_count = (target_sectors + *size - 1) / *size;
  if (out->region_count > UINT32_MAX) {
    return refuse(fmt::format("region count exceeds limit of {}", UINT32_MAX));
  }
  return Done{};
}

}  // namespace

DmResult<std::unique_ptr<DirtyLog>> create_dirty_log(std::string_view type,
                                                     std::span<const std::string_view> words,
                                                     std::uint64_t target_sectors,
                                                     const LogSite& site) {
  const bool disk = type == "disk";
  if (!disk && type != "core") {
    return refuse(fmt::format("Module for logging type \"{}\" not found.", type));
  }
  const std::size_t least = disk ? 2 : 1;
  if (words.size() < least || words.size() > least + 2) {
    return refuse(
        fmt::format("wrong number of arguments to {}dirty region log", disk ? "disk " : ""));
  }
  LogArguments arguments;
  if (disk) {
    arguments.device = site.host.open(words[0]);
    if (arguments.device == nullptr) return refuse(fmt::format("no such device: {}", words[0]));
    words = words.subspan(1);
  }
  if (auto parsed = parse_options(words.subspan(1), &arguments); !parsed)
    return Failure{parsed.error()};
  if (auto parsed = parse_region_size(words[0], target_sectors, &arguments); !parsed) {
    return Failure{parsed.error()};
  }
  if (!disk) return std::unique_ptr<DirtyLog>(std::make_unique<CoreLog>(arguments, site));

  const std::uint64_t need = mirror_log::log_sectors(
      arguments.region_count, arguments.device->limits().logical_block_sectors);
  if (need > arguments.device->sectors() && site.switches.log_size_check) {
    return refuse(fmt::format("log device {} too small: need {} bytes", arguments.device->name(),
                              need * kSectorBytes));
  }
  return std::unique_ptr<DirtyLog>(std::make_unique<DiskLog>(arguments, site));
}

}  // namespace dmsim::native
