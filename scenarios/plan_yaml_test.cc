// What is written must be read back as it was: over plans made by chance that use every part of a plan.
#include "scenarios/plan_yaml.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "scenarios/keys.h"
#include "scenarios/test_vocabulary.h"
#include "sim/choice.h"

namespace dmsim {
namespace {

constexpr ChoicePoint kPlanPoint{"test.plan"};

// Plans by chance. All of them are such as a scenario can say.
class PlanMaker {
 public:
  explicit PlanMaker(std::uint64_t seed) : choices_(seed) {}

  Plan make() {
    Plan plan;
    plan.scenario = name("scenario");
    plan.variant = flip() ? "" : name("variant");
    plan.about = text();
    plan.source = text();
    plan.directory = text();
    plan.engine = pick(test_vocabulary().engines);
    for (std::uint64_t i = 0, count = 3 + below(2); i < count; ++i) plan.disks.push_back(disk(i));
    for (std::uint64_t i = 0, count = below(4); i < count; ++i) plan.faults.push_back(fault());
    for (std::uint64_t i = 0, count = 1 + below(3); i < count; ++i) plan.devices.push_back(device(i));
    plan.volume_groups.push_back(volume_group());
    plan.volume_groups.push_back({"old", {"disk1", "disk2"}, 32, {{"data", {"disk1"}, "", 1 + below(9), 64}}, "",
                                  GroupFormat::kLvm1});
    plan.machine = machine();
    for (std::uint64_t i = 0, count = below(6); i < count; ++i) {
      TaskBody made = body();
      // Names like those that the reader gives must not be in its way.
      plan.tasks.push_back({fmt::format("{}-{}", name("task"), i), std::move(made)});
    }
    plan.power_cut = power_cut();
    for (const std::string_view oracle : test_vocabulary().oracles) {
      if (flip()) plan.checks.emplace_back(oracle);
    }
    for (const SwitchInfo& info : test_vocabulary().switches) {
      if (flip()) plan.switches[std::string(info.name)] = pick(info.values);
    }
    plan.runs = 1 + below(100);
    if (!plan.checks.empty() && flip()) {
      plan.expect.verdict = Expectation::Verdict::kViolates;
      plan.expect.oracles = {plan.checks.front()};
      if (plan.checks.size() > 1 && flip()) plan.expect.oracles.push_back(plan.checks[1]);
      plan.expect.blame = static_cast<Blame>(below(3));
    }
    return plan;
  }

 private:
  static constexpr std::uint64_t kDiskSectors = 4096;

  std::uint64_t below(std::uint64_t bound) {
    return choices_.draw(kPlanPoint, Actor::kNobody, bound);
  }
  bool flip() { return below(2) == 1; }
  std::string pick(std::span<const std::string_view> from) {
    return std::string(from[below(from.size())]);
  }
  std::uint32_t narrow(std::uint64_t bound) { return static_cast<std::uint32_t>(below(bound)); }
  Duration duration() {
    static constexpr std::array<std::int64_t, 4> kFactors{1, 1'000, 1'000'000, 1'000'000'000};
    return Duration::nanoseconds(static_cast<std::int64_t>(below(5000)) * kFactors[below(4)]);
  }
  Duration some_duration() { return duration() + Duration::nanoseconds(1); }
  DurationRange durations() {
    const Duration least = duration();
    return {least, flip() ? least : least + duration()};
  }
  SectorRange range() {
    const Sector begin = below(kDiskSectors - 64);
    return {begin, begin + 64};
  }
  Ratio ratio() {
    const std::uint32_t denominator = 1 + narrow(100);
    return {narrow(denominator + 1), denominator};
  }
  std::string text() {
    static constexpr std::array<std::string_view, 14> kTexts{
        "", "plain words", "null", "true", "~", " blanks ", "a: colon", "- dash", "12",
        "line\nline\n", "\"quoted\" \\ 'single'", "# no comment", "tab\tbell\x07", "Größe [x, {y}] &z"};
    return std::string(kTexts[below(kTexts.size())]);
  }
  std::string name(std::string_view stem) { return fmt::format("{}.{}_x", stem, below(1000)); }
  std::string disk_name() { return "disk0"; }
  std::string lower() { return flip() ? "lv0" : "disk0"; }

