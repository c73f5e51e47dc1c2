#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace dmsim {
namespace {
// Per thread, only ever read on the way to abort(): it decides nothing.
thread_local FailureContext* current_context = nullptr;
}  // namespace

FailureContext* exchange_failure_context(FailureContext* context) {
  FailureContext* before = current_context;
  current_context = context;
  return before;
}

void check_failed(const char* file, int line, const char* condition, const std::string& values) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s:%d: CHECK failed: %s%s%s\n", file, line, condition,
               values.empty() ? "" : " --", values.c_str());
  if (current_context != nullptr) {
    FailureContext* context = exchange_failure_context(nullptr);
    context->print_context();
  }
  std::fflush(stderr);
  std::abort();
}

}  // namespace dmsim
