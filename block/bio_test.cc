#include "block/bio.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

namespace dmsim {
namespace {

TEST(Bio, is_written_in_the_one_notation) {
  EXPECT_EQ(bio_notation(Op::kWrite, true, 8, 4), "W8+4!");
  EXPECT_EQ(bio_notation(Op::kWrite, false, 8, 4), "W8+4");
  EXPECT_EQ(bio_notation(Op::kRead, false, 0, 8), "R0+8");
  EXPECT_EQ(bio_notation(Op::kDiscard, false, 16, 8), "D16+8");
  EXPECT_EQ(bio_notation(Op::kFlush, false, 0, 0), "F");
}

TEST(Bio, completion_carries_the_status_to_its_owner) {
  Bio bio;
  int ended = 0;
  bio.context = &ended;
  bio.end_io = [](Bio& b) {
    EXPECT_EQ(b.status, (BlockStatus{BlockStatus::Code::kIoError, true}));
    ++*static_cast<int*>(b.context);
  };
  bio.complete({BlockStatus::Code::kIoError, true});
  EXPECT_EQ(ended, 1);
  EXPECT_FALSE(bio.status.ok());
  EXPECT_TRUE(BlockStatus::okay().ok());
  EXPECT_FALSE(BlockStatus::of(BlockStatus::Code::kNoSpace).injected);
}

TEST(Bio, ops_and_statuses_have_the_names_of_linux) {
  EXPECT_EQ(op_name(Op::kDiscard), "discard");
  EXPECT_EQ(status_name(BlockStatus::Code::kIoError), "EIO");
  EXPECT_EQ(status_name(BlockStatus::Code::kNotSupported), "EOPNOTSUPP");
}

TEST(BioList, is_first_in_first_out_and_can_be_joined) {
  Bio bios[5];
  BioList list, other;
  EXPECT_EQ(list.pop_front(), nullptr);
  list.push_back(bios[1]);
  list.push_back(bios[2]);
  list.push_front(bios[0]);
  other.push_front(bios[3]);
  other.push_back(bios[4]);
  list.take_all(other);
  EXPECT_TRUE(other.empty());
  EXPECT_EQ(other.size(), 0u);
  EXPECT_EQ(list.size(), 5u);
  EXPECT_EQ(list.first(), &bios[0]);
  for (Bio& bio : bios) {
    EXPECT_EQ(list.pop_front(), &bio);
    EXPECT_EQ(bio.next, nullptr);
  }
  EXPECT_TRUE(list.empty());
  list.push_back(bios[3]);
  EXPECT_EQ(list.pop_front(), &bios[3]);
}

TEST(BioPool, gives_back_memory_with_default_fields) {
  BioPool pool;
  Bio* bio = pool.allocate();
  bio->sector = 77;
  bio->fua = true;
  EXPECT_EQ(pool.live(), 1u);
  pool.free(bio);
  EXPECT_EQ(pool.live(), 0u);
  Bio* again = pool.allocate();
  EXPECT_EQ(again, bio);
  EXPECT_EQ(again->sector, 0u);
  EXPECT_FALSE(again->fua);
  std::vector<Bio*> many;
  for (int i = 0; i < 300; ++i) many.push_back(pool.allocate());
  EXPECT_EQ(pool.live(), 301u);
  for (Bio* one : many) pool.free(one);
  pool.free(again);
  EXPECT_DEATH(pool.free(again), "CHECK failed");
}

TEST(BioPool, a_clone_is_a_part_of_the_same_data) {
  BioPool pool;
  std::vector<std::byte> memory(16 * kSectorBytes);
  const Segment segment{nullptr, memory.data(), 0, 16 * kSectorBytes};
  Bio bio;
  bio.op = Op::kWrite;
  bio.fua = true;
  bio.preflush = true;
  bio.sector = 100;
  bio.sectors = 16;
  bio.segments = &segment;
  bio.segment_count = 1;
  bio.issuer = 3;
  bio.trace_id = 9;
  Bio* part = pool.clone(bio, 4, 8);
  EXPECT_EQ(bio_notation(*part), "W104+8!");
  EXPECT_FALSE(part->preflush);
  EXPECT_EQ(part->issuer, 3u);
  EXPECT_EQ(part->trace_id, 9u);
  Bio* part_of_part = pool.clone(*part, 3, 2);
  EXPECT_EQ(part_of_part->sector, 107u);
  EXPECT_EQ(part_of_part->data_offset, 7 * kSectorBytes);
  EXPECT_DEATH(pool.clone(bio, 9, 8), "CHECK failed");
}

// Data over segments of any shape, and the obvious specification: byte i of the bio is byte i of
// `bytes`, gathered from the segments one after the other.
class Gathered {
 public:
  Gathered(PageSpace& space, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& shapes,
           bool frames) {
    for (const auto& [offset_sectors, length_sectors] : shapes) {
      std::byte* bytes = nullptr;
      PageRef page = space.make(&bytes);
      for (std::uint32_t i = 0; i < kPageBytes; ++i) bytes[i] = static_cast<std::byte>(++state_ * 37u >> 3);
      const std::uint32_t offset = offset_sectors * kSectorBytes;
      const std::uint32_t length = length_sectors * kSectorBytes;
      bytes_.insert(bytes_.end(), bytes + offset, bytes + offset + length);
      if (frames) {
        frames_.push_back(std::make_unique<Frame>());
        frames_.back()->set(std::move(page));
        segments_.push_back({frames_.back().get(), nullptr, offset, length});
      } else {
        memory_.push_back(std::make_unique<std::vector<std::byte>>(bytes, bytes + kPageBytes));
        segments_.push_back({nullptr, memory_.back()->data(), offset, length});
      }
    }
  }
  Bio bio(Sector sector, std::uint32_t first, std::uint32_t sectors) const {
    Bio bio;
    bio.op = Op::kWrite;
    bio.sector = sector;
    bio.sectors = sectors;
    bio.segments = segments_.data();
    bio.segment_count = static_cast<std::uint32_t>(segments_.size());
    bio.data_offset = first * kSectorBytes;
    return bio;
  }
  std::uint32_t sectors() const { return static_cast<std::uint32_t>(bytes_.size() / kSectorBytes); }
  const std::vector<std::byte>& bytes() const { return bytes_; }
  // The bytes as the segments hold them now.
  std::vector<std::byte> now() const {
    std::vector<std::byte> out;
    for (const Segment& s : segments_) {
      const std::byte* from = s.frame != nullptr ? s.frame->page().bytes() : s.bytes;
      out.insert(out.end(), from + s.offset, from + s.offset + s.length);
    }
    return out;
  }

