#include "engine/native/mirror/dirty_log.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/reached.h"
#include "engine/native/mirror/log_reader.h"
#include "engine/native/mirror/log_writer.h"
#include "engine/native/mirror/mirror_trace.h"

namespace dmsim::native {
DirtyLog::DirtyLog(const LogArguments& arguments, const LogSite& site)
    : arguments_(arguments), site_(site) {
  const std::uint64_t bitmap = mirror_log::bitmap_bytes(arguments.region_count);
  const std::uint64_t bytes = mirror_log::kBitmapOffset + bitmap;
  frames_.resize((bytes + kPageBytes - 1) / kPageBytes);
  const bool synced = arguments.sync == SyncArgument::kNosync;
  // A core log's clean bits go nowhere; they start as what is known.
  const int fill = arguments.device != nullptr || synced ? 0xFF : 0;
  std::uint64_t start = 0;
  for (Frame& frame : frames_) {
    std::byte* page_bytes = nullptr;
    PageRef page = pages().make(&page_bytes);
    std::memset(page_bytes, 0, kPageBytes);
    const std::uint64_t from = std::max<std::uint64_t>(start, mirror_log::kBitmapOffset);
    const std::uint64_t to = std::min(start + kPageBytes, bytes);
    if (from < to) std::memset(page_bytes + (from - start), fill, to - from);
    frame.set(std::move(page));
    start += kPageBytes;
  }
  sync_.assign(bitmap / 8, synced ? ~std::uint64_t{0} : 0);
  sync_count_ = synced ? arguments.region_count : 0;
  recovering_.assign(bitmap / 8, 0);
}

bool DirtyLog::is_clean(std::uint64_t region) const {
  const mirror_log::BitPlace at = place(region);
  const std::uint64_t offset = mirror_log::kBitmapOffset + at.byte;
  const std::byte* bytes = frames_[offset / kPageBytes].page().bytes();
  return (bytes[offset % kPageBytes] & std::byte{at.mask}) != std::byte{0};
}

void DirtyLog::put_clean(std::uint64_t region, bool value) {
  (value ? touched_cleaned_ : touched_dirtied_) = true;
  const mirror_log::BitPlace at = place(region);
  const std::uint64_t offset = mirror_log::kBitmapOffset + at.byte;
  Frame& frame = frames_[offset / kPageBytes];
  const auto in_page = static_cast<std::uint32_t>(offset % kPageBytes);
  const std::byte before = frame.page().bytes()[in_page];
  const std::byte after = value ? before | std::byte{at.mask} : before & ~std::byte{at.mask};
  if (after == before) return;
  frame.store(pages(), in_page, &after, 1);
  ++(value ? clean_set_ : clean_cleared_);
  ++generation_;
}

void DirtyLog::put(Words& bits, std::uint64_t region, bool value) {
  (value ? touched_cleaned_ : touched_dirtied_) = true;
  const std::uint64_t mask = std::uint64_t{1} << (region % 64);
  bits[region / 64] = value ? bits[region / 64] | mask : bits[region / 64] & ~mask;
  ++generation_;
}

void DirtyLog::mark_region(std::uint64_t region) {
  if (site_.switches.mark_dirty) put_clean(region, false);
}

void DirtyLog::clear_region(std::uint64_t region) {
  if (!flush_failed_) put_clean(region, true);
}

std::optional<std::uint64_t> DirtyLog::next_resync_work() {
  std::uint64_t region = cursor_;
  while (region < region_count()) {
    const std::uint64_t wanted = ~(sync_[region / 64] | recovering_[region / 64]) >> (region % 64);
    if (wanted == 0) {
      region = (region / 64 + 1) * 64;
      continue;
    }
    region += static_cast<std::uint64_t>(std::countr_zero(wanted));
    if (region >= region_count()) break;
    cursor_ = region + 1;
    put(recovering_, region, true);
    return region;
  }
  cursor_ = region_count();
  return std::nullopt;
}

void DirtyLog::set_region_sync(std::uint64_t region, bool in_sync_now) {
  put(recovering_, region, false);
  const bool before = in_sync(region);
  if (in_sync_now) {
    put(sync_, region, true);
    if (!before) ++sync_count_;
  } else if (before) {
    --sync_count_;
    put(sync_, region, false);
  }
}

void DirtyLog::reset_cursor() {
  if (site_.switches.resume_resets_cursor) cursor_ = 0;
}

void DirtyLog::all_in_sync() {
  std::fill(sync_.begin(), sync_.end(), ~std::uint64_t{0});
  sync_count_ = region_count();
  ++generation_;
}

void DirtyLog::copy_clean_to_sync() {
  sync_count_ = 0;
  static_assert(std::endian::native == std::endian::little);
  for (std::uint64_t word = 0; word < sync_.size(); ++word) {
    const std::uint64_t offset = mirror_log::kBitmapOffset + word * 8;  // never crosses a page
    std::uint64_t bits = 0;
    std::memcpy(&bits, frames_[offset / kPageBytes].page().bytes() + offset % kPageBytes, 8);
    if (site_.switches.bit_order == BitOrder::kNativeSwapped) bits = __builtin_bswap64(bits);
    sync_[word] = bits;
    sync_count_ += static_cast<std::uint64_t>(std::popcount(bits));
  }
  ++generation_;
}

std::string DirtyLog::sync_word() const {
  std::string words;
  if (arguments_.sync == SyncArgument::kSync) words += "sync ";
  if (arguments_.sync == SyncArgument::kNosync) words += "nosync ";
  if (arguments_.block_on_error) words += "block_on_error ";
  return words;
}

std::uint32_t DirtyLog::argument_count() const {
  return 1u + (arguments_.sync != SyncArgument::kNone ? 1u : 0u) +
         (arguments_.block_on_error ? 1u : 0u);
}

bool CoreLog::resume() {
  reset_cursor();
  return true;
}

std::string CoreLog::status(StatusKind kind) const {
  if (kind == StatusKind::kInfo) return "1 core";
  return fmt::format("core {} {} {}", argument_count(), region_sectors(), sync_word());
}

DiskLog::DiskLog(const LogArguments& arguments, const LogSite& site)
    : DirtyLog(arguments, site),
      io_(site.host.environment().scheduler, site.host.environment().bios,
          "log " + arguments.device->name() + " of " + site.host.device_name(), site.actor),
      log_sectors_(mirror_log::log_sectors(arguments.region_count,
                                           arguments.device->limits().logical_block_sectors)) {
  std::uint64_t left = log_sectors_ * kSectorBytes;
  CHECK(left <= frames_.size() * kPageBytes, left, frames_.size());
  for (Frame& frame : frames_) {
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, kPageBytes));
    segments_.push_back({&frame, nullptr, 0, length});
    left -= length;
  }
}

