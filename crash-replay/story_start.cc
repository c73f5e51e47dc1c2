// Where a story begins: the first event that still matters when the promise breaks.
#include <functional>
#include <optional>

#include "crash-replay/story_clone.h"
#include "crash-replay/story_lvm1.h"
#include "crash-replay/story_snapshot.h"
#include "crash-replay/story_steps.h"
#include "harness/oracle_names.h"

namespace dmsim {
namespace {

// The submission of what a leg holds at the end, in the first life: a user's, or a recovery's.
std::optional<std::size_t> root_of_content(const Chronicle& c, std::size_t leg) {
  std::optional<std::size_t> root;
  for (const DiskStory& request : c.disk_requests) {
    if (request.disk != c.focus.legs[leg].disk || !request.touches_page || request.op != "write")
      continue;
    if (request.life > 0 || !request.transfer) continue;
    root = request.user ? c.users[*request.user].submit : request.submit;
  }
  return root;
}

// The last user request that touches the page and fits.
std::optional<std::size_t> last_request(const Chronicle& c,
                                        const std::function<bool(const UserStory&)>& fits) {
  std::optional<std::size_t> found;
  for (const UserStory& user : c.users) {
    if (user.touches_page && fits(user)) found = user.submit;
  }
  return found;
}

// The write that brought the region to be called clean without a copy.
std::optional<std::size_t> root_of_claim(const Chronicle& c) {
  std::optional<std::size_t> root;
  for (std::size_t i = 0; i < c.events.size(); ++i) {
    const StoryEvent& event = c.event(i);
    if (!c.about_region(event) || event.text("from") != "nosync" || event.text("to") != "clean")
      continue;
    for (const UserStory& user : c.users) {
      if (user.touches_region && user.submit < i && user.op == "write") root = user.submit;
    }
  }
  return root;
}

}  // namespace

std::size_t story_start(const Chronicle& c) {
  std::optional<std::size_t> start;
  if (c.focus.clone) {
    if (const auto hydration = clone_story_start(c)) return *hydration;
  }
  if (c.focus.move) {
    if (const auto lost = move_story_start(c)) return *lost;
  }
  if (c.focus.snapshot && c.violation.oracle != oracle::kLiveness) {
    if (const auto first = snapshot_story_start(c)) return *first;
  }
  const std::string& name = c.violation.oracle;
  if (name == oracle::kLiveness) {
    start = last_request(c, [](const UserStory& user) { return !user.complete; });
    const auto first = c.focus.snapshot ? snapshot_story_start(c) : std::nullopt;
    if (start && first) start = std::min(*start, *first);
  } else if (name == oracle::kNoFalseError) {
    start =
        last_request(c, [](const UserStory& user) { return user.complete && user.status != "ok"; });
  } else if (name == oracle::kDurability || name == oracle::kUntouched ||
             name == oracle::kReadYourWrites) {
    start = last_request(c, [](const UserStory& user) {
      return user.op == "write" && user.complete && user.status == "ok" && user.life == 0;
    });
  }
  if (!start) {
    for (std::size_t leg = 0; leg < c.focus.legs.size(); ++leg) {
      const auto root = root_of_content(c, leg);
      if (root && (!start || *root < *start)) start = root;
    }
    const auto claim = root_of_claim(c);
    if (claim && (!start || *claim < *start)) start = claim;
  }
  if (!start) return 0;
  // Back to the store that made the content, with those right before it.
  std::size_t first = *start;
  for (std::size_t i = *start; i-- > 0;) {
    const StoryEvent& event = c.event(i);
    const bool of_page = c.about_cached_page(event);
    if (of_page && (event.is("cache.store") || event.is("cache.write"))) {
      first = i;
      break;
    }
    if (of_page && event.is("cache.written")) break;
    if (of_page && event.is("cache.writeback")) first = i;
  }
  return first;
}

}  // namespace dmsim
