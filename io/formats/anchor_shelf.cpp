// A tokenizer of ten megabytes is read in milliseconds and parsed in a tenth of a second: once is enough.
#include "io/formats/anchor_shelf.hpp"

#include <xxhash.h>

#include <algorithm>

#include "io/formats/limits.hpp"
#include "io/formats/small_file.hpp"
#include "io/formats/vocabulary.hpp"

namespace stemma {

AnchorTokens AnchorShelf::anchors(const std::string& vocabulary, std::uint64_t rows) {
  const std::string text = vocabulary.empty() ? "" : read_whole(vocabulary, limits::vocabulary_bytes);
  const std::pair key(XXH3_64bits(text.data(), text.size()), rows);
  {
    const std::scoped_lock lock(held_);
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
  }
  std::vector<Token> tokens;
  if (!vocabulary.empty()) tokens = parse_vocabulary(text, vocabulary.substr(vocabulary.rfind('/') + 1));
  AnchorTokens chosen = choose_anchors(tokens, rows);
  const std::scoped_lock lock(held_);
  return known_.emplace(key, std::move(chosen)).first->second;
}

void AnchorShelf::choose(Model& model) {
  const Matrix* embedding = model.find({.part = Part::embed});
  if (embedding == nullptr) return;
  try {
    model.anchors = anchors(model.checkpoint.vocabulary, embedding->rows);
  } catch (const InvalidInput& refused) {
    Finding finding = refused.finding();
    finding.severity = Severity::warning;
    finding.hint += "; tokens are taken by their number instead";
    model.findings.push_back(std::move(finding));
    model.anchors = anchors("", embedding->rows);
  }
}

}  // namespace stemma
