#include "harness/reference.h"

#include <algorithm>

#include "harness/reference_history.h"

namespace dmsim {

namespace {

std::uint8_t sector_mask(std::uint64_t page, SectorRange range) {
  const Sector first = page * kPageSectors;
  const SectorRange part = range.intersection({first, first + kPageSectors});
  if (part.empty()) return 0;
  const auto from = static_cast<unsigned>(part.begin - first);
  const auto count = static_cast<unsigned>(part.count());
  return static_cast<std::uint8_t>(((1u << count) - 1u) << from);
}

template <typename Visit>
void for_each_page(SectorRange range, Visit visit) {
  if (range.empty()) return;
  for (std::uint64_t page = range.begin / kPageSectors; page * kPageSectors < range.end; ++page) {
    visit(page, sector_mask(page, range));
  }
}

}  // namespace

Reference::Reference(std::uint64_t sectors, std::function<PageRef(std::uint64_t)> initial)
    : sectors_(sectors),
      initial_(std::move(initial)),
      pages_((sectors + kPageSectors - 1) / kPageSectors),
      initial_cache_(pages_.size()) {}

Reference::~Reference() = default;

const PageRef& Reference::initial_page(std::uint64_t page) const {
  PageRef& cached = initial_cache_[page];
  if (!cached) cached = initial_(page);
  return cached;
}

Reference::PageHistory& Reference::history(std::uint64_t page) {
  CHECK(page < pages_.size(), page, pages_.size());
  if (!pages_[page]) pages_[page] = std::make_unique<PageHistory>();
  return *pages_[page];
}

Reference::WriteRecord* Reference::begin_write(const Bio& bio) {
  WriteRecord* record = nullptr;
  if (free_records_.empty()) {
    records_.push_back(std::make_unique<WriteRecord>());
    record = records_.back().get();
  } else {
    record = free_records_.back();
    free_records_.pop_back();
  }
  *record = WriteRecord{};
  record->number = ++writes_;
  record->submitted = ++clock_;
  record->fua = bio.fua;
  record->discard = bio.op == Op::kDiscard;
  record->range = bio.range();
  record->segments = bio.segments;
  record->data_offset = bio.data_offset;
  for (WriteRecord* other : in_flight_) {
    const SectorRange both = record->range.intersection(other->range);
    if (both.empty()) continue;
    note_race(*record, both);
    note_race(*other, both);
  }
  // Each copy may read as something else now, and go on doing so.
  if (record->discard) races_.push_back(record->range);
  in_flight_.push_back(record);
  for_each_page(record->range, [&](std::uint64_t page, std::uint8_t) {
    PageHistory& at = history(page);
    if (!at.touched) {
      at.touched = true;
      touched_.insert(std::lower_bound(touched_.begin(), touched_.end(), page), page);
      at.candidates.push_back({nullptr, initial_page(page), 0, 0xFF, 0, 0});
    }
    at.last_activity = clock_;
    ++at.in_flight;
  });
  add_candidates(*record, nullptr);
  return record;
}

// Adds what the record's memory holds now: all of it, or the part that lies in `only_frame`.
void Reference::add_candidates(WriteRecord& record, const Frame* only_frame) {
  if (record.discard) {
    for_each_page(record.range, [&](std::uint64_t page, std::uint8_t mask) {
      add_candidate(history(page), record, PageRef(), 0, mask);
    });
    return;
  }
  Bio walk;
  walk.sector = record.range.begin;
  walk.sectors = static_cast<std::uint32_t>(record.range.count());
  walk.segments = record.segments;
  walk.data_offset = record.data_offset;
  DataCursor cursor(walk);
  DataPiece piece;
  while (cursor.next(&piece)) {
    Frame* frame = piece.segment->frame;
    CHECK(frame != nullptr, "users write from frames");
    if (only_frame != nullptr && frame != only_frame) continue;
    const std::uint64_t page = piece.device_sector / kPageSectors;
    const auto in_page = static_cast<int>(piece.device_sector % kPageSectors);
    const auto in_frame = static_cast<int>(piece.segment_offset / kSectorBytes);
    add_candidate(history(page), record, frame->page(), in_frame - in_page,
                  sector_mask(page, {piece.device_sector, piece.device_sector + piece.sectors}));
    if (only_frame == nullptr) {
      ++frame->writes_in_flight;
      frame->observer = this;
    }
  }
}

void Reference::add_candidate(PageHistory& page, WriteRecord& record, const PageRef& content,
                              int shift, std::uint8_t mask) {
  page.candidates.push_back({&record, content, static_cast<std::int8_t>(shift), mask, 0, 0});
  ++record.candidates;
}

void Reference::on_store_in_flight(Frame& frame) {
  ++clock_;
  for (WriteRecord* record : in_flight_) {
    if (!record->discard) add_candidates(*record, &frame);
  }
}

void Reference::end_write(WriteRecord& record, bool ok) {
  record.completed = ++clock_;
  record.ok = ok;
  std::erase(in_flight_, &record);
  if (!record.discard) {
    Bio walk;
    walk.sector = record.range.begin;
    walk.sectors = static_cast<std::uint32_t>(record.range.count());
    walk.segments = record.segments;
    walk.data_offset = record.data_offset;
    DataCursor cursor(walk);
    DataPiece piece;
    while (cursor.next(&piece)) {
      CHECK(piece.segment->frame->writes_in_flight > 0);
      --piece.segment->frame->writes_in_flight;
    }
  }
  record.segments = nullptr;
  for_each_page(record.range, [&](std::uint64_t page, std::uint8_t) {
    PageHistory& at = history(page);
    at.last_activity = clock_;
    --at.in_flight;
  });
  if (ok && !record.discard) {
    if (!record.raced) settle_races(record.range);
    make_stale(record);
    if (record.fua) {
      make_durable(record);
    } else {
      record.waits_for_flush = true;
      not_durable_.push_back(&record);
    }
  }
  if (record.candidates == 0 && !record.waits_for_flush) release(record);
}

// What completed before `by` was submitted is no longer what readers may see.
void Reference::make_stale(WriteRecord& by) {
  for_each_page(by.range, [&](std::uint64_t number, std::uint8_t mask) {
    PageHistory& page = history(number);
    const std::size_t count = page.candidates.size();
    for (std::size_t i = 0; i < count; ++i) {
      Candidate& old = page.candidates[i];
      const std::uint8_t hit = old.mask & mask;
      if (hit == 0 || old.stale_since != 0 || old.write == &by) continue;
      // Under way when these contents were taken over, in part perhaps done by then.
      if (old.write == nullptr && by.submitted < became_at_) continue;
      if (old.write != nullptr &&
          (old.write->completed == 0 || old.write->completed > by.submitted)) {
        continue;
      }
      if (hit == old.mask) {
        old.stale_since = clock_;
        continue;
      }
      Candidate stale = old;
      old.mask = static_cast<std::uint8_t>(old.mask & ~hit);
      stale.mask = hit;
      stale.stale_since = clock_;
      if (stale.write != nullptr) ++stale.write->candidates;
      page.candidates.push_back(std::move(stale));
    }
  });
}

// `record` survives every power cut from now on: what it definitely replaced is gone for good.
void Reference::make_durable(WriteRecord& record) {
  for_each_page(record.range, [&](std::uint64_t number, std::uint8_t mask) {
    PageHistory& page = history(number);
    for (Candidate& old : page.candidates) {
      if ((old.mask & mask) == 0 || old.write == &record) continue;
      if (old.write == nullptr && record.submitted < became_at_) continue;
      if (old.write != nullptr &&
          (old.write->completed == 0 || old.write->completed > record.submitted)) {
        continue;
      }
      old.lost_mask = static_cast<std::uint8_t>(old.lost_mask | (old.mask & mask));
    }
    prune(page);
  });
}

void Reference::prune(PageHistory& page) {
  std::erase_if(page.candidates, [this](Candidate& candidate) {
    if ((candidate.mask & ~candidate.lost_mask) != 0) return false;
    // A reader under way may still see it.
    for (const std::uint64_t begun : reads_) {
      if (candidate.stale_since == 0 || begun < candidate.stale_since) return false;
    }
    if (candidate.write != nullptr) {
      --candidate.write->candidates;
      if (candidate.write->candidates == 0 && candidate.write->completed != 0 &&
          !candidate.write->waits_for_flush) {
        release(*candidate.write);
      }
    }
    return true;
  });
}

// The candidates of one page of `from` (null: its content at boot), as contents that nobody wrote here.
void Reference::take_over(std::uint64_t number, const Reference* from) {
  PageHistory& page = history(number);
  if (!page.touched) {
    page.touched = true;
    touched_.insert(std::lower_bound(touched_.begin(), touched_.end(), number), number);
  }
  page.last_activity = clock_;
  page.read_mask = 0;
  const bool beyond = from == nullptr || number >= from->pages_.size();
  const PageHistory* const there = beyond ? nullptr : from->pages_[number].get();
  if (there == nullptr || !there->touched) {
    const PageRef& initial = beyond ? initial_page(number) : from->initial_page(number);
    page.candidates.push_back({nullptr, initial, 0, 0xFF, 0, 0});
    return;
  }
  for (const Candidate& candidate : there->candidates) {
    if (candidate.stale_since != 0 && (candidate.mask & ~candidate.lost_mask) == 0) continue;
    // Stale since ever: no reader may see it, but a power cut may bring it back.
    page.candidates.push_back({nullptr, candidate.content, candidate.shift, candidate.mask,
                               candidate.stale_since == 0 ? 0 : std::uint64_t{1}, candidate.lost_mask});
  }
}

// Keeps what writes under way put there.
void Reference::drop_finished(PageHistory& page) {
  std::erase_if(page.candidates, [this](const Candidate& candidate) {
    WriteRecord* const write = candidate.write;
    if (write == nullptr) return true;
    if (write->completed == 0) return false;
    if (--write->candidates == 0) release(*write);
    return true;
  });
}

void Reference::become(const Reference* other) {
  became_at_ = ++clock_;
  for (WriteRecord* record : not_durable_) {
    record->waits_for_flush = false;
    if (record->candidates == 0) release(*record);
  }
  not_durable_.clear();
  std::vector<std::uint64_t> pages = touched_;
  if (other != nullptr) pages.insert(pages.end(), other->touched_.begin(), other->touched_.end());
  std::sort(pages.begin(), pages.end());
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  for (const std::uint64_t page : pages) {
    if (page >= pages_.size()) break;
    drop_finished(history(page));
    take_over(page, other);
  }
  races_.clear();
  if (other != nullptr) races_ = other->races_;
}

void Reference::release(WriteRecord& record) { free_records_.push_back(&record); }

void Reference::end_flush(std::uint64_t begun, bool ok) {
  CHECK(flushes_under_way_ > 0);
  --flushes_under_way_;
  ++clock_;
  if (!ok) return;
  std::size_t kept = 0;
  for (WriteRecord* record : not_durable_) {
    if (record->completed > begun) {
      not_durable_[kept++] = record;
      continue;
    }
    make_durable(*record);
    record->waits_for_flush = false;  // only now: nobody else may have released it
    if (record->candidates == 0) release(*record);
  }
  not_durable_.resize(kept);
}

void Reference::note_race(WriteRecord& record, SectorRange range) {
  record.raced = true;
  races_.push_back(range);
}

void Reference::note_application_scribble(SectorRange range) {
  for (WriteRecord* record : in_flight_) {
    if (record->range.overlaps(range)) note_race(*record, range);
  }
}

// A write that nobody raced with has put one content into these sectors.
void Reference::settle_races(SectorRange written) {
  if (races_.empty()) return;
  std::vector<SectorRange> left;
  for (const SectorRange& race : races_) {
    if (!race.overlaps(written)) {
      left.push_back(race);
      continue;
    }
    if (race.begin < written.begin) left.push_back({race.begin, written.begin});
    if (written.end < race.end) left.push_back({written.end, race.end});
  }
  races_ = std::move(left);
}

bool Reference::raced_by_application(SectorRange range) const {
  return std::any_of(races_.begin(), races_.end(),
                     [&](SectorRange race) { return race.overlaps(range); });
}

}  // namespace dmsim
