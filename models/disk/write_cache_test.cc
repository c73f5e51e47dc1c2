#include "models/disk/write_cache.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "models/disk/crash_space.h"
#include "models/disk/test_machine.h"

namespace dmsim {
namespace {

constexpr std::uint64_t kPages = 4;
constexpr std::uint64_t kSectors = kPages * kPageSectors;

// The slow specification of the cache: for each sector the durable value and, oldest first, every
// newer one, with the request that brought it and when that completed (0: in flight).
struct Reference {
  struct Version {
    std::uint64_t value;
    std::uint64_t request;
    std::uint64_t completed;
  };
  struct SectorState {
    std::uint64_t media;
    std::vector<Version> versions;
    void make_durable(std::size_t which) {
      media = versions[which].value;
      versions.erase(versions.begin(), versions.begin() + static_cast<long>(which) + 1);
    }
  };
  std::map<Sector, SectorState> sectors;
  std::uint64_t completions = 0;

  void complete(std::uint64_t request, bool durably) {
    ++completions;
    for (auto& [sector, state] : sectors) {
      for (std::size_t i = state.versions.size(); i-- > 0;) {
        if (state.versions[i].request != request) continue;
        state.versions[i].completed = completions;
        if (durably) {
          state.make_durable(i);
          break;
        }
      }
    }
  }
  void flush(std::uint64_t barrier) {
    for (auto& [sector, state] : sectors) {
      for (std::size_t i = state.versions.size(); i-- > 0;) {
        if (state.versions[i].completed == 0 || state.versions[i].completed > barrier) continue;
        state.make_durable(i);
        break;
      }
    }
  }
  void evict(std::uint64_t page) {
    for (std::uint32_t sector = 0; sector < kPageSectors; ++sector) {
      auto& state = sectors[page * kPageSectors + sector];
      if (!state.versions.empty()) state.make_durable(state.versions.size() - 1);
    }
  }
};

struct WriteCacheTest : testing::Test {
  WriteCacheTest() {
    options.sectors = kSectors;
    pristine = std::make_unique<Pristine>(pool, options);
    media = std::make_unique<Image>(*pristine, disks.images);
    for (Sector sector = 0; sector < kSectors; ++sector) {
      reference.sectors[sector].media = digest(*media, sector);
    }
    cache = std::make_unique<WriteCache>(disks.caches, space, *media);
  }
  ~WriteCacheTest() override {
    for (auto& [request, first] : in_flight) cache->abandon(first);
    cache.reset();
    media.reset();
    EXPECT_EQ(disks.caches.writes.live(), 0u);
    EXPECT_EQ(disks.caches.pages.live(), 0u);
    pristine.reset();
  }

  static std::uint64_t digest(const Image& image, Sector sector) {
    return digest_of(image.page(sector / kPageSectors), sector);
  }
  static std::uint64_t digest_of(const PageRef& page, Sector sector) {
    return page.sector_digest(static_cast<std::uint32_t>(sector % kPageSectors));
  }

  // Brings new bytes to the sectors of `mask`, as a transfer does.
  void put(std::uint64_t request, std::uint64_t page, std::uint8_t mask) {
    PageRef content = cache->current(page);
    std::byte* bytes = space.change(content);
    for (std::uint32_t sector = 0; sector < kPageSectors; ++sector) {
      if ((mask >> sector & 1) == 0) continue;
      const std::uint64_t stamp = ++stamps;
      std::memcpy(bytes + sector * kSectorBytes, &stamp, sizeof stamp);
    }
    for (std::uint32_t sector = 0; sector < kPageSectors; ++sector) {
      if ((mask >> sector & 1) == 0) continue;
      reference.sectors[page * kPageSectors + sector].versions.push_back(
          {digest_of(content, sector), request, 0});
    }
    CachedWrite* write = cache->put(page, mask, content, request, false);
    write->next = in_flight[request];
    in_flight[request] = write;
  }
  void complete(std::uint64_t request, bool durably) {
    CachedWrite* first = in_flight[request];
    in_flight.erase(request);
    durably ? cache->complete_durably(first) : cache->complete(first);
    reference.complete(request, durably);
  }

