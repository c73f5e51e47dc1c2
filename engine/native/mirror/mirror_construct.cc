// Parses a mirror's table line, in the kernel's order of checks and with its words.
#include "engine/native/mirror/mirror_set.h"
#include "engine/native/mirror/mirror_target.h"
#include "engine/native/mirror/table_words.h"

namespace dmsim::native {
namespace {

constexpr int kEinval = 22;
constexpr int kEnodev = 19;

Failure<DmError> refuse(std::string reason, int errno_value = kEinval) {
  return Failure{DmError{errno_value, std::move(reason)}};
}

using Words = std::span<const std::string_view>;

// log_type #logargs logargs...; takes them off `words`.
DmResult<> parse_log(Words* words, std::uint64_t length, const LogSite& site, MirrorTable* out) {
  if (words->size() < 2) return refuse("Insufficient mirror log arguments");
  const auto count = parse_number((*words)[1], UINT32_MAX);
  if (!count) return refuse("Invalid mirror log argument count");
  if (*count > words->size() - 2) return refuse("Insufficient mirror log arguments");
  auto log = create_dirty_log((*words)[0], words->subspan(2, *count), length, site);
  if (!log) {
    return refuse(fmt::format("Error creating mirror dirty log ({})", log.error().reason));
  }
  out->log = std::move(log).value();
  *words = words->subspan(2 + *count);
  return Done{};
}

// #mirrors (device offset)...
DmResult<> parse_legs(Words* words, TargetHost& host, MirrorTable* out) {
  const auto count = words->empty() ? std::nullopt : parse_number((*words)[0], UINT32_MAX);
  if (!count || *count < 2 || *count > kMaxLegs) return refuse("Invalid number of mirrors");
  if (words->size() - 1 < *count * 2) return refuse("Too few mirror arguments");
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto offset = parse_number((*words)[2 + 2 * i], UINT64_MAX);
    if (!offset) return refuse("Invalid offset");
    BlockDevice* device = host.open((*words)[1 + 2 * i]);
    if (device == nullptr) return refuse("Device lookup failure", kEnodev);
    Leg leg;
    leg.device = device;
    leg.offset = *offset;
    leg.index = i;
    out->legs.push_back(leg);
  }
  *words = words->subspan(1 + 2 * *count);
  return Done{};
}

// [#features feature...]
DmResult<> parse_features(Words* words, MirrorTable* out) {
  if (words->empty()) return Done{};
  const auto count = parse_number((*words)[0], UINT32_MAX);
  if (!count) return refuse("Invalid number of features");
  if (*count > words->size() - 1) return refuse("Not enough arguments to support feature count");
  for (std::uint64_t i = 1; i <= *count; ++i) {
    const std::string_view feature = (*words)[i];
    if (feature == "handle_errors") {
      out->handle_errors = true;
    } else if (feature == "keep_log") {
      out->keep_log = true;
    } else {
      return refuse("Unrecognised feature requested");
    }
  }
  if (out->keep_log && !out->handle_errors && !out->log->block_on_error()) {
    return refuse("keep_log feature requires the handle_errors feature");
  }
  *words = words->subspan(1 + *count);
  return Done{};
}

}  // namespace

DmResult<std::unique_ptr<Target>> construct_mirror(const TargetArguments& arguments) {
  TargetHost& host = arguments.host;
  auto switches = std::make_unique<MirrorSwitches>(parse_mirror_switches(arguments.switches));
  const Actor actor = host.environment().scheduler.trace().actors().intern(
      arguments.begin == 0 ? "kmirrord " + host.device_name()
                           : fmt::format("kmirrord {}@{}", host.device_name(), arguments.begin));
  Words words = arguments.words;
  MirrorTable table;
  if (auto r = parse_log(&words, arguments.length, LogSite{host, *switches, actor}, &table); !r) {
    return Failure{r.error()};
  }
  if (auto r = parse_legs(&words, host, &table); !r) return Failure{r.error()};
  if (auto r = parse_features(&words, &table); !r) return Failure{r.error()};
  if (!words.empty()) return refuse("Too many mirror arguments");
  return std::unique_ptr<Target>(
      std::make_unique<MirrorSet>(arguments, std::move(switches), actor, std::move(table)));
}

}  // namespace dmsim::native
