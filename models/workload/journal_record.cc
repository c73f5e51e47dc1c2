#include "models/workload/journal_record.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"
#include "base/digest.h"

namespace dmsim {

std::uint64_t JournalRecord::begin(std::string_view name, std::uint64_t digest) {
  File& file = files_[std::string(name)];
  file.digests.push_back(digest);
  return file.digests.size();
}

std::uint64_t JournalRecord::begin_write(std::string_view name, std::uint64_t digest) {
  return begin(name, std::max<std::uint64_t>(digest, 1));
}

std::uint64_t JournalRecord::begin_unlink(std::string_view name) { return begin(name, kAbsent); }

void JournalRecord::done(std::string_view name, std::uint64_t version) {
  File& file = files_[std::string(name)];
  CHECK(version <= file.digests.size(), name, version);
  file.done = std::max(file.done, version);
}

void JournalRecord::synced(std::string_view name, std::uint64_t version) {
  File& file = files_[std::string(name)];
  CHECK(version <= file.done, name, version, file.done);
  file.synced = std::max(file.synced, version);
}

std::uint64_t JournalRecord::done_version(std::string_view name) const {
  const auto found = files_.find(name);
  return found == files_.end() ? 0 : found->second.done;
}

void JournalRecord::frozen(Actor by) {
  frozen_by_ = by;
  ++freezes_;
  for (auto& [name, file] : files_) file.frozen = file.done;
}

void JournalRecord::check_file(const std::string& name, const File& file, std::uint64_t oldest,
                               std::uint64_t newest, JournalImage& image, std::vector<std::string>* out) {
  const journal_format::Inode* const inode = image.find(name);
  const auto absent_in = [&](std::uint64_t version) {
    return version == 0 || file.digests[version - 1] == kAbsent;
  };
  if (inode == nullptr) {
    for (std::uint64_t version = oldest; version <= newest; ++version) {
      if (absent_in(version)) return;
    }
    out->push_back(fmt::format("{} is gone; it must be there as of version {}", name, oldest));
    return;
  }
  if (inode->version == 0 || inode->version > newest || absent_in(inode->version)) {
    out->push_back(fmt::format("{} has version {}, which it cannot have", name, inode->version));
    return;
  }
  if (inode->version < oldest) {
    out->push_back(fmt::format("{} has version {}; it must be {} or newer", name, inode->version, oldest));
    return;
  }
  const std::vector<std::byte> bytes = image.content(*inode);
  const std::uint64_t digest = std::max<std::uint64_t>(digest_bytes(bytes.data(), bytes.size()), 1);
  if (digest == file.digests[inode->version - 1]) return;
  out->push_back(fmt::format("{} has version {}, but not its content", name, inode->version));
}

std::vector<std::string> JournalRecord::check_after_cut(JournalImage& image) const {
  if (!formatted_) return {};
  std::vector<std::string> out = image.complaints();
  if (!out.empty()) return out;
  for (const auto& [name, file] : files_) check_file(name, file, file.synced, file.digests.size(), image, &out);
  return out;
}

std::vector<std::string> JournalRecord::check_frozen(JournalImage& image, bool was_frozen) const {
  std::vector<std::string> out = image.complaints();
  if (!out.empty()) return out;
  if (image.needs_recovery()) {
    out.push_back(fmt::format("it needs recovery: {} transactions are only in its journal", image.transactions()));
  }
  for (const auto& [name, file] : files_) {
    const std::uint64_t oldest = was_frozen ? file.frozen : file.synced;
    check_file(name, file, oldest, was_frozen ? file.frozen : file.digests.size(), image, &out);
  }
  return out;
}

}  // namespace dmsim
