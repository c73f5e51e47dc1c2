#include "crash-replay/timeline_svg.h"

#include <fmt/format.h>

#include <algorithm>

namespace dmsim {
namespace {

class Drawing {
 public:
  Drawing(const Timeline& timeline, StoryNames& names) : t_(timeline), names_(names) {}

  std::string run() {
    out_ = fmt::format(
        "<svg id=\"timeline\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
        "role=\"img\" aria-label=\"timeline\" xmlns=\"http://www.w3.org/2000/svg\">\n"
        "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
        "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0.5 L8 4 L0 7.5 z\" "
        "class=\"tip\"/></marker>"
        "<pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" "
        "patternTransform=\"rotate(45)\"><rect width=\"5\" height=\"5\" class=\"hatch-ground\"/>"
        "<line x1=\"0\" y1=\"0\" x2=\"0\" y2=\"5\" class=\"hatch-line\"/></pattern>"
        "<pattern id=\"dots\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
        "<rect width=\"5\" height=\"5\" class=\"dots-ground\"/><circle cx=\"2.5\" cy=\"2.5\" "
        "r=\"1.2\" "
        "class=\"dots-dot\"/></pattern></defs>\n",
        t_.width, t_.height);
    draw_lanes();
    draw_gaps();
    for (const TimelineBar& bar : t_.bars) draw_links(bar);
    for (const TimelineMark& mark : t_.marks) draw_mark_link(mark);
    for (const TimelineStretch& stretch : t_.stretches) draw_stretch(stretch);
    for (const TimelineBar& bar : t_.bars) draw_bar(bar);
    for (const TimelineMark& mark : t_.marks) draw_mark(mark);
    draw_cuts();
    draw_axis();
    return out_ + "</svg>\n";
  }

 private:
  double y(std::size_t row) const { return t_.rows[row].y; }
  const TimelineLane& lane(std::size_t index) const { return t_.lanes[index]; }
  bool is_plain(const TimelineLane& lane) const {
    return lane.kind == LaneKind::kTask || lane.kind == LaneKind::kDaemon;
  }
  double strip_x(const TimelineLane& lane) const { return lane.x + 5; }
  double slot_x(const TimelineLane& lane, std::size_t slot) const {
    return lane.x + 5 + kStripWidth + 2 + kSlotWidth * static_cast<double>(slot);
  }
  double label_x(const TimelineLane& lane) const {
    return is_plain(lane) ? lane.x + 20 : slot_x(lane, lane.slots) + 3;
  }
  // Where arrows from a lane begin and end.
  double anchor_x(const TimelineLane& lane) const {
    if (is_plain(lane)) return lane.x + 9;
    const bool strip_only = lane.kind == LaneKind::kCache || lane.kind == LaneKind::kRegion;
    if (strip_only) return strip_x(lane) + kStripWidth / 2;
    return slot_x(lane, 0) + kSlotWidth / 2 - 1;
  }

  // Labels stand on the lines of their row, not across them.
  static constexpr double kOnLine = -4;

  void text(double x, double at, std::string_view classes, std::string_view words) {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>\n", x, at, classes,
                        escaped(words));
  }

  // A level line.
  void across(double from_x, double to_x, double at, std::string_view classes, bool arrow = false) {
    out_ += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"{}/>\n", from_x,
        at, to_x, at, classes, arrow ? " marker-end=\"url(#tip)\"" : "");
  }

  void draw_lanes() {
    for (std::size_t i = 0; i < t_.lanes.size(); ++i) {
      const TimelineLane& at = lane(i);
      out_ += fmt::format(
          "<g class=\"lane\" data-lane=\"{}\"><rect x=\"{:.1f}\" y=\"0\" width=\"{:.1f}\" "
          "height=\"{:.1f}\" class=\"ground{}\"/>\n",
          escaped(at.title), at.x, at.width, t_.height, i % 2 == 0 ? " even" : "");
      text(at.x + 5, 22, "head", at.title);
      text(at.x + 5, 40, "subhead", at.subtitle);
      if (is_plain(at)) {
        out_ += fmt::format(
            "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\" "
            "class=\"life\"/>\n",
            at.x + 9, t_.head_height, t_.height - 4);
      }
      out_ += "</g>\n";
    }
    across(0, t_.width, t_.head_height - 8, "rule");
    text(4, 40, "subhead", "ms");
  }

