// error: every bio fails with EIO (dm-target.c). It takes discards so that they fail in the same way,
// though a table that holds it does not offer them.
#include "engine/native/core/simple_targets.h"

namespace dmsim::native {
namespace {

class ErrorTarget final : public Target {
 public:
  ErrorTarget(Sector begin, std::uint64_t length) : Target(begin, length) {}

  std::string_view type() const override { return "error"; }
  MapResult map(TargetBio&) override { return MapResult::kKill; }
  std::uint32_t flush_bios() const override { return 0; }
  std::string status(StatusKind) override { return {}; }
};

DmResult<std::unique_ptr<Target>> construct(const TargetArguments& arguments) {
  return std::unique_ptr<Target>(std::make_unique<ErrorTarget>(arguments.begin, arguments.length));
}

}  // namespace

TargetType error_target_type() { return {"error", &construct}; }

}  // namespace dmsim::native
