// JournalImage: what a journalling file system holds, read from an image of its device without changing it.
//
// The journal is replayed in memory, as recovery at mount would do it on disk; then everything is checked
// as fsck would: every inode, every block once. So it tells what a mount of this image would find.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/workload/journal_format.h"

namespace dmsim {

class JournalImage {
 public:
  // Copies block `number` to `out`; false: it cannot be read.
  using ReadBlock = std::function<bool(std::uint32_t number, journal_format::Block& out)>;

  explicit JournalImage(ReadBlock read) : read_(std::move(read)) { load(); }

  // What is wrong with it, in words; empty: nothing. The first one also says why nothing could be read.
  const std::vector<std::string>& complaints() const { return complaints_; }
  // Some block could not be read, here or by content(): what is missing need not be gone.
  bool unreadable() const { return unreadable_; }
  bool needs_recovery() const { return super_.needs_recovery; }
  // Transactions that recovery has to replay; their blocks, by place, newest content.
  std::uint64_t transactions() const { return transactions_; }
  const std::map<std::uint32_t, journal_format::Block>& recovered_blocks() const { return overlay_; }
  // Where the journal goes on.
  std::uint64_t next_sequence() const { return next_sequence_; }
  std::uint32_t next_block() const { return next_block_; }

  const journal_format::SuperBlock& super() const { return super_; }
  // By number; unused ones included.
  const std::vector<journal_format::Inode>& inodes() const { return inodes_; }
  // Null: there is no file of that name.
  const journal_format::Inode* find(std::string_view name) const;
  // The bytes of a file; empty and a complaint when they cannot be read.
  std::vector<std::byte> content(const journal_format::Inode& inode);

 private:
  void load();
  bool layout_is_sound() const;
  void replay();
  void read_inodes();
  void check_inode(std::uint32_t number, const journal_format::Inode& inode);
  bool read(std::uint32_t number, journal_format::Block& out);
  bool read_raw(std::uint32_t number, journal_format::Block& out);
  void complain(std::string what) { complaints_.push_back(std::move(what)); }

  ReadBlock read_;
  journal_format::SuperBlock super_;
  std::map<std::uint32_t, journal_format::Block> overlay_;
  std::vector<journal_format::Inode> inodes_;
  std::map<std::uint32_t, std::string> owner_;  // of data blocks
  std::uint64_t transactions_ = 0;
  std::uint64_t next_sequence_ = 1;
  std::uint32_t next_block_ = 0;
  bool unreadable_ = false;
  std::vector<std::string> complaints_;
};

}  // namespace dmsim
