#include "models/workload/ext2_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cerrno>
#include <string_view>

namespace dmsim {
namespace {

constexpr std::string_view kNamePrefix = "dmsim-ext2-";
// Differing bytes with fewer equal ones between them are stored in one go, as one assignment to a
// field would.
constexpr std::size_t kMergeGapBytes = 4;

// libext2fs counts in blocks, or, when the count is negative, in bytes.
std::size_t count_to_bytes(io_channel channel, int count) {
  return count < 0 ? static_cast<std::size_t>(-static_cast<long long>(count))
                   : static_cast<std::size_t>(count) * static_cast<std::size_t>(channel->block_size);
}
std::uint64_t block_to_offset(io_channel channel, unsigned long long block) {
  return block * static_cast<unsigned long long>(channel->block_size);
}

}  // namespace

// What libext2fs calls. Each finds its Ext2Io in the channel, but for open, which is given a name.
struct Ext2IoCallbacks {
  static Ext2Io& self(io_channel channel) { return *static_cast<Ext2Io*>(channel->private_data); }

  static errcode_t open(const char* name, int, io_channel* channel) {
    const std::string_view text(name);
    CHECK(text.starts_with(kNamePrefix), text);
    std::uintptr_t address = 0;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + kNamePrefix.size(), end, address, 16);
    CHECK(parsed.ec == std::errc() && parsed.ptr == end, text);
    auto* io = reinterpret_cast<Ext2Io*>(address);
    CHECK(!io->open_);
    io->open_ = true;
    io->channel_ = {};
    io->channel_.magic = EXT2_ET_MAGIC_IO_CHANNEL;
    io->channel_.manager = &io->manager_;
    io->channel_.name = io->name_.data();
    io->channel_.block_size = 1024;
    io->channel_.refcount = 1;
    io->channel_.private_data = io;
    *channel = &io->channel_;
    return 0;
  }
  static errcode_t close(io_channel channel) {
    if (--channel->refcount > 0) return 0;
    self(channel).open_ = false;
    return 0;
  }
  static errcode_t set_blksize(io_channel channel, int bytes) {
    CHECK(bytes > 0, bytes);
    channel->block_size = bytes;
    return 0;
  }
  static errcode_t read_blk64(io_channel channel, unsigned long long block, int count, void* data) {
    return self(channel).read(block_to_offset(channel, block),
                              {static_cast<std::byte*>(data), count_to_bytes(channel, count)});
  }
  static errcode_t write_blk64(io_channel channel, unsigned long long block, int count,
                               const void* data) {
    return self(channel).write(block_to_offset(channel, block),
                               {static_cast<const std::byte*>(data), count_to_bytes(channel, count)});
  }
  static errcode_t read_blk(io_channel channel, unsigned long block, int count, void* data) {
    return read_blk64(channel, block, count, data);
  }
  static errcode_t write_blk(io_channel channel, unsigned long block, int count, const void* data) {
    return write_blk64(channel, block, count, data);
  }
  static errcode_t write_byte(io_channel channel, unsigned long offset, int count,
                              const void* data) {
    CHECK(count >= 0, count);
    return self(channel).write(
        offset, {static_cast<const std::byte*>(data), static_cast<std::size_t>(count)});
  }
  static errcode_t flush(io_channel channel) { return self(channel).flush(); }
  static errcode_t zeroout(io_channel channel, unsigned long long block, unsigned long long count) {
    return self(channel).zero(block_to_offset(channel, block), block_to_offset(channel, count));
  }
  // libext2fs goes on without these two.
  static errcode_t set_option(io_channel, const char*, const char*) {
    return EXT2_ET_INVALID_ARGUMENT;
  }
  static errcode_t discard(io_channel, unsigned long long, unsigned long long) {
    return EXT2_ET_UNIMPLEMENTED;
  }
};

