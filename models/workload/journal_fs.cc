#include "models/workload/journal_fs.h"

#include <algorithm>
#include <cstring>

#include "base/digest.h"
#include "base/reached.h"

namespace dmsim {

using namespace journal_format;

namespace {

SectorRange sectors_of(std::uint32_t first, std::size_t count) {
  return {Sector{first} * kPageSectors, (Sector{first} + count) * kPageSectors};
}

std::uint64_t offset_of(std::uint32_t block) { return std::uint64_t{block} * kBlockBytes; }

}  // namespace

// An operation that changes something: it waits while the file system is frozen.
class JournalFs::Entry {
 public:
  explicit Entry(JournalFs& fs) : fs_(fs) {
    while (true) {
      wait_until(fs.thawed_, [&] { return !fs.frozen_; });
      fs.lock_.lock();
      if (!fs.frozen_) return;
      fs.lock_.unlock();
    }
  }
  ~Entry() { fs_.lock_.unlock(); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  JournalFs& fs_;
};

JournalFs::JournalFs(Scheduler& scheduler, PageSpace& pages, PageCache& cache, JournalRecord& record,
                     Actor actor, JournalFsOptions options)
    : scheduler_(scheduler),
      cache_(cache),
      io_(scheduler, pages, cache.device(), actor),
      record_(record),
      actor_(actor),
      options_(options),
      file_(cache.open()),
      lock_(scheduler, "the journal of " + cache.device().name()),
      thawed_(scheduler, "the file system on " + cache.device().name() + " to be thawed"),
      thread_queue_(scheduler, "something to commit on " + cache.device().name()),
      tick_(std::make_unique<Timer>(scheduler, [this] {
        commit_wanted_ = true;
        thread_queue_.wake_all();
      })) {}

JournalFs::~JournalFs() = default;

bool JournalFs::fail() {
  if (!aborted_) scheduler_.trace().emit(kJournalAborted, actor_, sequence_);
  REACHED("a journalling file system aborts its journal");
  aborted_ = true;
  return false;
}

bool JournalFs::write_blocks(std::uint32_t first, std::span<const Block> blocks, bool barrier) {
  const SectorRange range = sectors_of(first, blocks.size());
  const bool both = barrier && options_.barriers;
  DirectRequest& request = io_.write(range, {.fua = both, .preflush = both}, [&](std::byte* out, Sector sector) {
    const std::uint64_t at = (sector - range.begin) * kSectorBytes;
    std::memcpy(out, blocks[at / kBlockBytes].data() + at % kBlockBytes, kSectorBytes);
  });
  const BlockStatus status = io_.wait(request);
  io_.release(request);
  if (both && gives_up_barriers(status)) return write_blocks(first, blocks, false);
  return status.ok() || fail();
}

// As ext3 did: a device without barriers is used without, and only the log says so.
bool JournalFs::gives_up_barriers(BlockStatus status) {
  if (status.code != BlockStatus::Code::kNotSupported) return false;
  REACHED("a file system goes on without barriers");
  options_.barriers = false;
  return true;
}

bool JournalFs::write_super() {
  Block block;
  encode(super_, block);
  return write_blocks(0, {&block, 1}, true);
}

bool JournalFs::format() {
  const auto blocks = static_cast<std::uint32_t>(cache_.device().sectors() / kPageSectors);
  super_ = {};
  super_.blocks = blocks;
  super_.journal_begin = 1;
  super_.journal_blocks = options_.journal_blocks;
  super_.inodes_begin = super_.journal_begin + super_.journal_blocks;
  super_.inode_blocks = options_.inode_blocks;
  super_.data_begin = super_.inodes_begin + super_.inode_blocks;
  if (super_.data_begin >= blocks || super_.journal_blocks < super_.inode_blocks + 2) return false;
  std::vector<Block> table(super_.inode_blocks);
  for (Block& block : table) {
    for (std::uint32_t i = 0; i < kInodesPerBlock; ++i) {
      encode(Inode(), std::span(block).subspan(i * kInodeBytes).first<kInodeBytes>());
    }
  }
  // A journal of an earlier file system must not be taken for this one's.
  const std::vector<Block> nothing(super_.journal_blocks, Block{});
  const bool ok = write_blocks(super_.journal_begin, nothing, false) &&
                  write_blocks(super_.inodes_begin, table, false) && write_super();
  if (ok) record_.formatted();
  return ok;
}

// Reads the device as it is; what the journal holds is stored to its place, and made durable there.
bool JournalFs::recover() {
  JournalImage image([&](std::uint32_t number, Block& out) {
    DirectRequest& request = io_.read(sectors_of(number, 1));
    const bool ok = io_.wait(request).ok();
    for (std::uint32_t i = 0; ok && i < kPageSectors; ++i) {
      std::memcpy(out.data() + i * kSectorBytes, request.sector_bytes(Sector{number} * kPageSectors + i),
                  kSectorBytes);
    }
    io_.release(request);
    return ok;
  });
  if (!image.complaints().empty()) return false;
  super_ = image.super();
  inodes_ = image.inodes();
  sequence_ = image.next_sequence();
  head_ = image.next_block();
  for (const auto& [number, block] : image.recovered_blocks()) {
    REACHED("a mount recovers from the journal");
    if (!cache_.write(offset_of(number), block).ok()) return fail();
  }
  return !super_.needs_recovery || checkpoint(true);
}

bool JournalFs::mount() {
  CHECK(!mounted_);
  if (!recover()) return false;
  in_use_.assign(super_.blocks, false);
  for (const Inode& inode : inodes_) {
    for (const std::uint32_t block : inode.blocks) in_use_[block] = inode.used || in_use_[block];
  }
  journal_used_ = 0;
  mounted_ = true;
  if (!thread_runs_) {
    thread_runs_ = true;
    scheduler_.spawn(actor_, FiberRole::kDaemon, [this] { commit_thread(); });
  }
  return true;
}

bool JournalFs::unmount() {
  const Entry entry(*this);
  const bool ok = !aborted_ && commit() && checkpoint(true);
  mounted_ = false;
  return ok;
}

void JournalFs::commit_thread() {
  while (true) {
    while (!commit_wanted_) thread_queue_.wait_idle();
    commit_wanted_ = false;
    const Entry entry(*this);
    if (mounted_ && !aborted_) commit();
  }
}

std::vector<std::uint32_t> JournalFs::allocate(std::uint32_t count) {
  std::vector<std::uint32_t> out;
  for (std::uint32_t block = super_.data_begin; block < super_.blocks && out.size() < count; ++block) {
    if (!in_use_[block]) out.push_back(block);
  }
  if (out.size() < count) return {};
  for (const std::uint32_t block : out) in_use_[block] = true;
  return out;
}

bool JournalFs::change_inode(std::uint32_t number, Inode inode) {
  freed_.insert(freed_.end(), inodes_[number].blocks.begin(), inodes_[number].blocks.end());
  inodes_[number] = std::move(inode);
  changed_.insert(super_.inodes_begin + number / kInodesPerBlock);
  if (!tick_->armed()) tick_->arm(options_.commit_every);
  return true;
}

bool JournalFs::write(std::string_view name, std::span<const std::byte> bytes) {
  const Entry entry(*this);
  if (aborted_ || !mounted_) return false;
  const auto count = static_cast<std::uint32_t>((bytes.size() + kBlockBytes - 1) / kBlockBytes);
  CHECK(count <= kMostFileBlocks, bytes.size());
  auto inode = std::find_if(inodes_.begin(), inodes_.end(),
                            [&](const Inode& each) { return each.used && each.name == name; });
  if (inode == inodes_.end()) {
    inode = std::find_if(inodes_.begin(), inodes_.end(), [](const Inode& each) { return !each.used; });
  }
  if (inode == inodes_.end()) return false;
  std::vector<std::uint32_t> blocks = allocate(count);
  if (blocks.size() < count) {
    // What the running transaction frees may be enough.
    if (freed_.empty() || !commit()) return false;
    blocks = allocate(count);
    if (blocks.size() < count) return false;
  }
  const std::uint64_t version = record_.begin_write(name, digest_bytes(bytes.data(), bytes.size()));
  for (std::uint32_t i = 0; i < count; ++i) {
    Block block{};
    const auto part = bytes.subspan(std::size_t{i} * kBlockBytes);
    std::memcpy(block.data(), part.data(), std::min<std::size_t>(part.size(), kBlockBytes));
    if (!cache_.write(offset_of(blocks[i]), block).ok()) return fail();
  }
  data_.insert(data_.end(), blocks.begin(), blocks.end());
  Inode made{true, std::string(name), version, static_cast<std::uint32_t>(bytes.size()), std::move(blocks)};
  change_inode(static_cast<std::uint32_t>(inode - inodes_.begin()), std::move(made));
  record_.done(name, version);
  return true;
}

bool JournalFs::unlink(std::string_view name) {
  const Entry entry(*this);
  if (aborted_ || !mounted_) return false;
  const auto inode = std::find_if(inodes_.begin(), inodes_.end(),
                                  [&](const Inode& each) { return each.used && each.name == name; });
  if (inode == inodes_.end()) return false;
  const std::uint64_t version = record_.begin_unlink(name);
  change_inode(static_cast<std::uint32_t>(inode - inodes_.begin()), {});
  record_.done(name, version);
  return true;
}

bool JournalFs::fsync(std::string_view name) {
  const Entry entry(*this);
  if (aborted_ || !mounted_) return false;
  const std::uint64_t version = record_.done_version(name);
  if (!commit()) return false;
  record_.synced(name, version);
  return true;
}

std::uint32_t JournalFs::journal_room() const { return super_.journal_blocks - journal_used_; }

bool JournalFs::commit() {
  if (changed_.empty()) return true;
  const std::vector<std::uint32_t> targets(changed_.begin(), changed_.end());
  if (journal_room() < targets.size() + 2 && !checkpoint(false)) return false;
  // The first transaction after a clean state: whoever mounts from now on must look at the journal.
  if (!super_.needs_recovery) {
    super_.needs_recovery = true;
    super_.first_sequence = sequence_;
    super_.first_block = head_;
    if (!write_super()) return false;
  }
  for (const std::uint32_t block : data_) cache_.write_and_wait(sectors_of(block, 1));
  if (!data_.empty() && !cache_.check_error(file_).ok()) return fail();
  if (!write_journal(targets)) return false;
  scheduler_.trace().emit(kJournalCommit, actor_, sequence_, targets.size(), data_.size());
  ++sequence_;
  ++commits_;
  for (const std::uint32_t block : freed_) in_use_[block] = false;
  changed_.clear();
  data_.clear();
  freed_.clear();
  tick_->cancel();
  return true;
}

// Descriptor and copies, then the commit block; then the copies go to their place in the cache.
bool JournalFs::write_journal(const std::vector<std::uint32_t>& targets) {
  std::vector<Block> blocks(targets.size() + 2);
  encode(Descriptor{sequence_, targets}, blocks.front());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    for (std::uint32_t each = 0; each < kInodesPerBlock; ++each) {
      const std::uint32_t number = (targets[i] - super_.inodes_begin) * kInodesPerBlock + each;
      encode(inodes_[number], std::span(blocks[i + 1]).subspan(each * kInodeBytes).first<kInodeBytes>());
    }
  }
  encode(Commit{sequence_, static_cast<std::uint32_t>(targets.size())}, blocks.back());
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::uint32_t place = super_.journal_begin + (head_ + static_cast<std::uint32_t>(i)) % super_.journal_blocks;
    if (!write_blocks(place, {&blocks[i], 1}, i + 1 == blocks.size())) return false;
  }
  head_ = (head_ + static_cast<std::uint32_t>(blocks.size())) % super_.journal_blocks;
  journal_used_ += static_cast<std::uint32_t>(blocks.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!cache_.write(offset_of(targets[i]), blocks[i + 1]).ok()) return fail();
  }
  return true;
}

// Everything committed so far reaches its place; the journal begins anew behind it.
bool JournalFs::checkpoint(bool clean) {
  const BlockStatus written = cache_.fsync(file_);
  if (!written.ok() && !gives_up_barriers(written)) return fail();
  super_.first_sequence = sequence_;
  super_.first_block = head_;
  super_.needs_recovery = !clean;
  journal_used_ = 0;
  scheduler_.trace().emit(kJournalCheckpoint, actor_, sequence_);
  return write_super();
}

bool JournalFs::freeze() {
  const MutexGuard guard(lock_);
  CHECK(!frozen_);
  if (!mounted_) return true;
  if (aborted_ || !commit() || !checkpoint(true)) return false;
  frozen_ = true;
  record_.frozen(scheduler_.current_actor());
  scheduler_.trace().emit(kJournalFrozen, actor_, sequence_);
  return true;
}

void JournalFs::thaw() {
  frozen_ = false;
  scheduler_.trace().emit(kJournalThawed, actor_);
  thawed_.wake_all();
}

}  // namespace dmsim
