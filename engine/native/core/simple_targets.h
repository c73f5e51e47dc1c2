// The simple targets: linear, error, zero, delay; each in a file of its own.
#pragma once

#include "engine/native/target.h"

namespace dmsim::native {

// "DEVICE OFFSET": the row's sectors, shifted.
TargetType linear_target_type();
// Every bio fails with EIO.
TargetType error_target_type();
// Reads give zeros, writes vanish.
TargetType zero_target_type();
// "DEVICE OFFSET DELAY [WDEVICE WOFFSET WDELAY [FDEVICE FOFFSET FDELAY]]": linear, later. Delays are
// in milliseconds.
TargetType delay_target_type();

}  // namespace dmsim::native
