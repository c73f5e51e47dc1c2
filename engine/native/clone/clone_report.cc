// What a clone says of itself, and what it is told: status, table and messages as Linux has them (device
// names stand for major:minor), and the view that oracles have of it.
#include <algorithm>
#include <cerrno>

#include "engine/native/clone/clone_set.h"
#include "engine/native/clone/clone_words.h"
#include "engine/native/clone/metadata_reader.h"
#include "engine/native/mirror/table_words.h"

namespace dmsim::native {

std::string CloneSet::status(StatusKind kind) {
  if (kind == StatusKind::kTable) {
    std::string line = fmt::format("{} {} {}", table_.metadata->name(),
                                   table_.destination->name(), table_.source->name());
    for (const std::string& word : table_.arguments) line += " " + word;
    return line;
  }
  if (mode_ == CloneMode::kFail) return "Fail";
  if (!host_.suspended()) commit();  // so that the numbers are true of the disk
  if (mode_ == CloneMode::kFail) return "Error";
  std::string line =
      fmt::format("{} {}/{} {} {}/{} {} ", clone_metadata::kBlockSectors, metadata_.used_blocks(),
                  metadata_.total_blocks(), table_.region_sectors, metadata_.hydrated_count(),
                  region_count(), hydrations_in_flight_);
  line += fmt::format("{} ", (table_.hydration_enabled ? 0 : 1) + (table_.discard_passdown ? 0 : 1));
  if (!table_.hydration_enabled) line += "no_hydration ";
  if (!table_.discard_passdown) line += "no_discard_passdown ";
  line += fmt::format("4 hydration_threshold {} hydration_batch_size {} ",
                      table_.hydration_threshold, table_.hydration_batch_size);
  return line + (writable() ? "rw" : "ro");
}

DmResult<std::string> CloneSet::message(std::span<const std::string_view> words) {
  const Failure<DmError> refused{DmError{EINVAL, ""}};
  if (words.empty()) return refused;
  if (same_word(words[0], "enable_hydration")) {
    if (!table_.hydration_enabled) {
      table_.hydration_enabled = true;
      worker_.wake();
    }
    return std::string();
  }
  if (same_word(words[0], "disable_hydration")) {
    table_.hydration_enabled = false;
    return std::string();
  }
  if (words.size() != 2) return refused;
  const auto value = parse_number(words[1], UINT32_MAX);
  if (same_word(words[0], "hydration_threshold") && value) {
    table_.hydration_threshold = static_cast<std::uint32_t>(*value);
    worker_.wake();  // it may have been zero
    return std::string();
  }
  if (same_word(words[0], "hydration_batch_size") && value) {
    table_.hydration_batch_size = static_cast<std::uint32_t>(*value);
    return std::string();
  }
  return refused;
}

std::vector<TargetDevice> CloneSet::data_devices() const {
  return {{table_.source, 0, length()}, {table_.destination, 0, length()}};
}

Result<std::vector<bool>, std::string> CloneSet::hydrated_by(const ReadMetadata& read) const {
  const clone_metadata::Layout layout{region_count()};
  std::vector<bool> out(region_count(), false);
  std::vector<std::byte> store(layout.sectors() * kSectorBytes);
  read(0, static_cast<std::uint32_t>(layout.sectors()), store.data());
  if (clone_metadata::is_unformatted(store)) return out;
  const auto loaded = clone_metadata::load(store, table_.region_sectors, length());
  if (!loaded) return Failure{loaded.error().reason};
  for (std::uint64_t region = 0; region < out.size(); ++region) {
    out[region] = (loaded->words[region / 64] >> (region % 64) & 1) != 0;
  }
  return out;
}

bool CloneSet::settled() const {
  if (suspended_) return true;
  if (!writable()) return true;
  if (metadata_.changed() || commit_lock_.locked()) return false;
  if (hydration_failing_) return true;
  if (hydrations_in_flight_ > 0) return false;
  return metadata_.hydration_done() || !table_.hydration_enabled ||
         table_.hydration_threshold == 0 || metadata_.next_unhydrated(0) == region_count();
}

void CloneSet::list_leaks(std::vector<std::string>& out) const {
  const std::string& name = host_.device_name();
  const auto report = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) out.push_back(fmt::format("{} {} of clone {}", count, what, name));
  };
  const std::uint64_t deferred = deferred_bios_.size() + deferred_discards_.size() +
                                 deferred_flushes_.size() + deferred_completions_.size();
  report(ios_in_flight_, "bios on their way");
  report(deferred, "bios in the queues");
  // A background that fails and tries again is always under way.
  if (!hydration_failing_) report(active_.size(), "hydrations");
}

}  // namespace dmsim::native
