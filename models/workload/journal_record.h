// JournalRecord: what an application was promised of its files, kept outside the simulated machine, and what
// an image of the file system is held to.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/workload/journal_image.h"
#include "sim/actor.h"

namespace dmsim {

class JournalRecord {
 public:
  // The file system has been made: from now on there must be one.
  void formatted() { formatted_ = true; }
  bool is_formatted() const { return formatted_; }

  // A file is about to get its next content; the version of it.
  std::uint64_t begin_write(std::string_view name, std::uint64_t digest);
  std::uint64_t begin_unlink(std::string_view name);
  // The call has returned success: whoever looks sees it.
  void done(std::string_view name, std::uint64_t version);
  // A call to make everything of this file durable was begun at `version`, and has succeeded.
  void synced(std::string_view name, std::uint64_t version);
  std::uint64_t done_version(std::string_view name) const;
  // The file system has frozen: every file stands as it is done.
  void frozen(Actor by);
  std::uint64_t freezes() const { return freezes_; }
  Actor frozen_by() const { return frozen_by_; }  // the last time

  // What an image after a power cut breaks, in words: damage, files that were made durable and are gone or
  // older, contents that were never written.
  std::vector<std::string> check_after_cut(JournalImage& image) const;
  // The same for an image taken since the last freeze: it needs no recovery and holds every file as it was
  // then. Without a freeze: whatever needs recovery breaks it, and what was done must be there.
  std::vector<std::string> check_frozen(JournalImage& image, bool was_frozen) const;

 private:
  struct File {
    std::vector<std::uint64_t> digests;  // of version i + 1; kAbsent: unlinked
    std::uint64_t done = 0;
    std::uint64_t synced = 0;
    std::uint64_t frozen = 0;            // `done` at the last freeze
  };
  static constexpr std::uint64_t kAbsent = 0;
  std::uint64_t begin(std::string_view name, std::uint64_t digest);
  // Whether the image holds the file in a version of [oldest, newest].
  static void check_file(const std::string& name, const File& file, std::uint64_t oldest, std::uint64_t newest,
                         JournalImage& image, std::vector<std::string>* out);

  bool formatted_ = false;
  std::uint64_t freezes_ = 0;
  Actor frozen_by_ = Actor::kNobody;
  std::map<std::string, File, std::less<>> files_;
};

}  // namespace dmsim
