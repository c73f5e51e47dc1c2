#include "models/workload/file_bytes.h"

#include <zstd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>

namespace dmsim {
namespace {

constexpr std::size_t kChunkBytes = 128 * 1024;
constexpr int kLevel = 9;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

struct FreeStream {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

InputError at_path(const std::string& path, std::string message, long long offset = -1) {
  return {path, 0, 0, std::move(message), offset};
}

bool is_zstd(const std::byte* bytes, std::size_t size) {
  constexpr std::array kMagic{std::byte{0x28}, std::byte{0xb5}, std::byte{0x2f}, std::byte{0xfd}};
  return size >= kMagic.size() && std::memcmp(bytes, kMagic.data(), kMagic.size()) == 0;
}

// Feeds a compressed file through, chunk by chunk; holds only the result.
class Decompressor {
 public:
  explicit Decompressor(const std::string& path) : path_(path), stream_(ZSTD_createDStream()) {
    CHECK(stream_ != nullptr);
  }

  bool feed(std::span<const std::byte> chunk) {
    ZSTD_inBuffer in{chunk.data(), chunk.size(), 0};
    while (in.pos < in.size) {
      const std::size_t before = out_.size();
      out_.resize(before + kChunkBytes);
      ZSTD_outBuffer out{out_.data() + before, kChunkBytes, 0};
      const std::size_t consumed_before = in.pos;
      pending_ = ZSTD_decompressStream(stream_.get(), &out, &in);
      if (ZSTD_isError(pending_) != 0) {
        error_ = at_path(path_, std::string("bad zstd data: ") + ZSTD_getErrorName(pending_),
                         static_cast<long long>(consumed_ + consumed_before));
        return false;
      }
      out_.resize(before + out.pos);
    }
    consumed_ += chunk.size();
    return drain();
  }

  // Requires every chunk fed.
  bool finish() {
    if (pending_ == 0) return true;
    error_ = at_path(path_, "the zstd data ends early", static_cast<long long>(consumed_));
    return false;
  }

  std::vector<std::byte>& out() { return out_; }
  const InputError& error() const { return error_; }

 private:
  // What the stream still holds although all input is consumed.
  bool drain() {
    while (true) {
      ZSTD_inBuffer none{nullptr, 0, 0};
      const std::size_t before = out_.size();
      out_.resize(before + kChunkBytes);
      ZSTD_outBuffer out{out_.data() + before, kChunkBytes, 0};
      if (pending_ != 0) pending_ = ZSTD_decompressStream(stream_.get(), &out, &none);
      out_.resize(before + out.pos);
      if (ZSTD_isError(pending_) != 0) {
        error_ = at_path(path_, std::string("bad zstd data: ") + ZSTD_getErrorName(pending_),
                         static_cast<long long>(consumed_));
        return false;
      }
      if (out.pos < kChunkBytes) return true;
    }
  }

  const std::string& path_;
  std::unique_ptr<ZSTD_DStream, FreeStream> stream_;
  std::vector<std::byte> out_;
  std::size_t pending_ = 1;       // zstd's hint: 0 when a frame has ended
  std::uint64_t consumed_ = 0;
  InputError error_;
};

}  // namespace

Result<std::vector<std::byte>> read_file_bytes(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) return Failure{at_path(path, std::strerror(errno))};
  std::vector<std::byte> chunk(kChunkBytes);
  std::vector<std::byte> raw;
  std::unique_ptr<Decompressor> decompressor;
  bool first = true;
  while (true) {
    const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), file.get());
    if (got == 0) break;
    if (first && is_zstd(chunk.data(), got)) decompressor = std::make_unique<Decompressor>(path);
    first = false;
    if (decompressor == nullptr) {
      raw.insert(raw.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(got));
    } else if (!decompressor->feed({chunk.data(), got})) {
      return Failure{decompressor->error()};
    }
  }
  if (std::ferror(file.get()) != 0) return Failure{at_path(path, std::strerror(errno))};
  if (decompressor == nullptr) return raw;
  if (!decompressor->finish()) return Failure{decompressor->error()};
  return std::move(decompressor->out());
}

Outcome<> write_file_bytes(const std::string& path, std::span<const std::byte> bytes) {
  std::vector<std::byte> packed;
  if (path.ends_with(".zst")) {
    packed.resize(ZSTD_compressBound(bytes.size()));
    const std::size_t size =
        ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), kLevel);
    CHECK(ZSTD_isError(size) == 0, ZSTD_getErrorName(size));
    bytes = std::span(packed).first(size);
  }
  File file(std::fopen(path.c_str(), "wb"));
  if (!file) return Failure{at_path(path, std::strerror(errno))};
  const bool written = bytes.empty() ||
                       std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
  const int write_errno = errno;
  const bool closed = std::fclose(file.release()) == 0;
  if (!written) return Failure{at_path(path, std::strerror(write_errno))};
  if (!closed) return Failure{at_path(path, std::strerror(errno))};
  return Done{};
}

}  // namespace dmsim
