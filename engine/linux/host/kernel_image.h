// SPDX-License-Identifier: GPL-2.0-only
// KernelImage: a kernel as a shared object, loaded once per process, run by many lives in turn.
//
// All state of a kernel lies in the object's writable segment and in memory that the host gave it. So a
// reboot is a copy of a few kilobytes: the segment as it was after load. Several lives of one image can
// exist at the same time, as when a crash state is explored while the life that was cut waits: the
// segment belongs to one of them, its *resident*. Before a life enters the image it calls make_resident(),
// which sets the other's segment aside and puts its own back.
//
// What the dynamic linker has made read-only (RELRO) is not saved: it never changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/linux/abi.h"
#include "engine/linux/host/arena.h"
#include "engine/linux/host/coverage.h"

namespace dmsim::kernel {

class KernelImage {
 public:
  // One life's claim to the segment. Declared before whatever uses it, and dropped with the life.
  class Tenant {
   public:
    explicit Tenant(KernelImage& image) : image_(image) {}
    ~Tenant() { image_.drop(*this); }
    Tenant(const Tenant&) = delete;
    Tenant& operator=(const Tenant&) = delete;

   private:
    friend class KernelImage;
    KernelImage& image_;
    std::byte* saved_ = nullptr;  // the segment while another is resident; null: never was resident
  };

  // The error says, for the user, why the object at `path` cannot be used.
  static Result<std::unique_ptr<KernelImage>, std::string> load(const std::string& path);
  ~KernelImage();  // no tenant is left
  KernelImage(const KernelImage&) = delete;
  KernelImage& operator=(const KernelImage&) = delete;

  const abi_kernel& kernel() const { return *kernel_; }
  const std::string& path() const { return path_; }
  SlabPool& slabs() { return slabs_; }
  // Null: the image does not measure coverage.
  KernelCoverage* coverage() { return coverage_.get(); }

  // The segment is the tenant's: as it left it, or as it was after load.
  void make_resident(Tenant& tenant) {
    if (resident_ != &tenant) [[unlikely]] swap_in(tenant);
  }
  // Bytes of the writable segment.
  std::size_t state_bytes() const { return state_bytes_; }

 private:
  struct Part {
    std::byte* begin;
    std::size_t bytes;
  };
  KernelImage() = default;
  void find_parts(const void* address_within);
  void save(std::byte* to) const;
  void restore(const std::byte* from) const;
  void swap_in(Tenant& tenant);
  void drop(Tenant& tenant);

  std::string path_;
  void* handle_ = nullptr;
  const abi_kernel* kernel_ = nullptr;
  std::vector<Part> parts_;  // of the writable segment
  std::size_t state_bytes_ = 0;
  std::vector<std::byte> after_load_;
  Tenant* resident_ = nullptr;
  std::vector<std::unique_ptr<std::byte[]>> buffers_;  // for segments set aside
  std::vector<std::byte*> free_buffers_;
  SlabPool slabs_;
  std::unique_ptr<KernelCoverage> coverage_;
};

}  // namespace dmsim::kernel
