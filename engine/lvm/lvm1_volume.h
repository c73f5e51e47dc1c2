// Volume: a logical volume of LVM1, as its users see it: a block device that cuts bios at extents and sends the parts
// to wherever the extents are now.
//
// A flush goes to every disk that the volume lies on; a write that wants one before it waits for that. Everything else
// is the driver's (lvm1_driver.h).
#pragma once

#include <string>

#include "base/element_pool.h"
#include "block/device.h"
#include "engine/device_mapper.h"
#include "engine/lvm/lvm1_driver.h"

namespace dmsim::lvm1 {

// A bio of a user.
struct Request {
  Bio* user = nullptr;
  Volume* volume = nullptr;
  std::uint32_t left = 0;     // parts and flushes under way, and one while they are being made
  bool sends_data = false;    // once the flush before it has ended
  BlockStatus status;         // the first error
  std::uint64_t trace_id = 0;
};

// What of it falls into one extent.
struct Part {
  Driver* driver = nullptr;
  Request* request = nullptr;
  std::uint32_t first = 0;    // sectors from the request's start
  std::uint32_t count = 0;
  Place place;                // where it was sent
  bool tracked = false;
};

class Volume final : public BlockDevice {
 public:
  // `index` of the group's volumes. Everything outlives the volume.
  Volume(Driver& driver, ActiveGroup& group, std::size_t index);

  const std::string& name() const override { return name_; }
  std::uint64_t sectors() const override;
  BlockLimits limits() const override;
  void submit(Bio& bio) override;

  Actor actor() const { return actor_; }
  ActiveGroup& group() const { return group_; }
  const LogicalVolume& data() const { return group_.data.volumes[index_]; }
  LogicalVolume& data() { return group_.data.volumes[index_]; }
  std::uint32_t extent_at(const Part& part) const;

 private:
  friend class Driver;

  void send_flushes(Request& request);
  void send_data(Request& request);
  void drop(Request& request, BlockStatus status);
  void part_ended(Part& part, BlockStatus status);
  static void on_flush_end(Bio& bio);

  Driver& driver_;
  ActiveGroup& group_;
  std::size_t index_;
  std::string name_;
  Actor actor_;
  ElementPool<Request> requests_;
  ElementPool<Part> parts_;
};

}  // namespace dmsim::lvm1
