// MetadataSteps: a volume group's metadata on its physical volumes, and the steps by which it changes.
//
// Reading takes the newest committed text (highest seqno) of any physical volume that can be read: a power
// cut in the middle of a commit leaves some volumes with the new text, and the new text holds. Precommitted
// text is never looked at. Other groups' volumes may stand among them: what holds another group's text, or has a
// UUID that the newest text does not name, is left alone.
//
// Changing goes write, precommit, commit, each on every physical volume, one after the other; every I/O is
// an event, and a power cut may fall between any two. A volume that fails is left out from then on; the
// group lives as long as one holds it. What is written is not flushed out of a disk's volatile cache
// unless `flush` is set: lvm2 writes with O_DIRECT and leaves it at that.
//
// Not modelled: several metadata areas on one volume, volumes without any, repair of volumes that were away
// (the next change overwrites what they hold, because it is older).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "block/device.h"
#include "engine/lvm/metadata_area.h"
#include "engine/lvm/sector_io.h"
#include "engine/lvm/volume_group.h"

namespace dmsim::lvm {

class MetadataSteps {
 public:
  struct Volume {
    BlockDevice* device = nullptr;
    bool usable = false;       // label and header were read, and nothing has failed since
    std::string id;            // as its label says
    MetadataArea area;
    AreaHeader header;         // as it stands on the device, as far as we know
    TextSlot written;          // of the text of the step "write"
    std::uint64_t sequence = 0;  // of the committed text; 0: none that can be read
  };

  // `devices`: whatever may be a physical volume of the group. Everything outlives this.
  MetadataSteps(SectorIo& io, std::vector<BlockDevice*> devices, std::string_view group, bool flush);

  // Failure: no device holds a committed text of the group that can be read; the error is the last device's.
  Result<VolumeGroup> read();

  // Require read(). Each false: no volume is left that took it.
  bool write(const VolumeGroup& group, std::string_view description);
  bool precommit();
  bool commit();
  void revert();

  const std::vector<Volume>& volumes() const { return volumes_; }

 private:
  Result<VolumeGroup> read_volume(Volume& volume);
  void leave_others_alone(const VolumeGroup& group);
  bool put_header(Volume& volume, const AreaHeader& header);
  bool any_usable() const;
  bool flush_all();

  SectorIo& io_;
  std::vector<Volume> volumes_;
  std::string group_name_;
  bool flush_;
};

// What vgcreate leaves on each physical volume, for a disk that is to begin with it.
std::vector<SectorWrite> fresh_volume(const VolumeGroup& group, const PhysicalVolume& volume,
                                      const MetadataArea& area);

}  // namespace dmsim::lvm
