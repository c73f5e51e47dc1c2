#include "sim/choice.h"

namespace dmsim {
namespace {

std::string label_key(std::string_view point, std::string_view who) {
  std::string key(point);
  key += '@';
  key += who;
  return key;
}

}  // namespace

ReplayedChoices::ReplayedChoices(std::vector<LabelledChoice> choices)
    : choices_(std::move(choices)), used_(choices_.size(), false) {
  for (std::size_t i = choices_.size(); i-- > 0;) {
    by_label_[label_key(choices_[i].point, choices_[i].who)].push_back(i);
  }
}

void ReplayedChoices::depart(const ChoicePoint& point, Actor who, std::string_view why) {
  if (departures_++ == 0) {
    first_departure_ = fmt::format("draw {} ({}@{}): {}", record().size(), point.name,
                                   names_->name(who), why);
  }
}

std::uint64_t ReplayedChoices::choose(const ChoicePoint& point, Actor who, std::uint64_t bound) {
  CHECK(names_ != nullptr, "attach() comes first");
  while (cursor_ < choices_.size() && used_[cursor_]) ++cursor_;
  const std::string& name = names_->name(who);
  std::size_t found = choices_.size();
  bool in_place = false;  // each draw departs once
  if (cursor_ < choices_.size() && choices_[cursor_].point == point.name &&
      choices_[cursor_].who == name) {
    found = cursor_;
    in_place = true;
  } else {
    const auto line = by_label_.find(label_key(point.name, name));
    if (line != by_label_.end()) {
      auto& queue = line->second;
      while (!queue.empty() && used_[queue.back()]) queue.pop_back();
      if (!queue.empty()) found = queue.back();
    }
    depart(point, who, found < choices_.size() ? "recorded at another place" : "not recorded");
  }
  if (found == choices_.size()) return 0;
  used_[found] = true;
  ++used_count_;
  if (choices_[found].value >= bound) {
    if (in_place) depart(point, who, "recorded value is out of range now");
    return 0;
  }
  if (choices_[found].bound != bound && in_place) depart(point, who, "recorded with another bound");
  return choices_[found].value;
}

std::vector<LabelledChoice> label_choices(const std::vector<Choice>& record,
                                          const ActorNames& names) {
  std::vector<LabelledChoice> out;
  out.reserve(record.size());
  for (const Choice& choice : record) {
    out.push_back({std::string(choice.point->name), names.name(choice.who), choice.bound,
                   choice.value});
  }
  return out;
}

}  // namespace dmsim
