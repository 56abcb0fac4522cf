// Names are taken apart at their dots; every word stands in a short list.
#include "io/model/generic_roles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>
#include <string_view>

#include "io/model/name_index.hpp"

namespace stemma {
namespace {

using Words = std::vector<std::string_view>;
using List = std::initializer_list<std::string_view>;

bool is_one_of(std::string_view word, List words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Words words_of(std::string_view name) {
  Words words;
  for (std::size_t at = 0;;) {
    const std::size_t dot = name.find('.', at);
    words.push_back(name.substr(at, dot - at));
    if (dot == std::string_view::npos) return words;
    at = dot + 1;
  }
}

std::optional<int> number(std::string_view word) {
  if (word.empty() || word.size() > 4) return std::nullopt;
  int value = 0;
  for (const char c : word) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + (c - '0');
  }
  return value;
}

/// The number behind the first of these words; -1 without one.
int number_behind(const Words& words, List before) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto found = is_one_of(words[i], before) ? number(words[i + 1]) : std::nullopt;
    if (found) return *found;
  }
  return -1;
}

/// The last word without what says no more than that it is a projection.
std::string_view bare(std::string_view word) {
  for (const std::string_view end : {"_proj", "_lin"}) {
    if (word.ends_with(end)) word.remove_suffix(end.size());
  }
  return word;
}

Part in_attention(std::string_view word) {
  const std::string_view plain = bare(word);
  if (is_one_of(plain, {"q", "query", "wq", "W_Q"})) return Part::attn_q;
  if (is_one_of(plain, {"k", "key", "wk", "W_K"})) return Part::attn_k;
  if (is_one_of(plain, {"v", "value", "wv", "W_V"})) return Part::attn_v;
  if (is_one_of(word, {"o_proj", "out_proj", "out_lin", "o", "wo", "dense", "c_proj", "W_O"}))
    return Part::attn_o;
  const bool fused = is_one_of(word, {"qkv_proj", "qkv", "query_key_value", "Wqkv", "W_pack", "wqkv",
                                      "c_attn", "in_proj_weight", "linear_qkv"});
  return fused ? Part::other : Part::unknown;
}

Part in_mlp(std::string_view word, std::string_view before, bool expert) {
  if (is_one_of(word, {"gate_proj", "w1", "fc_0", "c_fc_0", "wi_0"}))
    return expert ? Part::moe_expert_gate : Part::mlp_gate;
  if (is_one_of(word, {"up_proj", "w3", "fc1", "c_fc", "c_fc_1", "dense_h_to_4h", "fc_in", "wi", "wi_1"}))
    return expert ? Part::moe_expert_up : Part::mlp_up;
  if (is_one_of(word, {"down_proj", "w2", "fc2", "c_proj", "dense_4h_to_h", "fc_out", "wo"}) ||
      (word == "dense" && before == "output"))
    return expert ? Part::moe_expert_down : Part::mlp_down;
  if (is_one_of(word, {"gate", "router"}) || (word == "layer" && before == "router")) return Part::moe_router;
  return word == "gate_up_proj" ? Part::other : Part::unknown;
}

/// What a name says, before shapes are asked.
Role role_of(std::string_view name) {
  Words words = words_of(name);
  Role role;
  if (words.size() > 1 && is_one_of(words.back(), {"weight", "bias"})) {
    if (words.back() == "bias") role.kind = Kind::bias;
    words.pop_back();
  }
  role.layer = number_behind(words, {"layers", "layer", "h", "block", "blocks", "resblocks"});
  role.expert = number_behind(words, {"expert", "experts"});
  if (role.layer < 0) return role;
  const std::string_view last = words.back();
  const std::string_view before = words.size() > 1 ? words[words.size() - 2] : "";
  const bool attends = std::any_of(words.begin(), words.end() - 1, [](std::string_view word) {
    return word.find("attn") != std::string_view::npos || word.find("attention") != std::string_view::npos ||
           word.find("mixer") != std::string_view::npos;
  });
  role.part = attends ? in_attention(last) : in_mlp(last, before, role.expert >= 0);
  return role;
}

bool names_an_embedding(std::string_view name) {
  return std::ranges::any_of(List{"embed", "wte", "word_embeddings"}, [&](std::string_view word) {
    return name.find(word) != std::string_view::npos;
  });
}

class Guess {
 public:
  Guess(std::vector<Matrix>& matrices, const Checkpoint& checkpoint)
      : matrices_(matrices), checkpoint_(checkpoint) {}

  /// The number of tensors that have a role now.
  std::size_t run() {
    find_embedding();
    for (Matrix& matrix : matrices_) suggest(matrix);
    for (Matrix& matrix : matrices_) {
      if (contradicts(matrix)) matrix.role = {};
    }
    drop_shared();
    drop_lonely_biases();
    std::size_t known = 0;
    for (const Matrix& matrix : matrices_) known += matrix.role.part != Part::unknown ? 1 : 0;
    return known;
  }

 private:
  const StoredTensor& tensor(const Matrix& matrix) const { return checkpoint_.tensors[matrix.tensor]; }
  bool is_plain(const Matrix& matrix) const {
    return is_real(tensor(matrix).dtype) && tensor(matrix).shape.size() == 2;
  }

