// SPDX-License-Identifier: GPL-2.0-only
#include "engine/linux/host/kernel_image.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include <cstring>
#include <utility>

#include "base/sanitizer.h"

namespace dmsim::kernel {
namespace {

// memcpy that no sanitizer watches: a segment has red zones between its variables.
void copy_raw(void* to, const void* from, std::size_t bytes) {
#if defined(__x86_64__)
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
#elif !defined(DMSIM_ADDRESS_SANITIZER)
  std::memcpy(to, from, bytes);
#else
#error "copying past AddressSanitizer is written for x86-64 only"
#endif
}

struct Search {
  std::uintptr_t address;  // in the object that is looked for
  std::vector<std::pair<std::uintptr_t, std::uintptr_t>> writable;
  std::uintptr_t relro_begin = 0;
  std::uintptr_t relro_end = 0;
  bool found = false;
};

int look_at_object(dl_phdr_info* info, std::size_t, void* argument) {
  Search& search = *static_cast<Search*>(argument);
  bool ours = false;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD && begin <= search.address && search.address < begin + header.p_memsz) ours = true;
  }
  if (!ours) return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    const std::uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    const std::uintptr_t end = begin + header.p_memsz;
    if (header.p_type == PT_LOAD && (header.p_flags & PF_W) != 0) search.writable.push_back({begin, end});
    if (header.p_type == PT_GNU_RELRO) {
      search.relro_begin = begin;
      search.relro_end = end & ~std::uintptr_t{4095};  // the linker protects whole pages
    }
  }
  search.found = true;
  return 1;
}

}  // namespace

Result<std::unique_ptr<KernelImage>, std::string> KernelImage::load(const std::string& path) {
  using Failed = Failure<std::string>;
  std::unique_ptr<KernelImage> image(new KernelImage);
  image->path_ = path;
  image->handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (image->handle_ == nullptr) return Failed{fmt::format("{}: {}", path, dlerror())};
  using Entry = const abi_kernel* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(image->handle_, "dmsim_kernel_image"));
  if (entry == nullptr) return Failed{fmt::format("{}: is no kernel image of dmsim", path)};
  image->kernel_ = entry();
  if (image->kernel_ == nullptr || image->kernel_->version != ABI_VERSION) {
    return Failed{fmt::format("{}: was built for another version of dmsim", path)};
  }
  if (image->kernel_->cover != nullptr) {
    image->coverage_ = KernelCoverage::open(path, image->kernel_->places);
    if (image->coverage_ == nullptr) return Failed{fmt::format("{}: its list of places is missing", path)};
    image->kernel_->cover(image->coverage_->table());  // part of the state after load
  }
  image->find_parts(reinterpret_cast<const void*>(entry));
  image->after_load_.resize(image->state_bytes_);
  image->save(image->after_load_.data());
  return image;
}

KernelImage::~KernelImage() {
  CHECK(resident_ == nullptr);
  CHECK(free_buffers_.size() == buffers_.size());
  if (handle_ != nullptr) dlclose(handle_);
}

void KernelImage::find_parts(const void* address_within) {
  Search search{reinterpret_cast<std::uintptr_t>(address_within), {}};
  dl_iterate_phdr(&look_at_object, &search);
  CHECK(search.found, path_);
  for (auto [begin, end] : search.writable) {
    if (search.relro_begin <= begin && begin < search.relro_end) begin = search.relro_end;
    if (begin >= end) continue;
    parts_.push_back({reinterpret_cast<std::byte*>(begin), end - begin});
    state_bytes_ += end - begin;
  }
}

void KernelImage::save(std::byte* to) const {
  for (const Part& part : parts_) {
    copy_raw(to, part.begin, part.bytes);
    to += part.bytes;
  }
}

void KernelImage::restore(const std::byte* from) const {
  for (const Part& part : parts_) {
    copy_raw(part.begin, from, part.bytes);
    from += part.bytes;
  }
}

void KernelImage::swap_in(Tenant& tenant) {
  if (resident_ != nullptr) {
    CHECK(resident_->saved_ == nullptr);
    if (free_buffers_.empty()) {
      buffers_.push_back(std::make_unique<std::byte[]>(state_bytes_));
      free_buffers_.push_back(buffers_.back().get());
    }
    resident_->saved_ = free_buffers_.back();
    free_buffers_.pop_back();
    save(resident_->saved_);
  }
  resident_ = &tenant;
  if (tenant.saved_ == nullptr) return restore(after_load_.data());
  restore(tenant.saved_);
  free_buffers_.push_back(std::exchange(tenant.saved_, nullptr));
}

void KernelImage::drop(Tenant& tenant) {
  if (resident_ == &tenant) resident_ = nullptr;
  if (tenant.saved_ != nullptr) free_buffers_.push_back(std::exchange(tenant.saved_, nullptr));
}

}  // namespace dmsim::kernel
