// A tokenizer of ten megabytes is read in milliseconds and parsed in a tenth of a second: once is enough.
#include "io/formats/anchor_shelf.hpp"

#include <algorithm>

#include "io/formats/vocabulary_file.hpp"

namespace stemma {

AnchorTokens AnchorShelf::anchors(const std::string& vocabulary, std::uint64_t rows) {
  const StoredVocabulary stored = vocabulary.empty() ? StoredVocabulary{} : read_vocabulary(vocabulary);
  const std::pair key(stored.hash, rows);
  {
    const std::scoped_lock lock(held_);
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
  }
  const std::vector<Token> tokens = stored.parse ? stored.parse() : std::vector<Token>();
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
