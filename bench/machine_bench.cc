// The simulated machine at work: images, disks, mirrored writes, and whole lives after a power cut.
#include <benchmark/benchmark.h>

#include "harness/afterlife.h"
#include "harness/engine_factory.h"
#include "harness/run.h"
#include "harness/world.h"
#include "models/disk/disk.h"

namespace dmsim {
namespace {

Plan mirror_plan(std::uint64_t leg_sectors, const std::string& table) {
  Plan plan;
  plan.scenario = "bench";
  for (const char* name : {"leg0", "leg1", "log0"}) {
    DiskOptions disk;
    disk.name = name;
    disk.sectors = std::string_view(name) == "log0" ? 128 : leg_sectors;
    disk.content = DiskContent::kZero;
    plan.disks.push_back(disk);
  }
  plan.devices.push_back({"lv", table, true});
  plan.machine.kswapd = false;
  return plan;
}

// One row for each engine; those whose kernel sources are missing are skipped.
void engines(benchmark::internal::Benchmark* row) {
  row->ArgName("engine");
  for (std::size_t i = 0; i < engine_names().size(); ++i) row->Arg(static_cast<std::int64_t>(i));
}
bool take_engine(benchmark::State& state, Plan* plan) {
  plan->engine = engine_names()[static_cast<std::size_t>(state.range(0))];
  state.SetLabel(plan->engine);
  const std::string why = why_no_engine(plan->engine);
  if (!why.empty()) state.SkipWithError(why.c_str());
  return why.empty();
}

// A fork of an image, one page set by reference, and the fingerprint of the whole.
void image_fork_and_fingerprint(benchmark::State& state) {
  PagePool pages;
  ImagePool pool;
  DiskOptions options;
  options.name = "disk";
  options.sectors = 64 * 2048;  // 64 MiB
  const Pristine pristine(pages, options);
  PageSpace space(pages, 0);
  Image image(pristine, pool);
  std::vector<PageRef> contents;
  for (int i = 0; i < 64; ++i) {
    std::byte* bytes = nullptr;
    contents.push_back(space.make(&bytes));
    std::memset(bytes, i, kPageBytes);
    contents.back().digest();
  }
  for (std::uint64_t i = 0; i < image.pages(); i += 7) image.set_page(i, contents[i % 64]);
  benchmark::DoNotOptimize(image.fingerprint());
  std::uint64_t at = 0;
  for (auto _ : state) {
    Image fork(image);
    at = (at + 4099) % image.pages();
    fork.set_page(at, contents[at % 64]);
    benchmark::DoNotOptimize(fork.fingerprint());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(image_fork_and_fingerprint);

// The same, with 4 KiB of new bytes to be copied and digested for each state.
void image_fork_copy_and_fingerprint(benchmark::State& state) {
  PagePool pages;
  ImagePool pool;
  DiskOptions options;
  options.name = "disk";
  options.sectors = 64 * 2048;
  const Pristine pristine(pages, options);
  PageSpace space(pages, 0);
  Image image(pristine, pool);
  std::vector<std::byte> source(kPageBytes);
  std::uint64_t at = 0;
  for (auto _ : state) {
    Image fork(image);
    at = (at + 4099) % image.pages();
    std::memcpy(source.data(), &at, sizeof at);
    std::byte* bytes = nullptr;
    PageRef page = space.make(&bytes);
    std::memcpy(bytes, source.data(), kPageBytes);
    fork.set_page(at, std::move(page));
    benchmark::DoNotOptimize(fork.fingerprint());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(image_fork_copy_and_fingerprint);

// User writes of 4 KiB through the whole machine, 32 under way at a time. Items are user writes.
void run_writes(benchmark::State& state, const std::string& table, std::uint64_t flush_every,
                std::uint64_t third_disk_sectors = 128, std::vector<DevicePlan> below = {}) {
  Workshop workshop;
  Plan plan = mirror_plan(16384, table);
  plan.disks[2].sectors = third_disk_sectors;
  plan.devices.insert(plan.devices.begin(), below.begin(), below.end());
  if (!take_engine(state, &plan)) return;
  WriteTask task;
  task.device = "lv";
  task.pace.count = 20000;
  task.in_flight = 32;
  task.flush_every = flush_every;
  plan.tasks.push_back({"writer", task});
  std::uint64_t bios = 0;
  std::uint64_t steps = 0;
  std::uint64_t seed = 1;
  for (auto _ : state) {
    RandomChoices choices(seed++);
    World world(plan, workshop, choices, Trace::Keep::kTail);
    std::string refused;
    world.boot(&refused, nullptr);
    CHECK(refused.empty(), refused);
    world.run_until([&] { return world.recovered(); }, nullptr);
    world.start_tasks();
    world.run_until([&] { return world.tasks_done(); }, nullptr);
    const RunStatistics statistics = world.statistics();
    bios += statistics.user_bios;
    steps += statistics.events + statistics.slices;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(bios));
  state.counters["steps/s"] =
      benchmark::Counter(static_cast<double>(steps), benchmark::Counter::kIsRate);
}
void writes_linear(benchmark::State& state) { run_writes(state, "0 16384 linear leg0 0", 0); }
void writes_mirror_core_log(benchmark::State& state) {
  run_writes(state, "0 16384 mirror core 1 1024 2 leg0 0 leg1 0 1 handle_errors", 0);
}
// Nothing ever flushes a core log's mirror by itself, and a disk's cache remembers up to 16 versions of each page that
// no flush has covered: 128 MiB a run, which no processor's cache holds. With flushes the machine is what is measured.
void writes_mirror_core_log_flushed(benchmark::State& state) {
  run_writes(state, "0 16384 mirror core 1 1024 2 leg0 0 leg1 0 1 handle_errors", 64);
}
void writes_mirror_disk_log(benchmark::State& state) {
  run_writes(state, "0 16384 mirror disk 2 log0 1024 2 leg0 0 leg1 0 1 handle_errors", 0);
}
// Every region's first write is held until the region is there: a copy, or nothing where the write covers it.
void writes_clone(benchmark::State& state) {
  run_writes(state, "0 16384 clone log0 leg0 leg1 64 1 no_hydration", 0, 2048);
}
// The first write to each of 256 chunks copies it to the store; the writes after it pass.
void writes_under_snapshot(benchmark::State& state) {
  run_writes(state, "0 16384 snapshot-origin real", 0, 65536,
             {{"real", "0 16384 linear leg0 0", true}, {"snap", "0 16384 snapshot real log0 P 64", true}});
}
BENCHMARK(writes_linear)->Apply(engines)->Unit(benchmark::kMillisecond);
BENCHMARK(writes_mirror_core_log)->Apply(engines)->Unit(benchmark::kMillisecond);
BENCHMARK(writes_mirror_core_log_flushed)->Apply(engines)->Unit(benchmark::kMillisecond);
BENCHMARK(writes_mirror_disk_log)->Apply(engines)->Unit(benchmark::kMillisecond);
BENCHMARK(writes_clone)->Apply(engines)->Unit(benchmark::kMillisecond);
BENCHMARK(writes_under_snapshot)->Apply(engines)->Unit(benchmark::kMillisecond);

// Simulated over real time: a two-leg mirror of disks that do 150 writes a second, a flush every 16.
void declared_workload(benchmark::State& state) {
  Workshop workshop;
  Plan plan = mirror_plan(16384, "0 16384 mirror disk 2 log0 1024 2 leg0 0 leg1 0 1 handle_errors");
  if (!take_engine(state, &plan)) return;
  for (DiskOptions& disk : plan.disks) {
    disk.write = {Duration::microseconds(6000), Duration::microseconds(7333)};
    disk.read = disk.write;
    disk.flush = disk.write;
  }
  WriteTask task;
  task.device = "lv";
  task.pace.count = 2000;
  task.flush_every = 16;
  plan.tasks.push_back({"writer", task});
  double simulated = 0;
  std::uint64_t seed = 1;
  for (auto _ : state) {
    RandomChoices choices(seed++);
    World world(plan, workshop, choices, Trace::Keep::kTail);
    std::string refused;
    world.boot(&refused, nullptr);
    world.run_until([&] { return world.recovered(); }, nullptr);
    world.start_tasks();
    world.run_until([&] { return world.tasks_done(); }, nullptr);
    simulated += static_cast<double>(world.now().ns()) / 1e9;
  }
  state.counters["simulated_s/s"] = benchmark::Counter(simulated, benchmark::Counter::kIsRate);
}
BENCHMARK(declared_workload)->Apply(engines)->Unit(benchmark::kMillisecond);

// One cut, reboot, recovery and check: legs of 6 MiB, six dirty regions of 128 KiB. Items are lives.
void cut_reboot_recover_check(benchmark::State& state) {
  Workshop workshop;
  Plan plan = mirror_plan(12288, "0 12288 mirror disk 2 log0 256 2 leg0 0 leg1 0 1 handle_errors");
  if (!take_engine(state, &plan)) return;
  for (DiskOptions& disk : plan.disks) disk.content = DiskContent::kOwn;
  plan.disks[2].content = DiskContent::kZero;
  plan.checks = {"legs-identical-where-clean", "durability", "untouched-sectors", "liveness"};
  plan.power_cut.when = PowerCutPlan::When::kAny;
  IoTask writes;
  writes.device = "lv";
  writes.script = "W0+8 W256+8 W512+8 W768+8 W1024+8 W1280+8";
  plan.tasks.push_back({"writer", writes});
  RandomChoices choices(1);
  World world(plan, workshop, choices, Trace::Keep::kTail);
  std::string refused;
  world.boot(&refused, nullptr);
  world.run_until([&] { return world.recovered() && world.at_rest(); }, nullptr);
  world.start_tasks();
  // Up to where all six regions are dirty in the durable log and writes are on their way to the legs.
  world.run_until(
      [&] { return world.disks()[0]->in_flight() >= 6 && world.disks()[1]->in_flight() >= 6; },
      [] { return false; });
  CutMoment moment;
  take_moment(world, 1, &moment);
  std::uint64_t seed = 1;
  std::uint64_t steps = 0;
  Survivors survivors;
  for (auto _ : state) {
    RandomChoices later(seed++);
    draw_survivors(moment, world, later, &survivors);
    benchmark::DoNotOptimize(crash_state_fingerprint(survivors.images, world));
    const auto life = reboot(world, moment, survivors, later, Trace::Keep::kTail);
    const Stretch stretch = live_on(*life, nullptr);
    CHECK(stretch == Stretch::kDone);
    CHECK(life->judge().violations().empty());
    const RunStatistics statistics = life->statistics();
    steps += statistics.events + statistics.slices;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["steps/life"] =
      static_cast<double>(steps) / static_cast<double>(state.iterations());
}
BENCHMARK(cut_reboot_recover_check)->Apply(engines)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace dmsim
