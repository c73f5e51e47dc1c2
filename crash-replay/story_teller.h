// Teller: which event becomes which sentence of a story. What it says of memory and of the mapped device is in
// story_steps.cc, of the mirror and its log in story_mirror_steps.cc, of disks and power in story_disk_steps.cc.
//
// An event that concerns neither the page, nor its region, nor the legs' state, nor the power becomes no sentence.
// Several events that a person takes for one thing (a log write and its flush, stores in a row) become one step.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crash-replay/story_steps.h"
#include "harness/oracle_names.h"

namespace dmsim {

// Oracles about what a reader gets: their stories contain reads.
bool is_about_reading(std::string_view oracle);

class Teller {
 public:
  Teller(const Chronicle& chronicle, Story& story)
      : c_(chronicle),
        f_(chronicle.focus),
        first_(story.first_event),
        last_(story.last_event),
        story_(story),
        steps_(story.steps),
        names_(story.names) {
    for (std::size_t i = 0; i < c_.users.size(); ++i) user_by_event_[c_.users[i].submit] = i;
  }

  void run();

 private:
  using Weight = StoryStep::Weight;

  void add(std::string text, std::string notation = {}, Weight weight = Weight::kEssential);
  std::string page() const { return fmt::format("page {}", f_.page); }
  std::string region() const { return fmt::format("region {}", f_.region.value_or(0)); }
  bool is_mirror(const StoryEvent& event) const {
    return event.actor == f_.mirror || event.actor == "kmirrord " + f_.mirror;
  }
  const std::string& leg_name(std::uint64_t index) const;

  // State that earlier events have left: the log's bit, the page under writeback.
  void follow_up_to_first();
  void note_region(const StoryEvent& event);
  void tell(const StoryEvent& event);

  // Memory.
  void tell_memory(const StoryEvent& event);

  // Stores in a row, with nothing of the story in between, are one step: the last one's version counts,
  // the others nobody ever sees.
  void tell_store(const StoryEvent& event);
  void end_stores();

  // The mapped device.
  void tell_device(const StoryEvent& event);

  // What an administrator does: to the device in focus; to any, where somebody waits for ever.
  void tell_verb(const StoryEvent& event);

  // How far a move is, and what the metadata say of it.
  void tell_lvm(const StoryEvent& event);

  // What the kernel's own engine says of itself: its log from warnings upwards, and its troubles.
  void tell_kernel(const StoryEvent& event);
  const UserStory* user_of(TraceId submit) const;
  bool is_reader_wanted(const UserStory& user) const {
    return is_about_reading(c_.violation.oracle) && user.touches_page;
  }

  void tell_request(const StoryEvent&);
  bool matters_flush() const { return f_.clone || c_.violation.oracle == oracle::kDurability; }

  // The write after which a region was called clean that no recovery had copied: the last one before.
  bool brought_the_claim(const UserStory& user) const;

  // A mirrored write that goes to one leg only, as dm core says it.
  void tell_narrow_write(const StoryEvent& event);
  bool was_copied_before(std::size_t index) const;
  void tell_answer(const StoryEvent& event);
  bool flush_reached_a_leg(const UserStory& flush) const;

  // The mirror.
  void tell_mirror(const StoryEvent& event);
  // Of the request that the mirror has in its hands now: "write", or "discard".
  std::string_view op_of(SectorRange range) const;
  void tell_clone();
  void say_log_of_clone() { story_.log_words.push_back({at_, true}); }

  void tell_region(const StoryEvent& event);
  std::string region_title() const { return fmt::format("Region {}", f_.region.value_or(0)); }

  void tell_recovery(const StoryEvent& event);

  // A log write that carries a change of the region's bit, told when it is durable, or written, or now
  // if the power cut comes first.
  void tell_log_write();
  static std::string log_notation(const DiskStory* write);
  void later(std::size_t event, std::string text, std::string notation,
             std::vector<std::size_t> requests);
  void say_log(std::size_t event) { story_.log_words.push_back({event, bit_clean_}); }
  void tell_put_off();
  void tell_leg_flush(const StoryEvent& event);

  // Disks and power.
  void tell_disk(const StoryEvent& event);
  void tell_power(const StoryEvent& event);

  // What reached the media although nobody had been promised it.
  void tell_survivors();
  bool survives_in_focus(const StoryEvent& event) const;
  void tell_reboot(const StoryEvent& event);

  const Chronicle& c_;
  const StoryFocus& f_;
  std::size_t first_;
  std::size_t last_;
  Story& story_;
  std::vector<StoryStep>& steps_;
  StoryNames& names_;
  std::size_t at_ = 0;
  std::string move_;                                  // the device of a pvmove that is under way
  ResumeUnderWay resume_;
  std::map<std::size_t, std::size_t> user_by_event_;  // submit event index -> users
  std::map<std::size_t, StoryStep> put_off_;          // by event index
  bool bit_changed_ = false;  // the region's bit in memory differs from what the log was last sent
  bool bit_clean_ = false;
  bool in_writeback_ = false;
  struct Stores {
    std::size_t count = 0;  // 0: none
    std::string by;
    bool in_writeback = false;
    std::size_t event = 0;  // the last one's
  };
  Stores store_;  // in a row, not yet told
};

}  // namespace dmsim
