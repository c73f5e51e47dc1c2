// Table: the rows of a mapped device's mapping, and the host that its targets talk to.
//
// Built from text by parse(): rows must adjoin, each row's target type constructs its target. The
// table counts as the user of every mapped device that its targets open, until it is destroyed. What a
// bio needs to know of a row lies in a flat array of Rows; the targets themselves are behind it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/native/core/io.h"
#include "engine/native/target.h"

namespace dmsim::native {

struct TableLine;

// Finds what a table may be built on.
class LowerDevices {
 public:
  // The mapped device of that name; null when there is none, or when it is being removed.
  virtual MappedDevice* find_mapped(std::string_view name) = 0;

 protected:
  ~LowerDevices() = default;
};

class Table final : public TargetHost {
 public:
  struct Row {
    Sector begin;
    Sector end;
    Target* target;
    std::uint32_t max_sectors;    // longest piece that the devices below take; set with the limits
    std::uint32_t split_sectors;  // see Target::split_sectors(); 0: no boundary
    bool split_varies;            // then the target is asked, not split_sectors
    std::uint32_t flush_bios;
    std::uint32_t discard_bios;
  };

  // EINVAL with dm's words, or whatever a target's constructor says. Everything outlives the table.
  static DmResult<std::unique_ptr<Table>> parse(CoreContext& context, MappedDevice& device,
                                                LowerDevices& lower, const SwitchValues& switches,
                                                std::span<const TargetType> types,
                                                std::string_view text);
  ~Table();
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  std::uint64_t sectors() const { return rows_.back().end; }
  std::span<const Row> rows() const { return rows_; }
  const std::vector<std::unique_ptr<Target>>& targets() const { return targets_; }
  // The row that maps `sector`; null: none does.
  const Row* find(Sector sector) const {
    if (rows_.size() == 1) [[likely]] return sector < rows_[0].end ? rows_.data() : nullptr;
    return search(sector);
  }

  // The limits of the whole, stacked over the devices below, and checked: areas must lie within
  // their devices and fit their block sizes (EINVAL). Also sets each row's max_sectors.
  DmResult<BlockLimits> stack_limits();
  // Only a table that is or was live passes events on.
  void bind() { bound_ = true; }

  void presuspend();
  void presuspend_undo();
  void postsuspend();
  DmResult<> resume();
  void before_destroy();
  // "START LENGTH TYPE STATUS" lines, joined by '\n'.
  std::string describe(StatusKind kind) const;

  // Who `device` is in the trace; it must have been opened by this table.
  Actor actor_of(const BlockDevice* device) const {
    for (const Opened& opened : opened_) {
      if (opened.device == device) return opened.actor;
    }
    CHECK(false, "a target submits to a device that its table has not opened");
    return Actor::kNobody;
  }
  // References: one is the slot's, the others belong to whoever asks something of a table without being counted as
  // a fiber inside. put() says whether that was the last one.
  void get() { ++references_; }
  bool put() {
    CHECK(references_ > 0);
    return --references_ == 0;
  }
  // One of the devices below is (dm_table_any_congested).
  bool congested() const;
  // How often this table counts as a user of `device`: 0 or 1.
  std::uint32_t uses(const MappedDevice& device) const;

  // TargetHost.
  const EngineEnvironment& environment() override { return context_.environment; }
  BlockDevice* open(std::string_view device) override;
  bool noflush_suspending() const override;
  bool suspended() const override;
  void event() override;
  void finish(TargetBio& bio, BlockStatus status) override;
  void submit(TargetBio& bio) override;
  Actor device_actor() const override;
  const std::string& device_name() const override;
  SharedState& shared(std::string_view name, MakeSharedState make) override;
  InternallySuspended& internal_suspend() override;

 private:
  struct Opened {
    BlockDevice* device;
    MappedDevice* mapped;  // the same device, if it is a mapped one
    Actor actor;
  };

  Table(CoreContext& context, MappedDevice& device, LowerDevices& lower)
      : context_(context), device_(device), lower_(lower) {}

  DmResult<> add_target(const TableLine& line, std::span<const TargetType> types,
                        const SwitchValues& switches);
  // What a row stands on: the target's own word, else everything that its constructor opened.
  std::vector<TargetDevice> devices_of(std::size_t row, bool* areas_known) const;
  DmResult<BlockLimits> row_limits(std::size_t row, bool* discard) const;
  const Row* search(Sector sector) const;

  CoreContext& context_;
  MappedDevice& device_;
  LowerDevices& lower_;
  bool bound_ = false;
  std::uint32_t references_ = 1;
  std::vector<Opened> opened_;  // each device once, in order of first opening
  std::vector<Row> rows_;       // adjoining, from 0; never empty once parsed
  std::vector<std::vector<BlockDevice*>> opened_by_row_;
  std::vector<BlockDevice*> opening_;  // by the constructor that runs now
  std::vector<std::unique_ptr<Target>> targets_;  // destroyed before opened_ is given back
};

}  // namespace dmsim::native
