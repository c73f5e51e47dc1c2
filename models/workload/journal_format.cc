#include "models/workload/journal_format.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/digest.h"

namespace dmsim::journal_format {
namespace {

constexpr std::uint64_t kSuperMagic = 0x53464A4D49534D44;       // "DMSIMJFS"
constexpr std::uint64_t kDescriptorMagic = 0x4352534544'4A4D44;  // "DMJDESRC"
constexpr std::uint64_t kCommitMagic = 0x54494D4D4F'4A4D44;      // "DMJOMMIT"
constexpr std::uint64_t kInodeMagic = 0x45444F4E49'4A4D44;       // "DMJINODE"

// Numbers one after the other, then a checksum over all of it.
class Writer {
 public:
  explicit Writer(std::span<std::byte> out) : out_(out) { std::fill(out.begin(), out.end(), std::byte{0}); }
  void number(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) out_[at_++] = static_cast<std::byte>(value >> (8 * i));
  }
  void text(std::string_view value, std::size_t room) {
    CHECK(value.size() < room, value);
    std::memcpy(out_.data() + at_, value.data(), value.size());
    at_ += room;
  }
  void finish() { number(digest_bytes(out_.data(), at_)); }

 private:
  std::span<std::byte> out_;
  std::size_t at_ = 0;
};

class Reader {
 public:
  explicit Reader(std::span<const std::byte> in) : in_(in) {}
  std::uint64_t number() {
    if (at_ + 8 > in_.size()) return ok_ = false, 0;
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value |= std::to_integer<std::uint64_t>(in_[at_++]) << (8 * i);
    return value;
  }
  std::uint32_t small() { return static_cast<std::uint32_t>(number()); }
  std::string text(std::size_t room) {
    if (at_ + room > in_.size()) return ok_ = false, std::string();
    const auto* const begin = reinterpret_cast<const char*>(in_.data() + at_);
    at_ += room;
    return std::string(begin, std::find(begin, begin + room, '\0'));
  }
  void expect(std::uint64_t magic) { ok_ &= number() == magic; }
  bool finish() {
    const std::uint64_t digest = digest_bytes(in_.data(), std::min(at_, in_.size()));
    return number() == digest && ok_;
  }

 private:
  std::span<const std::byte> in_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace

void encode(const SuperBlock& super, Block& out) {
  Writer to(out);
  for (const std::uint64_t value :
       {kSuperMagic, std::uint64_t{super.blocks}, std::uint64_t{super.journal_begin},
        std::uint64_t{super.journal_blocks}, std::uint64_t{super.inodes_begin}, std::uint64_t{super.inode_blocks},
        std::uint64_t{super.data_begin}, std::uint64_t{super.needs_recovery}, super.first_sequence,
        std::uint64_t{super.first_block}}) {
    to.number(value);
  }
  to.finish();
}

std::optional<SuperBlock> decode_super(const Block& block) {
  Reader from(block);
  SuperBlock out;
  from.expect(kSuperMagic);
  for (std::uint32_t* field : {&out.blocks, &out.journal_begin, &out.journal_blocks, &out.inodes_begin,
                               &out.inode_blocks, &out.data_begin}) {
    *field = from.small();
  }
  out.needs_recovery = from.number() != 0;
  out.first_sequence = from.number();
  out.first_block = from.small();
  if (!from.finish()) return std::nullopt;
  return out;
}

void encode(const Descriptor& descriptor, Block& out) {
  CHECK(descriptor.targets.size() <= kMostTransactionBlocks, descriptor.targets.size());
  Writer to(out);
  to.number(kDescriptorMagic);
  to.number(descriptor.sequence);
  to.number(descriptor.targets.size());
  for (const std::uint32_t target : descriptor.targets) to.number(target);
  to.finish();
}

std::optional<Descriptor> decode_descriptor(const Block& block) {
  Reader from(block);
  Descriptor out;
  from.expect(kDescriptorMagic);
  out.sequence = from.number();
  const std::uint64_t count = from.number();
  if (count > kMostTransactionBlocks) return std::nullopt;
  for (std::uint64_t i = 0; i < count; ++i) out.targets.push_back(from.small());
  if (!from.finish()) return std::nullopt;
  return out;
}

void encode(const Commit& commit, Block& out) {
  Writer to(out);
  to.number(kCommitMagic);
  to.number(commit.sequence);
  to.number(commit.copies);
  to.finish();
}

std::optional<Commit> decode_commit(const Block& block) {
  Reader from(block);
  Commit out;
  from.expect(kCommitMagic);
  out.sequence = from.number();
  out.copies = from.small();
  if (!from.finish()) return std::nullopt;
  return out;
}

void encode(const Inode& inode, std::span<std::byte, kInodeBytes> out) {
  CHECK(inode.blocks.size() <= kMostFileBlocks, inode.blocks.size());
  Writer to(out);
  to.number(kInodeMagic);
  to.number(inode.used);
  to.text(inode.name, kNameBytes);
  to.number(inode.version);
  to.number(inode.size_bytes);
  to.number(inode.blocks.size());
  for (const std::uint32_t block : inode.blocks) to.number(block);
  to.finish();
}

std::optional<Inode> decode_inode(std::span<const std::byte, kInodeBytes> bytes) {
  Reader from(bytes);
  Inode out;
  from.expect(kInodeMagic);
  out.used = from.number() != 0;
  out.name = from.text(kNameBytes);
  out.version = from.number();
  out.size_bytes = from.small();
  const std::uint64_t count = from.number();
  if (count > kMostFileBlocks) return std::nullopt;
  for (std::uint64_t i = 0; i < count; ++i) out.blocks.push_back(from.small());
  if (!from.finish()) return std::nullopt;
  return out;
}

}  // namespace dmsim::journal_format
