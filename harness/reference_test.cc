// Reference: the slow obvious specification, held to a yet slower one that keeps every write for ever and
// looks through all of them, over random histories; and each sentence of the essay by hand.
#include "harness/reference.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "sim/choice.h"

namespace dmsim {
namespace {

constexpr std::uint64_t kSectors = 20;  // two pages and a half
constexpr std::uint64_t kPages = 3;

// A write's bio with frames of its own; the data begins `shift` sectors into the first one.
struct UserIo {
  UserIo(PageSpace& space, Op op, SectorRange range, std::uint32_t shift_sectors)
      : shift(shift_sectors), frames((shift + range.count() + kPageSectors - 1) / kPageSectors) {
    bio.op = op;
    bio.sector = range.begin;
    bio.sectors = static_cast<std::uint32_t>(range.count());
    if (op != Op::kRead && op != Op::kWrite) return;
    for (Frame& frame : frames) {
      std::byte* bytes = nullptr;
      PageRef page = space.make(&bytes);
      std::memset(bytes, 0, kPageBytes);
      frame.set(std::move(page));
    }
    std::uint32_t left = bio.sectors;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const std::uint32_t from = i == 0 ? shift : 0;
      const std::uint32_t count = std::min(left, kPageSectors - from);
      segments.push_back({&frames[i], nullptr, from * kSectorBytes, count * kSectorBytes});
      left -= count;
    }
    bio.segments = segments.data();
    bio.segment_count = static_cast<std::uint32_t>(segments.size());
  }
  UserIo(const UserIo&) = delete;
  UserIo& operator=(const UserIo&) = delete;

  Frame& frame_of(Sector sector) { return frames[(shift + sector - bio.sector) / kPageSectors]; }
  std::uint32_t in_frame(Sector sector) const {
    return static_cast<std::uint32_t>((shift + sector - bio.sector) % kPageSectors);
  }
  // Every sector filled with its own number and `tag`.
  void fill(PageSpace& space, std::uint64_t tag) {
    for (Sector sector = bio.range().begin; sector < bio.range().end; ++sector) put(space, sector, tag);
  }
  void put(PageSpace& space, Sector sector, std::uint64_t tag) {
    std::array<std::uint64_t, kSectorBytes / 8> words;
    words.fill(mix_words(sector, tag));
    frame_of(sector).store(space, in_frame(sector) * kSectorBytes,
                           reinterpret_cast<const std::byte*>(words.data()), kSectorBytes);
  }
  std::uint64_t digest(Sector sector) { return frame_of(sector).page().sector_digest(in_frame(sector)); }

  std::uint32_t shift;
  std::vector<Frame> frames;
  std::vector<Segment> segments;
  Bio bio;
  Reference::WriteRecord* record = nullptr;
};

constexpr std::uint64_t kInitialTag = 1'000'000;

// A device of kSectors sectors, its reference, and shorthand for what users do.
class Device {
 public:
  Device() : space_(pool_, 0), reference_(kSectors, [this](std::uint64_t page) { return initial(page); }) {}

  // The digest of what put() with that tag leaves in a sector.
  std::uint64_t digest(Sector sector, std::uint64_t tag) {
    UserIo io(space_, Op::kWrite, {sector, sector + 1}, 0);
    io.put(space_, sector, tag);
    return io.digest(sector);
  }
  PageRef initial(std::uint64_t page) {
    return page_of(page, [](Sector) { return kInitialTag; });
  }
  template <typename TagOf>
  PageRef page_of(std::uint64_t page, TagOf tag_of) {
    UserIo io(space_, Op::kWrite, {page * kPageSectors, (page + 1) * kPageSectors}, 0);
    for (Sector sector = page * kPageSectors; sector < (page + 1) * kPageSectors; ++sector) {
      io.put(space_, sector, tag_of(sector));
    }
    return io.frames[0].page();
  }

