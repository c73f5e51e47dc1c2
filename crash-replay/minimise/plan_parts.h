// Parts of a plan that several passes reach for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/plan.h"

namespace dmsim {

// Null where a task of that kind has none.
Pace* pace_of(TaskBody& body);
Area* area_of(TaskBody& body);
SectorRange* range_of(TaskBody& body);         // of its area, or the pages that it stores to
const std::string* device_of(const TaskBody& body);  // null: an administrator

// Of a mapped device by its table, or of a disk; 0: there is none of that name, or its table is unsound.
std::uint64_t sectors_of(const Plan& plan, std::string_view device);

// Moves and cuts where tasks work and faults strike until it lies within devices and disks as they are.
void fit_ranges(Plan& plan);
// When tasks start, and when faults begin and heal, all moved alike.
void move_starts(Plan& plan, const std::function<Duration(Duration)>& move);
// Removes what names tasks and devices that the plan does not have (any more).
void drop_dangling(Plan& plan);

// A table taken apart: lines of words.
using TableWords = std::vector<std::vector<std::string>>;
TableWords table_words(std::string_view table);
// The reverse; each line begins where the one before ends.
std::string table_text(TableWords words);
// Gives the device this table at boot, and wherever an administrator loads just what it had.
void change_table(Plan& plan, std::size_t device, const std::string& table);

// Where words of a mirror's line are; valid() is false for anything else.
struct MirrorWords {
  std::size_t region_size = 0;
  std::size_t log_arguments = 0;  // their number
  std::size_t legs = 0;           // their number; name and offset of each follow
  std::size_t leg_count = 0;
  std::size_t features = 0;       // what follows the legs: their number, or the line's end
  bool valid() const { return legs != 0; }
};
MirrorWords mirror_words(const std::vector<std::string>& line);

}  // namespace dmsim
