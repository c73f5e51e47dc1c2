// The judge's watch over the engine itself: what it says of its own troubles.
#include <fmt/format.h>

#include "harness/judge.h"
#include "harness/oracle_names.h"
#include "harness/world.h"

namespace dmsim {

void Judge::check_troubles() {
  const std::vector<EngineTrouble>& troubles = world_.mapper().troubles();
  if (troubles.size() == troubles_seen_) return;
  const EngineTrouble& first = troubles[troubles_seen_];
  Violation violation;
  violation.oracle = oracle::kNoEngineBug;
  violation.state = first.where.empty() ? first.kind : first.kind + " at " + first.where;
  violation.sentence = fmt::format("the engine met a {}{}{}: {}", first.kind, first.where.empty() ? "" : " at ",
                                   first.where, first.what);
  // What follows from the first is told with it.
  for (std::size_t i = troubles_seen_ + 1; i < troubles.size(); ++i) {
    violation.details.push_back(fmt::format("then a {} at {}: {}", troubles[i].kind,
                                            troubles[i].where.empty() ? "-" : troubles[i].where,
                                            troubles[i].what));
  }
  troubles_seen_ = troubles.size();
  report(std::move(violation));
}

}  // namespace dmsim