  void find_embedding() {
    const Matrix* largest = nullptr;
    for (const Matrix& matrix : matrices_) {
      if (!is_plain(matrix) || !names_an_embedding(tensor(matrix).name)) continue;
      if (largest == nullptr || matrix.rows > largest->rows) largest = &matrix;
    }
    if (largest == nullptr) return;
    embedding_ = largest->tensor;
    hidden_ = largest->cols;
  }

  void suggest(Matrix& matrix) {
    const StoredTensor& stored = tensor(matrix);
    if (!is_real(stored.dtype) || stored.shape.size() > 2) return;
    if (embedding_ && matrix.tensor == *embedding_) {
      matrix.role.part = Part::embed;
      return;
    }
    Role role = role_of(unwrapped(stored.name));
    if (role.part == Part::unknown || matrix.vector != (role.kind == Kind::bias)) return;
    if (role.expert >= 0) experts_ = std::max(experts_, role.expert + 1);
    if (role.part == Part::moe_router || role.part == Part::other) role.expert = -1;
    if (role.part == Part::other) role = {.part = Part::other};
    matrix.role = role;
    if (role.kind == Kind::weight) weights_.emplace(role, std::pair(matrix.rows, matrix.cols));
  }

  std::optional<std::pair<std::uint64_t, std::uint64_t>> shape_of(Role role, Part part) const {
    role.part = part;
    role.kind = Kind::weight;
    const auto found = weights_.find(role);
    return found == weights_.end() ? std::nullopt : std::optional(found->second);
  }

  bool contradicts(const Matrix& matrix) const {
    if (matrix.role.kind == Kind::bias) return false;
    const auto other_width = [&](std::uint64_t width) { return hidden_ && width != *hidden_; };
    const auto unlike = [&](Part part) {
      const auto other = shape_of(matrix.role, part);
      return other && *other != std::pair(matrix.rows, matrix.cols);
    };
    const auto not_turned = [&](Part part) {
      const auto other = shape_of(matrix.role, part);
      return other && *other != std::pair(matrix.cols, matrix.rows);
    };
    switch (matrix.role.part) {
      case Part::attn_q:
      case Part::attn_k:
      case Part::attn_v:
        return other_width(matrix.cols);
      case Part::attn_o:
        return other_width(matrix.rows);
      case Part::mlp_gate:
        return other_width(matrix.cols) || unlike(Part::mlp_up);
      case Part::mlp_up:
        return other_width(matrix.cols) || unlike(Part::mlp_gate);
      case Part::mlp_down:
        return other_width(matrix.rows) || not_turned(Part::mlp_up);
      case Part::moe_expert_gate:
        return other_width(matrix.cols) || unlike(Part::moe_expert_up);
      case Part::moe_expert_up:
        return other_width(matrix.cols) || unlike(Part::moe_expert_gate);
      case Part::moe_expert_down:
        return other_width(matrix.rows) || not_turned(Part::moe_expert_up);
      case Part::moe_router:
        return experts_ == 0 || matrix.rows != static_cast<std::uint64_t>(experts_);
      default:
        return false;
    }
  }

  void drop_shared() {
    std::map<Role, int> owners;
    for (const Matrix& matrix : matrices_) ++owners[matrix.role];
    for (Matrix& matrix : matrices_) {
      if (matrix.role.part != Part::other && owners[matrix.role] > 1) matrix.role = {};
    }
  }

  void drop_lonely_biases() {
    std::map<Role, std::uint64_t> rows;
    for (const Matrix& matrix : matrices_) {
      if (matrix.role.kind == Kind::weight) rows[matrix.role] = matrix.rows;
    }
    for (Matrix& matrix : matrices_) {
      if (matrix.role.kind != Kind::bias) continue;
      Role weight = matrix.role;
      weight.kind = Kind::weight;
      const auto found = rows.find(weight);
      if (found == rows.end() || found->second != matrix.rows) matrix.role = {};
    }
  }

  std::vector<Matrix>& matrices_;
  const Checkpoint& checkpoint_;
  std::optional<std::uint32_t> embedding_;
  std::optional<std::uint64_t> hidden_;
  int experts_ = 0;
  std::map<Role, std::pair<std::uint64_t, std::uint64_t>> weights_;  ///< rows and columns
};

}  // namespace

bool guess_roles(std::vector<Matrix>& matrices, const Checkpoint& checkpoint, FindingLedger& ledger) {
  const std::size_t known = Guess(matrices, checkpoint).run();
  if (known == 0) return false;
  std::stable_sort(matrices.begin(), matrices.end(), [](const Matrix& a, const Matrix& b) {
    const auto key = [](const Matrix& m) { return std::pair(m.role.part == Part::unknown, m.role); };
    return key(a) < key(b);
  });
  ledger.add(
      {.severity = Severity::warning,
       .rule = "heuristic_roles",
       .expected = "an architecture table that explains the names",
       .found = fmt::format("{} of {} tensors have names that most authors use", known, matrices.size()),
       .hint = "their roles are guessed, and square matrices may be stored either way; add a table for "
               "this family"},
      "");
  return true;
}

}  // namespace stemma
