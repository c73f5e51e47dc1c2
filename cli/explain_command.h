// dmsim explain and dmsim diff.
#pragma once

#include <string>

namespace dmsim {

struct ExplainCommand {
  std::string file;           // crash file
  std::string html_file;      // empty: none
  std::string perfetto_file;  // empty: none
};
int explain_command(const ExplainCommand& command);

struct DiffCommand {
  std::string first;   // a trace, or a crash file to be replayed
  std::string second;
};
int diff_command(const DiffCommand& command);

}  // namespace dmsim