  void draw_gaps() {
    for (const TimelineRow& row : t_.rows) {
      if (row.gap.empty()) continue;
      across(0, t_.width, row.gap_y, "gap");
      text(4, row.gap_y + 4, "gap-text", row.gap + " later");
    }
  }

  void draw_links(const TimelineBar& bar) {
    const TimelineLane& to = lane(bar.lane);
    const double bar_x = slot_x(to, bar.slot) + kSlotWidth / 2 - 1;
    if (bar.from_lane) {
      const double from_x = anchor_x(lane(*bar.from_lane));
      const double end_x = from_x < bar_x ? bar_x - 5.5 : bar_x + 5.5;
      across(from_x, end_x, y(bar.from_row), "sent", true);
      if (bar.ended) across(bar_x, from_x, y(bar.to_row), "answer");
    }
    if (bar.sampled_lane && bar.moved_row) {
      across(anchor_x(lane(*bar.sampled_lane)), bar_x, y(*bar.moved_row),
             "sampled " + version_class(bar.content, names_));
    }
  }

  void draw_mark_link(const TimelineMark& mark) {
    if (!mark.to_lane) return;
    const double from_x = anchor_x(lane(mark.lane)), to_x = anchor_x(lane(*mark.to_lane));
    const double end_x = from_x < to_x ? to_x - kStripWidth / 2 - 1 : to_x + kStripWidth / 2 + 1;
    across(from_x, end_x, y(mark.row), "sent", true);
  }

  void draw_stretch(const TimelineStretch& stretch) {
    const TimelineLane& at = lane(stretch.lane);
    const double top = stretch.labelled ? y(stretch.from_row) : t_.head_height;
    const bool to_end = stretch.to_row + 1 == t_.rows.size();
    const double bottom = to_end ? t_.height - 6 : y(stretch.to_row);
    if (bottom <= top) return;
    std::string classes = "strip ";
    if (!stretch.word.empty()) {
      classes += "state-" + stretch.word;
    } else {
      classes += version_class(stretch.content, names_);
    }
    out_ += fmt::format(
        "<g class=\"stretch\"><title>{}</title><rect x=\"{:.1f}\" y=\"{:.1f}\" "
        "width=\"{}\" height=\"{:.1f}\" class=\"{}\"/>\n",
        escaped(stretch.tooltip), strip_x(at), top, kStripWidth, bottom - top, classes);
    const std::string word = stretch.word.empty() ? names_.label(stretch.content) : stretch.word;
    if (!stretch.labelled) {
      text(label_x(at), t_.head_height + 4, "strip-label early", word);
    } else if (!moves_in(stretch.lane, stretch.label_row)) {
      text(label_x(at), y(stretch.label_row) + kOnLine, "strip-label", word);
    }
    out_ += "</g>\n";
  }
  // A bar of the lane already says what the strip changes to.
  bool moves_in(std::size_t in_lane, std::size_t row) const {
    return std::any_of(t_.bars.begin(), t_.bars.end(), [&](const TimelineBar& bar) {
      return bar.lane == in_lane && bar.moved_row && *bar.moved_row == row;
    });
  }

