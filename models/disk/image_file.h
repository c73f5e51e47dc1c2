// Raw image files: how a durable image leaves dmsim for e2fsck, losetup or a hex dump, and comes back.
#pragma once

#include <string>

#include "base/result.h"
#include "models/disk/image.h"

namespace dmsim {

// Writes the whole image to `path`, replacing what is there. Pages of zeros become holes.
Outcome<> export_raw(const Image& image, const std::string& path);

// Fills `image` from `path`. Pages that hold the same bytes already stay shared. The file is at most as
// long as the image and its size is a multiple of 512 bytes; a shorter file leaves the rest alone.
Outcome<> import_raw(const std::string& path, PageSpace& space, Image* image);

}  // namespace dmsim
