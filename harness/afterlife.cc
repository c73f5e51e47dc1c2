#include "harness/afterlife.h"

#include <algorithm>

#include "harness/oracle_names.h"
#include "harness/page_reader.h"

namespace dmsim {
namespace {

void report_mismatch(World& world, std::string_view device, const Mismatch& mismatch) {
  const SectorRange sector{mismatch.sector, mismatch.sector + 1};
  Violation violation;
  violation.device = device;
  violation.sectors = sector;
  violation.blame = world.judge().blame_for(device, sector);
  if (world.judge().follows_moves()) {
    violation.oracle = oracle::kMovedEqualsModel;
    violation.state = mismatch.kind == Mismatch::Kind::kUntouched ? "after a power cut, never written"
                      : mismatch.kind == Mismatch::Kind::kStale   ? "after a power cut, initial content"
                                                                  : "after a power cut, what cannot be there";
    violation.sentence = fmt::format(
        "after the power cut sector {} of {} holds, through the committed mapping, {}", mismatch.sector, device,
        mismatch.kind == Mismatch::Kind::kUntouched
            ? "something else than its old content, although nobody has written there"
        : mismatch.kind == Mismatch::Kind::kStale
            ? fmt::format("its initial content; the oldest it may hold is write {}", mismatch.expected_write)
            : fmt::format("what cannot be there; the oldest it may hold is write {}", mismatch.expected_write));
    return world.judge().report(std::move(violation));
  }
  const std::string_view consequence = world.judge().clone_consequence(device, mismatch);
  if (mismatch.kind == Mismatch::Kind::kUntouched) {
    violation.oracle = oracle::kUntouched;
    violation.state = "after a power cut";
    violation.sentence = fmt::format(
        "after the power cut sector {} of {} has lost its content, although nobody has written there",
        mismatch.sector, device);
  } else {
    violation.oracle = oracle::kDurability;
    violation.state =
        mismatch.kind == Mismatch::Kind::kStale ? "initial content" : "what cannot be there";
    violation.sentence = fmt::format(
        "after the power cut sector {} of {} holds {}; the oldest it may hold is write {}",
        mismatch.sector, device,
        mismatch.kind == Mismatch::Kind::kStale ? "its initial content" : "what cannot be there",
        mismatch.expected_write);
  }
  if (!consequence.empty()) {
    violation.state = consequence;
    violation.details.emplace_back(consequence);
  }
  world.judge().report(std::move(violation));
}

// Every leg but the last is lost, one after the other; what is read must not change by it.
void read_around(World& world, std::string_view name, PageReader& checker,
                 const std::vector<std::uint64_t>& pages, const std::vector<PageRef>& contents) {
  for (const World::DeviceView& mirror : world.mirror_views()) {
    if (mirror.device != name) continue;
    const auto& legs = mirror.view->legs();
    for (std::size_t leg = 0; leg + 1 < legs.size(); ++leg) {
      world.fail_reads_of(legs[leg].device);
      std::size_t at = 0;
      bool reported = false;
      checker.read(pages, [&](std::uint64_t page, const PageRef& found) {
        while (pages[at] != page) ++at;
        for (std::uint32_t i = 0; i < kPageSectors && !reported; ++i) {
          if (found.sector_digest(i) == contents[at].sector_digest(i)) continue;
          Violation violation;
          violation.oracle = oracle::kStableRead;
          violation.state = "leg lost after a power cut";
          violation.device = name;
          violation.sectors = {page * kPageSectors + i, page * kPageSectors + i + 1};
          violation.blame = world.judge().blame_for(name, violation.sectors);
          violation.sentence = fmt::format(
              "after the power cut sector {} of {} reads differently once leg {} is lost",
              page * kPageSectors + i, name, legs[leg].device);
          world.judge().report(std::move(violation));
          reported = true;
        }
      });
      if (reported) return;
    }
  }
}

void check_device(World& world, std::string_view name, const Reference& reference) {
  BlockDevice* device = world.mapper().find(name);
  if (device == nullptr || device->sectors() == 0) return;
  if (world.judge().forgets_at_cut(name)) return;
  PageReader checker(world, *device);
  const std::vector<std::uint64_t> pages = world.unknown_pages(name);
  std::vector<PageRef> contents;
  std::vector<Mismatch> wrong;
  const bool keeps = world.plan().power_cut.devices_fail_over;
  const bool ok = checker.read(pages, [&](std::uint64_t page, const PageRef& found) {
    reference.check_after_cut(page, found, 0xFF, &wrong);
    if (keeps) contents.push_back(found);
  });
  for (const Mismatch& mismatch : wrong) report_mismatch(world, name, mismatch);
  if (ok && keeps) read_around(world, name, checker, pages, contents);
}

}  // namespace

void take_moment(World& world, std::uint64_t opportunity, CutMoment* moment) {
  world.note_changed_pages();
  moment->opportunity = opportunity;
  moment->free_units = 0;
  PageSpace pages(world.workshop().pages(), world.pages().last_version());
  const auto& disks = world.disks();
  for (std::size_t i = 0; i < disks.size(); ++i) {
    if (moment->spaces.size() <= i) moment->spaces.emplace_back(disks[i]->media());
    disks[i]->crash_space(pages, &moment->spaces[i]);
    moment->free_units += moment->spaces[i].units.size();
  }
  moment->last_version = pages.last_version();
}

void draw_survivors(const CutMoment& moment, const World& before, ChoiceSource& choices,
                    Survivors* survivors) {
  survivors->images.clear();
  survivors->chosen.clear();
  PageSpace pages(before.workshop().pages(), moment.last_version);
  std::vector<std::uint32_t>& chosen = survivors->chosen;
  for (std::size_t i = 0; i < moment.spaces.size(); ++i) {
    const CrashSpace& space = moment.spaces[i];
    const std::size_t first = chosen.size();
    for (const FreeUnit& unit : space.units) {
      chosen.push_back(static_cast<std::uint32_t>(
          choices.draw(kSurvivor, before.disks()[i]->actor(), unit.count + 1)));
    }
    survivors->images.push_back(space.survive(std::span(chosen).subspan(first), pages));
  }
  survivors->last_version = pages.last_version();
}

std::uint64_t crash_state_fingerprint(const std::vector<Image>& images, const World& before) {
  Fingerprint fingerprint;
  for (const Image& image : images) fingerprint.fold(image.fingerprint());
  for (const std::string& device : before.checked_devices()) {
    const Reference* reference = before.reference(device);
    if (reference != nullptr) fingerprint.fold(reference->requirement_fingerprint());
  }
  for (const auto& disk : before.disks()) fingerprint.fold(disk->faults().struck());
  if (before.plan().power_cut.tables == TablesAfterCut::kLast) {
    for (const DevicePlan& device : before.devices_after_cut()) {
      fingerprint.fold(hash_name(device.table.data(), device.table.size()));
    }
  }
  return fingerprint.value();
}

std::unique_ptr<World> reboot(const World& before, const CutMoment& moment, Survivors& survivors,
                              ChoiceSource& choices, Trace::Keep keep) {
  Trace trace(before.trace(), keep);
  trace.set_now(before.now());
  const TraceId cut = trace.emit_caused(kPowerCut, Actor::kNobody, 0, moment.opportunity);
  std::size_t at = 0;
  for (std::size_t i = 0; i < moment.spaces.size(); ++i) {
    const CrashSpace& space = moment.spaces[i];
    for (const FreeUnit& unit : space.units) {
      const std::uint32_t candidate = survivors.chosen[at++];
      if (candidate == 0) continue;
      trace.emit_caused(kSurvived, before.disks()[i]->actor(), cut, unit.sector, unit.sectors,
                        candidate,
                        space.candidates_of(unit)[candidate - 1].content.version());
    }
  }
  return std::make_unique<World>(before, std::move(trace), std::move(survivors.images),
                                 survivors.last_version, choices);
}

Stretch live_on(World& world, const World::Condition& paused) {
  std::string refused;
  Stretch stretch = world.boot(&refused, paused);
  if (stretch != Stretch::kDone) return stretch;
  if (!refused.empty()) {
    Violation violation;
    violation.oracle = oracle::kLiveness;
    violation.state = "does not come up";
    violation.sentence = "after the power cut " + refused;
    world.judge().report(std::move(violation));
    return Stretch::kDone;
  }
  stretch = world.run_until([&] { return world.recovered() && world.at_rest(); }, paused);
  if (stretch != Stretch::kDone) return stretch;
  if (world.judge().checks(oracle::kLegsIdentical)) world.judge().check_legs();
  world.judge().check_stores();
  bool looked = false;
  world.spawn_task("checker", [&] {
    for (const std::string& device : world.checked_devices()) {
      check_device(world, device, *world.reference(device));
    }
    world.lvm().check_moves_ended();
    const LvmRoom& promised = world.first_lvm_room();
    for (const std::string& device : promised.recorded_devices()) {
      world.lvm().check_recovery(device, *promised.record(device));
    }
    looked = true;
  });
  return world.run_until([&] { return looked; }, nullptr);
}

}  // namespace dmsim
