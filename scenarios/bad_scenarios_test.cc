// Every malformed file of scenarios/bad/ against the one line it must be answered with. Set
// DMSIM_UPDATE_GOLDEN=1 to write what is answered now, then read the difference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "scenarios/scenario_loader.h"
#include "scenarios/test_vocabulary.h"

namespace dmsim {
namespace {

namespace fs = std::filesystem;

const std::string kFolder = "scenarios/bad/";
constexpr std::size_t kLeastFiles = 30;

std::vector<std::string> bad_files() {
  std::vector<std::string> stems;
  for (const fs::directory_entry& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".yaml") stems.push_back(entry.path().stem().string());
  }
  std::sort(stems.begin(), stems.end());
  return stems;
}

std::string read_all(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// What the loader says, with the file named as it is in its own folder.
std::string answer(const std::string& stem) {
  const auto loaded = load_scenario(kFolder + stem + ".yaml", test_vocabulary());
  if (loaded.ok()) return "accepted";
  std::string line = loaded.error().to_string();
  for (std::size_t at = line.find(kFolder); at != std::string::npos; at = line.find(kFolder)) {
    line.erase(at, kFolder.size());
  }
  return line;
}

TEST(BadScenarios, there_are_at_least_thirty) { EXPECT_GE(bad_files().size(), kLeastFiles); }

TEST(BadScenarios, each_is_answered_with_exactly_its_expected_line) {
  const bool update = std::getenv("DMSIM_UPDATE_GOLDEN") != nullptr;
  for (const std::string& stem : bad_files()) {
    const std::string line = answer(stem);
    EXPECT_NE(line, "accepted") << stem;
    EXPECT_EQ(line.find(stem + ".yaml"), 0u) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
    const std::string golden = kFolder + stem + ".expected";
    if (update) std::ofstream(golden) << line << '\n';
    EXPECT_EQ(line + "\n", read_all(golden)) << stem;
  }
}

TEST(BadScenarios, every_expected_line_has_its_file) {
  for (const fs::directory_entry& entry : fs::directory_iterator(kFolder)) {
    fs::path scenario = entry.path();
    scenario.replace_extension(".yaml");
    EXPECT_TRUE(fs::exists(scenario)) << entry.path();
  }
}

}  // namespace
}  // namespace dmsim
