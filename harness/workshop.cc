#include "harness/workshop.h"

namespace dmsim {

const Pristine& Workshop::pristine(const DiskOptions& options) {
  const std::string key =
      fmt::format("{}/{}/{}", options.name, options.sectors, static_cast<int>(options.content));
  auto& made = pristine_[key];
  if (made == nullptr) made = std::make_unique<Pristine>(pages_, options);
  return *made;
}

}  // namespace dmsim