Ext2Io::Ext2Io(ByteDevice& device)
    : device_(device),
      name_(fmt::format("{}{:x}", kNamePrefix, reinterpret_cast<std::uintptr_t>(this))),
      current_(kPageBytes),
      zeroes_(kPageBytes) {
  manager_.magic = EXT2_ET_MAGIC_IO_MANAGER;
  manager_.name = "dmsim page cache";
  manager_.open = Ext2IoCallbacks::open;
  manager_.close = Ext2IoCallbacks::close;
  manager_.set_blksize = Ext2IoCallbacks::set_blksize;
  manager_.read_blk = Ext2IoCallbacks::read_blk;
  manager_.write_blk = Ext2IoCallbacks::write_blk;
  manager_.flush = Ext2IoCallbacks::flush;
  manager_.write_byte = Ext2IoCallbacks::write_byte;
  manager_.set_option = Ext2IoCallbacks::set_option;
  manager_.read_blk64 = Ext2IoCallbacks::read_blk64;
  manager_.write_blk64 = Ext2IoCallbacks::write_blk64;
  manager_.discard = Ext2IoCallbacks::discard;
  manager_.zeroout = Ext2IoCallbacks::zeroout;
}

Ext2Io::~Ext2Io() { CHECK(!open_); }

template <typename Transfer>
errcode_t Ext2Io::guarded(Transfer transfer) {
  if (unwound_) return EIO;
  BlockStatus status;
  try {
    status = transfer();
  } catch (const FiberUnwound&) {
    unwound_ = true;
    return EIO;
  }
  if (status.ok()) return 0;
  failure_ = status;
  return EIO;
}

// Damaged metadata may point anywhere: beyond the device, a transfer is libext2fs' short read or
// write, as from a file.
errcode_t Ext2Io::read(std::uint64_t offset, std::span<std::byte> out) {
  if (offset > device_.size_bytes() || out.size() > device_.size_bytes() - offset) {
    return EXT2_ET_SHORT_READ;
  }
  stats_.bytes_read += out.size();
  return guarded([&] { return device_.read(offset, out); });
}

errcode_t Ext2Io::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset > device_.size_bytes() || bytes.size() > device_.size_bytes() - offset) {
    return EXT2_ET_SHORT_WRITE;
  }
  return guarded([&] { return put(offset, bytes); });
}

errcode_t Ext2Io::zero(std::uint64_t offset, std::uint64_t size) {
  if (offset > device_.size_bytes() || size > device_.size_bytes() - offset) {
    return EXT2_ET_SHORT_WRITE;
  }
  return guarded([&] {
    BlockStatus status;
    for (std::uint64_t done = 0; done < size && status.ok();) {
      const std::uint64_t piece = std::min<std::uint64_t>(size - done, zeroes_.size());
      status = put(offset + done, std::span(zeroes_).first(static_cast<std::size_t>(piece)));
      done += piece;
    }
    return status;
  });
}

errcode_t Ext2Io::flush() {
  return guarded([&] { return device_.sync(); });
}

BlockStatus Ext2Io::put(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (mode_ == Mode::kFormat) {
    stats_.bytes_written += bytes.size();
    return device_.write(offset, bytes);
  }
  BlockStatus status;
  while (!bytes.empty() && status.ok()) {
    const std::size_t in_page = kPageBytes - static_cast<std::size_t>(offset % kPageBytes);
    const std::size_t piece = std::min(bytes.size(), in_page);
    status = store_changes(offset, bytes.first(piece));
    bytes = bytes.subspan(piece);
    offset += piece;
  }
  return status;
}

BlockStatus Ext2Io::store_changes(std::uint64_t offset, std::span<const std::byte> bytes) {
  CHECK(offset % kPageBytes + bytes.size() <= kPageBytes, offset, bytes.size());
  const std::span<std::byte> current = std::span(current_).first(bytes.size());
  if (const BlockStatus status = device_.read(offset, current); !status.ok()) return status;
  std::size_t begin = 0;
  while (true) {
    while (begin < bytes.size() && bytes[begin] == current[begin]) ++begin;
    if (begin == bytes.size()) return BlockStatus::okay();
    std::size_t end = begin + 1;  // behind the last byte known to differ
    for (std::size_t i = end; i < bytes.size() && i - end < kMergeGapBytes; ++i) {
      if (bytes[i] != current[i]) end = i + 1;
    }
    ++stats_.stores;
    stats_.bytes_stored += end - begin;
    const BlockStatus status = device_.store(offset + begin, bytes.subspan(begin, end - begin));
    if (!status.ok()) return status;
    begin = end;
  }
}

}  // namespace dmsim
