// Pages: 4 KiB of content, shared by reference, copied on write.
//
// A PageContent is immutable while more than one PageRef holds it. A Frame is a page of simulated
// memory: a slot that holds one content, and whose owner may store to it at any time. A disk that
// samples a frame takes a reference to what the frame holds *then*; a later store gives the frame a
// new content and leaves the sampled one alone. So data moves through the whole machine, to media
// and into crash states, without being copied, and equality of contents is mostly equality of
// pointers.
//
// Each content carries a version: a number unique within its world, drawn when the content was
// made or changed. It is what traces and stories call "version 2 of page 3". Pristine content
// of a disk has version 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/digest.h"
#include "base/fingerprint.h"
#include "block/sector.h"

namespace dmsim {

class PagePool;

struct PageContent {
  PagePool* pool;              // where the memory goes when the last reference is gone
  std::uint32_t references;
  bool digests_valid;
  std::uint64_t version;       // 0: pristine
  std::uint64_t page_digest;   // of all eight below; valid if digests_valid
  std::array<std::uint64_t, kPageSectors> sector_digests;
  PageContent* next_free;
  alignas(64) std::array<std::byte, kPageBytes> bytes;
};

// Memory for page contents, kept for reuse. Outlives every PageRef drawn from it; one per thread.
class PagePool {
 public:
  PagePool();
  ~PagePool();  // every content must have come back
  PagePool(const PagePool&) = delete;
  PagePool& operator=(const PagePool&) = delete;

  PageContent* allocate() {
    if (free_ == nullptr) grow();
    PageContent* content = free_;
    free_ = content->next_free;
    ++live_;
    content->references = 1;
    content->digests_valid = false;
    content->version = 0;
    return content;
  }
  void free(PageContent* content) {
    content->next_free = free_;
    free_ = content;
    --live_;
  }
  std::uint64_t live() const { return live_; }

 private:
  void grow();
  PageContent* free_ = nullptr;
  std::uint64_t live_ = 0;
  std::vector<PageContent*> slabs_;
};

// A counted reference to a content; null refers to nothing.
class PageRef {
 public:
  PageRef() = default;
  explicit PageRef(PageContent* adopted) : content_(adopted) {}  // takes over one reference
  PageRef(const PageRef& other) : content_(other.content_) {
    if (content_ != nullptr) ++content_->references;
  }
  PageRef(PageRef&& other) noexcept : content_(std::exchange(other.content_, nullptr)) {}
  PageRef& operator=(const PageRef& other) {
    PageRef copy(other);
    std::swap(content_, copy.content_);
    return *this;
  }
  PageRef& operator=(PageRef&& other) noexcept {
    std::swap(content_, other.content_);
    return *this;
  }
  ~PageRef() {
    if (content_ != nullptr && --content_->references == 0) content_->pool->free(content_);
  }

  explicit operator bool() const { return content_ != nullptr; }
  const PageContent* get() const { return content_; }
  const std::byte* bytes() const { return content_->bytes.data(); }
  const std::byte* sector_bytes(std::uint32_t sector) const {
    return content_->bytes.data() + sector * kSectorBytes;
  }
  std::uint64_t version() const { return content_->version; }
  bool same_content(const PageRef& other) const { return content_ == other.content_; }

  // Digest of one sector / of the page; computed once per content.
  std::uint64_t sector_digest(std::uint32_t sector) const {
    if (!content_->digests_valid) compute_digests();
    return content_->sector_digests[sector];
  }
  std::uint64_t digest() const {
    if (!content_->digests_valid) compute_digests();
    return content_->page_digest;
  }
  // Byte equality, by pointer or digest.
  friend bool equal_bytes(const PageRef& a, const PageRef& b) {
    return a.content_ == b.content_ || a.digest() == b.digest();
  }

 private:
  friend class PageSpace;
  void compute_digests() const;
  PageContent* content_ = nullptr;
};

// A world's way to make contents: the pool for memory, and the counter for versions.
class PageSpace {
 public:
  PageSpace(PagePool& pool, std::uint64_t first_version) : pool_(pool), version_(first_version) {}

  PagePool& pool() { return pool_; }
  std::uint64_t last_version() const { return version_; }

  // New content with undefined bytes and a new version; the caller fills all of it.
  PageRef make(std::byte** bytes) {
    PageContent* content = pool_.allocate();
    content->version = ++version_;
    *bytes = content->bytes.data();
    return PageRef(content);
  }
  // The bytes of `page`, alone in it and writable, under a new version. Copies if it is shared.
  std::byte* change(PageRef& page) {
    CHECK(page);
    if (page.content_->references > 1) {
      PageContent* copy = pool_.allocate();
      std::memcpy(copy->bytes.data(), page.content_->bytes.data(), kPageBytes);
      page = PageRef(copy);
    }
    page.content_->version = ++version_;
    page.content_->digests_valid = false;
    return page.content_->bytes.data();
  }

 private:
  PagePool& pool_;
  std::uint64_t version_;
};

class Frame;

// Told whenever a frame that is being written from is stored to.
class StoreObserver {
 public:
  virtual void on_store_in_flight(Frame& frame) = 0;

 protected:
  ~StoreObserver() = default;
};

// A page of simulated memory. Its owner (page cache, application, kcopyd) keeps it alive while any
// bio refers to it.
class Frame {
 public:
  const PageRef& page() const { return page_; }
  bool empty() const { return !page_; }

  // Replaces the whole content (a read has arrived, a fresh page was filled).
  void set(PageRef page) {
    page_ = std::move(page);
    if (writes_in_flight > 0 && observer != nullptr) observer->on_store_in_flight(*this);
  }
  // Stores `size` bytes at `offset`. The frame must hold something.
  void store(PageSpace& space, std::uint32_t offset, const std::byte* bytes, std::uint32_t size) {
    CHECK(offset + size <= kPageBytes, offset, size);
    std::memcpy(space.change(page_) + offset, bytes, size);
    if (writes_in_flight > 0 && observer != nullptr) observer->on_store_in_flight(*this);
  }

  // Kept by whoever watches writes from the top (the reference model of the harness).
  std::uint32_t writes_in_flight = 0;
  StoreObserver* observer = nullptr;

 private:
  PageRef page_;
};

}  // namespace dmsim
