// A story on paper: lines of at most a hundred columns, and the table that holds the legs against the log.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "crash-replay/story.h"
#include "crash-replay/story_details.h"

namespace dmsim {
namespace {

constexpr std::size_t kColumns = 100;

// Words broken into lines of at most `columns`, all but the first indented.
std::string wrapped(const std::string& text, std::size_t first_indent, std::size_t indent) {
  std::string out;
  std::size_t column = first_indent;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find(' ', at);
    if (end == std::string::npos) end = text.size();
    const std::size_t length = end - at;
    const bool at_start = column == first_indent && out.empty();
    if (!at_start && column + 1 + length > kColumns) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (!at_start) {
      out += ' ';
      ++column;
    }
    out += text.substr(at, length);
    column += length;
    at = end + 1;
  }
  return out;
}

}  // namespace

StoryTable legs_against_log(const Chronicle& c, StoryNames& names) {
  StoryTable table;
  if (!c.focus.has_page() || c.legs.empty()) return table;
  const bool cut = c.lives > 1;
  table.header = {fmt::format("page {} of {}", c.focus.page, c.focus.device)};
  if (cut) table.header.push_back("after the power cut");
  table.header.push_back("at the end");
  table.header.push_back(fmt::format("digest of sector {}", c.focus.sectors.begin));
  for (const LegState& leg : c.legs) {
    std::vector<std::string> row{leg.disk};
    if (cut) row.push_back(names.name(leg.after_cut, leg.disk));
    row.push_back(names.name(leg.at_end, leg.disk));
    row.push_back(leg.digest);
    table.rows.push_back(std::move(row));
  }
  if (c.clean_at_end || c.clean_after_cut) {
    const auto word = [&c](std::optional<bool> clean) {
      if (c.focus.clone && clean) {
        return *clean ? "on " + c.focus.clone->destination : "on " + c.focus.clone->source;
      }
      return std::string(!clean ? "-" : *clean ? "clean" : "dirty");
    };
    std::vector<std::string> row{
        fmt::format("{}: region {} is", c.focus.log_disk, *c.focus.region)};
    if (cut) row.push_back(word(c.clean_after_cut));
    row.push_back(word(c.clean_at_end));
    row.emplace_back("");
    table.rows.push_back(std::move(row));
  }
  return table;
}

std::string story_text(const Chronicle& chronicle, Story& story) {
  std::string out = story.title + "\n";
  if (!story.about.empty()) out += "\n  " + wrapped(story.about, 2, 2) + "\n";
  out += "\n";
  for (const std::string& line : story.before) out += "  " + wrapped(line, 2, 2) + "\n";
  if (!story.before.empty()) out += "\n";
  std::size_t number = 0;
  for (const StoryStep& step : story.steps) {
    const std::string text =
        step.text + (step.notation.empty() ? "." : ". (" + step.notation + ")");
    out +=
        fmt::format("{:>3}. {:>13}  {}\n", ++number, instant_words(step.at), wrapped(text, 20, 20));
  }
  if (!story.left_out.empty()) {
    std::string line = "Left out: ";
    for (std::size_t i = 0; i < story.left_out.size(); ++i)
      line += (i == 0 ? "" : ", ") + story.left_out[i];
    out += "\n  " + wrapped(line + ".", 2, 2) + "\n";
  }
  const StoryTable table = legs_against_log(chronicle, story.names);
  std::vector<std::size_t> widths(table.header.size());
  for (std::size_t i = 0; i < table.header.size(); ++i) {
    widths[i] = table.header[i].size();
    for (const auto& row : table.rows) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto print_row = [&](const std::vector<std::string>& row) {
    std::string line = " ";
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format(" {:<{}} ", row[i], widths[i]);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line + "\n";
  };
  if (!table.rows.empty()) out += "\n" + print_row(table.header);
  for (const auto& row : table.rows) out += print_row(row);
  out += fmt::format("\nBroken by {}: {}.\n", story.blame, story.oracle);
  if (!story.promise.empty()) out += "  The promise: " + wrapped(story.promise, 15, 2) + "\n";
  out += "  Found: " + wrapped(story.found.front() + ".", 9, 2) + "\n";
  for (std::size_t i = 1; i < story.found.size(); ++i)
    out += "    " + wrapped(story.found[i], 4, 4) + "\n";
  out += "\n" + story.command + "\n";
  return out;
}

}  // namespace dmsim
