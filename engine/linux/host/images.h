// SPDX-License-Identifier: GPL-2.0-only
// Which kernel images there are, by engine name, and how one comes to be when it is first asked for.
//
//   linux-6.1, linux-6.12       the sources of Debian's package linux-source-6.1, linux-source-6.12
//   linux:DIR                   a kernel tree of the user's own, of one of these series
//   linux-6.1+NAME              the same with the semantic patch engine/linux/mutants/NAME.cocci applied
//
// build.py makes the shared object, or finds that nothing has changed. Images lie in build/linux under the
// source tree, or where the environment variable DMSIM_LINUX_DIR says. A dmsim that was built with
// AddressSanitizer takes images that were, too. An image is loaded once per process and kept; whoever forks
// workers asks for it first.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/linux/host/kernel_image.h"

namespace dmsim::kernel {

// Whether the name is of one of the forms above.
bool is_linux_engine(std::string_view engine);

// The image of that engine, built and loaded if it was not. The error is a sentence for the user.
Result<KernelImage*, std::string> image_of(std::string_view engine);
// The same, built to measure coverage; it is the engine's image from then on. Requires that the engine has no other
// image yet.
Result<KernelImage*, std::string> image_with_coverage(std::string_view engine);

// What keeps the engine from being built, without building it; "": nothing known.
std::string why_not_available(std::string_view engine);

}  // namespace dmsim::kernel
