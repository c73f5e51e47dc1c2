#include "base/reached.h"

extern "C" {
extern dmsim::ReachedMark __start_dmsim_reached[] __attribute__((weak));
extern dmsim::ReachedMark __stop_dmsim_reached[] __attribute__((weak));
}

namespace dmsim {

std::span<ReachedMark> reached_marks() {
  if (__start_dmsim_reached == nullptr) return {};
  return {__start_dmsim_reached, __stop_dmsim_reached};
}

}  // namespace dmsim
