// Disks and mapped devices of a generated plan: one or two mirrors of two or three legs, alone, in a
// table with linear targets, below or above linear devices, below a delay; legs at offsets; every feature.
#include <algorithm>

#include <fmt/format.h>

#include "harness/generate_draft.h"

namespace dmsim::generate {
namespace {

constexpr ChoicePoint kTroubleKind{"plan.trouble"};
constexpr ChoicePoint kErrorsKind{"plan.errors"};
constexpr ChoicePoint kLayout{"plan.layout"};
constexpr ChoicePoint kMirrorCount{"plan.mirrors"};
constexpr ChoicePoint kLegCount{"plan.legs"};
constexpr ChoicePoint kRegionSize{"plan.region"};
constexpr ChoicePoint kRegionCount{"plan.regions"};
constexpr ChoicePoint kManyRegions{"plan.many-regions"};
constexpr ChoicePoint kShortRegion{"plan.short-region"};
constexpr ChoicePoint kLogKind{"plan.log"};
constexpr ChoicePoint kLogContent{"plan.log.content"};
constexpr ChoicePoint kLegOffset{"plan.leg.offset"};
constexpr ChoicePoint kLinearFirst{"plan.linear-first"};
constexpr ChoicePoint kDelayMs{"plan.delay"};

enum class Layout : std::uint8_t { kAlone, kSeveralTargets, kBelowLinear, kOverLinear, kBelowDelay };

std::string add_disk_of_mirror(Draft& draft, std::string name, std::uint64_t sectors) {
  return add_disk(draft, std::move(name), sectors, {.write_through = {1, 4}}).name;
}

MirrorDraft draw_mirror(Draft& draft, std::size_t number) {
  MirrorDraft mirror;
  mirror.region_sectors =
      static_cast<std::uint32_t>(draft.among(kRegionSize, {64, 16, 32, 128, 8}));
  // Room for the largest block of a task, also in a part of the device.
  const std::uint64_t least = 64 / mirror.region_sectors + 2;
  // Now and then so many that the log's bits need more than half a word: their order shows only there.
  const bool many = draft.odds(kManyRegions, 1, 6);
  const std::uint64_t regions =
      many ? draft.between(kRegionCount, 40, 64) : draft.between(kRegionCount, least, 20);
  if (many) mirror.region_sectors = std::min(mirror.region_sectors, 16u);
  mirror.sectors = regions * mirror.region_sectors;
  if (mirror.region_sectors > 8 && draft.odds(kShortRegion, 1, 4)) mirror.sectors -= 8;
  const std::uint64_t legs = 2 + (draft.odds(kLegCount, 1, 4) ? 1 : 0);
  for (std::uint64_t i = 0; i < legs; ++i) {
    LegDraft leg;
    leg.offset = draft.among<Sector>(kLegOffset, {0, 0, 8, 64, 3});
    leg.disk = add_disk_of_mirror(draft, fmt::format("leg{}", number * 4 + i), leg.offset + mirror.sectors);
    leg.device = leg.disk;
    mirror.legs.push_back(std::move(leg));
  }
  // In case of trouble with the log there must be one.
  if (draft.trouble == Trouble::kLog || !draft.odds(kLogKind, 1, 6)) {
    mirror.log_disk = add_disk_of_mirror(draft, fmt::format("log{}", number), 16);
    if (draft.odds(kLogContent, 1, 2)) draft.disk(mirror.log_disk).content = DiskContent::kZero;
  }
  return mirror;
}

// Linear devices between the legs and their disks.
void put_linear_below(Draft& draft, MirrorDraft& mirror) {
  for (LegDraft& leg : mirror.legs) {
    leg.device = "pv-" + leg.disk;
    draft.plan.devices.push_back(
        {leg.device, fmt::format("0 {} linear {} {}", mirror.sectors, leg.disk, leg.offset), true});
    leg.offset = 0;
  }
  draft.legs_are_disks = false;
}

// The mirrors one behind the other, and perhaps a linear target before or behind.
void make_mapped(Draft& draft, Layout layout) {
  std::vector<std::string> lines;
  Sector at = 0;
  const auto linear = [&](std::uint64_t sectors) {
    const std::string disk = add_disk_of_mirror(draft, kPlainDisk, sectors);
    lines.push_back(fmt::format("{} {} linear {} 0", at, sectors, disk));
    if (draft.trouble == Trouble::kBeside) draft.beside = {at, at + sectors};
    at += sectors;
  };
  const bool with_linear = layout == Layout::kSeveralTargets;
  const bool first = with_linear && draft.odds(kLinearFirst, 1, 2);
  if (first) linear(40);
  for (MirrorDraft& mirror : draft.mirrors) {
    mirror.device = "lv";
    mirror.begin = at;
    if (layout == Layout::kOverLinear) put_linear_below(draft, mirror);
    lines.push_back(mirror_line(mirror, draft.errors));
    at += mirror.sectors;
  }
  if (with_linear && !first) linear(40);
  draft.plan.devices.push_back({"lv", fmt::format("{}", fmt::join(lines, "\n")), true});
  draft.user = "lv";
  draft.user_sectors = at;
}

void put_on_top(Draft& draft, Layout layout) {
  if (layout == Layout::kBelowLinear) {
    // Not all of it, and not from its start.
    const std::uint64_t sectors = draft.user_sectors - 16;
    draft.plan.devices.push_back({"top", fmt::format("0 {} linear lv 8", sectors), true});
    draft.user_sectors = sectors;
  } else if (layout == Layout::kBelowDelay) {
    draft.plan.devices.push_back({"top", fmt::format("0 {} delay lv 0 {}", draft.user_sectors,
                                                     draft.between(kDelayMs, 1, 3)), true});
  } else {
    return;
  }
  draft.user = "top";
  draft.stacked = true;
}

// How long the first synchronisation can take at most, generously: regions are copied one by one, each with
// a read, a write, and a mark in the log.
Duration time_to_sync(Draft& draft) {
  Duration total = Duration::milliseconds(20);
  for (const MirrorDraft& mirror : draft.mirrors) {
    Duration each = Duration::microseconds(100);
    for (const LegDraft& leg : mirror.legs) {
      const DiskOptions& disk = draft.disk(leg.disk);
      each = each + disk.read.most + disk.write.most + disk.flush.most;
    }
    if (!mirror.log_disk.empty()) {
      const DiskOptions& log = draft.disk(mirror.log_disk);
      each = each + log.write.most + log.flush.most;
    }
    total = total + each * static_cast<std::int64_t>(2 * (mirror.regions() + 2));
  }
  return total;
}

}  // namespace

std::string mirror_line(const MirrorDraft& mirror, Errors errors) {
  std::string line = fmt::format("{} {} mirror ", mirror.begin, mirror.sectors);
  line += mirror.log_disk.empty() ? fmt::format("core 1 {}", mirror.region_sectors)
                                  : fmt::format("disk 2 {} {}", mirror.log_disk, mirror.region_sectors);
  line += fmt::format(" {}", mirror.legs.size());
  for (const LegDraft& leg : mirror.legs) line += fmt::format(" {} {}", leg.device, leg.offset);
  switch (errors) {
    case Errors::kHandled: return line + " 1 handle_errors";
    case Errors::kIgnored: return line;
    case Errors::kKeepLog: return line + " 2 handle_errors keep_log";
  }
  UNMODELLED("way to handle errors");
}

void make_devices(Draft& draft) {
  draft.trouble = static_cast<Trouble>(draft.pick(kTroubleKind, kTroubles));
  draft.errors = draft.among(kErrorsKind, {Errors::kHandled, Errors::kHandled, Errors::kIgnored,
                                           Errors::kKeepLog});
  auto layout = draft.among(
      kLayout, {Layout::kAlone, Layout::kAlone, Layout::kAlone, Layout::kSeveralTargets,
                Layout::kBelowLinear, Layout::kOverLinear, Layout::kBelowDelay});
  if (draft.trouble == Trouble::kBeside) layout = Layout::kSeveralTargets;
  const std::size_t mirrors =
      layout == Layout::kSeveralTargets && draft.odds(kMirrorCount, 1, 2) ? 2 : 1;
  for (std::size_t i = 0; i < mirrors; ++i) draft.mirrors.push_back(draw_mirror(draft, i));
  make_mapped(draft, layout);
  put_on_top(draft, layout);
  draft.synced = time_to_sync(draft);
}

}  // namespace dmsim::generate
