// Scripts: fewer words, extents at 0, of a page or a sector.
#include <sstream>

#include "base/words.h"

#include "crash-replay/minimise/passes.h"

namespace dmsim::shrink_pass {
namespace {

using Words = std::vector<std::string>;

IoTask* script_at(Plan& plan, std::size_t task) {
  return task < plan.tasks.size() ? std::get_if<IoTask>(&plan.tasks[task].body) : nullptr;
}

Words split(const std::string& script) {
  const auto words = words_of(script);
  return {words.begin(), words.end()};
}

std::string script_of(const Words& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// "8+4" of "W8+4!" and "c(W8+4)"; empty: a flush or a power cut.
std::string extent_of(const std::string& word) {
  const std::size_t begin = word.find_first_of("0123456789");
  if (begin == std::string::npos) return {};
  return word.substr(begin, word.find_first_not_of("0123456789+", begin) - begin);
}

void drop_words(Shrink& shrink, std::size_t task) {
  Words words;
  const auto list = [&](Plan& plan) -> Words& {
    const IoTask* script = script_at(plan, task);
    words = script == nullptr ? Words() : split(script->script);
    return words;
  };
  drop_parts(shrink, list, [&](Plan& plan) {
    if (IoTask* script = script_at(plan, task)) script->script = script_of(words);
  });
}

// Every request of one extent together, so that waits go on meaning the same request.
void shrink_extents(Shrink& shrink, std::size_t task) {
  bool taken = false;
  // From the first word again after each gain: others may have become the same.
  for (std::size_t i = 0; !shrink.over(); i = taken ? 0 : i + 1) {
    taken = false;
    Plan plan = shrink.best().plan;
    const IoTask* script = script_at(plan, task);
    if (script == nullptr) return;
    const Words words = split(script->script);
    if (i >= words.size()) return;
    const std::string extent = extent_of(words[i]);
    const std::size_t plus = extent.find('+');
    if (plus == std::string::npos) continue;
    const std::string sector = extent.substr(0, plus);
    const std::string count = extent.substr(plus + 1);
    const Words proposals{"0+1", "0+8", "0+" + count, sector + "+1", sector + "+8", "8+" + count};
    for (const std::string& smaller : proposals) {
      Words changed = words;
      for (std::string& word : changed) {
        if (extent_of(word) != extent) continue;
        word.replace(word.find(extent), extent.size(), smaller);
      }
      plan = shrink.best().plan;
      script_at(plan, task)->script = script_of(changed);
      taken = shrink.try_plan(plan);
      if (taken) break;
    }
  }
}

}  // namespace

void script_words(Shrink& shrink) {
  for (std::size_t task = 0; task < shrink.best().plan.tasks.size() && !shrink.over(); ++task) {
    Plan plan = shrink.best().plan;
    if (script_at(plan, task) == nullptr) continue;
    drop_words(shrink, task);
    shrink_extents(shrink, task);
  }
}

}  // namespace dmsim::shrink_pass