  std::unique_ptr<UserIo> begin(SectorRange range, std::uint64_t tag, bool fua = false,
                                std::uint32_t shift = 0) {
    auto io = std::make_unique<UserIo>(space_, Op::kWrite, range, shift);
    io->bio.fua = fua;
    io->fill(space_, tag);
    io->record = reference_.begin_write(io->bio);
    return io;
  }
  void end(UserIo& io, bool ok = true) { reference_.end_write(*io.record, ok); }
  void write(SectorRange range, std::uint64_t tag, bool fua = false) { end(*begin(range, tag, fua)); }
  void flush(bool ok = true) { reference_.end_flush(reference_.begin_flush(), ok); }
  std::unique_ptr<UserIo> begin_discard(SectorRange range) {
    auto io = std::make_unique<UserIo>(space_, Op::kDiscard, range, 0);
    io->record = reference_.begin_write(io->bio);
    return io;
  }
  bool now(Sector sector, std::uint64_t tag) {
    return reference_.is_admissible_now(sector, digest(sector, tag));
  }
  // Tags that may be there after a power cut, of those given.
  std::set<std::uint64_t> after_cut(Sector sector, const std::set<std::uint64_t>& tags) {
    std::set<std::uint64_t> out;
    for (const std::uint64_t tag : tags) {
      if (after_cut_mismatch(sector, tag).empty()) out.insert(tag);
    }
    return out;
  }
  std::vector<Mismatch> after_cut_mismatch(Sector sector, std::uint64_t tag) {
    std::vector<Mismatch> wrong;
    const PageRef page = page_of(sector / kPageSectors, [&](Sector) { return tag; });
    reference_.check_after_cut(sector / kPageSectors, page,
                               static_cast<std::uint8_t>(1u << (sector % kPageSectors)), &wrong);
    return wrong;
  }
  // A read of one sector, begun earlier or now, that finds `tag`.
  std::vector<Mismatch> read(Sector sector, std::uint64_t tag, std::uint64_t begun = 0) {
    if (begun == 0) begun = reference_.begin_read();
    UserIo io(space_, Op::kRead, {sector, sector + 1}, 3);
    io.put(space_, sector, tag);
    std::vector<Mismatch> wrong;
    reference_.check_read(io.bio, begun, &wrong);
    return wrong;
  }

  Reference& reference() { return reference_; }
  PageSpace& space() { return space_; }

