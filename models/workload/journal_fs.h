// JournalFs: a small journalling file system, after ext3 in its ordered mode: mkfs, mount with recovery, files,
// fsync, a commit thread, checkpoints, freeze and thaw.
//
// File data and metadata in its place go through the page cache; the journal does not: its blocks are written
// past it, straight to the device. A content is written to fresh blocks and becomes the file's with the inode,
// so a file holds one version or another, never a mixture. What changes of inodes is collected in the running
// transaction. A commit writes the transaction's file data, then descriptor and copies, then, behind a
// flush, the commit block (FUA); from then on recovery brings it back. The changed blocks are stored to
// their place in the cache, and reach it whenever the cache writes back; a checkpoint, when the journal is
// full or the file system freezes, waits for that and lets the journal begin anew.
//
// Freeze commits, checkpoints, marks the super block clean and keeps every change out until thaw: an image
// taken then needs no recovery.
//
// After an I/O error on its way to disk nothing is written any more: every operation fails, as ext3 does
// after aborting its journal. But a device that knows no barriers (EOPNOTSUPP) is used without them.
//
// Not modelled: directories, partial overwrites, block allocation with an eye to anything, data journalling,
// more than 64 changed blocks a transaction (it commits before).
#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/memory/direct_io.h"
#include "models/memory/page_cache.h"
#include "models/workload/journal_record.h"

namespace dmsim {

// A transaction is committed; `copies`: blocks that went through the journal.
inline constexpr TraceKind kJournalCommit{"journal.commit", {{{"sequence"}, {"copies"}, {"data blocks"}}}};
// Everything up to that transaction is in its place, and its room in the journal is free.
inline constexpr TraceKind kJournalCheckpoint{"journal.checkpoint", {{{"sequence"}}}};
// The file system is frozen: consistent on its device, and nobody changes it.
inline constexpr TraceKind kJournalFrozen{"journal.frozen", {{{"sequence"}}}};
// The file system takes changes again.
inline constexpr TraceKind kJournalThawed{"journal.thawed", {}};
// The journal could not be written: the file system takes no more changes.
inline constexpr TraceKind kJournalAborted{"journal.aborted", {{{"sequence"}}}};

struct JournalFsOptions {
  std::uint32_t journal_blocks = 32;
  std::uint32_t inode_blocks = 4;
  Duration commit_every = Duration::seconds(5);
  bool barriers = true;  // flush before, and FUA of, the commit block; off: neither
};

class JournalFs final : public Freezer {
 public:
  // Everything outlives the file system. `actor` is the file system's own: its commit thread.
  JournalFs(Scheduler& scheduler, PageSpace& pages, PageCache& cache, JournalRecord& record, Actor actor,
            JournalFsOptions options);
  ~JournalFs();
  JournalFs(const JournalFs&) = delete;
  JournalFs& operator=(const JournalFs&) = delete;

  // All block. False: an I/O error, or one before; or no room.
  bool format();
  bool mount();  // recovers if need be; starts the commit thread
  bool unmount();
  bool write(std::string_view name, std::span<const std::byte> bytes);
  bool unlink(std::string_view name);
  bool fsync(std::string_view name);

  bool freeze() override;
  void thaw() override;

  bool mounted() const { return mounted_; }
  bool aborted() const { return aborted_; }
  std::uint64_t commits() const { return commits_; }

 private:
  class Entry;  // of an operation: past the freeze, with the lock
  using Block = journal_format::Block;

  bool change_inode(std::uint32_t number, journal_format::Inode inode);
  std::vector<std::uint32_t> allocate(std::uint32_t count);
  bool commit();
  bool write_journal(const std::vector<std::uint32_t>& targets);
  bool checkpoint(bool clean);
  bool write_super();
  bool write_blocks(std::uint32_t first, std::span<const Block> blocks, bool barrier);
  bool recover();
  bool fail();
  bool gives_up_barriers(BlockStatus status);
  void commit_thread();
  std::uint32_t journal_room() const;

  Scheduler& scheduler_;
  PageCache& cache_;
  DirectIo io_;
  JournalRecord& record_;
  Actor actor_;
  JournalFsOptions options_;
  OpenFile file_;
  Mutex lock_;
  WaitQueue thawed_;
  WaitQueue thread_queue_;
  std::unique_ptr<Timer> tick_;
  bool mounted_ = false;
  bool frozen_ = false;
  bool aborted_ = false;
  bool thread_runs_ = false;
  bool commit_wanted_ = false;
  std::uint64_t commits_ = 0;

  journal_format::SuperBlock super_;
  std::vector<journal_format::Inode> inodes_;
  std::vector<bool> in_use_;                    // data blocks, those to be freed by a commit included
  std::uint64_t sequence_ = 1;                  // of the running transaction
  std::uint32_t head_ = 0;                      // where in the journal it will stand
  std::uint32_t journal_used_ = 0;              // blocks that hold transactions not checkpointed
  std::set<std::uint32_t> changed_;             // inode blocks of the running transaction
  std::vector<std::uint32_t> data_;             // file data that it must not commit before
  std::vector<std::uint32_t> freed_;            // given back once it is committed
};

}  // namespace dmsim
