// Trace: everything that happened, one event after the other, each with an id, an instant, a cause.
//
// Every event is folded into the fingerprint; whether it is also kept is the caller's wish: nothing,
// the last few (for the tail that a failed CHECK prints) or all. Kinds are constants that name their
// arguments, so that `sim` renders an event without knowing what a sector is.
// docs/TRACE_FORMAT.md describes the text form column by column.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fingerprint.h"
#include "sim/actor.h"
#include "sim/time.h"

namespace dmsim {

// How an argument of an event is written.
enum class ArgForm : std::uint8_t {
  kNumber,  // decimal
  kActor,   // the actor's name
  kHex,     // hexadecimal, for digests
  kText,    // an index into Trace::texts (table lines, status lines, printk)
  kEnum,    // an index into TraceArg::names: the cheap way to say one of a few words
};

struct TraceArg {
  std::string_view name;  // "sector"; empty: not used
  ArgForm form = ArgForm::kNumber;
  const std::string_view* names = nullptr;  // kEnum only: constants, one for each value
};

// A kind of event. Defined `inline constexpr` beside the code that emits it.
struct TraceKind {
  std::string_view name;  // "bio.submit"; stable across versions of the tool
  std::array<TraceArg, 5> args;
  std::uint64_t hash;
  constexpr TraceKind(std::string_view n, std::array<TraceArg, 5> a)
      : name(n), args(a), hash(hash_name(n.data(), n.size())) {}
};

using TraceId = std::uint64_t;  // 1, 2, 3, ... within a trace; 0: none

struct TraceEvent {
  TraceId id;
  Instant at;
  TraceId cause;          // the event that led to this one; 0: the plan itself
  const TraceKind* kind;
  Actor actor;            // who did it
  std::array<std::uint64_t, 5> args;
};

// Told of every event as it happens, on the stack of whoever emitted it: must not block, and must
// not emit.
class TraceListener {
 public:
  virtual void on_event(const TraceEvent& event) = 0;

 protected:
  ~TraceListener() = default;
};

class Trace {
 public:
  enum class Keep { kTail, kAll };
  static constexpr std::size_t kTailSize = 64;  // a power of two

  explicit Trace(Keep keep = Keep::kTail);

  // Continues another trace (a reboot after a power cut): same ids, instants, actors, fingerprint.
  // With Keep::kAll the events of `before` are kept too.
  Trace(const Trace& before, Keep keep);

  ActorNames& actors() { return actors_; }
  const ActorNames& actors() const { return actors_; }

  // Sets what the next events carry. Only the scheduler calls these.
  void set_now(Instant now) { now_ = now; }
  void set_cause(TraceId cause) { cause_ = cause; }
  TraceId cause() const { return cause_; }

  TraceId emit(const TraceKind& kind, Actor actor, std::uint64_t a = 0, std::uint64_t b = 0,
               std::uint64_t c = 0, std::uint64_t d = 0, std::uint64_t e = 0) {
    return emit_caused(kind, actor, cause_, a, b, c, d, e);
  }
  // With a cause other than what is running: a completion is caused by its submission.
  TraceId emit_caused(const TraceKind& kind, Actor actor, TraceId cause, std::uint64_t a = 0,
                      std::uint64_t b = 0, std::uint64_t c = 0, std::uint64_t d = 0,
                      std::uint64_t e = 0) {
    const TraceEvent event{++last_id_, now_, cause, &kind, actor, {a, b, c, d, e}};
    fingerprint_.fold(kind.hash ^ (static_cast<std::uint64_t>(actor) << 32) ^ cause);
    fingerprint_.fold(static_cast<std::uint64_t>(now_.ns()) ^ mix_words(c, d));
    fingerprint_.fold(mix_words(a, b) + e);
    if (keep_ == Keep::kAll) {
      events_.push_back(event);
    } else {
      events_[event.id & (kTailSize - 1)] = event;
    }
    if (listener_ != nullptr) listener_->on_event(event);
    return event.id;
  }

  // Folds a slice of a fiber into the fingerprint, so that two schedules never look alike.
  void note_slice(Actor actor) { fingerprint_.fold(static_cast<std::uint64_t>(actor)); }

  // A text argument: kept for rendering, folded into the fingerprint by content, now: two of them in one
  // argument list would leave their order to the compiler.
  std::uint64_t text(std::string_view value);

  TraceId last_id() const { return last_id_; }
  const Fingerprint& fingerprint() const { return fingerprint_; }
  // Not owned; null: none.
  void set_listener(TraceListener* listener) { listener_ = listener; }

  // The events kept, oldest first.
  std::vector<TraceEvent> kept() const;
  // One line, fixed columns, no newline.
  std::string render(const TraceEvent& event) const;
  std::string render_tail(std::size_t count = kTailSize) const;

 private:
  Keep keep_;
  ActorNames actors_;
  std::vector<std::string> texts_;
  std::vector<TraceEvent> events_;  // kTail: a ring indexed by id; kAll: in order
  TraceId last_id_ = 0;
  Instant now_;
  TraceId cause_ = 0;
  Fingerprint fingerprint_;
  TraceListener* listener_ = nullptr;
};

}  // namespace dmsim