 private:
  PagePool pool_;
  PageSpace space_;
  Reference reference_;
};

using Tags = std::set<std::uint64_t>;

TEST(Reference, a_write_may_be_seen_from_its_submission_on) {
  Device device;
  EXPECT_FALSE(device.now(3, 1));
  auto io = device.begin({0, 8}, 1);
  EXPECT_TRUE(device.now(3, 1));
  EXPECT_TRUE(device.now(3, kInitialTag));
  device.end(*io);
  EXPECT_TRUE(device.now(3, 1));
  EXPECT_FALSE(device.now(3, kInitialTag)) << "it has completed";
}

TEST(Reference, a_later_write_that_completed_ends_an_earlier_one_for_readers) {
  Device device;
  device.write({0, 8}, 1);
  device.write({2, 4}, 2);
  EXPECT_FALSE(device.now(3, 1));
  EXPECT_TRUE(device.now(3, 2));
  EXPECT_TRUE(device.now(4, 1));
}

TEST(Reference, of_writes_under_way_together_either_may_be_seen) {
  Device device;
  auto first = device.begin({0, 8}, 1);
  auto second = device.begin({0, 8}, 2);
  device.end(*first);
  device.end(*second);
  EXPECT_TRUE(device.now(0, 1));
  EXPECT_TRUE(device.now(0, 2));
  EXPECT_FALSE(device.now(0, kInitialTag));
}

TEST(Reference, a_reader_that_began_before_a_write_completed_may_see_the_old_content) {
  Device device;
  auto io = device.begin({0, 8}, 1, true);
  const std::uint64_t early = device.reference().begin_read();
  device.end(*io);
  EXPECT_TRUE(device.read(0, kInitialTag, early).empty());
  const auto wrong = device.read(0, kInitialTag);
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_EQ(wrong[0].kind, Mismatch::Kind::kStale);
  EXPECT_EQ(wrong[0].expected_write, 1u);
  EXPECT_EQ(wrong[0].found_write, 0u);
}

TEST(Reference, what_nobody_wrote_is_foreign_and_a_change_of_what_nobody_wrote_to_is_named_so) {
  Device device;
  device.write({0, 4}, 1);
  auto wrong = device.read(0, 99);
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_EQ(wrong[0].kind, Mismatch::Kind::kForeign);
  wrong = device.read(5, 99);
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_EQ(wrong[0].kind, Mismatch::Kind::kUntouched) << "the same page, but not that sector";
  wrong = device.read(17, 99);
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_EQ(wrong[0].kind, Mismatch::Kind::kUntouched);
  EXPECT_EQ(device.after_cut_mismatch(5, 99).at(0).kind, Mismatch::Kind::kUntouched);
  EXPECT_EQ(device.after_cut_mismatch(17, 99).at(0).kind, Mismatch::Kind::kUntouched);
  EXPECT_EQ(device.after_cut_mismatch(0, 99).at(0).kind, Mismatch::Kind::kForeign);
}

TEST(Reference, without_a_flush_any_earlier_content_may_come_back_after_a_cut) {
  Device device;
  device.write({0, 8}, 1);
  device.write({0, 8}, 2);
  EXPECT_EQ(device.after_cut(1, {1, 2, kInitialTag, 9}), (Tags{1, 2, kInitialTag}));
}

TEST(Reference, a_flush_begun_after_a_completion_makes_it_durable_once_it_succeeds) {
  Device device;
  device.write({0, 8}, 1);
  const std::uint64_t begun = device.reference().begin_flush();
  EXPECT_EQ(device.after_cut(1, {1, kInitialTag}), (Tags{1, kInitialTag}));
  device.reference().end_flush(begun, true);
  EXPECT_EQ(device.after_cut(1, {1, kInitialTag}), (Tags{1}));
}

TEST(Reference, a_flush_begun_before_the_completion_proves_nothing) {
  Device device;
  auto io = device.begin({0, 8}, 1);
  const std::uint64_t begun = device.reference().begin_flush();
  device.end(*io);
  device.reference().end_flush(begun, true);
  EXPECT_EQ(device.after_cut(1, {1, kInitialTag}), (Tags{1, kInitialTag}));
}

TEST(Reference, a_failed_flush_proves_nothing) {
  Device device;
  device.write({0, 8}, 1);
  device.flush(false);
  EXPECT_EQ(device.after_cut(1, {1, kInitialTag}), (Tags{1, kInitialTag}));
  device.flush();
  EXPECT_EQ(device.after_cut(1, {1, kInitialTag}), (Tags{1}));
}

TEST(Reference, a_completed_fua_write_is_durable_and_takes_nothing_else_with_it) {
  Device device;
  device.write({0, 8}, 1);
  device.write({0, 4}, 2, true);
  EXPECT_EQ(device.after_cut(1, {1, 2, kInitialTag}), (Tags{2}));
  EXPECT_EQ(device.after_cut(5, {1, 2, kInitialTag}), (Tags{1, kInitialTag}));
}

TEST(Reference, a_failed_write_may_have_landed_until_a_later_one_completes) {
  Device device;
  device.end(*device.begin({0, 8}, 1, true), false);
  EXPECT_TRUE(device.now(0, 1));
  EXPECT_TRUE(device.now(0, kInitialTag));
  device.flush();
  EXPECT_EQ(device.after_cut(0, {1, kInitialTag}), (Tags{1, kInitialTag}));
  device.write({0, 8}, 2);
  EXPECT_FALSE(device.now(0, 1));
  device.flush();
  EXPECT_EQ(device.after_cut(0, {1, 2, kInitialTag}), (Tags{2}));
}

TEST(Reference, a_write_whose_memory_changed_has_every_content_it_had_meanwhile) {
  Device device;
  auto io = device.begin({4, 12}, 1, true, 5);
  io->put(device.space(), 6, 2);
  io->put(device.space(), 6, 3);
  device.end(*io);
  io->put(device.space(), 6, 4);  // too late
  for (const std::uint64_t tag : {1u, 2u, 3u}) EXPECT_TRUE(device.now(6, tag)) << tag;
  EXPECT_FALSE(device.now(6, 4));
  EXPECT_FALSE(device.now(7, 2));
  EXPECT_EQ(device.after_cut(6, {1, 2, 3, 4, kInitialTag}), (Tags{1, 2, 3}));
}

TEST(Reference, a_discarded_sector_reads_as_anything_until_it_is_written) {
  Device device;
  device.write({0, 8}, 1, true);
  auto io = device.begin_discard({2, 4});
  EXPECT_TRUE(device.now(2, 77));
  device.end(*io);
  EXPECT_TRUE(device.now(2, 77));
  EXPECT_TRUE(device.now(2, 1));
  EXPECT_FALSE(device.now(4, 77));
  EXPECT_EQ(device.after_cut(3, {77}), (Tags{77}));
  device.write({2, 3}, 5);
  EXPECT_FALSE(device.now(2, 77));
  EXPECT_EQ(device.after_cut(2, {77, 5}), (Tags{5, 77})) << "not yet durable";
  device.flush();
  EXPECT_EQ(device.after_cut(2, {77, 5}), (Tags{5}));
}

TEST(Reference, a_record_is_free_again_only_once) {
  // A reader keeps the first write's content until a flush counts it as durable.
  Device device;
  device.write({0, 8}, 1);
  const std::uint64_t begun = device.reference().begin_read();
  device.write({0, 8}, 2, true);
  EXPECT_TRUE(device.read(0, 1, begun).empty());
  device.flush();
  auto third = device.begin({0, 8}, 3);
  auto fourth = device.begin({8, 16}, 4);
  EXPECT_NE(third->record, fourth->record);
  device.end(*third);
  device.end(*fourth);
  EXPECT_TRUE(device.now(0, 3));
  EXPECT_FALSE(device.now(0, 2));
}

TEST(Reference, two_reads_without_a_write_between_them_must_agree) {
  Device device;
  device.write({0, 8}, 1);
  device.read(0, 1);
  device.read(0, 1);
  EXPECT_TRUE(device.reference().take_unstable_reads().empty());
  device.read(0, kInitialTag);
  EXPECT_EQ(device.reference().take_unstable_reads(), (std::vector<Sector>{0}));
  EXPECT_TRUE(device.reference().take_unstable_reads().empty()) << "told once";
}

TEST(Reference, a_write_between_two_reads_or_during_one_excuses_a_difference) {
  Device device;
  device.read(0, kInitialTag);
  device.write({0, 8}, 1);
  device.read(0, 1);
  EXPECT_TRUE(device.reference().take_unstable_reads().empty());
  auto io = device.begin({0, 8}, 2);
  device.read(0, 2);
  device.read(0, 1);
  device.end(*io);
  device.read(0, 2);
  EXPECT_TRUE(device.reference().take_unstable_reads().empty());
  const std::uint64_t begun = device.reference().begin_read();
  device.write({0, 8}, 3);
  device.read(0, 3);
  device.read(0, 2, begun);
  EXPECT_TRUE(device.reference().take_unstable_reads().empty());
}

TEST(Reference, overlapping_writes_race_where_they_overlap_until_a_write_of_its_own) {
  Device device;
  auto first = device.begin({0, 8}, 1);
  EXPECT_FALSE(device.reference().raced_by_application({0, 8}));
  auto second = device.begin({4, 12}, 2);
  EXPECT_TRUE(device.reference().raced_by_application({7, 8}));
  EXPECT_FALSE(device.reference().raced_by_application({0, 4}));
  EXPECT_FALSE(device.reference().raced_by_application({8, 12}));
  device.end(*first);
  device.end(*second);
  EXPECT_TRUE(device.reference().raced_by_application({4, 8})) << "neither says who won";
  device.write({0, 6}, 3);
  EXPECT_FALSE(device.reference().raced_by_application({4, 6}));
  EXPECT_TRUE(device.reference().raced_by_application({6, 8}));
}

TEST(Reference, a_scribbled_buffer_is_the_applications_own_doing) {
  Device device;
  device.reference().note_application_scribble({0, 8});
  EXPECT_FALSE(device.reference().raced_by_application({0, 8})) << "nothing was under way";
  auto io = device.begin({0, 8}, 1);
  device.reference().note_application_scribble({0, 8});
  device.end(*io);
  EXPECT_TRUE(device.reference().raced_by_application({3, 4}));
  device.end(*device.begin({0, 8}, 2), false);
  EXPECT_TRUE(device.reference().raced_by_application({3, 4})) << "a failed write mends nothing";
  device.write({0, 8}, 3);
  EXPECT_FALSE(device.reference().raced_by_application({3, 4}));
}

TEST(Reference, a_page_is_whole_when_memory_held_it_so_at_one_instant) {
  Device device;
  auto io = device.begin({0, 8}, 1);
  io->put(device.space(), 0, 2);
  io->put(device.space(), 7, 2);
  const auto page = [&](std::uint64_t first, std::uint64_t last) {
    return device.page_of(0, [&](Sector s) { return s == 0 ? first : s == 7 ? last : 1; });
  };
  EXPECT_TRUE(device.reference().is_whole_content(0, page(1, 1)));
  EXPECT_TRUE(device.reference().is_whole_content(0, page(2, 1)));
  EXPECT_TRUE(device.reference().is_whole_content(0, page(2, 2)));
  EXPECT_FALSE(device.reference().is_whole_content(0, page(1, 2))) << "memory never held that";
  device.end(*io);
}

// ---- the brute-force model

struct SlowWrite {
  std::uint64_t submitted = 0;
  std::uint64_t completed = 0;  // 0: under way
  bool ok = false;
  bool fua = false;
  bool discard = false;
  bool raced = false;
  bool durable = false;
  SectorRange range;
  std::map<Sector, std::set<std::uint64_t>> contents;  // digests
};

// Every write for ever; each question looks through all of them.
class SlowModel {
 public:
  bool ends(const SlowWrite& later, std::uint64_t completed, Sector sector) const {
    return later.range.contains(sector) && later.ok && !later.discard && later.submitted > completed;
  }
  bool readable(Sector sector, std::uint64_t digest, std::uint64_t initial, std::uint64_t begun) const {
    return admissible(sector, digest, initial, [&](const SlowWrite& later) {
      return later.completed != 0 && later.completed < begun;
    });
  }
  bool survives(Sector sector, std::uint64_t digest, std::uint64_t initial) const {
    return admissible(sector, digest, initial, [](const SlowWrite& later) { return later.durable; });
  }
  bool touched(Sector sector) const {
    for (const auto& write : writes) {
      if (write->range.contains(sector)) return true;
    }
    return false;
  }