  DiskOptions disk(std::uint64_t number) {
    DiskOptions made;
    made.name = fmt::format("disk{}", number);
    made.sectors = kDiskSectors + 8 * below(1000);
    made.cache = static_cast<CacheMode>(below(2));
    made.atomic_sectors = flip() ? 1 : 8;
    made.cache_sectors = below(100);
    made.read = durations();
    made.write = durations();
    made.flush = durations();
    made.discard = durations();
    made.evict_every = duration();
    made.discard_supported = flip();
    made.transfer_steps = 1 + narrow(9);
    made.content = static_cast<DiskContent>(below(2));
    return made;
  }
  FaultOptions fault() {
    FaultOptions made;
    made.disk = disk_name();
    made.kind = static_cast<FaultKind>(below(kFaultWords.size()));
    if (flip()) made.range = range();
    made.from = duration();
    if (flip()) made.heals = made.from + some_duration();
    made.skip = below(10);
    if (flip()) made.count = 1 + below(10);
    made.probability = ratio();
    made.after_reboot = flip();
    return made;
  }
  std::string table() {
    return flip() ? "0 4096 linear disk0 0"
                  : "0 2048 mirror core 2 1024 nosync 2 disk0 0 disk0 2048\n2048 2048 error";
  }
  DevicePlan device(std::uint64_t number) {
    DevicePlan made{fmt::format("lv{}", number), table(), flip()};
    if (!made.boot && number > 0 && flip()) made.table.clear();
    return made;
  }
  MachinePlan machine() {
    MachinePlan made;
    made.memory = {100 + below(100), below(10), 10 + below(10), flip()};
    if (flip()) made.pdflush = PdflushOptions{some_duration(), duration()};
    made.kswapd = flip();
    made.slice_cost = some_duration();
    made.preemption = ratio();
    made.patience = duration();
    made.settle = duration();
    return made;
  }
  PowerCutPlan power_cut() {
    PowerCutPlan made;
    made.when = static_cast<PowerCutPlan::When>(below(4));
    if (made.when == PowerCutPlan::When::kAt) made.at = duration();
    if (made.when == PowerCutPlan::When::kAny) made.from = duration();
    made.survivors = static_cast<SurvivorPolicy>(below(3));
    made.states_per_cut = 1 + narrow(9);
    made.depth = 1 + narrow(3);
    made.tables = static_cast<TablesAfterCut>(below(2));
    made.devices_fail_over = flip();
    if (flip()) made.engine = "linux-6.12";
    return made;
  }
  Pace pace() { return {duration(), durations(), 1 + below(50)}; }
  Area area() { return {flip() ? SectorRange{} : range(), 1 + narrow(64), flip()}; }

