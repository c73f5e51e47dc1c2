// Parses a snapshot's table line, in the kernel's order of checks and with its words, and reads its store.
#include <fmt/format.h>

#include <cctype>
#include <cerrno>

#include "base/reached.h"
#include "engine/native/mirror/table_words.h"
#include "engine/native/snapshot/persistent_store.h"
#include "engine/native/snapshot/snapshot.h"
#include "engine/native/snapshot/snapshot_target.h"
#include "engine/native/snapshot/transient_store.h"

namespace dmsim::native {
namespace {

Failure<DmError> refuse(std::string reason, int errno_value = EINVAL) {
  return Failure{DmError{errno_value, std::move(reason)}};
}

std::string lowered(std::string_view word) {
  std::string out(word);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

// [#features feature...]
DmResult<> parse_features(std::span<const std::string_view> words, SnapshotTable* out) {
  if (words.empty()) return Done{};
  const auto count = parse_number(words[0], UINT32_MAX);
  if (!count || *count > 2) return refuse("Invalid number of feature arguments");
  if (*count > words.size() - 1) return refuse("not enough arguments");
  for (std::uint64_t i = 1; i <= *count; ++i) {
    const std::string feature = lowered(words[i]);
    if (feature == "discard_zeroes_cow") {
      out->discard_zeroes = true;
    } else if (feature == "discard_passdown_origin") {
      out->discard_passdown = true;
    } else {
      return refuse("Unrecognised feature requested");
    }
  }
  if (!out->discard_zeroes && out->discard_passdown) {
    return refuse("discard_passdown_origin feature depends on discard_zeroes_cow");
  }
  return Done{};
}

// P|PO|N CHUNK_SECTORS
DmResult<> parse_store(const TargetArguments& arguments, const SnapshotSwitches& switches, Actor actor,
                       SnapshotTable* out) {
  const auto fail = [](std::string_view why, int errno_value = EINVAL) {
    return refuse(fmt::format("Couldn't create exception store ({})", why), errno_value);
  };
  const std::string kind = lowered(arguments.words[2]);
  if (kind.empty() || (kind[0] != 'p' && kind[0] != 'n')) {
    return fail("Exception store type is not P or N");
  }
  const auto sectors = parse_number(arguments.words[3], UINT32_MAX);
  if (!sectors) return fail("Invalid chunk size");
  auto size = PersistentStore::check_chunk(*sectors, *out->origin, *out->cow);
  if (!size) return fail(size.error().reason);
  if (kind[0] == 'n') {
    out->store = std::make_unique<TransientStore>(*out->cow);
  } else {
    if (kind.size() > 1 && kind[1] != 'o') return fail("Exception store type constructor failed");
    out->store = std::make_unique<PersistentStore>(arguments.host.environment(), *out->origin, *out->cow,
                                                   switches, actor, arguments.host.device_name());
    out->store->supports_overflow = kind.size() > 1;
  }
  out->store->set_chunk(*size);
  return Done{};
}

DmResult<std::unique_ptr<Target>> construct(const TargetArguments& arguments, bool merges) {
  TargetHost& host = arguments.host;
  if (arguments.words.size() < 4) return refuse("requires 4 or more arguments");
  if (arguments.begin != 0) UNMODELLED("a snapshot that is not the first row");
  auto switches = std::make_unique<SnapshotSwitches>(parse_snapshot_switches(arguments.switches));
  const Actor actor =
      host.environment().scheduler.trace().actors().intern("kcopyd " + host.device_name());
  SnapshotTable table;
  table.merges = merges;
  if (auto r = parse_features(arguments.words.subspan(4), &table); !r) return Failure{r.error()};
  table.origin = host.open(arguments.words[0]);
  if (table.origin == nullptr) return refuse("Cannot get origin device", ENODEV);
  if (arguments.words[0] == arguments.words[1]) {
    return refuse("COW device cannot be the same as origin device");
  }
  table.cow = host.open(arguments.words[1]);
  if (table.cow == nullptr) return refuse("Cannot get COW device", ENODEV);
  if (auto r = parse_store(arguments, *switches, actor, &table); !r) return Failure{r.error()};
  if (merges && !table.store->can_merge()) {
    return refuse("Snapshot exception store does not support snapshot-merge.");
  }
  auto snapshot =
      std::make_unique<Snapshot>(arguments, std::move(switches), actor, std::move(table));
  if (auto r = snapshot->set_up(); !r) {
    const WriteGuard guard(Origins::of(host).lock());  // somebody may be walking over the list it is in
    snapshot.reset();
    return Failure{r.error()};
  }
  return std::unique_ptr<Target>(std::move(snapshot));
}

}  // namespace

// Registers the snapshot with its origin, and reads its store, unless it is to be handed over later.
DmResult<> Snapshot::set_up() {
  KernelMemory* const memory = host_.environment().memory;
  const auto allocates = [&](Registration when) { return memory != nullptr && switches_->registration == when; };
  if (allocates(Registration::kAllocatesFirst)) memory->need_frame();
  {
    const WriteGuard guard(origins_.lock());
    if (allocates(Registration::kAllocatesLocked)) memory->need_frame();
    const Origins::Sharing sharing = origins_.sharing(*this);
    if (sharing.count == 2 || sharing.destination != nullptr) {
      return refuse("Snapshot cow pairing for exception table handover failed");
    }
    if (sharing.source != nullptr && merges_) {
      if (sharing.merging != nullptr) return refuse("A snapshot is already merging.");
      if (!sharing.source->store_->can_merge()) {
        return refuse("Snapshot exception store does not support snapshot-merge.");
      }
    }
    if (sharing.source != nullptr) store_->set_chunk(ChunkSize{});
    origins_.insert(*this);
    registered_ = true;
    if (sharing.source != nullptr) return Done{};
  }
  const ExceptionStore::Read read = store_->read_metadata(&complete_);
  if (read.errno_value != 0) return refuse("Failed to read snapshot metadata", read.errno_value);
  if (read.invalid) valid_ = false;
  if (chunk().sectors == 0) return refuse("Chunk size not set");
  return Done{};
}

DmResult<std::unique_ptr<Target>> construct_snapshot(const TargetArguments& arguments) {
  return construct(arguments, false);
}

DmResult<std::unique_ptr<Target>> construct_snapshot_merge(const TargetArguments& arguments) {
  return construct(arguments, true);
}

}  // namespace dmsim::native