  std::vector<std::unique_ptr<SlowWrite>> writes;

 private:
  template <typename Counts>
  bool admissible(Sector sector, std::uint64_t digest, std::uint64_t initial, Counts counts) const {
    const auto ended = [&](std::uint64_t completed) {
      for (const auto& later : writes) {
        if (ends(*later, completed, sector) && counts(*later)) return true;
      }
      return false;
    };
    if (digest == initial && !ended(0)) return true;
    for (const auto& write : writes) {
      if (!write->range.contains(sector)) continue;
      if (write->completed != 0 && ended(write->completed)) continue;
      if (write->discard || write->contents.at(sector).contains(digest)) return true;
    }
    return false;
  }
};

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {
    for (Sector sector = 0; sector < kSectors; ++sector) {
      initial_[sector] = device_.digest(sector, kInitialTag);
      universe_[sector] = {{initial_[sector], kInitialTag}};
    }
  }

  void step() {
    ++clock_;
    switch (pick(11)) {
      case 0: case 1: case 2: begin(false); break;
      case 3: begin(pick(3) == 0); break;
      case 4: case 5: case 6: end_write(); break;
      case 7: store(); break;
      case 8: flush(); break;
      case 9: reads_.push_back({device_.reference().begin_read(), clock_}); break;
      case 10: end_read(); break;
    }
    compare();
  }

