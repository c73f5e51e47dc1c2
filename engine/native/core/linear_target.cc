// linear: a row's sectors lie on one device, shifted by an offset (dm-linear.c).
#include <fmt/format.h>

#include <cerrno>

#include "engine/native/core/simple_targets.h"
#include "engine/native/core/table_text.h"

namespace dmsim::native {
namespace {

Failure<DmError> refused(int errno_value, const char* reason) { return {DmError{errno_value, reason}}; }

class LinearTarget final : public Target {
 public:
  LinearTarget(Sector begin, std::uint64_t length, BlockDevice& device, Sector offset)
      : Target(begin, length), device_(device), offset_(offset) {}

  std::string_view type() const override { return "linear"; }

  MapResult map(TargetBio& bio) override {
    bio.device = &device_;
    if (bio.bio.op != Op::kFlush) bio.bio.sector = offset_ + (bio.bio.sector - begin());
    return MapResult::kRemapped;
  }
  std::vector<TargetDevice> data_devices() const override {
    return {{&device_, offset_, length()}};
  }
  std::string status(StatusKind kind) override {
    if (kind == StatusKind::kInfo) return {};
    return fmt::format("{} {}", device_.name(), offset_);
  }

 private:
  BlockDevice& device_;
  Sector offset_;  // on device_, of the row's first sector
};

DmResult<std::unique_ptr<Target>> construct(const TargetArguments& arguments) {
  if (arguments.words.size() != 2) return refused(EINVAL, "Invalid argument count");
  const auto offset = parse_u64(arguments.words[1]);
  if (!offset) return refused(EINVAL, "Invalid device sector");
  BlockDevice* const device = arguments.host.open(arguments.words[0]);
  if (device == nullptr) return refused(ENODEV, "Device lookup failed");
  return std::unique_ptr<Target>(
      std::make_unique<LinearTarget>(arguments.begin, arguments.length, *device, *offset));
}

}  // namespace

TargetType linear_target_type() { return {"linear", &construct}; }

}  // namespace dmsim::native
