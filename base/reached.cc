#include "base/reached.h"

#include <fmt/format.h>

extern "C" {
extern dmsim::ReachedMark __start_dmsim_reached[] __attribute__((weak));
extern dmsim::ReachedMark __stop_dmsim_reached[] __attribute__((weak));
}

namespace dmsim {

std::span<ReachedMark> reached_marks() {
  if (__start_dmsim_reached == nullptr) return {};
  return {__start_dmsim_reached, __stop_dmsim_reached};
}

std::string render_reached_marks() {
  std::string out;
  for (const ReachedMark& mark : reached_marks()) {
    out += fmt::format("{}\t{}:{}\t{}\n", mark.count, mark.file, mark.line, mark.text);
  }
  return out;
}

}  // namespace dmsim