 private:
  struct Pending {
    std::unique_ptr<UserIo> io;
    SlowWrite* slow;
  };
  struct Read {
    std::uint64_t begun;
    std::uint64_t at;
  };

  std::uint64_t pick(std::uint64_t bound) { return random_.draw(kPick, Actor::kNobody, bound); }

  SectorRange range() {
    const Sector first = pick(kSectors);
    return {first, first + 1 + pick(std::min<std::uint64_t>(12, kSectors - first))};
  }

  void begin(bool discard) {
    if (pending_.size() > 4) return end_write();
    auto slow = std::make_unique<SlowWrite>();
    slow->submitted = clock_;
    slow->range = range();
    slow->discard = discard;
    slow->fua = !discard && pick(4) == 0;
    for (auto& other : pending_) {
      const SectorRange both = other.slow->range.intersection(slow->range);
      if (both.empty()) continue;
      other.slow->raced = slow->raced = true;
      for (Sector s = both.begin; s < both.end; ++s) raced_.insert(s);
    }
    std::unique_ptr<UserIo> io;
    if (discard) {
      for (Sector s = slow->range.begin; s < slow->range.end; ++s) raced_.insert(s);
      io = device_.begin_discard(slow->range);
    } else {
      io = device_.begin(slow->range, ++tag_, slow->fua, static_cast<std::uint32_t>(pick(8)));
      for (Sector s = slow->range.begin; s < slow->range.end; ++s) {
        slow->contents[s].insert(io->digest(s));
        universe_[s][io->digest(s)] = tag_;
      }
    }
    pending_.push_back({std::move(io), slow.get()});
    model_.writes.push_back(std::move(slow));
  }

  void end_write() {
    if (pending_.empty()) return;
    const auto at = pending_.begin() + static_cast<std::ptrdiff_t>(pick(pending_.size()));
    SlowWrite& slow = *at->slow;
    slow.ok = pick(5) != 0;
    slow.completed = clock_;
    slow.durable = slow.ok && slow.fua;
    device_.end(*at->io, slow.ok);
    if (slow.ok && !slow.discard && !slow.raced) {
      for (Sector s = slow.range.begin; s < slow.range.end; ++s) raced_.erase(s);
    }
    pending_.erase(at);
  }

