// Status and table lines, letter for letter as Linux prints them; what is left over at rest.
#include <fmt/format.h>

#include "engine/native/snapshot/snapshot.h"

namespace dmsim::native {

std::string Snapshot::status(StatusKind kind) {
  if (kind == StatusKind::kTable) {
    std::string out =
        fmt::format("{} {} {}", origin_.name(), cow_.name(), store_->table_words());
    const int features = (discard_zeroes_ ? 1 : 0) + (discard_passdown_ ? 1 : 0);
    if (features > 0) out += fmt::format(" {}", features);
    if (discard_zeroes_) out += " discard_zeroes_cow";
    if (discard_passdown_) out += " discard_passdown_origin";
    return out;
  }
  // Not while the header that invalidates it is being written. Nothing blocks from here on.
  if (scheduler_.in_fiber()) {
    lock_.lock();
    lock_.unlock();
  }
  if (!valid_) return "Invalid";
  if (merge_failed_) return "Merge failed";
  if (overflowed_) return "Overflow";
  const StoreUsage usage = store_->usage();
  return fmt::format("{}/{} {}", usage.allocated, usage.total, usage.metadata);
}

void Snapshot::list_leaks(std::vector<std::string>& out) const {
  // A merge under way is no user's request: what it has made others save is not left over.
  const Snapshot* const merging = origins_.sharing(*this).merging;
  if (merging != nullptr && merging->merge_runs_) return;
  if (copies_ > 0) return;  // nor are the copies of a snapshot that has become invalid
  if (pool_.live() > 0) out.push_back(fmt::format("{} pending exceptions", pool_.live()));
  if (!tracked_.empty()) out.push_back(fmt::format("{} tracked chunks", tracked_.size()));
  if (!merge_writes_.empty()) {
    out.push_back(fmt::format("{} writes that wait for a merge", merge_writes_.size()));
  }
  if (!too_early_.empty()) {
    out.push_back(fmt::format("{} copied chunks that wait to be recorded", too_early_.size()));
  }
}

}  // namespace dmsim::native
