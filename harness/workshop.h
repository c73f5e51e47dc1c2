// Workshop: what worlds are built from and leave behind for the next one: stacks, pages, nodes of
// images, and what each disk of a plan holds before anybody has written to it. One per thread; it
// outlives every world, image and verdict-in-the-making.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "block/page.h"
#include "models/disk/disk.h"
#include "models/disk/pristine.h"
#include "sim/fiber.h"

namespace dmsim {

class Workshop {
 public:
  StackPool& stacks() { return stacks_; }
  PagePool& pages() { return pages_; }
  DiskPool& disks() { return disks_; }

  // What a disk with these options starts from. Made once for each name, size and content.
  const Pristine& pristine(const DiskOptions& options);

 private:
  StackPool stacks_;
  PagePool pages_;
  DiskPool disks_;
  std::map<std::string, std::unique_ptr<Pristine>> pristine_;
};

}  // namespace dmsim