  TaskBody body() {
    switch (below(17)) {
      case 0: {
        WriteTask made{lower(), static_cast<Path>(below(3)), area(), pace()};
        made.flush_every = below(5);
        if (made.path != Path::kDirect) return made;
        made.heeds_cache = flip();
        made.fua = flip();
        made.in_flight = 1 + narrow(5);
        made.scribble = flip();
        return made;
      }
      case 1: return ReadTask{lower(), Path::kDirect, area(), pace(), 1 + narrow(5)};
      case 2: return DiscardTask{lower(), area(), pace()};
      case 3: return FlushTask{lower(), static_cast<Path>(below(2)), pace()};
      case 4:
        return MmapStoreTask{lower(), flip() ? SectorRange{} : SectorRange{8 * below(9), 512},
                             1u << below(13), pace()};
      case 5: return IoTask{lower(), duration(), "W0+8 c(W0+8) F\nc(F) W8+4! R0+8 *"};
      case 6:
        return Ext2Task{lower(), duration(), 1024u << below(3), below(9), narrow(9999),
                        below(4), below(4), durations(), flip()};
      case 7: return FioIologTask{lower(), text(), duration()};
      case 8: return LogWritesTask{lower(), text(), duration(), below(9), below(9)};
      case 9:
        return JournalFsTask{"vg-data", duration(), below(9), 1 + below(9), 1 + narrow(9000), durations(),
                             below(4), duration(), 8 + narrow(40), flip(), flip()};
      case 10:
        return CreateSnapshotTask{"vg", flip() ? "data" : "mirror", fmt::format("snap{}", snapshots_++), "disk0",
                                  1 + below(9), 8u << below(4), duration(), flip()};
      case 11: return DmeventdTask{"vg", duration()};
      case 12: return SwapTask{"disk0", 1 + below(9), pace()};
      case 13: return Lvm1PvmoveTask{"old", "disk1", "disk2", duration(), flip(), flip()};
      case 14: {
        PvmoveTask made{"vg", "disk0", {}, flip() ? "data" : "", flip(), false, flip(), flip(), duration(), duration()};
        made.poll = Duration::microseconds(1 + static_cast<std::int64_t>(below(9999)));
        if (flip()) made.to = {"disk0"};
        if (flip()) made = {"vg", "", {}, "", false, true, false, flip(), duration(), Duration::milliseconds(10)};
        return made;
      }
      case 15: return ResyncMirrorTask{"vg", "mirror", duration()};
      default: break;
    }
    DmsetupTask made{duration(), {}};
    for (std::uint64_t i = 0, count = 1 + below(6); i < count; ++i) made.steps.push_back(step());
    return made;
  }
  VolumeGroupPlan volume_group() {
    VolumeGroupPlan made{"vg", {"disk0"}, 64, {}, flip() ? "" : "disk0"};
    made.volumes.push_back({"data", {"disk0"}, "", 1 + below(9), 64});
    made.volumes.push_back({"mirror", {"disk0", "disk0"}, flip() ? "" : "disk0", 1 + below(9), 8u << below(5)});
    return made;
  }
  DmsetupStep step() {
    using Verb = DmsetupStep::Verb;
    DmsetupStep made;
    made.verb = static_cast<Verb>(below(static_cast<std::uint64_t>(Verb::kWaitTask)));
    if (made.verb == Verb::kSleep) {
      made.duration = duration();
      return made;
    }
    made.device = "lv0";
    if (flip()) made.interrupted_after = duration();
    if (flip()) made.answer = kAnswerWords[1 + below(kAnswerWords.size() - 1)];
    if (made.verb == Verb::kLoad) made.text = flip() || made.answer.empty() ? table() : "rubbish";
    if (made.verb == Verb::kSuspend) {
      made.suspend = {.noflush = flip(), .skip_lockfs = flip()};
      made.freeze_fails = flip();
    }
    if (made.verb == Verb::kMessage) {
      made.sector = below(100);
      made.text = text();
    }
    if (made.verb == Verb::kWaitStatus) {
      made.text = text();
      made.duration = some_duration();
    }
    return made;
  }

  RandomChoices choices_;
  std::uint64_t snapshots_ = 0;
};

Result<Plan> read_back(const Plan& plan) {
  return read_plan(write_plan(plan), "plan.yaml", test_vocabulary());
}

TEST(PlanYaml, what_is_written_is_read_back_as_it_was) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Plan plan = PlanMaker(seed).make();
    const std::string written = write_plan(plan);
    const Result<Plan> read = read_plan(written, "plan.yaml", test_vocabulary());
    ASSERT_TRUE(read.ok()) << read.error().to_string() << "\n" << written;
    ASSERT_TRUE(*read == plan) << "seed " << seed << "\n" << written << "read back as\n"
                               << write_plan(*read);
    EXPECT_EQ(write_plan(*read), written);
  }
}

TEST(PlanYaml, the_plans_of_that_test_hold_every_task_and_every_verb) {
  std::set<std::size_t> kinds;
  std::set<DmsetupStep::Verb> verbs;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    for (const TaskPlan& task : PlanMaker(seed).make().tasks) {
      kinds.insert(task.body.index());
      if (const auto* admin = std::get_if<DmsetupTask>(&task.body)) {
        for (const DmsetupStep& step : admin->steps) verbs.insert(step.verb);
      }
    }
  }
  EXPECT_EQ(kinds.size(), kTaskKinds.size());
  EXPECT_EQ(verbs.size(), kVerbs.size() - 1);  // all but wait-task, which needs another task
}

