// Lines that are written over and over on a terminal.
#pragma once

#include <string>

namespace dmsim {

// `line` on stderr over the one before, if that is a terminal and `stays` is false; else with its end. What is
// written over must not be longer than the terminal is wide: it would wrap, and only its last part be overwritten.
void show_progress(std::string line, bool stays);

}  // namespace dmsim