void DiskLog::fail_device(std::string_view what) {
  if (device_failed_) return;
  device_failed_ = true;
  trace().emit(kTraceLogFailed, site_.actor, trace().text(what));
  site_.host.event();
}

bool DiskLog::transfer(Op op, SectorRange range, std::span<const Segment> segments) {
  BlockingIo::Batch batch;
  io_.start(batch, 0, *arguments_.device, op, range, segments);
  io_.wait(batch);
  failure_injected_ |= batch.injected;
  return batch.failed_parts == 0;
}

bool DiskLog::write_header() {
  trace().emit(kTraceLogWrite, site_.actor, clean_set_, clean_cleared_);
  clean_set_ = 0;
  clean_cleared_ = 0;
  return transfer(Op::kWrite, {0, log_sectors_}, segments_);
}

bool DiskLog::flush_device() {
  const bool ok = transfer(Op::kFlush, {0, 0}, {});
  trace().emit(kTraceLogFlush, site_.actor, ok ? 1 : 0);
  return ok;
}

bool DiskLog::keep_failed_legs(const mirror_log::FailedLegs& legs) {
  if (failed_legs() == legs) return true;
  std::array<std::byte, mirror_log::kFailedLegsOffset + mirror_log::kFailedLegsBytes> bytes{};
  mirror_log::write_failed_legs(legs, bytes);
  frames_[0].store(pages(), mirror_log::kFailedLegsOffset, bytes.data() + mirror_log::kFailedLegsOffset,
                   mirror_log::kFailedLegsBytes);
  touched_dirtied_ = true;  // it must be durable like a region that becomes dirty
  return flush();
}

mirror_log::FailedLegs DiskLog::failed_legs() const {
  return mirror_log::read_failed_legs({frames_[0].page().bytes(), kPageBytes});
}

bool DiskLog::flush() {
  if (!touched_cleaned_ && !touched_dirtied_) return true;
  if (touched_cleaned_ && site_.switches.leg_flush_before_clean && leg_flusher_ != nullptr &&
      !leg_flusher_->flush_legs() && site_.switches.flush_error_sticky) {
    REACHED("the legs cannot be flushed before regions become clean");
    flush_failed_ = true;
    for (std::uint64_t region = 0; region < region_count(); ++region) put_clean(region, false);
  }
  if (header_pending_) {
    REACHED("a log is created after its creation had failed");
    if (!write_bits_first()) {
      fail_device("write");
      return false;
    }
  }
  if (!write_header()) {
    fail_device("write");
    return false;
  }
  header_pending_ = false;
  bool ok = true;
  if (touched_dirtied_) {
    ok = !site_.switches.log_flush_on_dirty || flush_device();
    if (ok) {
      touched_dirtied_ = false;
    } else {
      device_flush_failed_ = true;
      fail_device("flush");
    }
  }
  touched_cleaned_ = false;
  if (ok) unread_ = false;
  return ok;
}

}  // namespace dmsim::native
