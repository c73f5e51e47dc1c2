// ByteDevice: a device seen as a file system sees it through its buffers, in bytes.
//
// The difference that matters is write() against store(): write(2) hands whole buffers over, as mke2fs
// does and as file data goes; store() changes bytes in place in a buffer that may be under writeback
// at that very moment, as a mounted file system changes its metadata.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "block/bio.h"
#include "models/memory/page_cache.h"

namespace dmsim {

class ByteDevice {
 public:
  virtual ~ByteDevice() = default;

  virtual std::uint64_t size_bytes() const = 0;
  // All may block in a fiber. Ranges lie within the device.
  virtual BlockStatus read(std::uint64_t offset, std::span<std::byte> out) = 0;
  virtual BlockStatus write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  // Requires a range within one 4 KiB page.
  virtual BlockStatus store(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  // Everything written and stored so far is durable afterwards.
  virtual BlockStatus sync() = 0;
};

// A block device behind its page cache, both owned by somebody who outlives this.
class PageCacheDevice final : public ByteDevice {
 public:
  explicit PageCacheDevice(PageCache& cache) : cache_(cache), file_(cache.open()) {}

  std::uint64_t size_bytes() const override { return cache_.device().sectors() * kSectorBytes; }
  BlockStatus read(std::uint64_t offset, std::span<std::byte> out) override {
    return cache_.read(offset, out);
  }
  BlockStatus write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    return cache_.write(offset, bytes);
  }
  BlockStatus store(std::uint64_t offset, std::span<const std::byte> bytes) override {
    return cache_.store(offset, bytes);
  }
  BlockStatus sync() override { return cache_.fsync(file_); }

 private:
  PageCache& cache_;
  OpenFile file_;  // a write error is reported to this file system once, whoever else hears of it
};

}  // namespace dmsim
