// CHECK: the first of the four outcomes, "a bug of ours".
//
// A failed CHECK prints the condition, the values handed to it and the tail of the running world's
// trace, then aborts. It is on in every build. It never speaks about the engine under test (that is
// a Violation), about a simulated device (a BlockStatus) or about the user's input (a Result).
//
// UNMODELLED("name") is what a fake does when it is asked for something that it does not model:
// it aborts by name, so that nothing ever succeeds silently.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace dmsim {

// Prints what a person needs to understand a failed CHECK beyond the condition itself: for a world,
// the tail of its trace. At most one is installed per thread; the innermost running world owns it.
class FailureContext {
 public:
  virtual void print_context() = 0;

 protected:
  ~FailureContext() = default;
};

// Installs `context` for the current thread and returns the one it replaces (null: none).
// The caller keeps ownership and must put the old one back before `context` dies.
FailureContext* exchange_failure_context(FailureContext* context);

[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const std::string& values);

namespace check_internal {
inline std::string join() { return {}; }
template <typename... Values>
std::string join(const Values&... values) {
  std::string out;
  ((out += fmt::format(" {}", values)), ...);
  return out;
}
}  // namespace check_internal

}  // namespace dmsim

#define CHECK(condition, ...)                                                   \
  do {                                                                          \
    if (!(condition)) [[unlikely]]                                              \
      ::dmsim::check_failed(__FILE__, __LINE__, #condition,                     \
                            ::dmsim::check_internal::join(__VA_ARGS__));        \
  } while (false)

#define UNMODELLED(name) \
  ::dmsim::check_failed(__FILE__, __LINE__, "not modelled: " name, std::string())
