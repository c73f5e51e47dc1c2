#include "sim/trace.h"

#include <gtest/gtest.h>

namespace dmsim {
namespace {

constexpr TraceKind kSubmit{"test.submit", {{{"sector"}, {"digest", ArgForm::kHex},
                                             {"by", ArgForm::kActor}, {"says", ArgForm::kText}}}};
constexpr TraceKind kDone{"test.done", {}};

// A stream in which one thing can be another: every field must reach the fingerprint.
Fingerprint stream(int altered) {
  const auto is = [altered](int which) { return altered == which ? 1u : 0u; };
  Trace trace;
  const Actor a = trace.actors().intern("a");
  const Actor b = trace.actors().intern("b");
  trace.set_now(Instant::at_ns(10 + is(1)));
  trace.emit_caused(altered == 2 ? kDone : kSubmit, altered == 3 ? b : a, is(4), 1 + is(5), 2 + is(6),
                    3 + is(7), 4 + is(8), 5 + is(9));
  if (altered != 10) trace.note_slice(a);
  trace.text(altered == 11 ? "one" : "two");
  return trace.fingerprint();
}

TEST(Trace, whatever_differs_in_an_event_differs_in_the_fingerprint) {
  EXPECT_EQ(stream(0), stream(0));
  for (int altered = 1; altered <= 11; ++altered) EXPECT_NE(stream(altered), stream(0)) << altered;
}

TEST(Trace, the_fingerprint_does_not_depend_on_what_is_kept) {
  Trace tail(Trace::Keep::kTail), all(Trace::Keep::kAll);
  for (std::uint64_t i = 0; i < 500; ++i) {
    tail.emit(kSubmit, Actor::kNobody, i);
    all.emit(kSubmit, Actor::kNobody, i);
  }
  EXPECT_EQ(tail.fingerprint(), all.fingerprint());
  EXPECT_EQ(all.kept().size(), 500u);
  ASSERT_EQ(tail.kept().size(), Trace::kTailSize);
  EXPECT_EQ(tail.kept().front().id, 500 - Trace::kTailSize + 1);
  EXPECT_EQ(tail.kept().back().args[0], 499u);
}

TEST(Trace, a_line_has_fixed_columns) {
  Trace trace;
  const Actor writer = trace.actors().intern("writer");
  trace.set_now(Instant::at_ns(1500));
  trace.emit(kDone, Actor::kNobody);
  trace.set_cause(1);
  const std::uint64_t text = trace.text("in sync");
  trace.emit(kSubmit, writer, 8, 0xBEEF, static_cast<std::uint64_t>(writer), text);
  EXPECT_EQ(trace.render(trace.kept()[0]), "       1            1500 -              test.done          cause=0");
  EXPECT_EQ(trace.render(trace.kept()[1]),
            "       2            1500 writer         test.submit        cause=1"
            " sector=8 digest=beef by=writer says=\"in sync\"");
}

TEST(Trace, a_tail_is_the_last_lines_oldest_first) {
  Trace trace;
  for (int i = 0; i < 5; ++i) trace.emit(kDone, Actor::kNobody);
  const std::string tail = trace.render_tail(2);
  EXPECT_EQ(tail, trace.render(trace.kept()[3]) + "\n" + trace.render(trace.kept()[4]) + "\n");
}

TEST(Trace, an_event_takes_its_cause_from_what_runs_unless_it_says_so) {
  Trace trace;
  const TraceId first = trace.emit(kDone, Actor::kNobody);
  trace.set_cause(first);
  trace.emit(kDone, Actor::kNobody);
  trace.emit_caused(kDone, Actor::kNobody, 0);
  EXPECT_EQ(trace.kept()[1].cause, first);
  EXPECT_EQ(trace.kept()[2].cause, 0u);
}

TEST(Trace, one_that_continues_another_goes_on_with_ids_actors_texts_and_fingerprint) {
  for (const auto before : {Trace::Keep::kTail, Trace::Keep::kAll}) {
    for (const auto after : {Trace::Keep::kTail, Trace::Keep::kAll}) {
      Trace whole(before), first(before);
      for (Trace* trace : {&whole, &first}) {
        const Actor writer = trace->actors().intern("writer");
        for (std::uint64_t i = 0; i < 30; ++i) trace->emit(kSubmit, writer, i, 0, 0, trace->text("x"));
      }
      Trace second(first, after);
      whole.emit(kDone, Actor::kNobody);
      EXPECT_EQ(second.emit(kDone, Actor::kNobody), 31u);
      EXPECT_EQ(second.fingerprint(), whole.fingerprint());
      EXPECT_EQ(second.actors().intern("writer"), static_cast<Actor>(1));
      ASSERT_EQ(second.kept().size(), 31u);
      EXPECT_EQ(second.render_tail(), whole.render_tail());
    }
  }
}

TEST(Trace, a_listener_is_told_of_every_event) {
  struct Counter final : TraceListener {
    std::vector<TraceId> ids;
    void on_event(const TraceEvent& event) override { ids.push_back(event.id); }
  } counter;
  Trace trace;
  trace.set_listener(&counter);
  trace.emit(kDone, Actor::kNobody);
  trace.emit(kDone, Actor::kNobody);
  trace.set_listener(nullptr);
  trace.emit(kDone, Actor::kNobody);
  EXPECT_EQ(counter.ids, (std::vector<TraceId>{1, 2}));
}

TEST(Trace, a_text_that_comes_again_is_kept_once) {
  Trace trace;
  EXPECT_EQ(trace.text("a"), 0u);
  EXPECT_EQ(trace.text("b"), 1u);
  EXPECT_EQ(trace.text("a"), 0u);
}

}  // namespace
}  // namespace dmsim
