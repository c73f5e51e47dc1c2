// Parses a clone's table line, in the kernel's order of checks and with its words.
#include <bit>
#include <cerrno>

#include "engine/native/clone/clone_set.h"
#include "engine/native/clone/clone_target.h"
#include "engine/native/clone/clone_words.h"
#include "engine/native/mirror/table_words.h"

namespace dmsim::native {
namespace {

constexpr std::uint64_t kLeastRegion = 8;
constexpr std::uint64_t kMostRegion = std::uint64_t{1} << 21;
constexpr std::uint64_t kMostRegions = std::uint64_t{1} << 31;

Failure<DmError> refuse(std::string reason, int errno_value = EINVAL) {
  return Failure{DmError{errno_value, std::move(reason)}};
}

using Words = std::span<const std::string_view>;

DmResult<> parse_devices(const TargetArguments& arguments, CloneTable* out) {
  TargetHost& host = arguments.host;
  out->metadata = host.open(arguments.words[0]);
  if (out->metadata == nullptr) return refuse("Error opening metadata device", ENODEV);
  out->destination = host.open(arguments.words[1]);
  if (out->destination == nullptr) return refuse("Error opening destination device", ENODEV);
  if (out->destination->sectors() < arguments.length) {
    return refuse("Device size larger than destination device");
  }
  out->source = host.open(arguments.words[2]);
  if (out->source == nullptr) return refuse("Error opening source device", ENODEV);
  if (out->source->sectors() < arguments.length) {
    return refuse("Device size larger than source device");
  }
  return Done{};
}

DmResult<> parse_region_size(const TargetArguments& arguments, CloneTable* out) {
  const auto size = parse_number(arguments.words[3], UINT32_MAX);
  if (!size || *size < kLeastRegion || *size > kMostRegion) return refuse("Invalid region size");
  if (!std::has_single_bit(*size)) return refuse("Region size is not a power of 2");
  if (*size % out->source->limits().logical_block_sectors != 0 ||
      *size % out->destination->limits().logical_block_sectors != 0) {
    return refuse("Region size is not a multiple of device logical block size");
  }
  out->region_sectors = static_cast<std::uint32_t>(*size);
  if (clone_metadata::region_count(arguments.length, *size) > kMostRegions) {
    return refuse("Too many regions. Consider increasing the region size");
  }
  return Done{};
}

// The number that leads a group of as many words; takes it off `words`.
std::optional<std::uint64_t> take_group(Words* words, std::uint64_t most) {
  const auto count = parse_number((*words)[0], most);
  if (!count || *count > words->size() - 1) return std::nullopt;
  *words = words->subspan(1);
  return count;
}

DmResult<> parse_features(Words* words, CloneTable* out) {
  if (words->empty()) return Done{};
  const auto count = take_group(words, 2);
  if (!count) return refuse("Invalid number of feature arguments");
  for (const std::string_view feature : words->first(*count)) {
    if (same_word(feature, "no_hydration")) {
      out->hydration_enabled = false;
    } else if (same_word(feature, "no_discard_passdown")) {
      out->discard_passdown = false;
    } else {
      return refuse("Invalid feature argument");
    }
  }
  *words = words->subspan(*count);
  return Done{};
}

DmResult<> parse_core_arguments(Words* words, CloneTable* out) {
  if (words->empty()) return Done{};
  const auto count = take_group(words, 4);
  if (!count) return refuse("Invalid number of core arguments");
  if (*count % 2 != 0) return refuse("Number of core arguments must be even");
  for (std::uint64_t i = 0; i < *count; i += 2) {
    const std::string_view name = (*words)[i];
    const auto value = parse_number((*words)[i + 1], UINT32_MAX);
    if (same_word(name, "hydration_threshold")) {
      if (!value) return refuse("Invalid value for argument `hydration_threshold'");
      out->hydration_threshold = static_cast<std::uint32_t>(*value);
    } else if (same_word(name, "hydration_batch_size")) {
      if (!value) return refuse("Invalid value for argument `hydration_batch_size'");
      out->hydration_batch_size = static_cast<std::uint32_t>(*value);
    } else {
      return refuse("Invalid core argument");
    }
  }
  return Done{};  // what follows is not looked at
}

}  // namespace

DmResult<std::unique_ptr<Target>> construct_clone(const TargetArguments& arguments) {
  TargetHost& host = arguments.host;
  if (arguments.words.size() < 4) return refuse("Invalid number of arguments");
  CloneTable table;
  if (auto r = parse_devices(arguments, &table); !r) return Failure{r.error()};
  if (auto r = parse_region_size(arguments, &table); !r) return Failure{r.error()};
  Words words = arguments.words.subspan(4);
  if (auto r = parse_features(&words, &table); !r) return Failure{r.error()};
  if (auto r = parse_core_arguments(&words, &table); !r) return Failure{r.error()};
  for (const std::string_view word : arguments.words.subspan(3)) table.arguments.emplace_back(word);
  // The kernel finds out when it stacks limits, and prints why.
  if (!table.destination->limits().discard) table.discard_passdown = false;
  auto switches = std::make_unique<CloneSwitches>(parse_clone_switches(arguments.switches));
  const Actor actor = host.environment().scheduler.trace().actors().intern(
      arguments.begin == 0 ? "dm-clone " + host.device_name()
                           : fmt::format("dm-clone {}@{}", host.device_name(), arguments.begin));
  auto clone = std::make_unique<CloneSet>(arguments, std::move(switches), actor, std::move(table));
  if (const int failed = clone->open_metadata(); failed != 0) {
    return refuse("Failed to load metadata", failed);
  }
  return std::unique_ptr<Target>(std::move(clone));
}

}  // namespace dmsim::native
