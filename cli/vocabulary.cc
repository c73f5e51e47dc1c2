#include "cli/vocabulary.h"

#include <vector>

#include "harness/engine_factory.h"
#include "harness/oracle_names.h"

namespace dmsim {

const Vocabulary& program_vocabulary() {
  static const std::vector<std::string_view> kOracleNames = [] {
    std::vector<std::string_view> names;
    for (const OracleInfo& info : oracle_table()) names.push_back(info.name);
    return names;
  }();
  static const Vocabulary kVocabulary{kOracleNames, all_switches(), engine_names()};
  return kVocabulary;
}

}  // namespace dmsim