Plan small_plan() {
  Plan plan;
  plan.scenario = "small";
  plan.disks.push_back({.name = "d"});
  return plan;
}

TEST(PlanYaml, waiting_for_a_task_is_read_back_too) {
  Plan plan = small_plan();
  plan.devices.push_back({"lv", "0 8 zero", true});
  ReadTask reader;
  reader.device = "lv";
  plan.tasks.push_back({"reader", reader});
  DmsetupStep wait;
  wait.verb = DmsetupStep::Verb::kWaitTask;
  wait.text = "reader";
  plan.tasks.push_back({"admin", DmsetupTask{Duration(), {wait}}});
  const Result<Plan> read = read_back(plan);
  ASSERT_TRUE(read.ok()) << read.error().to_string();
  EXPECT_TRUE(*read == plan);
}

TEST(PlanYaml, a_plan_reads_like_a_scenario_with_its_defaults_spelled_out) {
  EXPECT_EQ(write_plan(small_plan()),
            "scenario: small\n"
            "variant: \"\"\n"
            "about: \"\"\n"
            "source: \"\"\n"
            "directory: \"\"\n"
            "engine: native\n"
            "disks:\n"
            "  d: {size: 8MiB, cache: write-back, atomic: 512B, cache-size: 0B, read: 20us..200us, "
            "write: 20us..200us, flush: 100us..2ms, discard: 20us..200us, evict-every: 0s, "
            "discard-supported: true, transfer-steps: 1, content: own}\n"
            "memory: {pages: 4096, low-pages: 0, high-pages: 0, stable-pages: false}\n"
            "pdflush: none\n"
            "kswapd: true\n"
            "scheduler: {slice-cost: 500ns, preemption: 0/1, patience: 120s, settle: 60s}\n"
            "power-cut: {when: never, from: 0s, survivors: chosen, states: 4, depth: 1, tables: plan, "
            "fail-over: false}\n"
            "check: []\n"
            "runs: 20\n"
            "expect: holds\n");
}

// The fallbacks of the key tables are what schema and reference tell the user.
void expect_fallbacks(const KeyTable& table, const YamlNode* written) {
  ASSERT_NE(written, nullptr) << table.name;
  for (const KeyInfo& key : table.keys) {
    if (key.fallback.empty() || key.fallback == "-") continue;
    const YamlNode* value = written->find(key.name);
    ASSERT_NE(value, nullptr) << table.name << " " << key.name;
    if (!value->is_scalar()) continue;
    EXPECT_EQ(value->text, key.fallback) << table.name << " " << key.name;
  }
}

