#include "models/workload/journal_image.h"

#include <algorithm>

#include <fmt/format.h>

namespace dmsim {

using namespace journal_format;

bool JournalImage::read_raw(std::uint32_t number, Block& out) {
  if (read_(number, out)) return true;
  unreadable_ = true;
  complain(fmt::format("block {} cannot be read", number));
  return false;
}

bool JournalImage::read(std::uint32_t number, Block& out) {
  const auto newer = overlay_.find(number);
  if (newer == overlay_.end()) return read_raw(number, out);
  out = newer->second;
  return true;
}

bool JournalImage::layout_is_sound() const {
  const auto within = [&](std::uint64_t begin, std::uint64_t count) { return begin + count <= super_.blocks; };
  return super_.journal_blocks >= 3 && super_.first_block < super_.journal_blocks &&
         within(super_.journal_begin, super_.journal_blocks) && within(super_.inodes_begin, super_.inode_blocks) &&
         super_.data_begin <= super_.blocks;
}

void JournalImage::load() {
  Block block;
  if (!read_raw(0, block)) return;
  const auto super = decode_super(block);
  if (!super) return complain("there is no super block");
  super_ = *super;
  if (!layout_is_sound()) return complain("the super block's layout makes no sense");
  next_sequence_ = super_.first_sequence;
  next_block_ = super_.first_block;
  replay();
  read_inodes();
}

// Follows the journal from its first transaction to the first that is not whole.
void JournalImage::replay() {
  if (!super_.needs_recovery) return;
  const auto place = [&](std::uint64_t index) {
    return super_.journal_begin + static_cast<std::uint32_t>(index % super_.journal_blocks);
  };
  std::uint64_t walked = 0;
  while (true) {
    Block block;
    if (!read_raw(place(next_block_), block)) return;
    const auto descriptor = decode_descriptor(block);
    if (!descriptor || descriptor->sequence != next_sequence_) return;
    walked += descriptor->targets.size() + 2;
    if (walked > super_.journal_blocks) return;
    std::map<std::uint32_t, Block> copies;
    for (std::size_t i = 0; i < descriptor->targets.size(); ++i) {
      if (!read_raw(place(next_block_ + 1 + i), block)) return;
      if (descriptor->targets[i] >= super_.blocks) return complain("the journal changes a block beyond the end");
      copies[descriptor->targets[i]] = block;
    }
    if (!read_raw(place(next_block_ + 1 + descriptor->targets.size()), block)) return;
    const auto commit = decode_commit(block);
    if (!commit || *commit != Commit{descriptor->sequence, static_cast<std::uint32_t>(copies.size())}) return;
    for (auto& [target, copy] : copies) overlay_[target] = copy;
    ++transactions_;
    ++next_sequence_;
    next_block_ = static_cast<std::uint32_t>((next_block_ + descriptor->targets.size() + 2) % super_.journal_blocks);
  }
}

void JournalImage::read_inodes() {
  for (std::uint32_t block_number = 0; block_number < super_.inode_blocks; ++block_number) {
    Block block;
    if (!read(super_.inodes_begin + block_number, block)) return;
    for (std::uint32_t i = 0; i < kInodesPerBlock; ++i) {
      const auto bytes = std::span<const std::byte>(block).subspan(i * kInodeBytes).first<kInodeBytes>();
      const auto inode = decode_inode(bytes);
      const auto number = static_cast<std::uint32_t>(inodes_.size());
      inodes_.push_back(inode.value_or(Inode()));
      if (!inode) {
        complain(fmt::format("inode {} is damaged", number));
      } else if (inode->used) {
        check_inode(number, *inode);
      }
    }
  }
}

void JournalImage::check_inode(std::uint32_t number, const Inode& inode) {
  const auto same_name = std::find_if(inodes_.begin(), inodes_.end() - 1, [&](const Inode& each) {
    return each.used && each.name == inode.name;
  });
  if (same_name != inodes_.end() - 1) complain(fmt::format("two files are called {}", inode.name));
  if (inode.blocks.size() != (inode.size_bytes + kBlockBytes - 1) / kBlockBytes) {
    complain(fmt::format("inode {} ({}) has {} blocks for {} bytes", number, inode.name, inode.blocks.size(),
                         inode.size_bytes));
  }
  for (const std::uint32_t block : inode.blocks) {
    if (block < super_.data_begin || block >= super_.blocks) {
      complain(fmt::format("{} claims block {}, which is no data block", inode.name, block));
    } else if (const auto [other, fresh] = owner_.emplace(block, inode.name); !fresh) {
      complain(fmt::format("block {} belongs to {} and to {}", block, other->second, inode.name));
    }
  }
}

const Inode* JournalImage::find(std::string_view name) const {
  for (const Inode& inode : inodes_) {
    if (inode.used && inode.name == name) return &inode;
  }
  return nullptr;
}

std::vector<std::byte> JournalImage::content(const Inode& inode) {
  std::vector<std::byte> out;
  for (const std::uint32_t number : inode.blocks) {
    Block block;
    if (number >= super_.blocks || !read(number, block)) return {};
    out.insert(out.end(), block.begin(), block.end());
  }
  out.resize(std::min<std::size_t>(out.size(), inode.size_bytes));
  return out;
}

}  // namespace dmsim
