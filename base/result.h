// Result: a value, or why there is none. The outcome for the user's bad input, and for verbs of the
// engine that refuse (there the error is an Errno, see engine/device_mapper.h).
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace dmsim {

// What was wrong with something the user gave: where it stands, what was found and what expected.
struct InputError {
  std::string file;     // as the user wrote it; empty: the command line
  int line = 0;         // 1-based; 0: the error has no line (then `offset` may say more)
  int column = 0;       // 1-based; 0: none
  std::string message;  // what was found, what was expected, without a full stop
  long long offset = -1;  // byte offset in a binary file; -1: none

  // "FILE:LINE:COLUMN: MESSAGE", or "FILE: at byte OFFSET: MESSAGE", or as much of it as there is.
  std::string to_string() const;
};

template <typename Error>
struct Failure {
  Error error;
};
template <typename Error>
Failure(Error) -> Failure<Error>;

template <typename Value, typename Error = InputError>
class [[nodiscard]] Result {
 public:
  Result(Value value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: by intent
  Result(Failure<Error> failure)                                             // NOLINT: by intent
      : state_(std::in_place_index<1>, std::move(failure.error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Requires ok().
  Value& value() & { return checked(), std::get<0>(state_); }
  const Value& value() const& { return checked(), std::get<0>(state_); }
  Value&& value() && { return checked(), std::get<0>(std::move(state_)); }
  Value* operator->() { return &value(); }
  const Value* operator->() const { return &value(); }
  Value& operator*() & { return value(); }
  const Value& operator*() const& { return value(); }

  // Requires !ok().
  const Error& error() const {
    CHECK(!ok());
    return std::get<1>(state_);
  }

 private:
  void checked() const { CHECK(ok()); }
  std::variant<Value, Error> state_;
};

// A Result without a value.
struct Done {};
template <typename Error = InputError>
using Outcome = Result<Done, Error>;

}  // namespace dmsim
