// What a mirror says of itself: status and table lines as Linux prints them (device names stand for
// major:minor), and the view that oracles have of it.
#include "engine/native/mirror/mirror_set.h"

namespace dmsim::native {

std::string MirrorSet::status(StatusKind kind) {
  std::string line;
  if (kind == StatusKind::kInfo) {
    line = fmt::format("{} ", legs_.count());
    std::string health;
    for (const native::Leg& leg : legs_.all()) {
      line += leg.device->name() + " ";
      health += MirrorLegs::health(leg);
    }
    line += fmt::format("{}/{} 1 {} ", log_->sync_count(), log_->region_count(), health);
    return line + log_->status(kind);
  }
  line = log_->status(kind);
  line += fmt::format("{}", legs_.count());
  for (const native::Leg& leg : legs_.all()) {
    line += fmt::format(" {} {}", leg.device->name(), leg.offset);
  }
  const bool handle_errors = handle_errors_ && !log_->block_on_error();
  const int features = (handle_errors ? 1 : 0) + (keep_log_ ? 1 : 0);
  if (features > 0) line += fmt::format(" {}", features);
  if (handle_errors) line += " handle_errors";
  if (keep_log_) line += " keep_log";
  return line;
}

std::vector<TargetDevice> MirrorSet::data_devices() const {
  std::vector<TargetDevice> devices;
  for (const native::Leg& leg : legs_.all()) devices.push_back({leg.device, leg.offset, length()});
  return devices;
}

const std::vector<MirrorView::Leg>& MirrorSet::legs() const {
  leg_view_.resize(legs_.count());
  for (const native::Leg& leg : legs_.all()) {
    MirrorView::Leg& view = leg_view_[leg.index];
    if (view.device.empty()) view.device = leg.device->name();
    view.offset = leg.offset;
    view.failed = leg.failed();
  }
  return leg_view_;
}

std::string MirrorSet::log_device() const {
  return log_->device() == nullptr ? std::string() : log_->device()->name();
}

MirrorRegion MirrorSet::region(std::uint64_t index) const {
  CHECK(index < log_->region_count(), index);
  const Region* entry = hash_.find(index);
  MirrorRegion view;
  view.in_sync = log_->in_sync(index);
  view.clean = log_->is_clean(index);
  view.tracked = entry != nullptr;
  if (entry != nullptr) {
    view.recovering = entry->state == RegionState::kRecovering;
    view.pending = entry->pending;
  }
  return view;
}

void MirrorSet::list_leaks(std::vector<std::string>& out) const {
  const std::string& name = host_.device_name();
  const auto report = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) out.push_back(fmt::format("{} {} of mirror {}", count, what, name));
  };
  report(kept_ - holds_.size(), "bios in the queues");
  report(holds_.size(), "held writes");
  report(bounce_.in_use(), "bounce buffers");
  report(copier_.busy() ? 1 : 0, "region copies");
  report(hash_.leaked(), "region entries");
}

}  // namespace dmsim::native
