// TransientStore: a store whose list lies in memory only. It is empty again after a restart.
#pragma once

#include "engine/native/snapshot/exception_store.h"

namespace dmsim::native {

class TransientStore final : public ExceptionStore {
 public:
  explicit TransientStore(BlockDevice& cow) : cow_(cow) {}

  Read read_metadata(ExceptionTable*) override { return {}; }
  std::optional<Chunk> allocate() override {
    if (cow_.sectors() < next_sector_ + chunk().sectors) return std::nullopt;
    const Chunk place = chunk().chunk_of(next_sector_);
    next_sector_ += chunk().sectors;
    return place;
  }
  void commit(const Exception&, bool copied, bool injected, Done done, void* context) override {
    done(context, copied, injected);
  }
  StoreUsage usage() const override { return {next_sector_, cow_.sectors(), 0}; }
  std::string table_words() const override { return "N " + std::to_string(chunk().sectors); }

 private:
  BlockDevice& cow_;
  Sector next_sector_ = 0;
};

}  // namespace dmsim::native
