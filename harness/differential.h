// Differential check: the same plan on two engines, and whether anybody outside could tell which is which.
//
// Two engines never run the same schedule: they have other fibers. So an observation is taken of what a schedule
// does not decide in most plans: how requests were answered, what status and table say at rest, which regions are in
// sync and clean, what the dirty log holds, which promises were broken. Each engine is run with several seeds. A
// facet of which the two never showed the same value is a disagreement. A facet that varies from run to run on one
// engine alone says nothing of the other: it is reported as undetermined, unless the two agree now and then. A run
// that breaks a promise ends there, in the middle of things: it says which promise, and no more. A run in which a
// kernel complains of itself says nothing.
//
// No power is cut here, and contents are not compared: each engine's contents are held to the reference anyway.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/plan.h"
#include "harness/workshop.h"

namespace dmsim {

struct Facet {
  std::string name;   // "status of lv"
  std::string value;
  friend bool operator==(const Facet&, const Facet&) = default;
};

// One run of the plan's first life to its end, without power cuts, as it looked from outside.
std::vector<Facet> observe(const Plan& plan, Workshop& workshop, std::uint64_t seed);

struct Disagreement {
  std::string facet;
  std::vector<std::string> left;   // every value seen, each once, in order of appearance
  std::vector<std::string> right;
};

struct Comparison {
  std::uint64_t runs = 0;                    // on each engine
  std::vector<std::string> agreed;           // names of facets
  std::vector<std::string> undetermined;
  std::vector<Disagreement> disagreements;
};

// What one engine has shown in all its runs.
struct Shown {
  struct Values {
    std::string facet;
    std::vector<std::string> each = {};  // once, in order of appearance
    std::uint64_t times = 0;             // it was seen at all: not in a run that broke off before
    bool at_rest = false;                // it was seen in a run that came to rest
    bool varies() const { return times > 1 && 2 * each.size() > times; }
  };

  void add(const std::vector<Facet>& run);
  Values& values_of(const std::string& facet);  // of one that was never seen: none

  std::uint64_t runs = 0;
  bool always_at_rest = true;
  std::vector<Values> facets;  // in order of appearance
};

// Requires as many runs on either side.
Comparison compare_shown(Shown left, Shown right);

// `plan` on both engines, `runs` seeds each. A switch that the plan does not set has, on the native engine, the
// value that Linux has. Requires engines that exist; a switch set by the plan is known to native only.
Comparison compare_engines(const Plan& plan, std::string_view left, std::string_view right, Workshop& workshop,
                           std::uint64_t seed, std::uint64_t runs, const std::function<bool()>& stop);

// Why `engine` cannot do what the plan says, in words: a fault that only the native engine has, something that only
// the kernels' machines do to them, or, in a plan made for another engine, a metadata disk too small for a clone of
// Linux. Empty: it can.
std::string why_not_done_by(std::string_view engine, const Plan& plan);
// Why the plan cannot be compared, in words: one of the engines cannot do it, or a fault lies where their
// formats differ. Empty: it can.
std::string why_not_comparable(const Plan& plan);

}  // namespace dmsim
