// Crashes for the tests of stories: a scenario is run until it breaks, and its crash replayed.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "crash-replay/story.h"
#include "engine/switches.h"
#include "harness/engine_factory.h"
#include "harness/oracle_names.h"
#include "scenarios/scenario_loader.h"

namespace dmsim {

inline Vocabulary story_vocabulary() {
  static const std::vector<std::string_view> kOracleNames = [] {
    std::vector<std::string_view> names;
    for (const OracleInfo& info : oracle_table()) names.push_back(info.name);
    return names;
  }();
  return {kOracleNames, all_switches(), engine_names()};
}

// A crash, replayed, as a chronicle and a story. What it needs stays alive with it.
struct ToldCrash {
  Workshop workshop;
  Crash crash;
  Chronicle chronicle;
  Story story;
  std::string text;
};

// The variant `variant` of the scenario file `path` is run until it breaks.
inline std::unique_ptr<ToldCrash> tell_crash_of(const std::string& path,
                                                const std::string& variant) {
  auto told = std::make_unique<ToldCrash>();
  auto plans = load_scenario(path, story_vocabulary());
  if (!plans.ok()) {
    ADD_FAILURE() << plans.error().to_string();
    return nullptr;
  }
  for (const Plan& plan : *plans) {
    if (plan.variant != variant) continue;
    VariantResult result = run_variant(plan, told->workshop, {});
    if (!result.crash) break;
    told->crash = std::move(*result.crash);
    const ReplayResult replay = replay_crash(told->crash, told->workshop);
    told->chronicle = make_chronicle(told->crash, replay, told->workshop);
    told->story = tell_story(told->chronicle, "crash.yaml");
    told->text = story_text(told->chronicle, told->story);
    return told;
  }
  ADD_FAILURE() << path << " " << variant << " does not break";
  return nullptr;
}

// The same for the text of a scenario named `name`.
std::unique_ptr<ToldCrash> tell_crash_of_text(const std::string& name, const std::string& yaml);

}  // namespace dmsim
