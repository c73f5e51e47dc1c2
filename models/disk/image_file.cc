#include "models/disk/image_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace dmsim {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

Failure<InputError> refused(const std::string& path, const char* doing) {
  return Failure{InputError{path, 0, 0, fmt::format("{} failed: {}", doing, std::strerror(errno)), -1}};
}

bool is_zero(const std::byte* bytes, std::size_t size) {
  return bytes[0] == std::byte{0} && std::memcmp(bytes, bytes + 1, size - 1) == 0;
}

}  // namespace

Outcome<> export_raw(const Image& image, const std::string& path) {
  const File file(std::fopen(path.c_str(), "wb"));
  if (file == nullptr) return refused(path, "opening the file for writing");
  for (std::uint64_t index = 0; index < image.pages(); ++index) {
    const PageRef& page = image.page(index);
    // The last byte is always written, so that the file has the disk's size.
    const bool last = index + 1 == image.pages();
    if (is_zero(page.bytes(), kPageBytes) && !last) continue;
    if (fseeko(file.get(), static_cast<off_t>(index * kPageBytes), SEEK_SET) != 0 ||
        std::fwrite(page.bytes(), kPageBytes, 1, file.get()) != 1) {
      return refused(path, "writing");
    }
  }
  if (std::fflush(file.get()) != 0) return refused(path, "writing");
  return Done{};
}

Outcome<> import_raw(const std::string& path, PageSpace& space, Image* image) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return refused(path, "opening the file for reading");
  std::array<std::byte, kPageBytes> buffer;
  std::uint64_t offset = 0;
  const std::uint64_t most = image->sectors() * kSectorBytes;
  while (const std::size_t size = std::fread(buffer.data(), 1, kPageBytes, file.get())) {
    if (size % kSectorBytes != 0) {
      return Failure{InputError{path, 0, 0, "the file's size is not a multiple of 512 bytes",
                                static_cast<long long>(offset + size)}};
    }
    if (offset + size > most) {
      return Failure{InputError{path, 0, 0,
                                fmt::format("the file is longer than the disk, which has {} bytes", most),
                                static_cast<long long>(most)}};
    }
    if (std::memcmp(image->page(offset / kPageBytes).bytes(), buffer.data(), size) != 0) {
      image->write_sectors(space, offset / kSectorBytes, {buffer.data(), size});
    }
    offset += size;
  }
  if (std::ferror(file.get()) != 0) return refused(path, "reading");
  return Done{};
}

}  // namespace dmsim
