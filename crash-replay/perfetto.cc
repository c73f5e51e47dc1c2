// The form: an object with "traceEvents", times in microseconds with three decimals. Requests overlap, so
// each is an async pair ("b", "e") with the id of its submission; the transfer is an async instant ("n")
// between them. Flow arrows bind to slices of a thread only, so each submission also is a slice of one
// nanosecond on its actor's track: slices of one instant are equal and nest, others cannot overlap.
#include "crash-replay/perfetto.h"

#include <fmt/format.h>

#include <map>

#include "crash-replay/story_steps.h"

namespace dmsim {
namespace {

enum Layer : int { kMachine = 1, kTasks, kCaches, kDevices, kDisks };
constexpr std::string_view kLayerNames[] = {
    "", "machine", "tasks and daemons", "page caches", "mapped devices", "disks"};

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string micros(Instant at) { return fmt::format("{}.{:03}", at.ns() / 1000, at.ns() % 1000); }

class Writer {
 public:
  std::string run(const std::vector<StoryEvent>& events) {
    place_actors(events);
    for (const StoryEvent& event : events) write(event);
    if (!events.empty()) end_open("the trace ends", events.back().at);
    std::string out = "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n";
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      out += lines_[i] + (i + 1 < lines_.size() ? ",\n" : "\n");
    }
    return out + "]}\n";
  }

 private:
  struct Track {
    int layer;
    std::size_t number;
  };
  struct Open {
    std::string actor;
    std::string category;
    std::string name;
  };

  // An actor belongs to the lowest layer that it speaks for.
  void place_actors(const std::vector<StoryEvent>& events) {
    std::map<std::string, int> layers;
    std::vector<std::string> order;
    const auto place = [&](const std::string& actor, int layer) {
      if (layers.count(actor) == 0) order.push_back(actor);
      int& known = layers[actor];
      known = std::max(known, layer);
    };
    for (const StoryEvent& event : events) {
      const std::string room = event.kind.substr(0, event.kind.find('.'));
      int layer = event.actor == "-" ? kMachine : kTasks;
      if (room == "disk") layer = kDisks;
      if (room == "mirror" || event.is("dm.submit") || event.is("dm.complete")) layer = kDevices;
      place(event.actor, layer);
      if (room == "cache") place(std::string(event.text("cache")), kCaches);
    }
    for (int layer = kMachine; layer <= kDisks; ++layer) {
      lines_.push_back(
          fmt::format(R"({{"ph":"M","pid":{},"tid":0,"name":"process_name","args":{{"name":{}}}}})",
                      layer, quoted(kLayerNames[layer])));
      lines_.push_back(fmt::format(
          R"({{"ph":"M","pid":{},"tid":0,"name":"process_sort_index","args":{{"sort_index":{}}}}})",
          layer, layer));
    }
    for (const std::string& actor : order) {
      const Track track{layers[actor], tracks_.size() + 1};
      tracks_[actor] = track;
      lines_.push_back(
          fmt::format(R"({{"ph":"M","pid":{},"tid":{},"name":"thread_name","args":{{"name":{}}}}})",
                      track.layer, track.number, quoted(actor == "-" ? "power" : actor)));
    }
  }

  // The fields that all events share. `more` begins with a comma, or is empty.
  void line(std::string_view phase, std::string_view category, const std::string& name,
            const std::string& actor, Instant at, const std::string& more) {
    const Track track = tracks_[actor];
    lines_.push_back(
        fmt::format(R"({{"ph":"{}","cat":"{}","name":{},"pid":{},"tid":{},"ts":{}{}}})", phase,
                    category, quoted(name), track.layer, track.number, micros(at), more));
  }

  static std::string arguments(const StoryEvent& event) {
    std::string out = fmt::format(",\"args\":{{\"event\":{},\"cause\":{}", event.id, event.cause);
    for (const auto& [name, value] : event.args)
      out += fmt::format(",{}:{}", quoted(name), quoted(value));
    return out + "}";
  }
  static std::string id_of(TraceId id) { return fmt::format(",\"id\":\"{}\"", id); }

