#include "crash-replay/story_contents.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "harness/world.h"

namespace dmsim {
namespace {

using Kind = StoryContent::Kind;

// Replays that may be spent on contents that the trace does not tell.
constexpr int kMostLookUps = 40;

// Follows what the page in focus holds on each leg.
class ContentFollower {
 public:
  ContentFollower(Chronicle& chronicle, Workshop& workshop) : c_(chronicle), workshop_(workshop) {
    for (const StoryFocus::Leg& leg : c_.focus.legs) {
      Track track;
      track.now.fill(StoryContent::initial_of(leg.disk));
      track.completed = track.durable = track.now;
      track.write_through = is_write_through(leg.disk);
      tracks_.push_back(std::move(track));
    }
    for (const StoryEvent& event : c_.events) {
      if (event.is("power.survived") || event.text("version").empty()) continue;
      seen_versions_.insert(event.number("version"));
    }
  }

  void run() {
    for (std::size_t i = 0; i < c_.events.size(); ++i) {
      const StoryEvent& event = c_.events[i];
      if (event.is("power.cut")) cut();
      if (event.is("power.survived")) survived(event);
      if (event.is("power.on")) remember_start(event);
      if (event.is("disk.evict")) evicted(event);
      const bool of_request =
          event.is("disk.submit") || event.is("disk.transfer") || event.is("disk.complete");
      if (!of_request) continue;
      const auto found = c_.by_submit.find(event.is("disk.submit") ? event.id : event.cause);
      if (found == c_.by_submit.end()) continue;
      DiskStory& request = c_.disk_requests[found->second];
      const auto leg = leg_of(request.disk);
      if (!leg) continue;
      if (event.is("disk.submit")) submitted(*leg, request);
      if (event.is("disk.transfer")) transferred(*leg, request, event);
      if (event.is("disk.complete")) completed(*leg, request);
    }
    for (std::size_t i = 0; i < tracks_.size(); ++i) c_.legs[i].at_end = whole(tracks_[i].now);
  }

 private:
  using Sectors = std::array<StoryContent, kPageSectors>;
  struct Track {
    Sectors now;        // newest, cache first
    Sectors completed;  // of writes that have completed
    Sectors durable;
    std::map<std::size_t, Sectors> flushes;  // by submit index: what had completed then
    bool write_through = false;
  };

  bool is_write_through(const std::string& name) const {
    for (const DiskOptions& disk : c_.crash->plan.disks) {
      if (disk.name == name) return disk.cache != CacheMode::kWriteBack;
    }
    return false;
  }

  std::optional<std::size_t> leg_of(std::string_view disk) const {
    for (std::size_t i = 0; i < c_.focus.legs.size(); ++i) {
      if (c_.focus.legs[i].disk == disk) return i;
    }
    return std::nullopt;
  }

  // Visits the sectors of the page that a range of a leg covers, as indices into the page.
  template <typename Visit>
  void each_sector(std::size_t leg, SectorRange range, Visit visit) const {
    const Sector begin = c_.focus.legs[leg].page_begin;
    for (std::uint32_t i = 0; i < kPageSectors; ++i) {
      if (range.contains(begin + i)) visit(i);
    }
  }

  // One content for the page, judged by the sector that the promise is about.
  StoryContent whole(const Sectors& sectors) const {
    const Sector in_page = c_.focus.sectors.begin - c_.focus.page_range.begin;
    const StoryContent& judged = sectors[in_page];
    const bool equal = std::all_of(sectors.begin(), sectors.end(),
                                   [&](const StoryContent& other) { return other == judged; });
    if (equal || judged.kind != StoryContent::Kind::kVersion) return judged;
    StoryContent mixture = judged;
    mixture.kind = StoryContent::Kind::kMixture;
    return mixture;
  }

  // A write to the leg that the cut caught before its data moved.
  const DiskStory* in_flight(std::size_t leg, const StoryEvent& survived) const {
    const DiskStory* newest = nullptr;
    for (const DiskStory& request : c_.disk_requests) {
      if (c_.event(request.submit).id >= survived.id) break;
      const bool caught = request.op == "write" && !request.transfer && !request.complete && request.life == life_;
      if (caught && request.disk == c_.focus.legs[leg].disk && request.range.overlaps(survived.range()))
        newest = &request;
    }
    return newest;
  }

  // The disk knows what a transfer of several pages brought to this one: a replay up to there tells.
  StoryContent look_up(const DiskStory& request, std::size_t leg, TraceId transfer) {
    const Sector begin = c_.focus.legs[leg].page_begin;
    if (begin % kPageSectors != 0 || look_ups_++ >= kMostLookUps) return {};
    LinearOptions options;
    options.keep = Trace::Keep::kTail;
    options.until = transfer;
    const ReplayResult replay = replay_crash(*c_.crash, workshop_, options);
    const Disk* disk = replay.run.lives.back()->disk(request.disk);
    if (disk == nullptr) return {};
    return StoryContent::of_version(disk->current_page(begin / kPageSectors).version());
  }