 private:
  std::uint32_t state_ = 0;
  std::vector<std::byte> bytes_;
  std::vector<Segment> segments_;
  std::vector<std::unique_ptr<Frame>> frames_;
  std::vector<std::unique_ptr<std::vector<std::byte>>> memory_;
};

const std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>> kShapes = {
    {{0, 8}, {0, 8}, {0, 8}}, {{3, 5}, {0, 8}, {0, 2}}, {{7, 1}, {7, 1}, {0, 1}}, {{2, 3}, {1, 7}, {4, 4}}};

// Walks every part of every shape at every alignment of the device.
template <typename Visit>
void for_every_part(PageSpace& space, bool frames, Visit visit) {
  for (const auto& shape : kShapes) {
    for (Sector sector = 0; sector < 2 * kPageSectors; ++sector) {
      Gathered data(space, shape, frames);
      for (std::uint32_t first = 0; first < data.sectors(); ++first) {
        for (std::uint32_t sectors = 1; first + sectors <= data.sectors(); ++sectors) {
          visit(data, data.bio(sector, first, sectors), first);
        }
      }
    }
  }
}

TEST(DataCursor, pieces_are_the_bytes_of_the_bio_in_order_and_cross_no_boundary) {
  PagePool pool;
  PageSpace space(pool, 0);
  std::uint64_t walked = 0;
  for (const bool frames : {true, false}) {
    for_every_part(space, frames, [&](const Gathered& data, const Bio& bio, std::uint32_t first) {
      DataCursor cursor(bio);
      DataPiece piece{};
      std::uint32_t done = 0;
      while (cursor.next(&piece)) {
        ASSERT_EQ(piece.device_sector, bio.sector + done);
        ASSERT_GE(piece.sectors, 1u);
        ASSERT_EQ(piece.device_sector / kPageSectors,
                  (piece.device_sector + piece.sectors - 1) / kPageSectors);
        ASSERT_LE(piece.segment_offset + piece.sectors * kSectorBytes,
                  piece.segment->offset + piece.segment->length);
        std::vector<std::byte> out(piece.sectors * kSectorBytes);
        read_piece(piece, out.data());
        ASSERT_EQ(std::memcmp(out.data(), data.bytes().data() + (first + done) * kSectorBytes, out.size()), 0);
        if (piece_is_whole_page(piece)) {
          const PageRef page = sample_page(piece, space);
          ASSERT_EQ(std::memcmp(page.bytes(), out.data(), kPageBytes), 0);
          if (frames) {
            ASSERT_TRUE(page.same_content(piece.segment->frame->page()));
          }
        }
        done += piece.sectors;
        ++walked;
      }
      ASSERT_EQ(done, bio.sectors);
      ASSERT_FALSE(cursor.next(&piece));
    });
  }
  EXPECT_GT(walked, 10'000u);
}

TEST(DataCursor, what_is_written_through_pieces_lands_in_the_bytes_of_the_bio_only) {
  PagePool pool;
  PageSpace space(pool, 0);
  std::uint64_t written = 0;
  for (const bool frames : {true, false}) {
    for_every_part(space, frames, [&](const Gathered& data, const Bio& bio, std::uint32_t first) {
      std::vector<std::byte> expected = data.now();
      const std::byte mark{static_cast<unsigned char>(0xA0 + bio.sectors)};
      std::memset(expected.data() + first * kSectorBytes, std::to_integer<int>(mark),
                  bio.sectors * kSectorBytes);
      const std::vector<std::byte> in(kPageBytes, mark);
      DataCursor cursor(bio);
      DataPiece piece{};
      while (cursor.next(&piece)) {
        if (piece_is_whole_page(piece)) {
          std::byte* bytes = nullptr;
          PageRef page = space.make(&bytes);
          std::memcpy(bytes, in.data(), kPageBytes);
          deliver_page(piece, space, page);
        } else {
          write_piece(piece, space, in.data());
        }
      }
      ASSERT_EQ(data.now(), expected);
      ++written;
    });
  }
  EXPECT_GT(written, 5'000u);
}

TEST(DataCursor, a_flush_and_a_bio_at_the_end_of_its_data_have_no_pieces) {
  Bio flush;
  flush.op = Op::kFlush;
  DataCursor cursor(flush);
  DataPiece piece{};
  EXPECT_FALSE(cursor.next(&piece));
}

TEST(DataCursor, writing_into_an_empty_frame_fills_the_rest_with_zeros) {
  PagePool pool;
  PageSpace space(pool, 0);
  Frame frame;
  const Segment segment{&frame, nullptr, 2 * kSectorBytes, kSectorBytes};
  const DataPiece piece{&segment, 2 * kSectorBytes, 2, 1};
  const std::vector<std::byte> in(kSectorBytes, std::byte{5});
  write_piece(piece, space, in.data());
  for (std::uint32_t i = 0; i < kPageBytes; ++i) {
    ASSERT_EQ(std::to_integer<int>(frame.page().bytes()[i]), i / kSectorBytes == 2 ? 5 : 0) << i;
  }
}

TEST(DataCursor, a_page_is_delivered_into_a_frame_by_reference) {
  PagePool pool;
  PageSpace space(pool, 0);
  Frame frame;
  std::byte* bytes = nullptr;
  const PageRef page = space.make(&bytes);
  std::memset(bytes, 3, kPageBytes);
  const Segment segment{&frame, nullptr, 0, kPageBytes};
  const DataPiece piece{&segment, 0, 0, kPageSectors};
  deliver_page(piece, space, page);
  EXPECT_TRUE(frame.page().same_content(page));
}

TEST(DataCursor, data_without_segments_is_our_bug) {
  Bio bio;
  bio.sectors = 8;
  EXPECT_DEATH(DataCursor cursor(bio), "CHECK failed");
}

}  // namespace
}  // namespace dmsim
