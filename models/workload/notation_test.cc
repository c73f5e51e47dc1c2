#include "models/workload/notation.h"

#include <gtest/gtest.h>

#include "sim/choice.h"

namespace dmsim {
namespace {

using Kind = IoStep::Kind;

IoScript parsed(std::string_view text) {
  auto script = parse_notation(text);
  EXPECT_TRUE(script.ok()) << (script.ok() ? "" : script.error().to_string());
  return script.ok() ? script.value() : IoScript{};
}

std::string refusal(std::string_view text) {
  const auto script = parse_notation(text, {"s.yaml", 7, 11});
  EXPECT_FALSE(script.ok()) << text;
  return script.ok() ? "" : script.error().to_string();
}

TEST(Notation, the_glossarys_example_is_read_word_by_word) {
  const IoScript script = parsed("W0+8 c(W0+8) F c(F) *");
  ASSERT_EQ(script.steps.size(), 5u);
  EXPECT_EQ(script.steps[0].kind, Kind::kStart);
  EXPECT_EQ(script.steps[0].request, (IoRequest{Op::kWrite, false, 0, 8}));
  EXPECT_EQ(script.steps[1].kind, Kind::kSucceeds);
  EXPECT_EQ(script.steps[1].started_by, 0u);
  EXPECT_EQ(script.steps[2].request, (IoRequest{Op::kFlush, false, 0, 0}));
  EXPECT_EQ(script.steps[3].started_by, 2u);
  EXPECT_EQ(script.steps[4].kind, Kind::kCutPower);
  EXPECT_TRUE(script.has_power_cut());
}

TEST(Notation, every_kind_of_request_is_understood) {
  const IoScript script = parsed("R0+8 W8+4 W8+4! D16+8 F");
  ASSERT_EQ(script.steps.size(), 5u);
  EXPECT_EQ(script.steps[0].request, (IoRequest{Op::kRead, false, 0, 8}));
  EXPECT_EQ(script.steps[1].request, (IoRequest{Op::kWrite, false, 8, 4}));
  EXPECT_EQ(script.steps[2].request, (IoRequest{Op::kWrite, true, 8, 4}));
  EXPECT_EQ(script.steps[3].request, (IoRequest{Op::kDiscard, false, 16, 8}));
  EXPECT_EQ(script.steps[4].request, (IoRequest{Op::kFlush, false, 0, 0}));
  EXPECT_FALSE(script.has_power_cut());
  EXPECT_EQ(script.end_sector(), 24u);
}

TEST(Notation, every_error_a_device_can_give_may_be_awaited) {
  const IoScript script = parsed(
      "R0+1 e(R0+1,EIO) R0+1 e(R0+1,EOPNOTSUPP) R0+1 e(R0+1,ENOSPC) R0+1 e(R0+1,ETIMEDOUT) "
      "R0+1 e(R0+1,ENODATA)");
  ASSERT_EQ(script.steps.size(), 10u);
  EXPECT_EQ(script.steps[1].kind, Kind::kFails);
  EXPECT_EQ(script.steps[1].error, BlockStatus::Code::kIoError);
  EXPECT_EQ(script.steps[3].error, BlockStatus::Code::kNotSupported);
  EXPECT_EQ(script.steps[5].error, BlockStatus::Code::kNoSpace);
  EXPECT_EQ(script.steps[7].error, BlockStatus::Code::kTimeout);
  EXPECT_EQ(script.steps[9].error, BlockStatus::Code::kMedium);
}

TEST(Notation, a_wait_means_the_earliest_request_that_nothing_waits_for) {
  const IoScript script = parsed("W0+8 W0+8 R0+8 c(W0+8) W0+8 c(W0+8) e(W0+8,EIO)");
  EXPECT_EQ(script.steps[3].started_by, 0u);
  EXPECT_EQ(script.steps[5].started_by, 1u);
  EXPECT_EQ(script.steps[6].started_by, 4u);
}

TEST(Notation, an_fua_write_and_a_plain_one_are_different_requests) {
  const IoScript script = parsed("W0+8! W0+8 c(W0+8) c(W0+8!)");
  EXPECT_EQ(script.steps[2].started_by, 1u);
  EXPECT_EQ(script.steps[3].started_by, 0u);
}

TEST(Notation, white_space_of_any_kind_and_none_at_all_make_no_step) {
  EXPECT_TRUE(parsed("").steps.empty());
  EXPECT_TRUE(parsed(" \t\r\n ").steps.empty());
  EXPECT_EQ(parsed("\tF\r\n  F").steps.size(), 2u);
}

TEST(Notation, a_word_knows_its_line_and_column) {
  auto script = parse_notation("F  c(F)\n R0+8", {"x", 3, 5});
  ASSERT_TRUE(script.ok());
  EXPECT_EQ(script->steps[0].line, 3);
  EXPECT_EQ(script->steps[0].column, 5);
  EXPECT_EQ(script->steps[1].column, 8);
  EXPECT_EQ(script->steps[2].line, 4);
  EXPECT_EQ(script->steps[2].column, 2);
}

TEST(Notation, the_largest_numbers_are_read) {
  const IoScript script = parsed("R18446744069414584320+4294967295");
  EXPECT_EQ(script.steps[0].request.sector, 18446744069414584320u);
  EXPECT_EQ(script.steps[0].request.sectors, 4294967295u);
}

TEST(Notation, errors_say_the_column_what_was_found_and_what_was_expected) {
  EXPECT_EQ(refusal("W0+8 X"),
            "s.yaml:7:16: found 'X' in 'X', expected R, W, D, F, c(...), e(...) or *");
  EXPECT_EQ(refusal("W"), "s.yaml:7:12: found the word's end in 'W', expected a sector number");
  EXPECT_EQ(refusal("Wx+8"), "s.yaml:7:12: found 'x' in 'Wx+8', expected a sector number");
  EXPECT_EQ(refusal("W-1+8"), "s.yaml:7:12: found '-' in 'W-1+8', expected a sector number");
  EXPECT_EQ(refusal("W0"),
            "s.yaml:7:13: found the word's end in 'W0', expected '+' and a count of sectors");
  EXPECT_EQ(refusal("W0+"),
            "s.yaml:7:14: found the word's end in 'W0+', expected a count of sectors");
  EXPECT_EQ(refusal("W0+0"), "s.yaml:7:14: found 0 sectors, expected at least 1");
  EXPECT_EQ(refusal("W0+8?"),
            "s.yaml:7:15: found '?' in 'W0+8?', expected white space behind the request");
  EXPECT_EQ(refusal("W0+8!!"),
            "s.yaml:7:16: found '!' in 'W0+8!!', expected white space behind the request");
  EXPECT_EQ(refusal("F8+8"),
            "s.yaml:7:12: found '8' in 'F8+8', expected white space behind the request");
  EXPECT_EQ(refusal("**"), "s.yaml:7:12: found '*' in '**', expected nothing behind '*'");
}

TEST(Notation, a_mark_of_fua_belongs_to_writes_only) {
  EXPECT_EQ(refusal("R0+8!"),
            "s.yaml:7:15: '!' (FUA) in 'R0+8!' on a read, only a write can have it");
  EXPECT_EQ(refusal("F!"), "s.yaml:7:12: '!' (FUA) in 'F!' on a flush, only a write can have it");
  EXPECT_EQ(refusal("D0+8!"),
            "s.yaml:7:15: '!' (FUA) in 'D0+8!' on a discard, only a write can have it");
}

TEST(Notation, numbers_that_do_not_fit_are_refused) {
  EXPECT_EQ(refusal("R18446744073709551616+1"),
            "s.yaml:7:12: a sector number is too large in 'R18446744073709551616+1'");
  EXPECT_EQ(refusal("R0+4294967296"),
            "s.yaml:7:14: a count of sectors is too large in 'R0+4294967296'");
  EXPECT_EQ(refusal("R18446744073709551615+8"),
            "s.yaml:7:12: 'R18446744073709551615+8' ends behind the last sector there is");
}

TEST(Notation, a_wait_for_what_was_never_started_is_refused) {
  EXPECT_EQ(refusal("W0+8 c(W8+8)"),
            "s.yaml:7:16: 'c(W8+8)' waits for W8+8, expected one started before that nothing has "
            "waited for yet");
  EXPECT_EQ(refusal("F c(F) c(F)"),
            "s.yaml:7:18: 'c(F)' waits for F, expected one started before that nothing has waited "
            "for yet");
  EXPECT_EQ(refusal("c(F) F"),
            "s.yaml:7:11: 'c(F)' waits for F, expected one started before that nothing has waited "
            "for yet");
}

TEST(Notation, a_broken_wait_is_refused_where_it_breaks) {
  EXPECT_EQ(refusal("F c"), "s.yaml:7:14: found the word's end in 'c', expected '(' behind c");
  EXPECT_EQ(refusal("F c(x)"), "s.yaml:7:15: found 'x' in 'c(x)', expected R, W, D or F");
  EXPECT_EQ(refusal("F c(F"), "s.yaml:7:16: found the word's end in 'c(F', expected ')'");
  EXPECT_EQ(refusal("F c(F,EIO)"), "s.yaml:7:16: found ',' in 'c(F,EIO)', expected ')'");
  EXPECT_EQ(refusal("F c(F)F"),
            "s.yaml:7:17: found 'F' in 'c(F)F', expected white space behind ')'");
  EXPECT_EQ(refusal("F e(F)"),
            "s.yaml:7:16: found ')' in 'e(F)', expected ',' and the error that must come");
  EXPECT_EQ(refusal("F e(F,EBADF)"),
            "s.yaml:7:17: found error 'EBADF', expected EIO, EOPNOTSUPP, ENOSPC, ETIMEDOUT or "
            "ENODATA");
  EXPECT_EQ(refusal("F e(F,EIO"), "s.yaml:7:20: found the word's end in 'e(F,EIO', expected ')'");
}

TEST(Notation, an_error_in_a_later_line_names_that_line) {
  EXPECT_EQ(refusal("F\n  Q"),
            "s.yaml:8:3: found 'Q' in 'Q', expected R, W, D, F, c(...), e(...) or *");
}

TEST(Notation, neither_ok_nor_dm_internal_codes_can_be_awaited) {
  BlockStatus::Code code = BlockStatus::Code::kOk;
  EXPECT_FALSE(block_error_by_name("ok", &code));
  EXPECT_FALSE(block_error_by_name("REQUEUE", &code));
  EXPECT_TRUE(block_error_by_name("EIO", &code));
  EXPECT_EQ(code, BlockStatus::Code::kIoError);
}

TEST(Notation, what_is_read_is_printed_again) {
  const std::string text = "W0+8 W8+4! D16+8 R0+8 F c(W8+4!) e(R0+8,EIO) c(F) *";
  EXPECT_EQ(notation(parsed(text)), text);
  EXPECT_EQ(notation(parsed("  F\n\tc(F) ")), "F c(F)");
}

// A random valid script, as a list of steps.
IoScript random_script(RandomChoices& choices) {
  static constexpr ChoicePoint kPoint{"test.notation"};
  const auto draw = [&](std::uint64_t bound) {
    return choices.draw(kPoint, Actor::kNobody, bound);
  };
  IoScript script;
  std::vector<std::size_t> running;
  for (std::uint64_t left = draw(12); left > 0; --left) {
    IoStep step;
    if (!running.empty() && draw(2) == 1) {
      step.request = script.steps[running[draw(running.size())]].request;
      for (std::size_t i = 0; i < running.size(); ++i) {
        if (script.steps[running[i]].request != step.request) continue;
        step.started_by = running[i];
        running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
        break;
      }
      step.kind = draw(2) == 1 ? Kind::kFails : Kind::kSucceeds;
      if (step.kind == Kind::kFails) step.error = BlockStatus::Code::kMedium;
    } else {
      step.request.op = static_cast<Op>(draw(4));
      if (step.request.op != Op::kFlush) {
        step.request.sector = draw(3) * 8;
        step.request.sectors = static_cast<std::uint32_t>(1 + draw(2));
      }
      step.request.fua = step.request.op == Op::kWrite && draw(2) == 1;
      running.push_back(script.steps.size());
    }
    script.steps.push_back(step);
  }
  return script;
}

TEST(Notation, any_script_survives_printing_and_reading) {
  RandomChoices choices(1);
  std::size_t steps = 0;
  for (int round = 0; round < 500; ++round) {
    const IoScript script = random_script(choices);
    const std::string text = notation(script);
    const IoScript back = parsed(text);
    ASSERT_EQ(back.steps.size(), script.steps.size()) << text;
    for (std::size_t i = 0; i < script.steps.size(); ++i) {
      EXPECT_EQ(back.steps[i].kind, script.steps[i].kind) << text;
      EXPECT_EQ(back.steps[i].request, script.steps[i].request) << text;
      EXPECT_EQ(back.steps[i].started_by, script.steps[i].started_by) << text;
      EXPECT_EQ(back.steps[i].error, script.steps[i].error) << text;
    }
    steps += script.steps.size();
  }
  EXPECT_GT(steps, 1000u);
}

}  // namespace
}  // namespace dmsim
