// Which anchors do models have, many of which come with the same tokenizer?
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "io/model/model.hpp"

namespace stemma {

/// Chooses anchors of models and remembers those of every tokenizer by the hash of its bytes: a family of a
/// thousand models has one. May be asked by several threads.
class AnchorShelf {
 public:
  /// Fills model.anchors where it has an embedding. A tokenizer that cannot be read becomes a finding of the
  /// model, whose anchors are then chosen by row.
  void choose(Model& model);

 private:
  AnchorTokens anchors(const std::string& vocabulary, std::uint64_t rows);

  std::mutex held_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, AnchorTokens> known_;  ///< by hash and rows
};

}  // namespace stemma
