// What a campaign does with a finding when a round is over: it is made smaller, and then held once more against
// what is known of Linux. This happens once for a signature, not once for a run, so the native engine gets many more
// tries: at the small plan, which is fast and does nothing else, and then at the whole one, since what is left
// of a small plan may be another fault that breaks the same promise, or nothing that the native engine can meet.
#include <algorithm>
#include <cstdio>
#include <functional>

#include "cli/campaign.h"
#include "cli/interrupt.h"
#include "cli/vocabulary.h"
#include "cli/workers.h"
#include "crash-replay/crash_file.h"
#include "crash-replay/minimise.h"
#include "harness/known_faults.h"

namespace dmsim {
namespace {

constexpr unsigned kSecondsEach = 120;  // against an engine that hangs; the limit is the tries
constexpr std::uint64_t kRunsToExplain = 1000;

// In a process of its own: a smaller plan may kill the program. Empty when it did.
std::string aside(const std::function<std::string()>& job) {
  std::string text;
  run_workers(
      1, {1, kSecondsEach}, [&](std::size_t) { return job(); },
      [&](std::size_t, WorkerAnswer answer) { text = std::move(answer.text); });
  return text;
}

std::string smaller_crash(const std::string& file, std::uint64_t tries) {
  const Result<Crash> crash = read_crash(file, program_vocabulary());
  if (!crash) return {};
  Workshop workshop;
  MinimiseOptions options;
  options.tries = tries;
  options.effort = 1;
  options.stop = [] { return interrupted(); };
  const MinimiseResult result = minimise(*crash, workshop, program_vocabulary(), options);
  return result.reproduced && !interrupted() ? write_crash(result.crash) : std::string();
}

// The known fault of Linux that explains what the crash file shows: the first one's, when all are explained.
std::string explanation(const std::string& file) {
  const Result<Crash> crash = read_crash(file, program_vocabulary());
  if (!crash || crash->plan.engine == "native") return {};
  Workshop workshop;
  KnownFaultOptions options;
  options.runs = kRunsToExplain;
  std::string first;
  for (const Violation& violation : crash->violations) {
    const std::string fault = known_fault(crash->plan, violation, workshop, options);
    if (fault.empty()) return {};
    if (first.empty()) first = fault;
  }
  return first;
}

}  // namespace

void Campaign::make_smaller(Finding& finding) const {
  if (command_.minimise_tries == 0) return;
  const std::string file = file_of(finding, ".yaml");
  finding.minimised_text = aside([&] { return smaller_crash(file, command_.minimise_tries); });
  write_files(finding);
}

// Its signature is free again: the next run with the same need not have the same cause.
bool Campaign::explain_smaller(Finding& finding) {
  if (finding.minimised_text.empty()) return false;
  std::string fault = aside([&] { return explanation(file_of(finding, ".min.yaml")); });
  if (fault.empty()) fault = aside([&] { return explanation(file_of(finding, ".yaml")); });
  if (fault.empty()) return false;
  for (const std::string_view ending : {".yaml", ".min.yaml"}) std::remove(file_of(finding, ending).c_str());
  signatures_.erase(finding.signature);
  finding.signature = std::string(kKnownFault) + fault;
  return true;
}

// A fault that was recognised only when the plan had become small may have an entry already.
void Campaign::merge_known(std::size_t first, CampaignStore::Round* round) {
  std::vector<Finding>& findings = state_.findings;
  std::vector<std::size_t>& changed = round->changed_findings;
  const auto is_new = [&](std::size_t index) { return index >= first; };
  changed.erase(std::remove_if(changed.begin(), changed.end(), is_new), changed.end());
  std::vector<Finding> fresh(std::make_move_iterator(findings.begin() + static_cast<std::ptrdiff_t>(first)),
                             std::make_move_iterator(findings.end()));
  findings.resize(first);
  for (Finding& each : fresh) {
    const auto same = std::find_if(findings.begin(), findings.end(), [&](const Finding& other) {
      return other.signature == each.signature;
    });
    const auto index = static_cast<std::size_t>(same - findings.begin());
    if (same != findings.end()) {
      same->count += each.count;
    } else {
      signatures_.insert(each.signature);
      write_files(each);
      findings.push_back(std::move(each));
    }
    if (std::find(changed.begin(), changed.end(), index) == changed.end()) changed.push_back(index);
  }
}

}  // namespace dmsim
