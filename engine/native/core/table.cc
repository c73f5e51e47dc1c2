// Parsing, stacking of limits, and the host side of targets. Counterpart of dm-table.c. Each complaint
// comes in the words that dm would print, without the names that dm puts in front.
#include "engine/native/core/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "engine/native/core/mapped_device.h"
#include "engine/native/core/table_text.h"

namespace dmsim::native {
namespace {

constexpr std::uint64_t kMostSectors =
    static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / kSectorBytes;
constexpr std::uint32_t kNoLimit = std::numeric_limits<std::uint32_t>::max();

Failure<DmError> invalid(std::string reason) { return {DmError{EINVAL, std::move(reason)}}; }

// The limits before anything is stacked onto them.
constexpr BlockLimits stacking_base() {
  return {.logical_block_sectors = 1,
          .discard = true,
          .volatile_cache = false,
          .stable_writes = false,
          .max_sectors = kNoLimit};
}

void stack(BlockLimits& limits, const BlockLimits& below) {
  limits.logical_block_sectors = std::max(limits.logical_block_sectors, below.logical_block_sectors);
  limits.max_sectors = std::min(limits.max_sectors, below.max_sectors);
  limits.discard = limits.discard && below.discard;
  limits.volatile_cache = limits.volatile_cache || below.volatile_cache;
  limits.stable_writes = limits.stable_writes || below.stable_writes;
}

// Does the area lie within its device, and fit into its blocks?
DmResult<> check_area(const TargetDevice& area, const BlockLimits& limits) {
  const std::uint64_t device_sectors = area.device->sectors();
  const std::string& name = area.device->name();
  if (device_sectors == 0) return Done{};  // a mapped device without a table yet
  if (area.begin >= device_sectors || area.length > device_sectors - area.begin) {
    return invalid(fmt::format("{} too small for target: start={}, len={}, dev_size={}", name,
                               area.begin, area.length, device_sectors));
  }
  const std::uint32_t block = limits.logical_block_sectors;
  for (const auto& [what, value] : {std::pair{"start", area.begin}, {"len", area.length}}) {
    if (value % block == 0) continue;
    return invalid(fmt::format("{}={} not aligned to h/w logical block size {} of {}", what, value,
                               block * kSectorBytes, name));
  }
  return Done{};
}

}  // namespace

DmResult<std::unique_ptr<Table>> Table::parse(CoreContext& context, MappedDevice& device,
                                              LowerDevices& lower, const SwitchValues& switches,
                                              std::span<const TargetType> types,
                                              std::string_view text) {
  auto lines = parse_table_lines(text);
  if (!lines) return Failure{lines.error()};
  if (lines->empty()) return invalid("populate_table: no targets specified");
  std::unique_ptr<Table> table(new Table(context, device, lower));
  for (const TableLine& line : *lines) {
    if (auto added = table->add_target(line, types, switches); !added) return Failure{added.error()};
  }
  return table;
}

DmResult<> Table::add_target(const TableLine& line, std::span<const TargetType> types,
                             const SwitchValues& switches) {
  if (line.length == 0) return invalid("zero-length target");
  if (line.begin > kMostSectors || line.length > kMostSectors - line.begin) {
    return invalid("too large device");
  }
  const auto type = std::find_if(types.begin(), types.end(),
                                 [&](const TargetType& t) { return t.name == line.type; });
  if (type == types.end()) return invalid("unknown target type");
  if (line.begin != (rows_.empty() ? 0 : rows_.back().end)) return invalid("Gap in table");

  const std::vector<std::string> words = split_words(line.parameters);
  const std::vector<std::string_view> views(words.begin(), words.end());
  opening_.clear();
  auto target = type->construct({line.begin, line.length, views, *this, switches});
  if (!target) return Failure{target.error()};
  const Target& made = **target;
  CHECK(made.begin() == line.begin && made.length() == line.length, made.type());
  rows_.push_back({line.begin, line.begin + line.length, target->get(), kNoLimit,
                   made.split_sectors(), made.split_varies(), made.flush_bios(),
                   made.discard_bios()});
  targets_.push_back(std::move(*target));
  opened_by_row_.push_back(std::move(opening_));
  return Done{};
}

Table::~Table() {
  targets_.clear();
  for (const Opened& opened : opened_) {
    if (opened.mapped != nullptr) opened.mapped->close();
  }
}

const Table::Row* Table::search(Sector sector) const {
  const auto row = std::upper_bound(rows_.begin(), rows_.end(), sector,
                                    [](Sector s, const Row& r) { return s < r.end; });
  return row == rows_.end() ? nullptr : &*row;
}

std::vector<TargetDevice> Table::devices_of(std::size_t row, bool* areas_known) const {
  std::vector<TargetDevice> devices = targets_[row]->data_devices();
  *areas_known = !devices.empty();
  if (devices.empty()) {
    for (BlockDevice* device : opened_by_row_[row]) devices.push_back({device, 0, device->sectors()});
  }
  return devices;
}

// `discard`: whether discards are understood by this row and everything below it. A target without
// devices is taken not to, as Linux does.
DmResult<BlockLimits> Table::row_limits(std::size_t row, bool* discard) const {
  bool areas_known = false;
  const std::vector<TargetDevice> devices = devices_of(row, &areas_known);
  BlockLimits limits = stacking_base();
  for (const TargetDevice& area : devices) stack(limits, area.device->limits());
  if (areas_known) {
    for (const TargetDevice& area : devices) {
      if (auto checked = check_area(area, limits); !checked) return Failure{checked.error()};
    }
  }
  *discard = rows_[row].discard_bios > 0 &&
             (targets_[row]->discards_supported() || (!devices.empty() && limits.discard));
  if (targets_[row]->flush_supported()) limits.volatile_cache = true;
  if (rows_[row].flush_bios == 0) limits.volatile_cache = false;
  if (targets_[row]->stable_writes()) limits.stable_writes = true;
  return limits;
}

DmResult<BlockLimits> Table::stack_limits() {
  BlockLimits whole = stacking_base();
  std::vector<BlockLimits> each;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    bool discard = false;
    auto limits = row_limits(i, &discard);
    if (!limits) return Failure{limits.error()};
    limits->discard = discard;
    stack(whole, *limits);
    each.push_back(*limits);
  }
  // A block that straddles two rows must leave the second a piece that fits its own block size.
  std::uint64_t remaining = 0;
  std::size_t i = 0;
  for (; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    if (remaining < row.end - row.begin && remaining % each[i].logical_block_sectors != 0) break;
    const std::uint64_t next = row.end % whole.logical_block_sectors;
    remaining = next == 0 ? 0 : whole.logical_block_sectors - next;
  }
  if (remaining != 0) {
    const Row& row = rows_[std::min(i, rows_.size() - 1)];
    return invalid(fmt::format(
        "table line {} (start sect {} len {}) not aligned to h/w logical block size {}", i, row.begin,
        row.end - row.begin, whole.logical_block_sectors * kSectorBytes));
  }
  for (std::size_t row = 0; row < rows_.size(); ++row) rows_[row].max_sectors = each[row].max_sectors;
  return whole;
}

