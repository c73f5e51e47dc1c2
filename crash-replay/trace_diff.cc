#include "crash-replay/trace_diff.h"

#include <fmt/format.h>

#include <algorithm>

#include "crash-replay/story_events.h"

namespace dmsim {
namespace {

// What differs between two events, in words: "instant, sector".
std::string differing_columns(const std::string& a, const std::string& b) {
  const auto first = parse_trace_line(a);
  const auto second = parse_trace_line(b);
  if (!first || !second) return "the text";
  std::vector<std::string> columns;
  if (first->id != second->id) columns.emplace_back("id");
  if (first->at != second->at) {
    columns.push_back(fmt::format("instant (by {} ns)", (second->at - first->at).count_ns()));
  }
  if (first->actor != second->actor) columns.emplace_back("actor");
  if (first->kind != second->kind) columns.emplace_back("kind");
  if (first->cause != second->cause) columns.emplace_back("cause");
  if (first->kind == second->kind) {
    for (const auto& [name, value] : first->args) {
      if (second->text(name) != value) columns.push_back(name);
    }
  }
  std::string out;
  for (const std::string& column : columns) out += (out.empty() ? "" : ", ") + column;
  return out.empty() ? "the arguments" : out;
}

void append_side(const std::vector<std::string>& lines, const std::string& name, std::size_t from,
                 std::size_t end, std::string* out) {
  *out += fmt::format("\n{}:\n", name);
  for (std::size_t i = from; i < std::min(end, lines.size()); ++i) *out += "    " + lines[i] + "\n";
  if (lines.size() < end) *out += "    (the trace ends here)\n";
}

}  // namespace

TraceDifference compare_traces(const std::vector<std::string>& a, const std::vector<std::string>& b,
                               const std::string& name_a, const std::string& name_b,
                               std::size_t context) {
  TraceDifference out;
  const std::size_t common = std::min(a.size(), b.size());
  while (out.line < common && a[out.line] == b[out.line]) ++out.line;
  if (out.line == common && a.size() == b.size()) {
    out.same = true;
    out.report = fmt::format("the traces are the same: {} events\n", a.size());
    return out;
  }
  const std::size_t at = out.line;
  if (at < common) {
    out.report = fmt::format("the traces part at event {}: they differ in {}\n", at + 1,
                             differing_columns(a[at], b[at]));
  } else {
    const bool first_ends = a.size() < b.size();
    out.report = fmt::format("the traces are the same up to event {}, where {} ends; {} goes on\n",
                             at, first_ends ? name_a : name_b, first_ends ? name_b : name_a);
  }
  const std::size_t from = at > context ? at - context : 0;
  if (at > 0) {
    out.report += "\nboth, before:\n";
    for (std::size_t i = from; i < at; ++i) out.report += "    " + a[i] + "\n";
  }
  append_side(a, name_a, at, at + 1 + context, &out.report);
  append_side(b, name_b, at, at + 1 + context, &out.report);
  return out;
}

}  // namespace dmsim
