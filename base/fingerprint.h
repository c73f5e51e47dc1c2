// Fingerprint: 64 bits over a stream of integers, the same on every machine, compiler and level.
//
// It is not cryptographic. Integers are folded by one widening multiplication each; bytes go through
// XXH3 (base/digest.h), whose value does not depend on the CPU's vector width.
#pragma once

#include <cstdint>
#include <string>

namespace dmsim {

// A full 64-bit mix of two words: high and low half of a 128-bit product, xored.
constexpr std::uint64_t mix_words(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a ^ 0x9E3779B97F4A7C15ull) *
                       static_cast<unsigned __int128>(b ^ 0xE7037ED1A0B428DBull);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

class Fingerprint {
 public:
  constexpr void fold(std::uint64_t word) { state_ = mix_words(state_ ^ word, ++count_); }
  constexpr std::uint64_t value() const { return mix_words(state_, count_); }
  // Sixteen hexadecimal digits.
  std::string to_string() const;
  friend constexpr bool operator==(const Fingerprint&, const Fingerprint&) = default;

 private:
  std::uint64_t state_ = 0x243F6A8885A308D3ull;
  std::uint64_t count_ = 0;
};

// FNV-1a of a name, at compile time: how choice points and trace kinds get a stable number.
constexpr std::uint64_t hash_name(const char* text, std::size_t size) {
  std::uint64_t hash = 0xCBF29CE484222325ull;
  for (std::size_t i = 0; i < size; ++i) {
    hash = (hash ^ static_cast<unsigned char>(text[i])) * 0x100000001B3ull;
  }
  return hash;
}

}  // namespace dmsim