void Table::presuspend() {
  for (auto& target : targets_) target->presuspend();
}

void Table::presuspend_undo() {
  for (auto& target : targets_) target->presuspend_undo();
}

void Table::postsuspend() {
  for (auto& target : targets_) target->postsuspend();
}

DmResult<> Table::resume() {
  for (auto& target : targets_) {
    if (auto ready = target->preresume(); !ready) return ready;
  }
  for (auto& target : targets_) target->resume();
  return Done{};
}

bool Table::congested() const {
  bool any = false;
  for (const Opened& opened : opened_) {
    context_.environment.scheduler.preempt_point();
    any |= opened.device->congested();
  }
  return any;
}

void Table::before_destroy() {
  for (auto& target : targets_) target->before_destroy();
}

std::string Table::describe(StatusKind kind) const {
  std::string out;
  for (const auto& target : targets_) {
    if (!out.empty()) out += '\n';
    out += fmt::format("{} {} {} {}", target->begin(), target->length(), target->type(),
                       target->status(kind));
  }
  return out;
}

std::uint32_t Table::uses(const MappedDevice& device) const {
  return static_cast<std::uint32_t>(
      std::count_if(opened_.begin(), opened_.end(),
                    [&](const Opened& opened) { return opened.mapped == &device; }));
}

BlockDevice* Table::open(std::string_view name) {
  MappedDevice* mapped = lower_.find_mapped(name);
  if (mapped == &device_) return nullptr;  // a device cannot stand on itself
  BlockDevice* device = mapped != nullptr ? static_cast<BlockDevice*>(mapped)
                                          : context_.environment.devices.find_disk(name);
  if (device == nullptr) return nullptr;
  if (std::find(opening_.begin(), opening_.end(), device) == opening_.end()) {
    opening_.push_back(device);
  }
  for (const Opened& opened : opened_) {
    if (opened.device == device) return device;
  }
  if (mapped != nullptr) mapped->open();
  opened_.push_back({device, mapped, context_.environment.scheduler.trace().actors().intern(name)});
  return device;
}

bool Table::noflush_suspending() const { return device_.noflush_suspending(); }
bool Table::suspended() const { return device_.suspended(); }
void Table::event() {
  if (bound_) device_.raise_event();
}
void Table::finish(TargetBio& bio, BlockStatus status) { device_.finish_clone(bio, status); }
void Table::submit(TargetBio& bio) { device_.submit_clone(bio); }
Actor Table::device_actor() const { return device_.actor(); }
const std::string& Table::device_name() const { return device_.name(); }
InternallySuspended& Table::internal_suspend() {
  MappedDevice& device = device_;  // this table may be replaced meanwhile
  device.internal_suspend();
  return device;
}

SharedState& Table::shared(std::string_view name, MakeSharedState make) {
  for (auto& [known, state] : context_.shared) {
    if (known == name) return *state;
  }
  context_.shared.emplace_back(std::string(name), make(context_.environment));
  return *context_.shared.back().second;
}

}  // namespace dmsim::native
