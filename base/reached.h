// REACHED("leg fails during recovery") marks a state that some test or scenario must reach.
//
// Each mark is one record in a section of its own, so all of them are known without any
// registration at start-up; the counts decide nothing. `dmsim run --reached FILE` writes them, and
// ./check fails on a mark that nothing reached.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace dmsim {

struct ReachedMark {
  const char* text;      // a sentence without its full stop
  const char* file;      // where it stands
  std::uint64_t line;
  std::uint64_t count;   // times reached in this process
};

// All marks linked into this program, in link order.
std::span<ReachedMark> reached_marks();

// All of them as text, a line each: count, "file:line", sentence, separated by tabs. A mark in a
// header may appear several times.
std::string render_reached_marks();

}  // namespace dmsim

#define DMSIM_CONCAT_INNER(a, b) a##b
#define DMSIM_CONCAT(a, b) DMSIM_CONCAT_INNER(a, b)
#define REACHED(sentence)                                                                  \
  do {                                                                                     \
    __attribute__((section("dmsim_reached"), used)) static constinit ::dmsim::ReachedMark  \
        DMSIM_CONCAT(reached_mark_, __LINE__) = {sentence, __FILE__, __LINE__, 0};         \
    ++DMSIM_CONCAT(reached_mark_, __LINE__).count;                                         \
  } while (false)
