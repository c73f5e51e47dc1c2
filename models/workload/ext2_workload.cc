// The verbs of Ext2FileSystem, in the order of a life: format, mount and unmount, names, files. One file
// although it is long: all of it is straight-line calls into libext2fs through run(), which turns what
// they answer into our errors and lets an unwinding fiber go on unwinding.
#include "models/workload/ext2_workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/reached.h"

// Returns the error of `expression` from the enclosing function, if there is one.
#define TRY(expression)                                              \
  do {                                                               \
    if (auto tried = (expression); !tried.ok()) {                    \
      return Failure{tried.error()};                                 \
    }                                                                \
  } while (false)

namespace dmsim {
namespace {

constexpr std::uint32_t kInodeBytes = 128;  // as in 2008
constexpr std::uint64_t kLostAndFoundBytes = 16 * 1024;
constexpr std::size_t kLongestName = EXT2_NAME_LEN;
constexpr std::array<std::uint8_t, 16> kUuid{0x64, 0x6d, 0x73, 0x69, 0x6d, 0x2d, 0x40, 0x65,
                                             0x80, 0x78, 0x74, 0x32, 0x2d, 0x66, 0x73, 0x00};
constexpr std::array<std::uint32_t, 4> kHashSeed{0x6d736d64, 0x73616831, 0x65732d68, 0x00006465};

// An operation is under way; also ends when its fiber is unwound.
class Busy {
 public:
  explicit Busy(bool& busy) : busy_(busy) {
    CHECK(!busy_);
    busy_ = true;
  }
  ~Busy() { busy_ = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  bool& busy_;
};

Ext2Error error_of(Ext2Error::Kind kind, std::string what) {
  return {kind, BlockStatus::okay(), 0, std::move(what)};
}

Ext2Error::Kind kind_of(errcode_t code) {
  switch (code) {
    case EXT2_ET_BLOCK_ALLOC_FAIL:
    case EXT2_ET_INODE_ALLOC_FAIL:
    case EXT2_ET_TOOSMALL: return Ext2Error::Kind::kNoSpace;
    case EXT2_ET_FILE_NOT_FOUND: return Ext2Error::Kind::kNotFound;
    case EXT2_ET_FILE_EXISTS:
    case EXT2_ET_DIR_EXISTS: return Ext2Error::Kind::kExists;
    case EXT2_ET_NO_DIRECTORY: return Ext2Error::Kind::kWrongType;
    default: return Ext2Error::Kind::kDamaged;
  }
}

}  // namespace

struct Ext2FileSystem::Place {
  ext2_ino_t directory = 0;
  std::string name;  // within the directory
};

std::string Ext2Error::to_string() const {
  switch (kind) {
    case Kind::kDevice: return fmt::format("{}: {} from the device", what, status_name(device.code));
    case Kind::kNoSpace: return what + ": no space left";
    case Kind::kNotFound: return what + ": not found";
    case Kind::kExists: return what + ": exists already";
    case Kind::kWrongType: return what + ": a directory where a file is needed, or a file for one";
    case Kind::kDamaged: return fmt::format("{}: not an ext2 in order (libext2fs error {})", what, code);
  }
  UNMODELLED("error of a file system");
}

void Ext2FileSystem::FreeFileSystem::operator()(ext2_filsys fs) const { ext2fs_free(fs); }

Ext2FileSystem::Ext2FileSystem(ByteDevice& device, const Scheduler& scheduler)
    : device_(device), scheduler_(scheduler), io_(device) {}

Ext2FileSystem::~Ext2FileSystem() = default;

std::uint32_t Ext2FileSystem::seconds() const {
  return static_cast<std::uint32_t>(kExt2Epoch + scheduler_.now().ns() / 1'000'000'000);
}

Ext2Error Ext2FileSystem::explain(const char* what, errcode_t code) const {
  CHECK(code != EXT2_ET_NO_MEMORY, what);
  if (!io_.failure().ok()) return {Ext2Error::Kind::kDevice, io_.failure(), code, what};
  return {kind_of(code), BlockStatus::okay(), code, what};
}

template <typename Call>
Ext2Result<> Ext2FileSystem::run(const char* what, Call call) {
  io_.forget_failure();
  const errcode_t code = io_.run(call);
  // libext2fs' block iterators swallow errors of the blocks that they read and write.
  if (code != 0 || !io_.failure().ok()) return Failure{explain(what, code)};
  return Done{};
}

// --- format -------------------------------------------------------------------------------------

Ext2Result<> Ext2FileSystem::format(const Ext2Options& options) {
  CHECK(!mounted());
  const Busy busy(busy_);
  io_.set_mode(Ext2Io::Mode::kFormat);
  FileSystem fs;
  TRY(initialize(options, &fs));
  // The boot block and what lies behind the super block: libext2fs leaves both alone, mke2fs wipes
  // them, so that nobody takes the device for what it was before.
  TRY(zero_bytes(0, std::max<std::uint64_t>(kPageBytes, options.block_bytes)));
  TRY(run("ext2fs_allocate_tables", [&] { return ext2fs_allocate_tables(fs.get()); }));
  TRY(zero_tables(fs.get()));
  TRY(make_root(fs.get()));
  TRY(reserve_inodes(fs.get()));
  return run("ext2fs_flush", [&] { return ext2fs_flush(fs.get()); });
}

Ext2Result<> Ext2FileSystem::initialize(const Ext2Options& options, FileSystem* made) {
  CHECK(std::has_single_bit(options.block_bytes), options.block_bytes);
  CHECK(options.block_bytes >= 1024 && options.block_bytes <= 4096, options.block_bytes);
  CHECK(device_.size_bytes() >= 64 * 1024, device_.size_bytes());
  ext2_super_block wanted{};
  ext2fs_blocks_count_set(&wanted, device_.size_bytes() / options.block_bytes);
  wanted.s_log_block_size = static_cast<std::uint32_t>(std::countr_zero(options.block_bytes)) - 10;
  wanted.s_log_cluster_size = wanted.s_log_block_size;
  wanted.s_rev_level = EXT2_DYNAMIC_REV;
  wanted.s_inode_size = kInodeBytes;
  wanted.s_inodes_count = options.inodes;
  ext2fs_set_feature_filetype(&wanted);
  ext2fs_set_feature_sparse_super(&wanted);
  TRY(run("ext2fs_initialize", [&] {
    ext2_filsys fs = nullptr;
    const errcode_t code =
        ext2fs_initialize(io_.name(), EXT2_FLAG_64BITS, &wanted, io_.manager(), &fs);
    made->reset(code == 0 ? fs : nullptr);
    return code;
  }));
  ext2_super_block& super = *(*made)->super;
  (*made)->now = seconds();
  super.s_mkfs_time = seconds();
  super.s_lastcheck = seconds();
  super.s_max_mnt_count = -1;
  static_assert(sizeof super.s_uuid == sizeof kUuid && sizeof super.s_hash_seed == sizeof kHashSeed);
  std::memcpy(super.s_uuid, kUuid.data(), sizeof kUuid);
  std::memcpy(super.s_hash_seed, kHashSeed.data(), sizeof kHashSeed);
  return Done{};
}

Ext2Result<> Ext2FileSystem::zero_bytes(std::uint64_t offset, std::uint64_t size) {
  const std::vector<std::byte> zeroes(kPageBytes);
  for (std::uint64_t done = 0; done < size;) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(size - done, kPageBytes));
    TRY(write_data(offset + done, std::span(zeroes).first(piece)));
    done += piece;
  }
  return Done{};
}

Ext2Result<> Ext2FileSystem::zero_tables(ext2_filsys fs) {
  for (dgrp_t group = 0; group < fs->group_desc_count; ++group) {
    TRY(zero_bytes(ext2fs_inode_table_loc(fs, group) * fs->blocksize,
                   std::uint64_t{fs->inode_blocks_per_group} * fs->blocksize));
  }
  return Done{};
}

Ext2Result<> Ext2FileSystem::make_root(ext2_filsys fs) {
  TRY(run("ext2fs_mkdir of the root",
          [&] { return ext2fs_mkdir(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, nullptr); }));
  TRY(run("ext2fs_mkdir of lost+found",
          [&] { return ext2fs_mkdir(fs, EXT2_ROOT_INO, 0, "lost+found"); }));
  ext2_ino_t lost = 0;
  TRY(run("ext2fs_lookup of lost+found", [&] {
    return ext2fs_lookup(fs, EXT2_ROOT_INO, "lost+found", 10, nullptr, &lost);
  }));
  // e2fsck wants room there that needs no allocation.
  for (std::uint64_t bytes = fs->blocksize; bytes < kLostAndFoundBytes; bytes += fs->blocksize) {
    TRY(run("ext2fs_expand_dir of lost+found", [&] { return ext2fs_expand_dir(fs, lost); }));
  }
  return Done{};
}

Ext2Result<> Ext2FileSystem::reserve_inodes(ext2_filsys fs) {
  ext2fs_inode_alloc_stats2(fs, EXT2_BAD_INO, +1, 0);
  for (ext2_ino_t ino = EXT2_ROOT_INO + 1; ino < EXT2_FIRST_INODE(fs->super); ++ino) {
    ext2fs_inode_alloc_stats2(fs, ino, +1, 0);
  }
  ext2fs_mark_ib_dirty(fs);
  return run("ext2fs_update_bb_inode", [&] { return ext2fs_update_bb_inode(fs, nullptr); });
}

// --- mount and unmount --------------------------------------------------------------------------

Ext2Result<> Ext2FileSystem::mount() {
  CHECK(!mounted());
  const Busy busy(busy_);
  io_.set_mode(Ext2Io::Mode::kMounted);
  FileSystem fs;
  TRY(run("ext2fs_open", [&] {
    ext2_filsys opened = nullptr;
    const errcode_t code = ext2fs_open(io_.name(), EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0,
                                       io_.manager(), &opened);
    fs.reset(code == 0 ? opened : nullptr);
    return code;
  }));
  TRY(run("ext2fs_read_bitmaps", [&] { return ext2fs_read_bitmaps(fs.get()); }));
  if (ext2fs_has_feature_journal(fs->super) || ext2fs_has_feature_extents(fs->super)) {
    return Failure{error_of(Ext2Error::Kind::kDamaged, "an ext2 is needed, this is an ext3 or ext4")};
  }
  fs_ = std::move(fs);
  fs_->flags |= EXT2_FLAG_MASTER_SB_ONLY;  // backups are mke2fs' and e2fsck's affair
  block_.resize(fs_->blocksize);
  was_clean_ = (fs_->super->s_state & EXT2_VALID_FS) != 0;
  if (!was_clean_) REACHED("an ext2 that was not unmounted is mounted again");
  fs_->super->s_state = static_cast<__u16>(fs_->super->s_state & ~EXT2_VALID_FS);
  fs_->super->s_mnt_count = static_cast<__u16>(fs_->super->s_mnt_count + 1);
  fs_->super->s_mtime = seconds();
  ext2fs_mark_super_dirty(fs_.get());
  auto stored = store_everything();
  if (!stored.ok()) fs_.reset();
  return stored;
}

Ext2Result<> Ext2FileSystem::unmount() {
  CHECK(mounted());
  const Busy busy(busy_);
  if (was_clean_) fs_->super->s_state |= EXT2_VALID_FS;
  auto stored = store_everything();
  const BlockStatus synced = device_.sync();
  fs_.reset();
  if (!stored.ok()) return stored;
  if (!synced.ok()) return Failure{Ext2Error{Ext2Error::Kind::kDevice, synced, 0, "unmount"}};
  return Done{};
}

Ext2Result<> Ext2FileSystem::sync() {
  CHECK(mounted());
  const Busy busy(busy_);
  TRY(store_everything());
  const BlockStatus synced = device_.sync();
  if (!synced.ok()) return Failure{Ext2Error{Ext2Error::Kind::kDevice, synced, 0, "sync"}};
  return Done{};
}

Ext2Result<> Ext2FileSystem::store_bitmaps() {
  return run("ext2fs_write_bitmaps", [&] { return ext2fs_write_bitmaps(fs_.get()); });
}

Ext2Result<> Ext2FileSystem::store_everything() {
  fs_->now = seconds();
  return run("ext2fs_flush2",
             [&] { return ext2fs_flush2(fs_.get(), EXT2_FLAG_FLUSH_NO_SYNC); });
}

std::uint64_t Ext2FileSystem::free_blocks() const {
  CHECK(mounted());
  return ext2fs_free_blocks_count(fs_->super);
}
std::uint64_t Ext2FileSystem::free_inodes() const {
  CHECK(mounted());
  return fs_->super->s_free_inodes_count;
}

// --- names --------------------------------------------------------------------------------------

Ext2Result<Ext2FileSystem::Place> Ext2FileSystem::find_place(std::string_view path) {
  fs_->now = seconds();
  const std::size_t slash = path.rfind('/');
  Place place{EXT2_ROOT_INO, std::string(slash == std::string_view::npos ? path
                                                                         : path.substr(slash + 1))};
  CHECK(!place.name.empty() && place.name.size() <= kLongestName, path);
  if (slash == std::string_view::npos) return place;
  const std::string directory(path.substr(0, slash));
  CHECK(!directory.empty() && directory.front() != '/', path);
  TRY(run("ext2fs_namei", [&] {
    return ext2fs_namei(fs_.get(), EXT2_ROOT_INO, EXT2_ROOT_INO, directory.c_str(),
                        &place.directory);
  }));
  TRY(run("ext2fs_check_directory",
          [&] { return ext2fs_check_directory(fs_.get(), place.directory); }));
  return place;
}

Ext2Result<> Ext2FileSystem::require_absent(const Place& place) {
  ext2_ino_t found = 0;
  const auto looked = run("ext2fs_lookup", [&] {
    return ext2fs_lookup(fs_.get(), place.directory, place.name.c_str(),
                         static_cast<int>(place.name.size()), nullptr, &found);
  });
  if (looked.ok()) {
    return Failure{error_of(Ext2Error::Kind::kExists, fmt::format("file '{}'", place.name))};
  }
  if (looked.error().kind == Ext2Error::Kind::kNotFound) return Done{};
  return looked;
}

Ext2Result<ext2_ino_t> Ext2FileSystem::find_file(std::string_view path, ext2_inode* inode) {
  auto place = find_place(path);
  if (!place.ok()) return Failure{place.error()};
  ext2_ino_t ino = 0;
  TRY(run("ext2fs_lookup", [&] {
    return ext2fs_lookup(fs_.get(), place->directory, place->name.c_str(),
                         static_cast<int>(place->name.size()), nullptr, &ino);
  }));
  TRY(run("ext2fs_read_inode", [&] { return ext2fs_read_inode(fs_.get(), ino, inode); }));
  if (!LINUX_S_ISREG(inode->i_mode)) {
    return Failure{error_of(Ext2Error::Kind::kWrongType, fmt::format("file '{}'", path))};
  }
  return ino;
}

Ext2Result<> Ext2FileSystem::link(const Place& place, ext2_ino_t ino) {
  const auto try_link = [&] {
    return ext2fs_link(fs_.get(), place.directory, place.name.c_str(), ino, EXT2_FT_REG_FILE);
  };
  auto linked = run("ext2fs_link", try_link);
  if (linked.ok() || linked.error().code != EXT2_ET_DIR_NO_SPACE) return linked;
  REACHED("a directory grows by a block");
  TRY(run("ext2fs_expand_dir", [&] { return ext2fs_expand_dir(fs_.get(), place.directory); }));
  TRY(store_bitmaps());
  return run("ext2fs_link", try_link);
}

// --- files --------------------------------------------------------------------------------------

Ext2Result<> Ext2FileSystem::allocate_inode(ext2_ino_t directory, ext2_ino_t* ino) {
  TRY(run("ext2fs_new_inode", [&] {
    return ext2fs_new_inode(fs_.get(), directory, LINUX_S_IFREG | 0644, nullptr, ino);
  }));
  ext2fs_inode_alloc_stats2(fs_.get(), *ino, +1, 0);
  return store_bitmaps();
}

Ext2Result<> Ext2FileSystem::create(std::string_view path, std::span<const std::byte> bytes) {
  CHECK(mounted());
  const Busy busy(busy_);
  auto place = find_place(path);
  if (!place.ok()) return Failure{place.error()};
  TRY(require_absent(place.value()));
  ext2_ino_t ino = 0;
  TRY(allocate_inode(place->directory, &ino));
  ext2_inode inode{};
  inode.i_mode = LINUX_S_IFREG | 0644;
  inode.i_links_count = 1;
  inode.i_atime = inode.i_ctime = inode.i_mtime = seconds();
  TRY(run("ext2fs_write_new_inode",
          [&] { return ext2fs_write_new_inode(fs_.get(), ino, &inode); }));
  if (auto linked = link(place.value(), ino); !linked.ok()) {
    if (linked.error().kind == Ext2Error::Kind::kNoSpace) {
      REACHED("a file cannot be linked because its directory cannot grow");
      inode.i_links_count = 0;
      TRY(release(ino, &inode));
      TRY(store_everything());
    }
    return linked;
  }
  auto appended = append_to(ino, &inode, bytes);
  TRY(store_everything());
  return appended;
}

Ext2Result<> Ext2FileSystem::append(std::string_view path, std::span<const std::byte> bytes) {
  CHECK(mounted());
  const Busy busy(busy_);
  ext2_inode inode{};
  auto ino = find_file(path, &inode);
  if (!ino.ok()) return Failure{ino.error()};
  auto appended = append_to(ino.value(), &inode, bytes);
  TRY(store_everything());
  return appended;
}

// Fills the last block, then adds blocks. When space runs out, what fitted is in the file.
Ext2Result<> Ext2FileSystem::append_to(ext2_ino_t ino, ext2_inode* inode,
                                       std::span<const std::byte> bytes) {
  std::uint64_t size = EXT2_I_SIZE(inode);
  Ext2Result<> outcome = Done{};
  while (!bytes.empty()) {
    const std::uint64_t index = size / fs_->blocksize;
    const auto in_block = static_cast<std::size_t>(size % fs_->blocksize);
    const std::size_t piece = std::min<std::size_t>(bytes.size(), fs_->blocksize - in_block);
    if (in_block == 0) {
      outcome = add_block(ino, inode, index, bytes.first(piece));
      if (!outcome.ok()) break;
    } else {
      auto block = find_block(ino, inode, index);
      if (!block.ok()) return Failure{block.error()};
      TRY(write_data(block.value() * fs_->blocksize + in_block, bytes.first(piece)));
    }
    size += piece;
    bytes = bytes.subspan(piece);
    TRY(run("ext2fs_inode_size_set",
            [&] { return ext2fs_inode_size_set(fs_.get(), inode, static_cast<ext2_off64_t>(size)); }));
    inode->i_mtime = seconds();
    TRY(run("ext2fs_write_inode", [&] { return ext2fs_write_inode(fs_.get(), ino, inode); }));
  }
  return outcome;
}

// How many blocks a file without holes needs for its block number `index`: itself, and every indirect
// block that it is the first in.
std::uint64_t Ext2FileSystem::blocks_to_add(std::uint64_t index) const {
  const std::uint64_t per_block = fs_->blocksize / sizeof(__u32);
  if (index < EXT2_NDIR_BLOCKS) return 1;
  index -= EXT2_NDIR_BLOCKS;
  std::uint64_t covered = per_block;  // by the indirect block of this level
  std::uint64_t needed = 1;
  while (index >= covered) {
    index -= covered;
    covered *= per_block;
  }
  for (std::uint64_t span = per_block; span <= covered; span *= per_block) {
    if (index % span == 0) ++needed;
  }
  return needed;
}

Ext2Result<> Ext2FileSystem::add_block(ext2_ino_t ino, ext2_inode* inode, std::uint64_t index,
                                       std::span<const std::byte> bytes) {
  // libext2fs cannot take back half a chain of indirect blocks, so there must be room for all.
  if (free_blocks() < blocks_to_add(index)) {
    REACHED("an ext2 runs out of blocks");
    return Failure{error_of(Ext2Error::Kind::kNoSpace, "a block for file data")};
  }
  const blk64_t goal = ext2fs_find_inode_goal(fs_.get(), ino, inode, index);
  blk64_t block = 0;
  TRY(run("ext2fs_new_block",
          [&] { return ext2fs_new_block2(fs_.get(), goal, nullptr, &block); }));
  ext2fs_block_alloc_stats2(fs_.get(), block, +1);
  TRY(store_bitmaps());
  std::fill(block_.begin(), block_.end(), std::byte{0});
  std::copy(bytes.begin(), bytes.end(), block_.begin());
  TRY(write_data(block * fs_->blocksize, block_));
  TRY(run("ext2fs_iblk_add_blocks", [&] { return ext2fs_iblk_add_blocks(fs_.get(), inode, 1); }));
  TRY(run("ext2fs_bmap2", [&] {
    return ext2fs_bmap2(fs_.get(), ino, inode, nullptr, BMAP_SET | BMAP_ALLOC, index, nullptr,
                        &block);
  }));
  // Indirect blocks may have been allocated beside. The caller writes the inode, with its new size.
  return store_bitmaps();
}

Ext2Result<blk64_t> Ext2FileSystem::find_block(ext2_ino_t ino, ext2_inode* inode,
                                               std::uint64_t index) {
  blk64_t block = 0;
  TRY(run("ext2fs_bmap2", [&] {
    return ext2fs_bmap2(fs_.get(), ino, inode, nullptr, 0, index, nullptr, &block);
  }));
  // Damaged metadata may point anywhere; only blocks of the file system are followed.
  if (block < fs_->super->s_first_data_block || block >= ext2fs_blocks_count(fs_->super)) {
    return Failure{error_of(Ext2Error::Kind::kDamaged, fmt::format("block {} of a file", index))};
  }
  return block;
}

Ext2Result<> Ext2FileSystem::write_data(std::uint64_t offset, std::span<const std::byte> bytes) {
  const BlockStatus status = device_.write(offset, bytes);
  if (status.ok()) return Done{};
  return Failure{Ext2Error{Ext2Error::Kind::kDevice, status, 0, "write of file data"}};
}

Ext2Result<> Ext2FileSystem::overwrite(std::string_view path, std::uint64_t offset,
                                       std::span<const std::byte> bytes) {
  CHECK(mounted());
  const Busy busy(busy_);
  ext2_inode inode{};
  auto ino = find_file(path, &inode);
  if (!ino.ok()) return Failure{ino.error()};
  CHECK(offset + bytes.size() <= EXT2_I_SIZE(&inode), path, offset, bytes.size());
  while (!bytes.empty()) {
    auto block = find_block(ino.value(), &inode, offset / fs_->blocksize);
    if (!block.ok()) return Failure{block.error()};
    const auto in_block = static_cast<std::size_t>(offset % fs_->blocksize);
    const std::size_t piece = std::min<std::size_t>(bytes.size(), fs_->blocksize - in_block);
    TRY(write_data(block.value() * fs_->blocksize + in_block, bytes.first(piece)));
    offset += piece;
    bytes = bytes.subspan(piece);
  }
  inode.i_mtime = seconds();
  TRY(run("ext2fs_write_inode", [&] { return ext2fs_write_inode(fs_.get(), *ino, &inode); }));
  return store_everything();
}

Ext2Result<std::vector<std::byte>> Ext2FileSystem::read(std::string_view path) {
  CHECK(mounted());
  const Busy busy(busy_);
  ext2_inode inode{};
  auto ino = find_file(path, &inode);
  if (!ino.ok()) return Failure{ino.error()};
  const std::uint64_t size = EXT2_I_SIZE(&inode);
  if (size > device_.size_bytes()) {
    return Failure{error_of(Ext2Error::Kind::kDamaged, fmt::format("size of file '{}'", path))};
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  for (std::size_t at = 0; at < bytes.size(); at += fs_->blocksize) {
    auto block = find_block(ino.value(), &inode, at / fs_->blocksize);
    if (!block.ok()) return Failure{block.error()};
    const std::size_t piece = std::min<std::size_t>(bytes.size() - at, fs_->blocksize);
    const BlockStatus status =
        device_.read(block.value() * fs_->blocksize, std::span(bytes).subspan(at, piece));
    if (!status.ok()) {
      return Failure{Ext2Error{Ext2Error::Kind::kDevice, status, 0, "read of file data"}};
    }
  }
  return bytes;
}

// Frees the blocks of an inode without links, then the inode.
Ext2Result<> Ext2FileSystem::release(ext2_ino_t ino, ext2_inode* inode) {
  CHECK(inode->i_links_count == 0, ino);
  inode->i_dtime = seconds();
  TRY(run("ext2fs_write_inode", [&] { return ext2fs_write_inode(fs_.get(), ino, inode); }));
  if (ext2fs_inode_has_valid_blocks2(fs_.get(), inode) != 0) {
    TRY(run("ext2fs_punch",
            [&] { return ext2fs_punch(fs_.get(), ino, inode, nullptr, 0, ~blk64_t{0}); }));
    TRY(store_bitmaps());
  }
  ext2fs_inode_alloc_stats2(fs_.get(), ino, -1, 0);
  return store_bitmaps();
}

Ext2Result<> Ext2FileSystem::unlink(std::string_view path) {
  CHECK(mounted());
  const Busy busy(busy_);
  ext2_inode inode{};
  auto ino = find_file(path, &inode);
  if (!ino.ok()) return Failure{ino.error()};
  auto place = find_place(path);
  if (!place.ok()) return Failure{place.error()};
  TRY(run("ext2fs_unlink", [&] {
    return ext2fs_unlink(fs_.get(), place->directory, place->name.c_str(), ino.value(), 0);
  }));
  CHECK(inode.i_links_count == 1, path, inode.i_links_count);
  inode.i_links_count = 0;
  TRY(release(ino.value(), &inode));
  return store_everything();
}

Ext2Result<> Ext2FileSystem::mkdir(std::string_view path) {
  CHECK(mounted());
  const Busy busy(busy_);
  auto place = find_place(path);
  if (!place.ok()) return Failure{place.error()};
  TRY(require_absent(place.value()));
  const auto try_mkdir = [&] {
    return ext2fs_mkdir(fs_.get(), place->directory, 0, place->name.c_str());
  };
  auto made = run("ext2fs_mkdir", try_mkdir);
  if (!made.ok() && made.error().code == EXT2_ET_DIR_NO_SPACE) {
    TRY(run("ext2fs_expand_dir", [&] { return ext2fs_expand_dir(fs_.get(), place->directory); }));
    made = run("ext2fs_mkdir", try_mkdir);
  }
  TRY(store_everything());
  return made;
}

}  // namespace dmsim

#undef TRY
