#include "crash-replay/timeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "crash-replay/timeline_layout.h"
#include "crash-replay/timeline_svg.h"

namespace dmsim {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #1a1a1a;
       font: 15px/1.45 system-ui, "DejaVu Sans", "Liberation Sans", sans-serif; }
header { padding: 20px 28px 12px; border-bottom: 1px solid #ddd; }
h1 { font-size: 21px; margin: 0 0 8px; }
h2 { font-size: 16px; margin: 22px 0 8px; }
p { margin: 6px 0; }
.about { color: #555; max-width: 90ch; }
.verdict { border-left: 5px solid #b00020; background: #fdf3f4; padding: 9px 14px; margin: 10px 0; }
.verdict b { color: #b00020; }
.verdict .promise { color: #555; }
main { display: grid; grid-template-columns: minmax(300px, 400px) minmax(0, 1fr); gap: 26px;
       padding: 4px 28px 28px; align-items: start; }
.before, .left-out { color: #555; font-size: 14px; }
ol.story { list-style: none; margin: 0; padding: 0; }
ol.story li { display: grid; grid-template-columns: 26px 1fr; gap: 8px; padding: 5px 6px 5px 2px;
              border-radius: 4px; }
ol.story li:target, ol.story li.lit { background: #eef3f8; }
ol.story .number { width: 22px; height: 22px; border-radius: 50%; background: #333; color: #fff;
                   font-size: 12px; line-height: 22px; text-align: center; }
ol.story .when { color: #777; white-space: nowrap; font-size: 12.5px; font-variant-numeric: tabular-nums; }
code { font: 13px "DejaVu Sans Mono", "Liberation Mono", monospace; color: #333; white-space: nowrap; }
li code { background: #f1f1f1; border-radius: 3px; padding: 0 4px; }
.command code { background: #222; color: #f5f5f5; border-radius: 4px; padding: 4px 9px; white-space: normal;
                overflow-wrap: anywhere; display: inline-block; }
.v { border-radius: 9px; padding: 0 7px; white-space: nowrap; }
table { border-collapse: collapse; margin: 4px 0 10px; }
th, td { border: 1px solid #bbb; padding: 4px 10px; text-align: left; }
th { background: #f4f4f4; font-weight: 600; }
td.differs { box-shadow: inset 0 0 0 2px #b00020; }
.legend { font-size: 13px; color: #555; display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 8px 0; }
.legend svg { vertical-align: -3px; margin-right: 5px; }
#picture { overflow-x: auto; }
svg#timeline { max-width: 100%; height: auto; display: block; font-size: 12px; }
svg text { fill: #1a1a1a; }
.ground { fill: #fff; } .ground.even { fill: #f7f8f9; }
.head { font-weight: 700; font-size: 13px; } .subhead { fill: #666; font-size: 10.5px; }
.rule { stroke: #999; } .life { stroke: #aaa; stroke-width: 1.5; }
.gap { stroke: #bbb; stroke-dasharray: 2 5; }
.gap-text { paint-order: stroke; stroke: #fff; stroke-width: 4px; fill: #777; font-size: 10.5px; font-style: italic; }
.sent { stroke: #555; stroke-width: 1.3; } .tip { fill: #555; }
.answer { stroke: #aaa; stroke-width: 1; stroke-dasharray: 4 3; }
.sampled { stroke-width: 2.6; stroke-dasharray: 1 4; stroke-linecap: round; fill: none; }
.strip { stroke: #555; stroke-width: .6; }
.body { fill: #fff; stroke: #444; stroke-width: 1.1; }
.bar.failed .body { stroke: #b00020; stroke-width: 1.8; }
.broken { stroke: #b00020; stroke-width: 2; fill: none; }
.moved { stroke: #333; stroke-width: 1; }
.chip { stroke: #333; stroke-width: .8; } .chip-text { text-anchor: middle; font-weight: 700; font-size: 11.5px; }
.notation, .mark-label, .strip-label, .error, .chip-text { paint-order: stroke; }
.notation, .mark-label, .strip-label, .error { stroke: #fff; stroke-width: 3.5px; stroke-linejoin: round; }
.notation { font-family: "DejaVu Sans Mono", "Liberation Mono", monospace; font-size: 11px; }
.strip-label { font-weight: 600; } .strip-label.early { fill: #777; font-weight: 400; }
svg .error { fill: #b00020; font-weight: 700; }
.instant { text-anchor: end; fill: #555; font-size: 11px; font-variant-numeric: tabular-nums; }
.badge circle { fill: #333; } .badge text { fill: #fff; font-size: 10.5px; text-anchor: middle; }
.badge.lit circle { fill: #0072b2; }
.cut-line { stroke: #b00020; stroke-width: 3; } .cut-box { fill: #b00020; }
svg .cut-text { fill: #fff; font-weight: 700; text-anchor: middle; }
.hatch-ground { fill: #fff; } .hatch-line { stroke: #555; stroke-width: 2; }
.state-clean { fill: #fff; } .state-dirty { fill: url(#hatch); } .state-nosync { fill: #777; }
.state-recovering { fill: #ccc; }
.dots-ground { fill: #fff; } .dots-dot { fill: #666; }
.i0 { fill: #c9c9c9; } .i1 { fill: url(#dots); }
.c0 { fill: #e4e4e4; background: #e4e4e4; stroke: #888; }
.c1 { fill: #0072b2; background: #0072b2; } .c2 { fill: #e69f00; background: #e69f00; }
.c3 { fill: #009e73; background: #009e73; } .c4 { fill: #cc79a7; background: #cc79a7; }
.c5 { fill: #56b4e9; background: #56b4e9; } .c6 { fill: #d55e00; background: #d55e00; }
.c7 { fill: #f0e442; background: #f0e442; }
.v.c1, .v.c3, .v.c6 { color: #fff; } svg .c1-text, svg .c3-text, svg .c6-text { fill: #fff; }
.sampled.c0 { stroke: #888; } .sampled.c1 { stroke: #0072b2; } .sampled.c2 { stroke: #e69f00; }
.sampled.c3 { stroke: #009e73; } .sampled.c4 { stroke: #cc79a7; } .sampled.c5 { stroke: #56b4e9; }
.sampled.c6 { stroke: #d55e00; } .sampled.c7 { stroke: #b0a800; }
g.bar:hover .body, g.stretch:hover .strip, g.mark:hover .moved { stroke: #000; stroke-width: 2.2; }
@media (max-width: 1000px) { main { grid-template-columns: minmax(0, 1fr); } }
@media print {
  @page { margin: 12mm; }
  body { font-size: 9.5pt; line-height: 1.35; color: #000;
         -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  header, main { padding-left: 0; padding-right: 0; }
  main { display: block; }
  .verdict { background: none; border: 1.5pt solid #000; border-left-width: 5pt; }
  .verdict b, .about, .before, .left-out, .verdict .promise { color: #000; }
  .ground.even { fill: #fff; stroke: #ddd; }
  ol.story li { break-inside: avoid; padding: 1px 0; }
  h2 { margin: 10px 0 4px; }
  .verdict { margin: 6px 0; padding: 4px 10px; }
  table, .command { break-inside: avoid; }
  #picture { break-before: page; break-inside: avoid; overflow: visible; }
  svg#timeline { max-height: 185mm; width: auto; max-width: 100%; }
  .command code { background: none; color: #000; border: 1px solid #000; }
}
)css";

// Steps and badges light each other up. Everything is readable without it.
constexpr std::string_view kScript = R"js(
for (const item of document.querySelectorAll('ol.story li')) {
  const badges = document.querySelectorAll('.badge[data-step="' + item.dataset.step + '"]');
  const light = on => { for (const e of [item, ...badges]) e.classList.toggle('lit', on); };
  for (const element of [item, ...badges]) {
    element.addEventListener('mouseenter', () => light(true));
    element.addEventListener('mouseleave', () => light(false));
  }
}
)js";

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

// "version 3" in its colour.
std::string with_versions(const std::string& text) {
  std::string out;
  std::size_t at = 0;
  while (true) {
    const std::size_t found = text.find("version ", at);
    std::size_t end = found == std::string::npos ? found : found + 8;
    std::size_t number = 0;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') {
      number = number * 10 + static_cast<std::size_t>(text[end++] - '0');
    }
    if (found == std::string::npos) return out + escaped(text.substr(at));
    out += escaped(text.substr(at, found - at));
    const std::string words = escaped(text.substr(found, end - found));
    out += number == 0
               ? words
               : fmt::format("<span class=\"v c{}\">{}</span>", (number - 1) % 7 + 1, words);
    at = end;
  }
}

std::string story_list(const Story& story) {
  std::string out = "<ol class=\"story\">\n";
  for (std::size_t i = 0; i < story.steps.size(); ++i) {
    const StoryStep& step = story.steps[i];
    out += fmt::format(
        "<li id=\"step{0}\" data-step=\"{0}\"><span class=\"number\">{0}</span><span>{1}.{2} "
        "<span class=\"when\">{3}</span></span></li>\n",
        i + 1, with_versions(step.text),
        step.notation.empty() ? "" : fmt::format(" <code>{}</code>", escaped(step.notation)),
        instant_words(step.at));
  }
  return out + "</ol>\n";
}

std::string table_html(const StoryTable& table) {
  if (table.rows.empty()) return "";
  std::string out = "<h2>Legs against log</h2>\n<table id=\"legs\"><tr>";
  for (const std::string& cell : table.header) out += fmt::format("<th>{}</th>", escaped(cell));
  out += "</tr>\n";
  const bool differ = std::any_of(table.rows.begin(), table.rows.end(), [&](const auto& row) {
    return !row.back().empty() && row.back() != table.rows.front().back();
  });
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool digest = i + 1 == row.size() && !row[i].empty();
      out += fmt::format("<{0}{1}>{2}</{0}>", i == 0 ? "th" : "td",
                         digest && differ ? " class=\"differs\"" : "", with_versions(row[i]));
    }
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

std::string swatch(std::string_view classes) {
  return fmt::format(
      "<svg width=\"14\" height=\"14\"><rect x=\"1\" y=\"1\" width=\"12\" height=\"12\" "
      "class=\"{}\"/></svg>",
      classes);
}

std::string legend(const Timeline& timeline, const StoryNames& names) {
  const auto shown = [&](std::string_view word) {
    return std::any_of(timeline.stretches.begin(), timeline.stretches.end(),
                       [&](const TimelineStretch& stretch) { return stretch.word == word; });
  };
  std::string out = "<div class=\"legend\">";
  for (std::size_t i = 1; i <= names.count() && i <= 7; ++i) {
    out += fmt::format("<span>{}version {}</span>", swatch(fmt::format("strip c{}", i)), i);
  }
  for (const TimelineLane& lane : timeline.lanes) {
    if (lane.kind != LaneKind::kLeg) continue;
    const std::string colour = version_class(StoryContent::initial_of(lane.name), names);
    out += fmt::format("<span>{}{}'s own initial content</span>", swatch("strip " + colour),
                       escaped(lane.title));
  }
  for (const std::string_view word : {"dirty", "clean", "nosync", "recovering"}) {
    if (shown(word))
      out += fmt::format("<span>{}{}</span>", swatch(fmt::format("strip state-{}", word)), word);
  }
  return out +
         "<span>bar: from submission to completion, coloured once its data have moved</span>"
         "<span>dotted: taken from memory at that instant</span>"
         "<span>time runs downwards, not to scale</span></div>\n";
}

}  // namespace

std::string timeline_page(const Chronicle& chronicle, Story& story) {
  const Timeline timeline = lay_out(chronicle, story);
  std::string out =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += fmt::format("<title>{}: {}</title>\n<style>{}</style>\n</head>\n<body>\n",
                     escaped(story.title), escaped(story.oracle), kStyle);
  out += fmt::format("<header><h1>{}</h1>\n", escaped(story.title));
  if (!story.about.empty()) out += fmt::format("<p class=\"about\">{}</p>\n", escaped(story.about));
  out += fmt::format("<div class=\"verdict\"><p><b>Broken by {}: {}.</b> {}.</p>\n",
                     escaped(story.blame), escaped(story.oracle),
                     escaped(capital(story.found.front())));
  for (std::size_t i = 1; i < story.found.size(); ++i) {
    out += fmt::format("<p>{}</p>\n", escaped(story.found[i]));
  }
  if (!story.promise.empty()) {
    out += fmt::format("<p class=\"promise\">The promise: {}</p>\n", escaped(story.promise));
  }
  out += "</div></header>\n<main>\n<section id=\"story\">\n<h2>What happened</h2>\n";
  for (const std::string& line : story.before) {
    out += fmt::format("<p class=\"before\">{}</p>\n", escaped(line));
  }
  out += story_list(story);
  if (!story.left_out.empty()) {
    std::string line;
    for (const std::string& item : story.left_out) line += (line.empty() ? "" : ", ") + item;
    out += fmt::format("<p class=\"left-out\">Left out: {}.</p>\n", escaped(line));
  }
  out += fmt::format("<h2>Again</h2>\n<p class=\"command\"><code>{}</code></p>\n</section>\n",
                     escaped(story.command));
  out += "<section id=\"picture\">\n<h2>Who did what, when</h2>\n" + legend(timeline, story.names) +
         timeline_svg(timeline, story.names) +
         table_html(legs_against_log(chronicle, story.names)) + "</section>\n</main>\n";
  return out + fmt::format("<script>{}</script>\n</body>\n</html>\n", kScript);
}

}  // namespace dmsim