  void draw_bar(const TimelineBar& bar) {
    const TimelineLane& at = lane(bar.lane);
    const double x = slot_x(at, bar.slot);
    const double width = kSlotWidth - 4;
    const double top = y(bar.from_row);
    const double bottom = std::max(top + 4, y(bar.to_row));
    const std::string colour = version_class(bar.content, names_);
    out_ += fmt::format("<g class=\"bar{}\"><title>{}</title>\n", bar.failed ? " failed" : "",
                        escaped(bar.tooltip));
    const double moved = bar.moved_row ? y(*bar.moved_row) : top;
    const bool carries = bar.content.kind != StoryContent::Kind::kUnknown;
    out_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"2\" "
        "class=\"body\"/>\n",
        x, top, width, bottom - top);
    if (carries && bottom > moved) {
      out_ += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"2\" "
          "class=\"body {}\"/>\n",
          x, moved, width, bottom - moved, colour);
    }
    if (!bar.ended) {
      out_ += fmt::format(
          "<path d=\"M{0:.1f} {2:.1f} l{1:.1f} {1:.1f} m0 -{1:.1f} l-{1:.1f} {1:.1f}\" "
          "class=\"broken\"/>\n",
          x, width, bottom - width / 2);
    }
    text(label_x(at), top + kOnLine, "notation", bar.notation);
    if (bar.moved_row && *bar.moved_row != bar.from_row && carries) {
      out_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5.5\" class=\"moved {}\"/>\n",
                          x + width / 2, moved, colour);
      chip(label_x(at), moved, bar.content);
    }
    if (bar.failed) text(label_x(at), y(bar.to_row) + kOnLine, "error", bar.end_label);
    out_ += "</g>\n";
  }

  // A version's label on its colour.
  void chip(double x, double middle, const StoryContent& content) {
    const std::string label = names_.label(content);
    const double width = 10 + 6.6 * static_cast<double>(label.size());
    out_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"17\" rx=\"8.5\" "
        "class=\"chip {}\"/>\n",
        x - 1, middle - 8.5, width, version_class(content, names_));
    out_ +=
        fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"chip-text {}-text\">{}</text>\n",
                    x - 1 + width / 2, middle + 4, version_class(content, names_), escaped(label));
  }

  void draw_mark(const TimelineMark& mark) {
    const TimelineLane& at = lane(mark.lane);
    out_ += fmt::format("<g class=\"mark\"><title>{}</title>\n", escaped(mark.tooltip));
    if (is_plain(at)) {
      out_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" class=\"moved {}\"/>\n",
                          anchor_x(at), y(mark.row), version_class(mark.content, names_));
    }
    text(label_x(at), y(mark.row) + kOnLine, mark.label == "failed" ? "error" : "mark-label",
         mark.label);
    out_ += "</g>\n";
  }

  void draw_cuts() {
    for (const TimelineRow& row : t_.rows) {
      if (!row.cut) continue;
      out_ += fmt::format(
          "<g class=\"cut\" id=\"cut\"><title>power is cut at {}</title><line "
          "x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" "
          "class=\"cut-line\"/>\n",
          instant_words(row.at), t_.axis_width - 4, row.y, t_.width, row.y);
      const double x = t_.axis_width + 6;
      out_ += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"92\" height=\"20\" rx=\"3\" "
          "class=\"cut-box\"/>\n",
          x, row.y - 10);
      text(x + 46, row.y + 4, "cut-text", "power cut *");
      out_ += "</g>\n";
    }
  }

  void draw_axis() {
    for (const TimelineRow& row : t_.rows) {
      const std::string instant = instant_words(row.at);
      text(58, row.y + 4, "instant", instant.substr(0, instant.find(' ')));
    }
    for (const TimelineBadge& badge : t_.badges) {
      const double x = 74 + 20 * static_cast<double>(badge.place);
      out_ += fmt::format(
          "<a href=\"#step{0}\"><g class=\"badge\" data-step=\"{0}\"><title>step {0} of the "
          "story</title><circle cx=\"{1:.1f}\" cy=\"{2:.1f}\" r=\"8.5\"/>"
          "<text x=\"{1:.1f}\" y=\"{3:.1f}\">{0}</text></g></a>\n",
          badge.step, x, y(badge.row), y(badge.row) + 3.8);
    }
  }

  const Timeline& t_;
  StoryNames& names_;
  std::string out_;
};

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string version_class(const StoryContent& content, const StoryNames& names) {
  if (content.kind == StoryContent::Kind::kInitial) {
    return names.initial_number(content) == 0 ? "i0" : "i1";
  }
  const std::size_t number = names.number(content);
  return number == 0 ? "c0" : fmt::format("c{}", (number - 1) % 7 + 1);
}

std::string timeline_svg(const Timeline& timeline, StoryNames& names) {
  return Drawing(timeline, names).run();
}

}  // namespace dmsim
