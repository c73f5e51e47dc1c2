// Writes the format of a clone's metadata. Pure functions on bytes; metadata_reader.h is the mirror of this.
#pragma once

#include <cstddef>
#include <span>

#include "engine/native/clone/metadata_format.h"

namespace dmsim::clone_metadata {

// Fills a whole block: the superblock with its digest, then zeros.
void write_superblock(const Superblock& superblock, std::span<std::byte> block);
// Fills one block of a bitmap: bit r of the bitmap is region r, 1: hydrated; `words` may be fewer than fit.
void write_bitmap_block(std::span<const std::uint64_t> words, std::span<std::byte> block);
// What a superblock says of the bitmap that these words are written as.
std::uint64_t bitmap_digest(const Layout& layout, std::span<const std::uint64_t> words);

}  // namespace dmsim::clone_metadata
