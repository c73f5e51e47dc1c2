// delay: a linear mapping that holds reads, writes and flushes back for a while each (dm-delay.c).
//
// Discards count as writes. A suspend lets everything go at once; until the next resume nothing is
// held any more, even when the suspend is given up (Linux has no presuspend_undo here either).
//
// Not modelled: Linux hands due bios to a workqueue; here the timer submits them itself.
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <optional>

#include "engine/native/core/simple_targets.h"
#include "engine/native/core/table_text.h"
#include "sim/wait.h"

namespace dmsim::native {
namespace {

Failure<DmError> refused(int errno_value, const char* reason) { return {DmError{errno_value, reason}}; }

// What one kind of bio goes through.
struct DelayClass {
  BlockDevice* device = nullptr;
  Sector offset = 0;
  std::uint32_t delay_ms = 0;
  std::uint32_t held = 0;  // bios held back now

  std::string table() const { return fmt::format("{} {} {}", device->name(), offset, delay_ms); }
};

enum : std::size_t { kReads, kWrites, kFlushes, kClasses };
using DelayClasses = std::array<DelayClass, kClasses>;

class DelayTarget final : public Target {
 public:
  DelayTarget(const TargetArguments& arguments, const DelayClasses& classes)
      : Target(arguments.begin, arguments.length),
        host_(arguments.host),
        classes_(classes),
        words_(arguments.words.size()),
        timer_(arguments.host.environment().scheduler, [this] { release(false); }) {}

  std::string_view type() const override { return "delay"; }

  MapResult map(TargetBio& bio) override {
    const std::size_t kind = bio.bio.op == Op::kRead    ? kReads
                             : bio.bio.op == Op::kFlush ? kFlushes
                                                        : kWrites;
    DelayClass& way = classes_[kind];
    bio.device = way.device;
    if (bio.bio.op != Op::kFlush) bio.bio.sector = way.offset + (bio.bio.sector - begin());
    if (way.delay_ms == 0 || !may_delay_) return MapResult::kRemapped;
    const Instant due = now() + Duration::milliseconds(way.delay_ms);
    bio.words[kDue] = static_cast<std::uint64_t>(due.ns());
    bio.words[kKind] = kind;
    ++way.held;
    held_.push_back(bio.bio);
    if (!timer_.armed() || due < armed_for_) arm(due);
    return MapResult::kSubmitted;
  }
  std::vector<TargetDevice> data_devices() const override {
    std::vector<TargetDevice> out;
    for (const DelayClass& way : classes_) out.push_back({way.device, way.offset, length()});
    return out;
  }

  void presuspend() override {
    may_delay_ = false;
    timer_.cancel();
    release(true);
  }
  void resume() override { may_delay_ = true; }

  std::string status(StatusKind kind) override {
    if (kind == StatusKind::kInfo) {
      return fmt::format("{} {} {}", classes_[kReads].held, classes_[kWrites].held,
                         classes_[kFlushes].held);
    }
    std::string out = classes_[kReads].table();
    if (words_ >= 6) out += ' ' + classes_[kWrites].table();
    if (words_ >= 9) out += ' ' + classes_[kFlushes].table();
    return out;
  }
  void list_leaks(std::vector<std::string>& out) const override {
    if (!held_.empty()) out.push_back(fmt::format("{} bios held by delay", held_.size()));
  }

 private:
  enum : std::size_t { kDue, kKind };  // words of a TargetBio: when it may go, its class

  Instant now() { return host_.environment().scheduler.now(); }
  void arm(Instant due) {
    armed_for_ = due;
    timer_.arm(due - now());
  }

  // Submits what is due (or everything), in order of arrival; arms the timer for the rest.
  void release(bool all) {
    BioList ready;
    BioList rest;
    std::optional<Instant> next;
    while (Bio* bio = held_.pop_front()) {
      const TargetBio& held = target_bio_of(*bio);
      const Instant due = Instant::at_ns(static_cast<std::int64_t>(held.words[kDue]));
      if (all || due <= now()) {
        --classes_[held.words[kKind]].held;
        ready.push_back(*bio);
        continue;
      }
      if (!next || due < *next) next = due;
      rest.push_back(*bio);
    }
    held_.take_all(rest);
    if (next) arm(*next);
    while (Bio* bio = ready.pop_front()) host_.submit(target_bio_of(*bio));
  }

  TargetHost& host_;
  DelayClasses classes_;
  std::size_t words_;      // of the table line: 3, 6 or 9
  bool may_delay_ = true;
  BioList held_;           // in order of arrival
  Instant armed_for_;      // valid while timer_ is armed
  Timer timer_;
};

// Parses "DEVICE OFFSET DELAY" out of three words.
DmResult<DelayClass> parse_class(TargetHost& host, std::span<const std::string_view> words) {
  DelayClass way;
  const auto offset = parse_u64(words[1]);
  if (!offset) return refused(EINVAL, "Invalid device sector");
  const auto delay = parse_u32(words[2]);
  if (!delay) return refused(EINVAL, "Invalid delay");
  way.device = host.open(words[0]);
  if (way.device == nullptr) return refused(ENODEV, "Device lookup failed");
  way.offset = *offset;
  way.delay_ms = *delay;
  return way;
}

DmResult<std::unique_ptr<Target>> construct(const TargetArguments& arguments) {
  const std::size_t count = arguments.words.size();
  if (count != 3 && count != 6 && count != 9) {
    return refused(EINVAL, "Requires exactly 3, 6 or 9 arguments");
  }
  DelayClasses classes;
  // A class that is not given is that of the words before it.
  for (std::size_t kind = 0; kind < kClasses; ++kind) {
    const std::size_t first = std::min(kind * 3, count - 3);
    auto way = parse_class(arguments.host, arguments.words.subspan(first, 3));
    if (!way) return Failure{way.error()};
    classes[kind] = *way;
  }
  return std::unique_ptr<Target>(std::make_unique<DelayTarget>(arguments, classes));
}

}  // namespace

TargetType delay_target_type() { return {"delay", &construct}; }

}  // namespace dmsim::native
