// LVM2's metadata on exported images, read by Debian's own lvm2: at whatever instant of a repair, or of a move, the
// power goes, pvck finds a volume group on every physical volume, and lvm2 takes its text for one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

namespace dmsim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kScenario = R"(scenario: repair
disks:
  pv0: &disk {{size: 2MiB}}
  pv1: *disk
  pv2: *disk
volume-groups:
  vg:
    disks: [pv0, pv1, pv2]
    volumes:
      lv: {{on: [pv0, pv1], log: pv2, extents: 16}}
faults:
  - {{disk: pv0, kind: revives, from: 1s}}
tasks:
  - write: {{device: vg-lv, start: 999ms, every: 1ms, count: 20}}
  - dmeventd: {{group: vg}}
  - create-snapshot: {{group: vg, origin: lv, snapshot: snap, on: pv2, extents: 8, start: 1005ms, may-fail: true}}
  - io: {{device: pv2, start: {}us, script: R0+8 *}}
check: [liveness]
)";

constexpr const char* kMove = R"(scenario: move
disks:
  pv0: &disk {{size: 1MiB}}
  pv1: *disk
volume-groups:
  vg:
    disks: [pv0, pv1]
    extent: 32KiB
    volumes:
      data: {{on: [pv0], extents: 2}}
      home: {{on: [pv0], extents: 1}}
tasks:
  - pvmove: {{group: vg, from: pv0, to: [pv1], start: 1ms, poll: 1ms, atomic: {}}}
  - io: {{device: pv0, start: {}us, script: R0+8 *}}
check: [liveness]
)";

// What the command says on both streams; its exit code in `*code`.
std::string output_of(const std::string& command, int* code) {
  std::string out;
  FILE* const pipe = popen((command + " 2>&1 < /dev/null").c_str(), "r");
  if (pipe == nullptr) return out;
  char buffer[4096];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
  *code = pclose(pipe);
  return out;
}

TEST(Pvck, reads_the_metadata_of_every_crash_state) {
  const std::string pvck = fs::exists("/usr/sbin/pvck") ? "/usr/sbin/pvck" : "/sbin/pvck";
  if (!fs::exists(pvck)) GTEST_SKIP() << "lvm2 is not installed";
  const fs::path folder = fs::path(testing::TempDir()) / fmt::format("dmsim-pvck-{}", getpid());
  fs::create_directories(folder);
  std::set<std::string> sequences;
  bool precommitted = false;
  for (int at_us = 1'002'000; at_us < 1'032'000; at_us += 2'000) {
    const fs::path scenario = folder / "repair.yaml";
    std::ofstream(scenario) << fmt::format(kScenario, at_us);
    int code = -1;
    const std::string said = output_of(
        fmt::format("{} export {} --out {}", DMSIM_BINARY, scenario.string(), folder.string()), &code);
    ASSERT_TRUE(fs::exists(folder / "pv0.img")) << said;
    for (const char* volume : {"pv0", "pv1", "pv2"}) {
      const std::string found =
          output_of(fmt::format("{} --dump metadata {}/{}.img", pvck, folder.string(), volume), &code);
      ASSERT_EQ(code, 0) << "cut at " << at_us << " us, " << volume << "\n" << found;
      const std::size_t seqno = found.find("# vgname vg seqno ");
      ASSERT_NE(seqno, std::string::npos) << "cut at " << at_us << " us, " << volume << "\n" << found;
      sequences.insert(found.substr(seqno + 18, found.find('\n', seqno) - seqno - 18));
      precommitted |= found.find("precommit not empty") != std::string::npos;
    }
    fs::remove(folder / "pv0.img");
  }
  // The cuts fall before, between and behind the changes.
  EXPECT_GE(sequences.size(), 3u);
  EXPECT_TRUE(precommitted);
  fs::remove_all(folder);
}

// Every version of the text that stands on a physical volume during a move: with the temporary mirror, with a done
// segment, with what is left of the mirror, and without it. `vgcfgrestore --list` imports it as lvm2 does.
TEST(Pvck, lvm2_understands_the_metadata_at_every_step_of_a_move) {
  const std::string restore = fs::exists("/usr/sbin/vgcfgrestore") ? "/usr/sbin/vgcfgrestore" : "/sbin/vgcfgrestore";
  const std::string pvck = fs::exists("/usr/sbin/pvck") ? "/usr/sbin/pvck" : "/sbin/pvck";
  if (!fs::exists(restore) || !fs::exists(pvck)) GTEST_SKIP() << "lvm2 is not installed";
  const fs::path folder = fs::path(testing::TempDir()) / fmt::format("dmsim-move-{}", getpid());
  fs::create_directories(folder);
  std::map<std::string, std::string> texts;  // by their first line, which names the sequence number
  for (const bool atomic : {false, true}) {
    for (int at_us = 3'000; at_us < 43'000; at_us += 3'500) {
      const fs::path scenario = folder / "move.yaml";
      std::ofstream(scenario) << fmt::format(kMove, atomic, at_us);
      int code = -1;
      output_of(fmt::format("{} export {} --out {}", DMSIM_BINARY, scenario.string(), folder.string()), &code);
      const std::string found =
          output_of(fmt::format("{} --dump metadata {}/pv1.img", pvck, folder.string()), &code);
      ASSERT_EQ(code, 0) << "cut at " << at_us << " us\n" << found;
      const std::size_t seqno = found.find("# vgname vg seqno ");
      ASSERT_NE(seqno, std::string::npos) << "cut at " << at_us << " us\n" << found;
      const std::size_t begin = found.find("\nvg {");
      ASSERT_NE(begin, std::string::npos) << found;
      // The text ends with the line of its creation; the command adds what a C string ends with.
      const std::size_t end = found.rfind("creation_time = 1\n");
      ASSERT_NE(end, std::string::npos) << found;
      texts[found.substr(seqno, found.find('\n', seqno) - seqno) + (atomic ? " atomic" : "")] =
          found.substr(begin + 1, end + 18 - begin - 1);
    }
  }
  std::string all;
  for (const auto& [name, text] : texts) {
    const fs::path file = folder / "text.vg";
    std::ofstream(file) << text;
    int code = -1;
    const std::string said =
        output_of(fmt::format("{} --list --file {} vg", restore, file.string()), &code);
    EXPECT_NE(said.find("VG name:"), std::string::npos) << name << "\n" << said << text;
    EXPECT_EQ(said.find("Unable to read"), std::string::npos) << name << "\n" << said << text;
    all += text;
  }
  // begin, checkpoint, finish and removal; the atomic one has no checkpoint.
  EXPECT_GE(texts.size(), 8u);
  for (const char* part :
       {"PVMOVE", "extents_moved = 0", "extents_moved = 2", "pvmove0_mimage_1", "type = \"error\""}) {
    EXPECT_NE(all.find(part), std::string::npos) << part;
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace dmsim