  void expect_as_specified() {
    CrashSpaceBuilder builder;
    CrashSpace crash(*media);
    for (const DirtyPage* page : cache->dirty()) builder.add_versions(*page);
    builder.build(1, space, &crash);
    std::map<Sector, std::vector<std::uint64_t>> candidates;
    for (const FreeUnit& unit : crash.units) {
      for (const CrashCandidate& candidate : crash.candidates_of(unit)) {
        candidates[unit.sector].push_back(digest_of(candidate.content, unit.sector));
      }
    }
    std::uint64_t dirty = 0;
    for (const auto& [sector, state] : reference.sectors) {
      EXPECT_EQ(digest(*media, sector), state.media) << "sector " << sector;
      std::vector<std::uint64_t> versions;
      for (const auto& version : state.versions) versions.push_back(version.value);
      EXPECT_EQ(candidates[sector], versions) << "sector " << sector;
      const std::uint64_t newest = versions.empty() ? state.media : versions.back();
      EXPECT_EQ(digest_of(cache->current(sector / kPageSectors), sector), newest);
      dirty += versions.empty() ? 0 : 1;
    }
    EXPECT_EQ(cache->dirty_sectors(), dirty);
  }

  PagePool pool;
  DiskPool disks;
  PageSpace space{pool, 0};
  DiskOptions options;
  std::unique_ptr<Pristine> pristine;
  std::unique_ptr<Image> media;
  std::unique_ptr<WriteCache> cache;
  Reference reference;
  std::map<std::uint64_t, CachedWrite*> in_flight;
  std::uint64_t stamps = 0;
};

TEST_F(WriteCacheTest, every_history_agrees_with_the_slow_specification) {
  RandomChoices random(3);
  const ChoicePoint point{"test"};
  const auto draw = [&](std::uint64_t bound) { return random.draw(point, Actor::kNobody, bound); };
  std::uint64_t requests = 0;
  std::deque<std::uint64_t> barriers;
  for (int step = 0; step < 4000; ++step) {
    switch (draw(6)) {
      case 0:
      case 1: {
        const std::uint64_t request = in_flight.size() > 3 ? in_flight.begin()->first : ++requests;
        const std::uint64_t page = draw(kPages);
        const auto mask = static_cast<std::uint8_t>(draw(3) == 0 ? 0xFF : 1 + draw(255));
        const DirtyPage* dirty = cache->find(page);
        // The bound on versions has a test of its own.
        if (dirty != nullptr && dirty->versions == WriteCache::kMostVersions) continue;
        put(request, page, mask);
        break;
      }
      case 2:
      case 3:
        if (!in_flight.empty()) {
          auto which = in_flight.begin();
          std::advance(which, static_cast<long>(draw(in_flight.size())));
          complete(which->first, draw(4) == 0);
        }
        break;
      case 4:
        barriers.push_back(cache->barrier());
        if (barriers.size() > 2) {
          cache->flush(barriers.front());
          reference.flush(barriers.front());
          barriers.pop_front();
        }
        break;
      default:
        if (!cache->dirty().empty() && draw(4) == 0) {
          DirtyPage& page = *cache->dirty()[draw(cache->dirty().size())];
          reference.evict(page.index);
          cache->evict(page);
        }
    }
    expect_as_specified();
    if (HasFailure()) return;
  }
}

TEST_F(WriteCacheTest, a_whole_page_reaches_the_media_without_a_copy) {
  const PageRef page = disk_test::filled_page(space, 'a');
  CachedWrite* write = cache->put(2, 0xFF, page, 1, false);
  cache->complete(write);
  cache->flush(cache->barrier());
  EXPECT_TRUE(media->page(2).same_content(page));
}

TEST_F(WriteCacheTest, the_oldest_of_too_many_versions_goes_to_the_media) {
  PageRef first;
  for (std::uint32_t i = 0; i <= WriteCache::kMostVersions; ++i) {
    const PageRef page = disk_test::filled_page(space, static_cast<char>('a' + i));
    if (i == 0) first = page;
    EXPECT_FALSE(media->written(0));
    cache->complete(cache->put(0, 0xFF, page, 1, false));
  }
  EXPECT_EQ(cache->overflowed(), 1u);
  EXPECT_TRUE(media->page(0).same_content(first));
  EXPECT_EQ(cache->find(0)->versions, WriteCache::kMostVersions);
}

TEST_F(WriteCacheTest, many_dirty_pages_are_all_found_again) {
  options.sectors = 8 * 1000;
  const Pristine large(pool, options);
  Image image(large, disks.images);
  {
    WriteCache many(disks.caches, space, image);
    const PageRef page = disk_test::filled_page(space, 'a');
    for (std::uint64_t index = 0; index < 1000; ++index) {
      many.complete(many.put(index, 0xFF, page, 1, false));
    }
    for (std::uint64_t index = 0; index < 1000; ++index) EXPECT_NE(many.find(index), nullptr);
    many.flush(many.barrier());
    EXPECT_TRUE(many.dirty().empty());
    EXPECT_EQ(many.find(5), nullptr);
  }
  EXPECT_TRUE(image.written(999));
}

}  // namespace
}  // namespace dmsim
