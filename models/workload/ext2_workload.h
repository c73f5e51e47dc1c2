// Ext2FileSystem: a real ext2, by libext2fs, on a ByteDevice: mke2fs, mount, files, unmount.
//
// It promises that everything ends up where a kernel's ext2 would change it: each step of an operation
// (a bit in a bitmap, an inode, a directory entry) is stored in place into the device's buffers before
// the next step begins, and the counts in group descriptors and super block at the operation's end;
// file data goes through write(). Nothing is held back longer: pdflush and kswapd meet every
// intermediate state. (mkdir alone stores its bits last, as libext2fs does it in one go.) While it is
// mounted, the super block says "not clean", as Linux has it.
//
// Images are the same in every run: fixed UUID and hash seed, virtual time (counted from
// kExt2Epoch), no environment. They are what e2fsck of Debian calls clean, after every sync().
//
// Not modelled: the kernel's own allocator (Orlov, reservation), block groups' placement by it,
// the journal, timestamps below a second, more than one fiber inside one file system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "models/workload/byte_device.h"
#include "models/workload/ext2_io.h"
#include "sim/scheduler.h"

namespace dmsim {

// Virtual time zero, as seconds since 1970: 1 April 2008.
inline constexpr std::int64_t kExt2Epoch = 1'207'008'000;

struct Ext2Options {
  std::uint32_t block_bytes = 1024;  // 1024, 2048 or 4096
  std::uint32_t inodes = 0;          // 0: one for each 4 KiB, as libext2fs chooses
};

struct Ext2Error {
  enum class Kind : std::uint8_t {
    kDevice,     // a transfer failed: see `device`
    kNoSpace,    // no free block or inode
    kNotFound,
    kExists,
    kWrongType,  // a directory where a file is needed, or the other way round
    kDamaged,    // what was read is no ext2 that libext2fs accepts
  };
  Kind kind = Kind::kDamaged;
  BlockStatus device;       // kDevice only, with the tag of an injected error
  errcode_t code = 0;       // libext2fs'
  std::string what;         // "ext2fs_write_inode", "path 'a/b'"
  std::string to_string() const;
};
template <typename Value = Done>
using Ext2Result = Result<Value, Ext2Error>;

class Ext2FileSystem {
 public:
  // Both outlive the file system. The scheduler gives the time only.
  Ext2FileSystem(ByteDevice& device, const Scheduler& scheduler);
  ~Ext2FileSystem();  // forgets a mounted file system without writing anything: power is gone

  // mke2fs: everything, then sync. Requires an unmounted file system and a device of 64 KiB or more
  // (whatever libext2fs finds too small is kNoSpace).
  Ext2Result<> format(const Ext2Options& options);
  Ext2Result<> mount();
  // Brings everything to the device, marks it clean, syncs. Unmounted afterwards, even if that failed.
  Ext2Result<> unmount();
  bool mounted() const { return fs_ != nullptr; }

  // Paths are relative to the root, "dir/file", without a leading slash. All require mounted().
  Ext2Result<> create(std::string_view path, std::span<const std::byte> bytes);
  Ext2Result<> append(std::string_view path, std::span<const std::byte> bytes);
  // Of the file's own bytes from `offset` on; requires a range within the file.
  Ext2Result<> overwrite(std::string_view path, std::uint64_t offset,
                         std::span<const std::byte> bytes);
  Ext2Result<std::vector<std::byte>> read(std::string_view path);
  Ext2Result<> unlink(std::string_view path);
  Ext2Result<> mkdir(std::string_view path);
  // Everything done so far is durable afterwards. fsync(2) of one file comes to the same: the
  // device's page cache knows nothing of files.
  Ext2Result<> sync();

  std::uint64_t free_blocks() const;  // as the super block counts; requires mounted()
  std::uint64_t free_inodes() const;
  const Ext2Io::Stats& io_stats() const { return io_.stats(); }

 private:
  struct FreeFileSystem {
    void operator()(ext2_filsys fs) const;
  };
  using FileSystem = std::unique_ptr<struct_ext2_filsys, FreeFileSystem>;
  struct Place;  // a path's directory and last component

  // One call into libext2fs, `what` by name, and its error as ours.
  template <typename Call>
  Ext2Result<> run(const char* what, Call call);
  Ext2Error explain(const char* what, errcode_t code) const;

  // The parts of format().
  Ext2Result<> initialize(const Ext2Options& options, FileSystem* made);
  Ext2Result<> zero_tables(ext2_filsys fs);
  Ext2Result<> make_root(ext2_filsys fs);
  Ext2Result<> reserve_inodes(ext2_filsys fs);
  Ext2Result<> zero_bytes(std::uint64_t offset, std::uint64_t size);

  // The parts of operations on files.
  Ext2Result<Place> find_place(std::string_view path);
  Ext2Result<ext2_ino_t> find_file(std::string_view path, ext2_inode* inode);
  Ext2Result<> require_absent(const Place& place);
  Ext2Result<> allocate_inode(ext2_ino_t directory, ext2_ino_t* ino);
  Ext2Result<> link(const Place& place, ext2_ino_t ino);
  Ext2Result<> release(ext2_ino_t ino, ext2_inode* inode);
  Ext2Result<> append_to(ext2_ino_t ino, ext2_inode* inode, std::span<const std::byte> bytes);
  Ext2Result<> add_block(ext2_ino_t ino, ext2_inode* inode, std::uint64_t index,
                         std::span<const std::byte> bytes);
  Ext2Result<blk64_t> find_block(ext2_ino_t ino, ext2_inode* inode, std::uint64_t index);
  Ext2Result<> write_data(std::uint64_t offset, std::span<const std::byte> bytes);
  std::uint64_t blocks_to_add(std::uint64_t index) const;

  // Stores what changed in bitmaps / in everything but file data.
  Ext2Result<> store_bitmaps();
  Ext2Result<> store_everything();
  std::uint32_t seconds() const;  // virtual time as ext2 counts it

  ByteDevice& device_;
  const Scheduler& scheduler_;
  Ext2Io io_;
  FileSystem fs_;            // null: not mounted
  bool was_clean_ = false;   // what the super block said at mount
  bool busy_ = false;        // an operation is under way: a second fiber inside is a bug of ours
  std::vector<std::byte> block_;  // one block of file data
};

}  // namespace dmsim
