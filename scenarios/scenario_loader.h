// The scenario loader: from a scenario file to the plans that a run needs, one per variant.
//
// docs/SCENARIOS.md is the language. Every error names file, line and column of the key or value that
// is wrong, what was found and what was expected, and the nearest name that would have been right.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "harness/plan.h"
#include "scenarios/vocabulary.h"

namespace dmsim {

// One plan per variant, in the file's order; a scenario without variants gives one, whose variant is
// "". A variant is a partial scenario laid over the base: maps merge by key at every depth, sequences
// and scalars replace, null removes the key. `path` is used in errors as it is given.
Result<std::vector<Plan>> load_scenario(const std::string& path, const Vocabulary& vocabulary);

// The scenario files that `paths` name: a file stands for itself, a folder for every *.yaml below it,
// but nothing below a folder named "bad". In the order of `paths`, within a folder sorted by name;
// a file that is named twice comes once.
Result<std::vector<std::string>> find_scenarios(std::span<const std::string> paths);

}  // namespace dmsim
