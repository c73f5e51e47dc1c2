// How much a person has to take in to understand a crash: what the minimiser makes smaller.
//
// Sizes are compared in the order of the fields of `key()`: the plan, then what happens in the run, then
// the list of choices, shortlex. docs/MINIMISING.md says what each of them counts.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "harness/run.h"

namespace dmsim {

struct CrashSize {
  std::uint64_t plan = 0;         // plan_weight()
  std::uint64_t io_events = 0;
  std::uint64_t not_plain = 0;    // choices with a value other than 0
  std::uint64_t choices = 0;
  std::uint64_t sum = 0;          // of all values, saturating

  std::uint64_t tasks = 0;        // only told, not compared
  std::uint64_t trace_events = 0;

  std::array<std::uint64_t, 5> key() const { return {plan, io_events, not_plain, choices, sum}; }
  friend bool operator<(const CrashSize& a, const CrashSize& b) { return a.key() < b.key(); }
};

// Smaller for a plan with less in it: tasks, their rounds, steps and script, disks and devices and how
// large they are, faults, durations, options that are not at their default.
std::uint64_t plan_weight(const Plan& plan);

// Lines of the story: between the first thing that a task does and the last power cut (or the end),
// stores and requests of users, and requests to disks. `trace` was kept whole.
std::uint64_t count_io_events(const Trace& trace);

CrashSize measure(const Crash& crash, const Trace& trace);

// "12 I/O events, 1 task, 431 choices, 7 of them not plain"
std::string size_words(const CrashSize& size);

}  // namespace dmsim
