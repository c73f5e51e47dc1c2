#include "crash-replay/story_contents.h"

namespace dmsim {
namespace {

using Kind = StoryContent::Kind;

bool is_version(const StoryContent& content) {
  return content.kind == Kind::kVersion || content.kind == Kind::kMixture;
}

void rename(Chronicle* chronicle, std::uint64_t from, std::uint64_t to) {
  const auto one = [&](StoryContent& content) {
    if (is_version(content) && content.version == from) content.version = to;
  };
  for (DiskStory& request : chronicle->disk_requests) one(request.content);
  for (UserStory& user : chronicle->users) one(user.content);
  for (LegState& leg : chronicle->legs) {
    one(leg.after_cut);
    one(leg.at_end);
  }
}

// The power cut came, and nothing has reached the leg's page since.
bool is_as_the_cut_left_it(const LegState& leg) { return leg.after_cut == leg.at_end; }

void forget(LegState* leg) {
  if (is_as_the_cut_left_it(*leg)) leg->after_cut = {};
  leg->at_end = {};
}

}  // namespace

void hold_against_digests(Chronicle* chronicle) {
  auto& legs = chronicle->legs;
  for (std::size_t i = 0; i < legs.size(); ++i) {
    for (std::size_t j = i + 1; j < legs.size(); ++j) {
      StoryContent& one = legs[i].at_end;
      StoryContent& other = legs[j].at_end;
      if (legs[i].digest.empty() || legs[j].digest.empty()) continue;
      const bool same_bytes = legs[i].digest == legs[j].digest;
      const bool part = one.kind == Kind::kMixture || other.kind == Kind::kMixture;
      if (same_bytes && part && is_version(one) && is_version(other) && one.version != other.version) {
        rename(chronicle, other.version, one.version);
      }
      // What was copied is as it was, whatever number the copy got.
      if (same_bytes && one.kind == Kind::kInitial && is_version(other)) other = one;
      if (same_bytes && other.kind == Kind::kInitial && is_version(one)) one = other;
      const bool told = one.kind == Kind::kInitial || is_version(one);
      const bool told_equal = told && one == other;
      if (!same_bytes && told_equal) {
        forget(&legs[i]);
        forget(&legs[j]);
      }
    }
  }
}

}  // namespace dmsim
