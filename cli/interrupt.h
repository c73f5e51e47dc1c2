// Ctrl-C: the first one asks everybody to come to an end and keep what there is, the second one kills.
#pragma once

namespace dmsim {

void install_interrupt_handler();
bool interrupted();

}  // namespace dmsim
