// A resolved plan as YAML, in the syntax of scenarios: one variant, every default spelled out.
//
// Two keys are added to what a scenario file may say, since a plan must survive without its file:
// `variant` (its name) and `directory` (what relative paths start from). For every plan that
// read_plan accepts, read_plan(write_plan(plan)) == plan.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "harness/plan.h"
#include "scenarios/vocabulary.h"
#include "scenarios/yaml_tree.h"

namespace dmsim {

// Ends with a newline; top-level keys start at column 1, so that more keys can be appended or the
// whole indented. Aborts when a step of an administrator carries an option its verb does not have,
// which YAML could not say.
std::string write_plan(const Plan& plan);

struct ReadPlanOptions {
  bool extra_keys = false;  // tolerate top-level keys that no plan has (a crash file's own)
};

// `file` is used in errors only.
Result<Plan> read_plan(const YamlNode& root, const std::string& file, const Vocabulary& vocabulary,
                       ReadPlanOptions options = {});
Result<Plan> read_plan(std::string_view text, const std::string& file, const Vocabulary& vocabulary,
                       ReadPlanOptions options = {});

// A string as a YAML scalar, quoted where needed; for others who write YAML beside a plan.
std::string yaml_scalar(std::string_view text);

}  // namespace dmsim
