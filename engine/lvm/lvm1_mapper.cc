#include "engine/lvm/lvm1_mapper.h"

namespace dmsim::lvm1 {

BlockDevice* Mapper::find(std::string_view device) {
  if (BlockDevice* const volume = driver_.find(device)) return volume;
  return engine_->find(device);
}

DmResult<std::string> Mapper::table(std::string_view device, TableSlot slot) {
  const Volume* const volume = driver_.find(device);
  if (volume == nullptr) return engine_->table(device, slot);
  return slot == TableSlot::kLive ? volume->group().data.table(volume->data()) : std::string();
}

// Nothing ever suspends a volume of LVM1.
void Mapper::set_freezer(std::string_view device, Freezer* freezer) {
  if (driver_.find(device) == nullptr) engine_->set_freezer(device, freezer);
}

std::vector<const MirrorView*> Mapper::mirrors(std::string_view device) {
  if (driver_.find(device) != nullptr) return {};
  return engine_->mirrors(device);
}

std::vector<const CloneView*> Mapper::clones(std::string_view device) {
  if (driver_.find(device) != nullptr) return {};
  return engine_->clones(device);
}

std::vector<std::string> Mapper::leaks() {
  std::vector<std::string> out = engine_->leaks();
  for (std::string& leak : driver_.leaks()) out.push_back(std::move(leak));
  return out;
}

}  // namespace dmsim::lvm1
