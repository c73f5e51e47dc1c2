// zero: reads give zeros, writes vanish (dm-zero.c). Flushes have nothing to flush; a discard that
// gets as far as here fails, though a table that holds a zero target does not offer them.
#include <array>
#include <cerrno>

#include "engine/native/core/simple_targets.h"

namespace dmsim::native {
namespace {

constexpr std::array<std::byte, kPageBytes> kZeros{};

class ZeroTarget final : public Target {
 public:
  ZeroTarget(Sector begin, std::uint64_t length, TargetHost& host)
      : Target(begin, length), host_(host) {}

  std::string_view type() const override { return "zero"; }

  MapResult map(TargetBio& bio) override {
    switch (bio.bio.op) {
      case Op::kRead: fill_with_zeros(bio.bio); break;
      case Op::kWrite: break;
      case Op::kFlush:
      case Op::kDiscard: return MapResult::kKill;
    }
    host_.finish(bio, BlockStatus::okay());
    return MapResult::kSubmitted;
  }
  std::uint32_t flush_bios() const override { return 0; }
  std::string status(StatusKind) override { return {}; }

 private:
  void fill_with_zeros(const Bio& bio) {
    DataCursor cursor(bio);
    DataPiece piece;
    while (cursor.next(&piece)) write_piece(piece, host_.environment().pages, kZeros.data());
  }

  TargetHost& host_;
};

DmResult<std::unique_ptr<Target>> construct(const TargetArguments& arguments) {
  if (!arguments.words.empty()) return Failure{DmError{EINVAL, "No arguments required"}};
  return std::unique_ptr<Target>(
      std::make_unique<ZeroTarget>(arguments.begin, arguments.length, arguments.host));
}

}  // namespace

TargetType zero_target_type() { return {"zero", &construct}; }

}  // namespace dmsim::native
