// Devices for the tests of this room: bytes in memory, with what a test wants to see or to break.
#pragma once

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "models/workload/byte_device.h"
#include "sim/scheduler.h"

namespace dmsim {

// What no sector of a fresh simulated disk lacks: bytes that mean nothing.
inline std::vector<std::byte> junk(std::size_t size, std::uint64_t state = 1) {
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<std::byte>(state >> 56);
  }
  return bytes;
}

class FakeByteDevice final : public ByteDevice {
 public:
  enum class Kind { kRead, kWrite, kStore, kSync };
  struct Operation {
    Kind kind;
    std::uint64_t offset;
    std::size_t size;
  };

  explicit FakeByteDevice(std::size_t size) : bytes(junk(size)) {}

  std::uint64_t size_bytes() const override { return bytes.size(); }
  BlockStatus read(std::uint64_t offset, std::span<std::byte> out) override {
    const BlockStatus status = begin(Kind::kRead, offset, out.size());
    if (status.ok()) std::memcpy(out.data(), bytes.data() + offset, out.size());
    return status;
  }
  BlockStatus write(std::uint64_t offset, std::span<const std::byte> in) override {
    const BlockStatus status = begin(Kind::kWrite, offset, in.size());
    if (status.ok()) std::memcpy(bytes.data() + offset, in.data(), in.size());
    return status;
  }
  BlockStatus store(std::uint64_t offset, std::span<const std::byte> in) override {
    const BlockStatus status = begin(Kind::kStore, offset, in.size());
    CHECK(offset % kPageBytes + in.size() <= kPageBytes, offset, in.size());
    if (status.ok()) std::memcpy(bytes.data() + offset, in.data(), in.size());
    return status;
  }
  BlockStatus sync() override { return begin(Kind::kSync, 0, 0); }

  std::vector<std::byte> bytes;
  std::vector<Operation> log;          // of everything that was asked for
  std::uint64_t fail_at = UINT64_MAX;  // index of the operation that fails with EIO
  Scheduler* scheduler = nullptr;      // set: each operation takes 10 microseconds of its fiber

 private:
  BlockStatus begin(Kind kind, std::uint64_t offset, std::size_t size) {
    CHECK(offset <= bytes.size() && size <= bytes.size() - offset, offset, size);
    log.push_back({kind, offset, size});
    if (scheduler != nullptr) scheduler->sleep(Duration::microseconds(10));
    if (log.size() - 1 == fail_at) return {BlockStatus::Code::kIoError, true};
    return BlockStatus::okay();
  }
};

// A block device that serves each bio half a millisecond after it was submitted, from memory.
class FakeBlockDevice final : public BlockDevice {
 public:
  FakeBlockDevice(Scheduler& scheduler, PageSpace& pages, std::size_t size)
      : bytes(junk(size)), scheduler_(scheduler), pages_(pages) {}

  const std::string& name() const override { return name_; }
  std::uint64_t sectors() const override { return bytes.size() / kSectorBytes; }
  BlockLimits limits() const override { return {}; }
  void submit(Bio& bio) override {
    ++in_flight;
    scheduler_.after(Duration::microseconds(500), &FakeBlockDevice::serve, this,
                     reinterpret_cast<std::uintptr_t>(&bio));
  }

  std::vector<std::byte> bytes;
  std::uint64_t in_flight = 0;

 private:
  static void serve(void* self, std::uint64_t argument) {
    auto& device = *static_cast<FakeBlockDevice*>(self);
    auto& bio = *reinterpret_cast<Bio*>(static_cast<std::uintptr_t>(argument));
    --device.in_flight;
    if (bio.op == Op::kRead || bio.op == Op::kWrite) {
      DataCursor cursor(bio);
      for (DataPiece piece; cursor.next(&piece);) {
        std::byte* at = device.bytes.data() + piece.device_sector * kSectorBytes;
        if (bio.op == Op::kWrite) {
          read_piece(piece, at);
        } else {
          write_piece(piece, device.pages_, at);
        }
      }
    }
    bio.complete(BlockStatus::okay());
  }

  std::string name_ = "fake";
  Scheduler& scheduler_;
  PageSpace& pages_;
};

}  // namespace dmsim
