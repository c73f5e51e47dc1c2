// How dmsim ends. docs/HACKING.md lists these for scripts.
#pragma once

namespace dmsim {

enum ExitCode : int {
  kExitHeld = 0,          // everything came out as expected
  kExitViolation = 1,     // a promise was broken that should have held, or the other way round
  kExitBadInput = 2,      // usage, or a file that cannot be understood
  kExitNondeterminism = 3,
  kExitNoProgress = 4,    // a worker hung or died
  kExitMissedBug = 5,     // a planted bug was not found
  kExitInterrupted = 130, // Ctrl-C, and everything that had ended by then held
};

}  // namespace dmsim
