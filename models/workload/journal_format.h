// The on-disk format of the small journalling file system, in blocks of 4 KiB:
//
//   0                   super block
//   journal_begin       the journal, a ring of blocks: transactions, one after the other
//   inodes_begin        the inodes, eight a block; an inode carries its file's name: there is one directory
//   data_begin          file data
//
// A transaction is a descriptor (which blocks it changes), a copy of each, and a commit block. It counts if
// its commit block is there with the right sequence number; copies carry no checksum: that they are durable
// before the commit block is what the flush before it is for, as in ext3.
//
// All numbers are little-endian. Descriptor, commit block, super block and inodes end their fields with a
// checksum over the bytes before it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "block/sector.h"

namespace dmsim::journal_format {

inline constexpr std::uint32_t kBlockBytes = kPageBytes;
inline constexpr std::uint32_t kInodeBytes = 512;
inline constexpr std::uint32_t kInodesPerBlock = kBlockBytes / kInodeBytes;
inline constexpr std::uint32_t kNameBytes = 32;
inline constexpr std::uint32_t kMostFileBlocks = 48;
inline constexpr std::uint32_t kMostTransactionBlocks = 64;  // changed by one transaction

using Block = std::array<std::byte, kBlockBytes>;

struct SuperBlock {
  std::uint32_t blocks = 0;          // of the file system
  std::uint32_t journal_begin = 0;
  std::uint32_t journal_blocks = 0;
  std::uint32_t inodes_begin = 0;
  std::uint32_t inode_blocks = 0;
  std::uint32_t data_begin = 0;
  bool needs_recovery = false;       // the journal may hold what its place does not
  std::uint64_t first_sequence = 1;  // of the oldest transaction that may be needed
  std::uint32_t first_block = 0;     // where in the journal it would stand
  friend bool operator==(const SuperBlock&, const SuperBlock&) = default;
};

struct Inode {
  bool used = false;
  std::string name;                   // at most kNameBytes - 1 bytes
  std::uint64_t version = 0;          // of the content, as the application counts
  std::uint32_t size_bytes = 0;
  std::vector<std::uint32_t> blocks;  // of its data
  friend bool operator==(const Inode&, const Inode&) = default;
};

struct Descriptor {
  std::uint64_t sequence = 0;
  std::vector<std::uint32_t> targets;  // blocks whose copies follow
  friend bool operator==(const Descriptor&, const Descriptor&) = default;
};

struct Commit {
  std::uint64_t sequence = 0;
  std::uint32_t copies = 0;
  friend bool operator==(const Commit&, const Commit&) = default;
};

void encode(const SuperBlock& super, Block& out);
void encode(const Descriptor& descriptor, Block& out);
void encode(const Commit& commit, Block& out);
void encode(const Inode& inode, std::span<std::byte, kInodeBytes> out);

// None: no such thing stands there, or its checksum is wrong.
std::optional<SuperBlock> decode_super(const Block& block);
std::optional<Descriptor> decode_descriptor(const Block& block);
std::optional<Commit> decode_commit(const Block& block);
std::optional<Inode> decode_inode(std::span<const std::byte, kInodeBytes> bytes);

}  // namespace dmsim::journal_format