  void submitted(std::size_t leg, const DiskStory& request) {
    if (request.op == "flush") tracks_[leg].flushes[request.submit] = tracks_[leg].completed;
  }

  void transferred(std::size_t leg, DiskStory& request, const StoryEvent& event) {
    if (!request.touches_page) return;
    Track& track = tracks_[leg];
    if (request.op == "read") {
      request.content = whole(track.now);
      if (request.recovery) recovered_from_ = track.now;
      return;
    }
    const SectorRange moved{request.range.begin, request.range.begin + event.number("moved")};
    if (request.op == "discard") {
      each_sector(leg, moved, [&](std::uint32_t i) { track.now[i] = {StoryContent::Kind::kDiscarded, {}, 0}; });
      return;
    }
    if (request.op != "write" || moved.empty()) return;
    if (request.recovery && event.number("version") == 0) {
      each_sector(leg, request.range, [&](std::uint32_t i) { track.now[i] = recovered_from_[i]; });
      request.content = whole(track.now);
      return;
    }
    request.content = event.number("version") != 0
                          ? StoryContent::of_version(event.number("version"))
                          : look_up(request, leg, event.id);
    each_sector(leg, moved, [&](std::uint32_t i) { track.now[i] = request.content; });
    UserStory* user = request.user ? &c_.users[*request.user] : nullptr;
    if (user != nullptr && user->content.kind == StoryContent::Kind::kUnknown) {
      user->content = request.content;
    }
  }

  void completed(std::size_t leg, const DiskStory& request) {
    Track& track = tracks_[leg];
    if (request.op == "flush") {
      const auto flush = track.flushes.find(request.submit);
      if (request.status == "ok" && request.fault.empty() && flush != track.flushes.end()) {
        track.durable = flush->second;
      }
      track.flushes.erase(request.submit);
      return;
    }
    const bool changes = request.op == "write" || request.op == "discard";
    if (!request.touches_page || !changes || request.status != "ok") return;
    each_sector(leg, request.range, [&](std::uint32_t i) {
      track.completed[i] = track.now[i];
      if (request.fua || track.write_through) track.durable[i] = track.now[i];
    });
  }

  void evicted(const StoryEvent& event) {
    const auto leg = leg_of(event.actor);
    if (!leg) return;
    const Sector first = event.number("sector");
    each_sector(*leg, {first, first + kPageSectors},
                [&](std::uint32_t i) { tracks_[*leg].durable[i] = tracks_[*leg].now[i]; });
  }

  void cut() {
    for (Track& track : tracks_) {
      before_cut_.push_back(track.now);
      track.now = track.completed = track.durable;
      track.flushes.clear();
    }
    before_cut_.erase(before_cut_.begin(),
                      before_cut_.end() - static_cast<std::ptrdiff_t>(tracks_.size()));
  }

  void survived(const StoryEvent& event) {
    const auto leg = leg_of(event.actor);
    if (!leg) return;
    const std::uint64_t version = event.number("version");
    const DiskStory* caught = in_flight(*leg, event);
    each_sector(*leg, event.range(), [&](std::uint32_t i) {
      Track& track = tracks_[*leg];
      const bool cached = !(before_cut_[*leg][i] == track.durable[i]);
      if (seen_versions_.count(version) != 0 && version != 0) {
        track.now[i] = StoryContent::of_version(version);
      } else if (caught == nullptr) {
        track.now[i] = before_cut_[*leg][i];  // put together for the cut: it stands for the newest
      } else {
        track.now[i] = cached ? StoryContent() : content_in_flight(*caught, version);
      }
      track.completed[i] = track.durable[i] = track.now[i];
    });
  }

  // What a write brought that the trace has not seen arrive before the cut.
  StoryContent content_in_flight(const DiskStory& request, std::uint64_t version) {
    if (!request.user) return {};
    StoryContent& content = c_.users[*request.user].content;
    if (content.kind == StoryContent::Kind::kUnknown && version != 0) content = StoryContent::of_version(version);
    return content;
  }

  void remember_start(const StoryEvent& event) {
    life_ = static_cast<std::uint32_t>(event.number("life"));
    for (std::size_t i = 0; i < tracks_.size(); ++i) c_.legs[i].after_cut = whole(tracks_[i].now);
  }

  Chronicle& c_;
  Workshop& workshop_;
  std::vector<Track> tracks_;        // parallel to the focus's legs
  std::vector<Sectors> before_cut_;  // likewise
  Sectors recovered_from_;
  std::uint32_t life_ = 0;
  std::set<std::uint64_t> seen_versions_;
  int look_ups_ = 0;
};

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

void follow_contents(Chronicle* chronicle, Workshop& workshop) { ContentFollower(*chronicle, workshop).run(); }

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
