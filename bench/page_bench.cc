// What it costs to move, fork and hash 4 KiB, against memcpy: contents travel by reference, and the
// digest of a content is computed once.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "block/page.h"

namespace dmsim {
namespace {

// range(0): pages walked through; 4 fit in L1, 65536 (256 MiB) do not fit in any cache.
void BM_memcpy_4k(benchmark::State& state) {
  const auto pages = static_cast<std::size_t>(state.range(0));
  std::vector<std::byte> from(pages * kPageBytes, std::byte{1});
  std::vector<std::byte> to(pages * kPageBytes, std::byte{2});
  std::size_t i = 0;
  for (auto _ : state) {
    std::memcpy(to.data() + i * kPageBytes, from.data() + i * kPageBytes, kPageBytes);
    benchmark::ClobberMemory();
    i = (i * 5 + 1) % pages;  // a full cycle, as pages is a power of two
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_memcpy_4k)->Arg(4)->Arg(65536);

std::vector<PageRef> make_pages(PageSpace& space, std::size_t count) {
  std::vector<PageRef> pages;
  for (std::size_t i = 0; i < count; ++i) {
    std::byte* bytes = nullptr;
    pages.push_back(space.make(&bytes));
    std::memset(bytes, static_cast<int>(i), kPageBytes);
  }
  return pages;
}

void BM_page_by_reference(benchmark::State& state) {
  PagePool pool;
  PageSpace space(pool, 0);
  const auto pages = make_pages(space, static_cast<std::size_t>(state.range(0)));
  std::size_t i = 0;
  for (auto _ : state) {
    PageRef copy = pages[i];
    benchmark::DoNotOptimize(copy);
    i = (i * 5 + 1) % pages.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_page_by_reference)->Arg(4)->Arg(65536);

// One store of eight bytes into a shared page (so it is copied), and the digests of the result.
void BM_page_store_and_hash(benchmark::State& state) {
  PagePool pool;
  PageSpace space(pool, 0);
  const auto pages = make_pages(space, static_cast<std::size_t>(state.range(0)));
  std::size_t i = 0;
  std::uint64_t number = 0;
  for (auto _ : state) {
    PageRef copy = pages[i];
    std::memcpy(space.change(copy), &++number, sizeof number);
    benchmark::DoNotOptimize(copy.digest());
    i = (i * 5 + 1) % pages.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_page_store_and_hash)->Arg(4)->Arg(65536);

void BM_page_known_digest(benchmark::State& state) {
  PagePool pool;
  PageSpace space(pool, 0);
  const auto pages = make_pages(space, static_cast<std::size_t>(state.range(0)));
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(pages[i].digest());
    i = (i * 5 + 1) % pages.size();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_page_known_digest)->Arg(4);

}  // namespace
}  // namespace dmsim
