// The vocabulary of this program: what its engines and oracles are called.
#pragma once

#include "scenarios/vocabulary.h"

namespace dmsim {

// Valid for the whole run of the program.
const Vocabulary& program_vocabulary();

}  // namespace dmsim
