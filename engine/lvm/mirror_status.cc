#include "engine/lvm/mirror_status.h"

#include <algorithm>
#include <charconv>

#include "base/words.h"

namespace dmsim::lvm {
namespace {

// Of a word's beginning; 0: it has none.
std::uint64_t number_of(std::string_view word) {
  std::uint64_t out = 0;
  std::from_chars(word.data(), word.data() + word.size(), out);
  return out;
}

}  // namespace

std::optional<MirrorStatus> read_mirror_status(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  if (words.size() < 4 || words[2] != "mirror") return std::nullopt;
  const std::uint64_t images = number_of(words[3]);
  const std::size_t progress = 4 + images;
  const std::size_t letters = progress + 2;
  if (images >= words.size() || words.size() <= letters || words[letters].size() != images) return std::nullopt;
  MirrorStatus out;
  for (std::size_t image = 0; image < images; ++image) out.devices.push_back(words[4 + image]);
  out.copied = number_of(words[progress]);
  out.regions = number_of(words[progress].substr(std::min(words[progress].find('/') + 1, words[progress].size())));
  out.letters = words[letters];
  if (words.size() > letters + 4 && words[letters + 2] == "disk") out.log_letter = words[letters + 4][0];
  return out;
}

}  // namespace dmsim::lvm
