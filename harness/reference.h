// Reference: what a device must return, told only by what its users did to it.
//
// It is the slow obvious specification of a block device, kept per sector as the list of writes whose
// content may be there. A write is a candidate from its submission on. It stops being one
//   - for readers, when a later write (submitted after this one had completed) has completed;
//   - for readers after a power cut, when such a later write has become durable: completed, and then
//     covered by a flush that was submitted after that completion and succeeded, or completed as FUA.
// A write that failed may have landed or not: it stays a candidate. A write whose memory was changed
// while it was under way has every content the memory had meanwhile. A discarded sector may read as
// anything until it is written.
//
// Contents are held by reference, digests are taken only where a check needs them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "block/bio.h"
#include "block/page.h"

namespace dmsim {

// What a check found wrong with one sector.
struct Mismatch {
  enum class Kind : std::uint8_t {
    kStale,     // an older content, although a newer one had to be there
    kForeign,   // a content that no write and no initial state of this sector ever had
    kUntouched, // the sector was never written, and has changed
  };
  Sector sector = 0;
  Kind kind = Kind::kForeign;
  // Number of a write that could have been found: of a read the newest, after a power cut the oldest;
  // 0: the initial content.
  std::uint64_t expected_write = 0;
  std::uint64_t found_write = 0;     // number of the write whose content was found; kStale only, 0: initial
};

class Reference final : public StoreObserver {
 public:
  // `initial(page)` gives the device's content at boot, whole pages; it must stay callable.
  Reference(std::uint64_t sectors, std::function<PageRef(std::uint64_t page)> initial);
  ~Reference();
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  struct WriteRecord;

  // A write or discard of a user begins / has ended. The record lives as long as it matters.
  WriteRecord* begin_write(const Bio& bio);
  void end_write(WriteRecord& record, bool ok);
  // A flush begins: returns its number; ends.
  std::uint64_t begin_flush() { return ++flushes_under_way_, ++clock_; }
  void end_flush(std::uint64_t begun, bool ok);
  std::uint64_t flushes_under_way() const { return flushes_under_way_; }
  // A read begins: returns its number. check_read() compares what arrived and ends it.
  std::uint64_t begin_read();
  void check_read(const Bio& bio, std::uint64_t begun, std::vector<Mismatch>* wrong);
  // A read that failed ends without a comparison.
  void abandon_read(std::uint64_t begun);
  // Two reads, no write between them, different data: sectors since the last such question.
  std::vector<Sector> take_unstable_reads() { return std::move(unstable_); }

  // The device takes over the contents of another (a snapshot is made of it, or merged into this one); null: it
  // is what it was at boot. Every content that may be there, for readers and after a power cut, may be here from
  // now on; of writes under way there, either. What was written here before is forgotten; writes under way
  // remain.
  void become(const Reference* other);

  // After a power cut: is the content of page `page` one that may be there? Tests the sectors of
  // `mask`. Does not change the reference: crash states may be explored while the run waits.
  void check_after_cut(std::uint64_t page, const PageRef& found, std::uint8_t mask,
                       std::vector<Mismatch>* wrong) const;
  // Pages that some write or discard has touched, ascending.
  const std::vector<std::uint64_t>& touched_pages() const { return touched_; }

  // A reader may see a content of that digest in the sector now.
  bool is_admissible_now(Sector sector, std::uint64_t digest) const;
  // The page holds, as a whole, a content that memory had at one instant of a write of the whole page,
  // or such writes are not all that was done to it.
  bool is_whole_content(std::uint64_t page, const PageRef& found) const;
  // The newest write that may be in the sector.
  struct WriteShape {
    std::uint64_t sectors = 0;
    bool fua = false;
  };
  std::optional<WriteShape> newest_write(Sector sector) const;
  // What the range holds is the application's own doing: it changed the buffer of a write under way, or
  // had two writes of the same sectors under way at once, or discarded them, and has not written there
  // properly since.
  bool raced_by_application(SectorRange range) const;
  bool has_races() const { return !races_.empty(); }

  // 64 bits over what a crash state must satisfy: equal ones ask the same of every sector.
  std::uint64_t requirement_fingerprint() const;
  std::uint64_t writes() const { return writes_; }
  const PageRef& initial_page(std::uint64_t page) const;
  std::uint64_t sectors() const { return sectors_; }

  // StoreObserver: memory of a write under way was stored to.
  void on_store_in_flight(Frame& frame) override;
  // The application is changing the buffer of its own write of that range (O_DIRECT).
  void note_application_scribble(SectorRange range);

 private:
  struct Candidate;
  struct PageHistory;

  PageHistory& history(std::uint64_t page);
  void add_candidates(WriteRecord& record, const Frame* only_frame);
  void add_candidate(PageHistory& page, WriteRecord& record, const PageRef& content, int shift,
                     std::uint8_t mask);
  void make_stale(WriteRecord& by);
  void make_durable(WriteRecord& record);
  void prune(PageHistory& page);
  void take_over(std::uint64_t page, const Reference* from);
  void drop_finished(PageHistory& page);
  void release(WriteRecord& record);
  void note_race(WriteRecord& one, SectorRange range);
  void settle_races(SectorRange written);
  std::optional<Mismatch> mismatch_of_read(const PageHistory& page, Sector sector, std::uint64_t digest,
                                           std::uint64_t begun) const;
  void note_read(PageHistory& page, std::uint32_t sector_in_page, std::uint64_t digest,
                 std::uint64_t begun, Sector sector);

  std::uint64_t sectors_;
  std::function<PageRef(std::uint64_t)> initial_;
  std::uint64_t clock_ = 1;
  std::uint64_t became_at_ = 0;  // clock; of the latest become()
  std::uint64_t writes_ = 0;
  std::uint64_t flushes_under_way_ = 0;
  std::vector<std::unique_ptr<PageHistory>> pages_;  // null: never touched nor read
  mutable std::vector<PageRef> initial_cache_;
  std::vector<std::uint64_t> touched_;
  std::vector<std::unique_ptr<WriteRecord>> records_;  // all, free ones are used again
  std::vector<WriteRecord*> free_records_;
  std::vector<WriteRecord*> in_flight_;
  std::vector<WriteRecord*> not_durable_;  // completed well, not yet covered by a flush
  std::vector<std::uint64_t> reads_;       // begun, not ended
  std::vector<SectorRange> races_;
  std::vector<Sector> unstable_;
  mutable std::uint64_t requirement_at_ = 0;  // clock at which requirement_ was found
  mutable std::uint64_t requirement_ = 0;
};

}  // namespace dmsim
