// {"model": {"type": "BPE", "vocab": {"token": row}}, "added_tokens": [{"id": row, ...}], ...}, read
// strictly.
#include "io/formats/vocabulary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "io/formats/limits.hpp"
#include "io/formats/strict_json.hpp"
#include "io/formats/token_spelling.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

/// Collects tokens, rows of added tokens and the spelling. Knows where it is by the keys on the way there.
class VocabularyHandler final : public JsonHandler {
 public:
  std::vector<Token>& tokens() { return tokens_; }
  std::vector<std::uint32_t>& added() { return added_; }
  const std::string& fault() const { return fault_; }
  TokenSpelling spelling() const {
    if (byte_level_) return TokenSpelling::byte_level;
    return word_piece_ ? TokenSpelling::word_piece : TokenSpelling::sentence_piece;
  }

  void begin_object() override { open(); }
  void begin_array() override {
    open();
    // Unigram: [["token", score], ...], where the position is the row.
    if (depth() == 4 && in_vocabulary()) piece_.reset();
  }
  void end_object() override { close(); }
  void end_array() override {
    if (depth() == 4 && in_vocabulary() && piece_) tokens_.push_back({next_row_, std::move(*piece_)});
    if (depth() == 4 && in_vocabulary()) ++next_row_;
    close();
  }
  void key(std::string_view text) override {
    if (depth() <= 3 && !keys_.empty()) keys_.back() = text.substr(0, 32);
    key_ = text;
  }
  void string(std::string_view text) override {
    if (depth() == 4 && in_vocabulary()) {
      if (!piece_) piece_ = text;
    } else if (key_ == "type" && in_model(2)) {
      word_piece_ = text == "WordPiece";
    } else if (key_ == "type" && depth() >= 2 && (keys_[0] == "decoder" || keys_[0] == "pre_tokenizer")) {
      byte_level_ |= text == "ByteLevel";
    }
  }
  void integer(std::uint64_t value) override {
    if (in_vocabulary() && depth() == 3) {
      if (value >= limits::vocabulary_rows) fault_ = "a row of the vocabulary is larger than 2^31";
      tokens_.push_back({static_cast<std::uint32_t>(value), key_});
    } else if (depth() == 3 && keys_[0] == "added_tokens" && key_ == "id") {
      added_.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(value, limits::vocabulary_rows)));
    }
  }
  void null() override {}
  void other(std::string_view) override {
    if (in_vocabulary() && depth() == 3) fault_ = "a row of the vocabulary is no number of a row";
  }

 private:
  std::size_t depth() const { return keys_.size(); }
  bool in_model(std::size_t at_depth) const { return depth() == at_depth && keys_[0] == "model"; }
  bool in_vocabulary() const { return depth() >= 3 && keys_[0] == "model" && keys_[1] == "vocab"; }
  void open() { keys_.emplace_back(); }
  void close() { keys_.pop_back(); }

  std::vector<std::string> keys_;  ///< of the objects that are open; "" of arrays
  std::string key_, fault_;
  std::vector<Token> tokens_;
  std::vector<std::uint32_t> added_;
  std::optional<std::string> piece_;
  std::uint32_t next_row_ = 0;
  bool byte_level_ = false, word_piece_ = false;
};

}  // namespace

std::vector<Token> parse_vocabulary(std::string_view json, const std::string& file_name) {
  VocabularyHandler handler;
  if (const auto problem = scan_json(json, {}, handler))
    throw InvalidInput({.rule = std::string(rule_of(problem->fault)),
                        .file = file_name,
                        .byte_offset = problem->byte,
                        .hint = printable(problem->detail)});
  if (!handler.fault().empty() || handler.tokens().empty())
    throw InvalidInput(
        {.rule = "vocabulary.malformed",
         .file = file_name,
         .hint = handler.fault().empty() ? "model.vocab is absent or empty" : handler.fault()});
  std::ranges::sort(handler.added());
  std::vector<Token> tokens;
  for (Token& token : handler.tokens()) {
    if (std::ranges::binary_search(handler.added(), token.row)) continue;
    token.bytes = spelled_out(token.bytes, handler.spelling());
    tokens.push_back(std::move(token));
  }
  std::ranges::sort(tokens, {}, &Token::row);
  return tokens;
}

}  // namespace stemma
