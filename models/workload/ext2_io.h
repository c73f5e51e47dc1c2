// Ext2Io: libext2fs' io manager over a ByteDevice.
//
// libext2fs is C and reaches its device through a table of callbacks. This is such a table, one per
// instance, and the channel that it opens; there are no globals. The open callback is given nothing but
// a name, so the name carries the address of the Ext2Io; nothing else ever looks at it.
//
// kFormat writes what libext2fs writes, as mke2fs does through write(2). kMounted compares with what
// the buffers hold and stores only the bytes that differ, page by page: this is how a mounted file
// system's change of one bit in a bitmap reaches a page that pdflush may be writing right now.
//
// A callback may block its fiber, and a blocked fiber may be unwound by FiberUnwound. That must not
// fly through C frames, which would leak whatever libext2fs holds. So it is caught at the callback,
// libext2fs is told of an I/O error, cleans up and returns, and run() throws it again from there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>

#include "models/workload/byte_device.h"
#include "sim/fiber.h"

namespace dmsim {

class Ext2Io {
 public:
  enum class Mode : std::uint8_t { kFormat, kMounted };

  explicit Ext2Io(ByteDevice& device);  // the device outlives this
  ~Ext2Io();                            // every channel must be closed
  Ext2Io(const Ext2Io&) = delete;
  Ext2Io& operator=(const Ext2Io&) = delete;

  // To be handed to ext2fs_initialize and ext2fs_open; each opens one channel, one at a time.
  io_manager manager() { return &manager_; }
  const char* name() const { return name_.c_str(); }
  void set_mode(Mode mode) { mode_ = mode; }

  // Runs one call into libext2fs: `call()` returns its errcode_t. Every call that may do I/O goes
  // through here, so that an unwinding fiber goes on unwinding behind it.
  template <typename Call>
  errcode_t run(Call call) {
    const errcode_t code = call();
    if (unwound_) throw FiberUnwound{};
    return code;
  }

  // How the latest failed transfer failed, with its tag; ok: none since forget_failure().
  BlockStatus failure() const { return failure_; }
  void forget_failure() { failure_ = BlockStatus::okay(); }

  struct Stats {
    std::uint64_t bytes_read = 0;
    std::uint64_t bytes_written = 0;  // kFormat
    std::uint64_t bytes_stored = 0;   // kMounted
    std::uint64_t stores = 0;         // kMounted
  };
  const Stats& stats() const { return stats_; }

 private:
  friend struct Ext2IoCallbacks;

  // The transfers behind the callbacks; each returns libext2fs' error code.
  errcode_t read(std::uint64_t offset, std::span<std::byte> out);
  errcode_t write(std::uint64_t offset, std::span<const std::byte> bytes);
  errcode_t zero(std::uint64_t offset, std::uint64_t size);
  errcode_t flush();
  BlockStatus put(std::uint64_t offset, std::span<const std::byte> bytes);
  // Stores what differs from the buffers. Within one page.
  BlockStatus store_changes(std::uint64_t offset, std::span<const std::byte> bytes);
  // Runs a transfer; catches FiberUnwound and remembers failures.
  template <typename Transfer>
  errcode_t guarded(Transfer transfer);

  struct_io_manager manager_{};
  struct_io_channel channel_{};
  ByteDevice& device_;
  std::string name_;
  Mode mode_ = Mode::kFormat;
  bool open_ = false;
  bool unwound_ = false;             // FiberUnwound was caught and is to be thrown again
  BlockStatus failure_;
  Stats stats_;
  std::vector<std::byte> current_;   // what the buffers hold, while comparing: one page
  std::vector<std::byte> zeroes_;    // one page
};

}  // namespace dmsim