  void write(const StoryEvent& event) {
    if (event.is("dm.submit") || event.is("disk.submit")) return begin(event);
    if (event.is("dm.complete") || event.is("disk.complete")) return end(event);
    if (event.is("disk.transfer")) {
      const auto open = open_.find(event.cause);
      if (open != open_.end()) {
        line("n", open->second.category, open->second.name, event.actor, event.at,
             id_of(event.cause) + arguments(event));
      }
      return;
    }
    if (event.is("dm.map")) maps_[event.id] = event.cause;
    if (event.is("power.cut")) {
      end_open("power is cut", event.at);
      dirty_.clear();
    }
    const bool everywhere = event.is("power.cut") || event.is("power.on");
    line("i", event.kind.substr(0, event.kind.find('.')), title(event), event.actor, event.at,
         fmt::format(",\"s\":\"{}\"", everywhere ? "g" : "t") + arguments(event));
    count_dirty(event);
  }

  static std::string title(const StoryEvent& event) {
    if (event.is("mirror.region")) {
      return fmt::format("region {}: {} to {}", event.text("region"), event.text("from"),
                         event.text("to"));
    }
    if (event.is("cache.store") || event.is("cache.write")) {
      return fmt::format("page {} version {}", event.text("page"), event.text("version"));
    }
    return event.kind;
  }

  void begin(const StoryEvent& event) {
    const bool disk = event.is("disk.submit");
    const Open open{event.actor, disk ? "disk" : "bio",
                    notation_of(event.text("op"), event.number("fua") != 0, event.range())};
    line("b", open.category, open.name, event.actor, event.at, id_of(event.id) + arguments(event));
    line("X", "submit", open.name, event.actor, event.at, ",\"dur\":0.001");
    // dm core's mapping of a clone stands between the request and what it becomes.
    const auto mapped = maps_.find(event.cause);
    const auto via = submits_.find(mapped == maps_.end() ? event.cause : mapped->second);
    if (via != submits_.end()) {
      line("s", "flow", "because of", via->second.first, via->second.second, id_of(event.id));
      line("f", "flow", "because of", event.actor, event.at, id_of(event.id) + ",\"bp\":\"e\"");
    }
    submits_[event.id] = {event.actor, event.at};
    open_[event.id] = open;
  }

  void end(const StoryEvent& event) {
    const auto open = open_.find(event.cause);
    if (open == open_.end()) return;
    line("e", open->second.category, open->second.name, open->second.actor, event.at,
         id_of(event.cause) + arguments(event));
    open_.erase(open);
  }

  // What has not ended when everything does.
  void end_open(const std::string& why, Instant at) {
    for (const auto& [id, open] : open_) {
      line("e", open.category, open.name, open.actor, at,
           id_of(id) + fmt::format(",\"args\":{{\"ended_by\":{}}}", quoted(why)));
    }
    open_.clear();
  }

  void count_dirty(const StoryEvent& event) {
    const bool more = event.is("cache.dirty"), less = event.is("cache.writeback");
    if (!more && !less) return;
    const std::string cache(event.text("cache"));
    std::int64_t& dirty = dirty_[cache];
    dirty += more ? 1 : -1;
    line("C", "cache", "dirty pages of " + cache, cache, event.at,
         fmt::format(",\"args\":{{\"pages\":{}}}", dirty));
  }

  std::vector<std::string> lines_;
  std::map<std::string, Track> tracks_;
  std::map<TraceId, Open> open_;                                // requests under way
  std::map<TraceId, std::pair<std::string, Instant>> submits_;  // every submission: by whom, when
  std::map<TraceId, TraceId> maps_;                             // dm.map: whose clone
  std::map<std::string, std::int64_t> dirty_;                   // pages, by cache
};

}  // namespace

std::string perfetto_json(const std::vector<StoryEvent>& events) { return Writer().run(events); }

}  // namespace dmsim
