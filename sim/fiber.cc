#include "sim/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/sanitizer.h"

#if defined(DMSIM_ADDRESS_SANITIZER)
#include <sanitizer/asan_interface.h>
#endif

namespace dmsim {
namespace {
constexpr std::size_t kGuardSize = 4096;
}

StackPool::~StackPool() {
  for (std::byte* stack : free_) munmap(stack - kGuardSize, kStackSize + kGuardSize);
}

std::byte* StackPool::take() {
  if (!free_.empty()) {
    std::byte* stack = free_.back();
    free_.pop_back();
    return stack;
  }
  void* memory = mmap(nullptr, kStackSize + kGuardSize, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(memory != MAP_FAILED);
  CHECK(mprotect(memory, kGuardSize, PROT_NONE) == 0);
  return static_cast<std::byte*>(memory) + kGuardSize;
}

void StackPool::give_back(std::byte* stack) {
  forget_frames(stack);
  free_.push_back(stack);
}

void StackPool::forget_frames([[maybe_unused]] std::byte* stack) {
#if defined(DMSIM_ADDRESS_SANITIZER)
  ASAN_UNPOISON_MEMORY_REGION(stack, kStackSize);
#endif
}

}  // namespace dmsim
