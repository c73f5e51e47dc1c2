// RwLock: many readers or one writer; who wants to write keeps new readers out (Linux's rw_semaphore).
#pragma once

#include <string>

#include "sim/wait.h"

namespace dmsim::native {

class RwLock {
 public:
  RwLock(Scheduler& scheduler, std::string what) : queue_(scheduler, std::move(what)) {}

  void lock_shared() {
    wait_until(queue_, [this] { return !writing_ && writers_waiting_ == 0; });
    ++readers_;
  }
  void unlock_shared() {
    CHECK(readers_ > 0);
    if (--readers_ == 0) queue_.wake_all();
  }
  void lock() {
    ++writers_waiting_;
    wait_until(queue_, [this] { return !writing_ && readers_ == 0; });
    --writers_waiting_;
    writing_ = true;
  }
  void unlock() {
    CHECK(writing_);
    writing_ = false;
    queue_.wake_all();
  }

 private:
  WaitQueue queue_;
  std::uint32_t readers_ = 0;
  std::uint32_t writers_waiting_ = 0;
  bool writing_ = false;
};

// Unlocks in the destructor, also when the fiber is unwound.
class ReadGuard {
 public:
  explicit ReadGuard(RwLock& lock) : lock_(lock) { lock_.lock_shared(); }
  ~ReadGuard() { lock_.unlock_shared(); }
  ReadGuard(const ReadGuard&) = delete;
  ReadGuard& operator=(const ReadGuard&) = delete;

 private:
  RwLock& lock_;
};
class WriteGuard {
 public:
  explicit WriteGuard(RwLock& lock) : lock_(lock) { lock_.lock(); }
  ~WriteGuard() { lock_.unlock(); }
  WriteGuard(const WriteGuard&) = delete;
  WriteGuard& operator=(const WriteGuard&) = delete;

 private:
  RwLock& lock_;
};

}  // namespace dmsim::native
