// FingerprintSet: which fingerprints have been seen. Open addressing over the fingerprints themselves,
// which are well mixed already; nothing is ever iterated or taken out. Two contents that share 64 bits
// count as one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace dmsim {

class FingerprintSet {
 public:
  // True if it was not there.
  bool insert(std::uint64_t fingerprint) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    if (!place(fingerprint == kFree ? kStandsForFree : fingerprint)) return false;
    ++size_;
    return true;
  }
  std::uint64_t size() const { return size_; }

 private:
  static constexpr std::uint64_t kFree = 0;
  static constexpr std::uint64_t kStandsForFree = 0x9E3779B97F4A7C15ull;

  bool place(std::uint64_t fingerprint) {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = fingerprint & mask;; at = (at + 1) & mask) {
      if (slots_[at] == fingerprint) return false;
      if (slots_[at] == kFree) {
        slots_[at] = fingerprint;
        return true;
      }
    }
  }
  void grow() {
    std::vector<std::uint64_t> old(slots_.empty() ? 1024 : slots_.size() * 2, kFree);
    std::swap(old, slots_);
    for (const std::uint64_t fingerprint : old) {
      if (fingerprint != kFree) place(fingerprint);
    }
  }

  std::vector<std::uint64_t> slots_;  // size 0 or a power of two, at most half full
  std::uint64_t size_ = 0;
};

}  // namespace dmsim
