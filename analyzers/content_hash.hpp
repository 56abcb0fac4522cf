// Which 128 bits stand for a stream of bytes?
#pragma once
#include <cstddef>
#include <memory>
#include <span>

#include "io/archive/fingerprint.hpp"

namespace stemma {

/// XXH3-128, seed 0, of everything that was added: what `xxhsum -H128` prints for a file of these bytes.
class ContentHash {
 public:
  ContentHash();
  ~ContentHash();
  ContentHash(ContentHash&&) noexcept;
  ContentHash& operator=(ContentHash&&) noexcept;

  void add(std::span<const std::byte> bytes);
  Hash128 finish() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Of bytes that lie there already.
Hash128 hash_of(std::span<const std::byte> bytes);

}  // namespace stemma
