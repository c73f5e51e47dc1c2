// The scenario language described from its key tables: for editors as a JSON Schema (the file
// scenarios/schema.json), for people as the reference in docs/SCENARIOS.md. Tests hold both files
// against what is made here.
#pragma once

#include <string>

namespace dmsim {

// JSON Schema, draft 7: the one that YAML editors understand. Ends with a newline.
std::string scenario_schema();

// One Markdown table per key table.
std::string key_reference();

}  // namespace dmsim