  void store() {
    if (pending_.empty()) return;
    Pending& target = pending_[pick(pending_.size())];
    if (target.slow->discard) return;
    const Sector sector = target.slow->range.begin + pick(target.slow->range.count());
    target.io->put(device_.space(), sector, ++tag_);
    target.slow->contents[sector].insert(target.io->digest(sector));
    universe_[sector][target.io->digest(sector)] = tag_;
  }

  void flush() {
    if (pick(2) == 0 || flushes_.empty()) {
      flushes_.push_back({device_.reference().begin_flush(), clock_});
      return;
    }
    const Read flush = flushes_.back();
    flushes_.pop_back();
    const bool ok = pick(4) != 0;
    device_.reference().end_flush(flush.begun, ok);
    for (auto& write : model_.writes) {
      if (ok && write->ok && write->completed != 0 && write->completed < flush.at) write->durable = true;
    }
  }

  // Any content that the sector ever had, or one that it never had.
  std::uint64_t some_tag(Sector sector) {
    const auto& known = universe_[sector];
    std::uint64_t at = pick(known.size() + 1);
    for (const auto& [digest, tag] : known) {
      if (at-- == 0) return tag;
    }
    return 5'000'000;
  }

  void end_read() {
    if (reads_.empty()) return;
    const Read read = reads_.front();
    reads_.erase(reads_.begin());
    if (pick(4) == 0) return device_.reference().abandon_read(read.begun);
    const SectorRange where = range();
    UserIo io(device_.space(), Op::kRead, where, static_cast<std::uint32_t>(pick(8)));
    std::set<Sector> expected;
    for (Sector s = where.begin; s < where.end; ++s) {
      io.put(device_.space(), s, some_tag(s));
      if (!model_.readable(s, io.digest(s), initial_[s], read.at)) expected.insert(s);
    }
    std::vector<Mismatch> wrong;
    device_.reference().check_read(io.bio, read.begun, &wrong);
    std::set<Sector> found;
    for (const Mismatch& mismatch : wrong) {
      found.insert(mismatch.sector);
      EXPECT_EQ(mismatch.kind == Mismatch::Kind::kUntouched, !model_.touched(mismatch.sector));
    }
    EXPECT_EQ(found, expected);
  }

  void compare() {
    for (Sector s = 0; s < kSectors; ++s) {
      for (const auto& [digest, tag] : universe_[s]) {
        ASSERT_EQ(device_.reference().is_admissible_now(s, digest),
                  model_.readable(s, digest, initial_[s], clock_ + 1))
            << "sector " << s << " tag " << tag << " step " << clock_;
      }
      ASSERT_EQ(device_.reference().raced_by_application({s, s + 1}), raced_.contains(s)) << s;
    }
    for (std::uint64_t page = 0; page < kPages; ++page) {
      std::map<Sector, std::uint64_t> tags;
      const PageRef found = device_.page_of(page, [&](Sector s) {
        return tags[s] = s < kSectors ? some_tag(s) : kInitialTag;
      });
      std::vector<Mismatch> wrong;
      device_.reference().check_after_cut(page, found, 0xFF, &wrong);
      std::set<Sector> bad;
      for (const Mismatch& mismatch : wrong) bad.insert(mismatch.sector);
      for (const auto& [s, tag] : tags) {
        if (s >= kSectors) continue;
        ASSERT_EQ(!bad.contains(s), model_.survives(s, device_.digest(s, tag), initial_[s]))
            << "sector " << s << " tag " << tag << " step " << clock_;
      }
    }
  }

  static constexpr ChoicePoint kPick{"test.pick"};
  RandomChoices random_;
  Device device_;
  SlowModel model_;
  std::vector<Pending> pending_;
  std::vector<Read> reads_;
  std::vector<Read> flushes_;
  std::set<Sector> raced_;
  std::map<Sector, std::uint64_t> initial_;
  std::map<Sector, std::map<std::uint64_t, std::uint64_t>> universe_;  // digest -> tag
  std::uint64_t clock_ = 0;
  std::uint64_t tag_ = 0;
};

TEST(Reference, agrees_with_the_model_that_forgets_nothing_over_random_histories) {
  for (std::uint64_t seed = 1; seed <= 60 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    History history(seed);
    for (int step = 0; step < 150 && !testing::Test::HasFailure(); ++step) history.step();
  }
}

}  // namespace
}  // namespace dmsim
