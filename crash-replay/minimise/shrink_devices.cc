// Tables: shorter lines, smaller regions, few regions, arguments that are optional. Whatever works on a
// device that gets shorter is moved to where it still is.
#include "crash-replay/minimise/passes.h"
#include "crash-replay/minimise/plan_parts.h"

namespace dmsim::shrink_pass {
namespace {

std::uint64_t number_in(const std::string& word) { return std::stoull(word); }

struct Shape {
  std::uint64_t region;  // 0: not a mirror
  std::uint64_t length;
};

// Smallest first: a mirror of one, two, three, four regions of a page, of two pages, ...
std::vector<Shape> smaller_shapes(const std::vector<std::string>& line) {
  std::vector<Shape> out;
  const std::uint64_t length = number_in(line[1]);
  const MirrorWords mirror = mirror_words(line);
  const std::uint64_t region = mirror.valid() ? number_in(line[mirror.region_size]) : 0;
  const auto propose = [&](std::uint64_t r, std::uint64_t l) {
    if (l > 0 && (r == 0 || r >= 8) && (l < length || (l == length && r < region))) out.push_back({r, l});
  };
  if (!mirror.valid()) {
    for (const std::uint64_t l : {std::uint64_t{8}, std::uint64_t{16}, std::uint64_t{64}, length / 32 * 8,
                                  length / 16 * 8}) {
      propose(0, l);
    }
    return out;
  }
  for (std::uint64_t r = 8; r <= region; r *= 2) {
    for (std::uint64_t count = 1; count <= 4; ++count) propose(r, r * count);
  }
  propose(region, length / region / 2 * region);
  propose(region / 2, length / 2);
  return out;
}

// What happens at a certain time on a large device happens sooner on a small one.
bool try_when(Shrink& shrink, const Plan& plan) {
  if (shrink.try_plan(plan)) return true;
  for (const std::int64_t part : {2, 4, 8}) {
    Plan sooner = plan;
    move_starts(sooner, [part](Duration start) {
      return Duration::nanoseconds(start.count_ns() / part / 1000 * 1000);
    });
    if (shrink.try_plan(sooner)) return true;
  }
  return false;
}

// Whether a smaller shape has been found.
bool shrink_line(Shrink& shrink, std::size_t device, std::size_t number) {
  const TableWords table = table_words(shrink.best().plan.devices[device].table);
  const auto& line = table[number];
  for (const Shape& shape : smaller_shapes(line)) {
    if (shrink.over()) return false;
    TableWords smaller = table;
    smaller[number][1] = std::to_string(shape.length);
    const MirrorWords mirror = mirror_words(line);
    if (mirror.valid()) smaller[number][mirror.region_size] = std::to_string(shape.region);
    Plan plan = shrink.best().plan;
    change_table(plan, device, table_text(smaller));
    fit_ranges(plan);
    if (try_when(shrink, plan)) return true;
  }
  return false;
}

// What a log need not be told; legs and linear parts from the beginning of their disks. Features stay: what a mirror
// promises depends on them, and they are part of the signature.
void plainer_line(Shrink& shrink, std::size_t device, std::size_t number) {
  const auto propose = [&](const auto& edit) {
    TableWords table = table_words(shrink.best().plan.devices[device].table);
    if (shrink.over() || number >= table.size() || !edit(table[number])) return;
    Plan plan = shrink.best().plan;
    change_table(plan, device, table_text(table));
    shrink.try_plan(plan);
  };
  propose([](std::vector<std::string>& line) {
    const MirrorWords mirror = mirror_words(line);
    if (!mirror.valid() || mirror.legs <= mirror.region_size + 1) return false;
    line.erase(line.begin() + static_cast<std::ptrdiff_t>(mirror.region_size + 1),
               line.begin() + static_cast<std::ptrdiff_t>(mirror.legs));
    line[mirror.log_arguments] = std::to_string(mirror.region_size - mirror.log_arguments);
    return true;
  });
  propose([](std::vector<std::string>& line) {
    const MirrorWords mirror = mirror_words(line);
    for (std::size_t leg = 0; leg < mirror.leg_count && mirror.valid(); ++leg) {
      line[mirror.legs + 2 + 2 * leg] = "0";
    }
    if (line.size() == 5 && line[2] == "linear") line[4] = "0";
    return true;
  });
}

}  // namespace

void shrink_devices(Shrink& shrink) {
  for (std::size_t device = shrink.best().plan.devices.size(); device-- > 0;) {
    const std::size_t lines = table_words(shrink.best().plan.devices[device].table).size();
    for (std::size_t line = lines; lines > 1 && line-- > 0 && !shrink.over();) {
      TableWords table = table_words(shrink.best().plan.devices[device].table);
      if (table.size() < 2 || line >= table.size()) continue;
      table.erase(table.begin() + static_cast<std::ptrdiff_t>(line));
      Plan plan = shrink.best().plan;
      change_table(plan, device, table_text(table));
      fit_ranges(plan);
      shrink.try_plan(plan);
    }
    for (std::size_t line = 0;
         line < table_words(shrink.best().plan.devices[device].table).size() && !shrink.over(); ++line) {
      while (shrink_line(shrink, device, line)) {
      }
      plainer_line(shrink, device, line);
    }
  }
}

}  // namespace dmsim::shrink_pass
