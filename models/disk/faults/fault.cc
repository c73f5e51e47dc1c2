#include "models/disk/faults/fault.h"

#include "models/disk/faults/kinds.h"

namespace dmsim {
namespace {
// Whether a fault with a probability strikes; 0: it does not.
constexpr ChoicePoint kFaultStrike{"fault.strike"};
}  // namespace

std::string_view fault_kind_name(FaultKind kind) {
  switch (kind) {
    case FaultKind::kReadError: return "read-error";
    case FaultKind::kWriteError: return "write-error";
    case FaultKind::kFlushError: return "flush-error";
    case FaultKind::kDiscardError: return "discard-error";
    case FaultKind::kDiscardRefused: return "discard-refused";
    case FaultKind::kWriteLandsFails: return "write-lands-fails";
    case FaultKind::kDies: return "dies";
    case FaultKind::kRevives: return "revives";
    case FaultKind::kLyingFlush: return "lying-flush";
    case FaultKind::kBitRot: return "bit-rot";
    case FaultKind::kMisdirectedWrite: return "misdirected-write";
  }
  UNMODELLED("kind of fault");
}

std::unique_ptr<Fault> make_fault(const FaultOptions& options) {
  switch (options.kind) {
    case FaultKind::kReadError: return make_read_error(options);
    case FaultKind::kWriteError: return make_write_error(options);
    case FaultKind::kFlushError: return make_flush_error(options);
    case FaultKind::kDiscardError: return make_discard_error(options);
    case FaultKind::kDiscardRefused: return make_discard_refused(options);
    case FaultKind::kWriteLandsFails: return make_write_lands_fails(options);
    case FaultKind::kDies: return make_dies(options);
    case FaultKind::kRevives: return make_dies(options);
    case FaultKind::kLyingFlush: return make_lying_flush(options);
    case FaultKind::kBitRot: return make_bit_rot(options);
    case FaultKind::kMisdirectedWrite: return make_misdirected_write(options);
  }
  UNMODELLED("kind of fault");
}

bool Fault::in_time(Instant now) const {
  const Duration since_boot = now - Instant();
  return since_boot >= options_.from && (!options_.heals || since_boot < *options_.heals);
}

// A flush touches every sector.
SectorRange Fault::affected(const FaultSubject& subject) const {
  if (subject.op == Op::kFlush || !options_.range) return subject.range;
  return subject.range.intersection(*options_.range);
}

bool Fault::strikes(const FaultSubject& subject, FaultContext& context) {
  if (!in_time(context.now)) return false;
  if (subject.op != Op::kFlush && affected(subject).empty()) return false;
  if (state_.matched++ < options_.skip) return false;
  if (options_.count && state_.struck >= *options_.count) return false;
  if (!context.choices.chance(kFaultStrike, context.disk, options_.probability)) return false;
  ++state_.struck;
  return true;
}

// The first fault to fail a request says how.
void Fault::inject(BlockStatus::Code code, const FaultSubject& subject, Fate& fate,
                   FaultContext& context) {
  if (fate.status.ok()) fate.status = {code, true};
  trace(subject, context);
}

void Fault::trace(const FaultSubject& subject, FaultContext& context, std::uint64_t detail) {
  // One after the other: see Disk::complete().
  const std::uint64_t op_word = context.trace.text(op_name(subject.op));
  const std::uint64_t fault_word = context.trace.text(fault_kind_name(options_.kind));
  context.trace.emit_caused(kDiskFault, context.disk, subject.submit, fault_word, op_word,
                            subject.range.begin, subject.range.count(), detail);
}

}  // namespace dmsim
