// What one worker of dmsim run does: the whole of a variant, with its crash file and its trace.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/result_json.h"
#include "harness/run.h"

namespace dmsim {

class VariantJob {
 public:
  // `alone`: it is the only variant of this command. Both references outlive the job.
  VariantJob(const RunCommand& command, const Plan& plan, bool alone)
      : command_(command), plan_(plan), alone_(alone) {}

  // Keeps the trace of the first life of run `number` (from 1); 0: of none.
  void keep_run(std::uint64_t number) { kept_run_ = number; }

  // Its VariantReport as JSON, with "reached" if the command asks for it.
  nlohmann::ordered_json run();

 private:
  void explore(VariantReport* report);
  void save(const Crash& crash, VariantReport* report) const;
  bool trace(const std::optional<Crash>& crash);  // false: not written
  std::string trace_path() const;

  const RunCommand& command_;
  const Plan& plan_;
  bool alone_;
  std::uint64_t kept_run_ = 0;
  Workshop workshop_;
};

}  // namespace dmsim
