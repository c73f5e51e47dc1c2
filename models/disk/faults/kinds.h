// One maker for each kind of fault; each stands in a file of its own.
#pragma once

#include <memory>

#include "models/disk/faults/fault.h"

namespace dmsim {

std::unique_ptr<Fault> make_read_error(const FaultOptions& options);
std::unique_ptr<Fault> make_write_error(const FaultOptions& options);
std::unique_ptr<Fault> make_flush_error(const FaultOptions& options);
std::unique_ptr<Fault> make_discard_error(const FaultOptions& options);
std::unique_ptr<Fault> make_discard_refused(const FaultOptions& options);
std::unique_ptr<Fault> make_write_lands_fails(const FaultOptions& options);
std::unique_ptr<Fault> make_dies(const FaultOptions& options);  // kDies and kRevives
std::unique_ptr<Fault> make_lying_flush(const FaultOptions& options);
std::unique_ptr<Fault> make_bit_rot(const FaultOptions& options);
std::unique_ptr<Fault> make_misdirected_write(const FaultOptions& options);

}  // namespace dmsim
