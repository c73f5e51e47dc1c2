#include "cli/variant_job.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/reached.h"
#include "cli/interrupt.h"
#include "crash-replay/crash_file.h"

namespace dmsim {
namespace {

using Json = nlohmann::ordered_json;

bool write_trace(const LinearRun& run, const std::string& path) {
  std::ofstream out(path);
  const Trace& trace = run.lives.back()->trace();
  for (const TraceEvent& event : trace.kept()) out << trace.render(event) << "\n";
  return static_cast<bool>(out.flush());
}

bool save_trace(const LinearRun& run, const std::string& path) {
  if (write_trace(run, path)) return true;
  std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
  return false;
}

Json reached() {
  Json out = Json::object();
  for (const ReachedMark& mark : reached_marks()) {
    Json& count = out[fmt::format("{}:{}\t{}", mark.file, mark.line, mark.text)];
    count = (count.is_null() ? 0 : count.get<std::uint64_t>()) + mark.count;
  }
  return out;
}

}  // namespace

Json VariantJob::run() {
  const auto begun = std::chrono::steady_clock::now();
  VariantReport report;
  report.scenario = plan_.scenario;
  report.variant = plan_.variant;
  report.expected = expectation_words(plan_.expect);
  explore(&report);
  report.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  Json json = to_json(report);
  if (!command_.reached_file.empty()) json["reached"] = reached();
  return json;
}

void VariantJob::explore(VariantReport* report) {
  RunOptions options;
  options.seed = command_.seed;
  options.runs = command_.runs;
  if (command_.most_runs) {
    options.runs = std::min(options.runs.value_or(plan_.runs), *command_.most_runs);
  }
  options.cuts = command_.cuts;
  options.strategy = *parse_strategy(command_.strategy);
  options.stop = [] { return interrupted(); };
  options.keep_run = kept_run_;
  VariantResult result = run_variant(plan_, workshop_, options);
  report->stopped = result.stopped;
  report->search = result.search;
  report->statistics = result.verdict.statistics;
  report->violations = result.verdict.violations;
  report->fingerprint = result.verdict.fingerprint.to_string();
  if (command_.check_twice) report->run_fingerprints = result.run_fingerprints;
  report->kept_trace = std::move(result.kept_trace);
  if (!result.refused.empty()) {
    report->bad_input = true;
    report->got = result.refused;
    return;
  }
  report->got = verdict_words(result.verdict);
  report->as_expected = meets(plan_.expect, result.verdict);
  if (result.crash) save(*result.crash, report);
  if (!command_.trace_file.empty() && !trace(result.crash)) report->unwritten = true;
}

void VariantJob::save(const Crash& crash, VariantReport* report) const {
  std::string name = crash.plan.scenario;
  if (!crash.plan.variant.empty()) name += "." + crash.plan.variant;
  const std::string path = (std::filesystem::path(command_.crash_folder) / (name + ".yaml")).string();
  const Outcome<> saved = save_crash(crash, path);
  if (saved.ok()) {
    report->crash_file = path;
  } else {
    report->unwritten = true;
    std::fprintf(stderr, "%s\n", saved.error().to_string().c_str());
  }
}

// The trace of the lives that led to the violation; of an uncut life when there is none.
bool VariantJob::trace(const std::optional<Crash>& crash) {
  if (crash) {
    return save_trace(replay_crash(*crash, workshop_).run, trace_path());
  }
  Plan uncut = plan_;
  uncut.power_cut.when = PowerCutPlan::When::kNever;
  RandomChoices choices(command_.seed);
  return save_trace(run_linear(uncut, workshop_, choices), trace_path());
}

// Of several variants each has its own: "a.trace" becomes "a.SCENARIO.VARIANT.trace".
std::string VariantJob::trace_path() const {
  if (alone_) return command_.trace_file;
  std::string name = plan_.scenario;
  if (!plan_.variant.empty()) name += "." + plan_.variant;
  const std::filesystem::path given(command_.trace_file);
  std::filesystem::path path = given;
  path.replace_filename(given.stem().string() + "." + name + given.extension().string());
  return path.string();
}

}  // namespace dmsim