TEST(PlanYaml, every_default_is_what_the_key_tables_say) {
  const std::string text =
      "scenario: s\ndisks: {d: {}, e: {}, f: {}}\ncheck: []\nfaults: [{disk: d, kind: dies}]\npdflush: {}\n"
      "devices: {lv: 0 8 zero}\n"
      "volume-groups: {g: {disks: [d], volumes: {v: {on: [d]}, m: {on: [d, d]}}},"
      " o: {format: lvm1, disks: [f, e], volumes: {}}}\ntasks:\n"
      "  - write: {device: lv}\n  - read: {device: lv}\n  - discard: {device: lv}\n"
      "  - flush: {device: lv}\n  - mmap-store: {device: lv}\n  - io: {device: lv, script: F}\n"
      "  - ext2: {device: lv}\n  - fio-iolog: {device: lv, file: f}\n"
      "  - log-writes: {device: lv, file: f}\n"
      "  - dmsetup: {steps: [{create: {device: lv}}, {load: {device: lv}}, {suspend: {device: lv}},"
      " {message: {device: lv, text: t}}, {wait-status: {device: lv, contains: c}}]}\n"
      "  - journal-fs: {device: lv}\n"
      "  - create-snapshot: {group: g, origin: v, snapshot: s, on: d}\n  - dmeventd: {group: g}\n"
      "  - swap: {device: lv, pages: 1}\n  - pvmove-lvm1: {group: o, from: f, to: e}\n"
      "  - pvmove: {group: g, from: d}\n"
      "  - resync-mirror: {group: g, volume: m}\n";
  const Result<Plan> plan = read_plan(text, "s.yaml", test_vocabulary());
  ASSERT_TRUE(plan.ok()) << plan.error().to_string();
  const Result<YamlNode> written = parse_yaml(write_plan(*plan), "s.yaml");
  ASSERT_TRUE(written.ok());
  expect_fallbacks(kDiskKeys, written->find("disks")->find("d"));
  expect_fallbacks(kFaultKeys, &written->find("faults")->items[0]);
  expect_fallbacks(kDeviceKeys, written->find("devices")->find("lv"));
  const YamlNode* group = written->find("volume-groups")->find("g");
  expect_fallbacks(kVolumeGroupKeys, group);
  expect_fallbacks(kVolumeKeys, group->find("volumes")->find("v"));
  expect_fallbacks(kMemoryKeys, written->find("memory"));
  expect_fallbacks(kPdflushKeys, written->find("pdflush"));
  expect_fallbacks(kSchedulerKeys, written->find("scheduler"));
  expect_fallbacks(kPowerCutKeys, written->find("power-cut"));
  for (std::size_t i = 0; i < kTaskKinds.size(); ++i) {
    const YamlNode* task = written->find("tasks")->items[i].find(kTaskKinds[i].name);
    expect_fallbacks(*kTaskKinds[i].table, task);
    if (kTaskKinds[i].name != "dmsetup") continue;
    for (const YamlNode& step : task->find("steps")->items) {
      for (const VerbInfo& verb : kVerbs) {
        if (verb.name == step.entries[0].key) expect_fallbacks(*verb.table, &step.entries[0].value);
      }
    }
  }
}

TEST(PlanYaml, keys_of_others_are_tolerated_only_when_that_is_asked_for) {
  const std::string text = write_plan(small_plan()) + "choices: [1, 2, 3]\n";
  const Result<Plan> strict = read_plan(text, "crash.yaml", test_vocabulary());
  ASSERT_FALSE(strict.ok());
  EXPECT_EQ(strict.error().message.substr(0, 41), "unknown key 'choices' of a scenario, expe");
  const Result<Plan> tolerant =
      read_plan(text, "crash.yaml", test_vocabulary(), {.extra_keys = true});
  ASSERT_TRUE(tolerant.ok());
  EXPECT_TRUE(*tolerant == small_plan());
}

TEST(PlanYaml, tolerance_ends_at_the_top) {
  const std::string text = "scenario: s\ndisks: {d: {sise: 8MiB}}\ncheck: []\n";
  EXPECT_FALSE(read_plan(text, "s.yaml", test_vocabulary(), {.extra_keys = true}).ok());
}

TEST(PlanYaml, an_option_that_a_verb_does_not_have_is_a_bug_of_ours) {
  Plan plan = small_plan();
  DmsetupStep step;
  step.verb = DmsetupStep::Verb::kResume;
  step.device = "lv";
  step.freeze_fails = true;
  plan.tasks.push_back({"admin", DmsetupTask{Duration(), {step}}});
  EXPECT_DEATH(write_plan(plan), "freeze_fails");
}

TEST(PlanYaml, a_scalar_is_quoted_only_where_it_must_be) {
  EXPECT_EQ(yaml_scalar("mirror-unstable-page"), "mirror-unstable-page");
  EXPECT_EQ(yaml_scalar("two words"), "two words");
  EXPECT_EQ(yaml_scalar(""), "\"\"");
  EXPECT_EQ(yaml_scalar("null"), "\"null\"");
  EXPECT_EQ(yaml_scalar("a: b"), "\"a: b\"");
  EXPECT_EQ(yaml_scalar("a\n\"b\"\x01"), "\"a\\n\\\"b\\\"\\x01\"");
}

}  // namespace
}  // namespace dmsim
