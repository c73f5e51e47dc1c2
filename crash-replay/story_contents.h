// What a story believes of the legs, held against what is really there.
#pragma once

#include "crash-replay/story_chronicle.h"

namespace dmsim {

// Fills in what each leg holds and each request has brought, event by event. Requires a focus on a page.
void follow_contents(Chronicle* chronicle, Workshop& workshop);

// Requires legs with their digests. A disk numbers anew what it puts together from a write of part of a page: where
// two legs have the same bytes under two numbers, they get one. Where a story would contradict the digests in its own
// table, it says no more than that it does not know.
void hold_against_digests(Chronicle* chronicle);

}  // namespace dmsim
