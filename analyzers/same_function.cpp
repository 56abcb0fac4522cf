// Roles say which matrices make up a part; everything that has a role must belong to one.
#include "analyzers/same_function.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "analyzers/json_text.hpp"
#include "analyzers/pair_parts.hpp"
#include "analyzers/same_function_measurement.hpp"
#include "analyzers/thresholds.hpp"
#include "io/model/model_config.hpp"

namespace stemma {

namespace {

constexpr const char* function_method = "same_function";

/// Index of a matrix of one side in the joined list.
using Index = std::optional<std::uint32_t>;

/// The head, which may be the embedding.
Part head_of(const Model& model) { return model.find(role_of(Part::lm_head)) ? Part::lm_head : Part::embed; }

/// The norm in front of the MLP, which may be that of attention too.
Part mlp_norm_of(const Model& model, int layer) {
  return model.find(role_of(Part::norm_pre_mlp, layer)) ? Part::norm_pre_mlp : Part::norm_pre_attn;
}

constexpr std::array attention_parts = {Part::attn_q, Part::attn_k, Part::attn_v, Part::attn_o};
constexpr std::array mlp_parts = {Part::mlp_gate, Part::mlp_up, Part::mlp_down};
constexpr std::array norm_parts = {Part::norm_pre_attn, Part::norm_pre_mlp, Part::norm_final};
constexpr std::array head_norm_parts = {Part::attn_q_norm, Part::attn_k_norm};
constexpr std::array table_parts = {Part::embed, Part::pos_embed, Part::lm_head};

/// Whether the answers depend on a weight of this role.
bool asked_about(const Role& role) {
  const auto among = [&](const auto& parts) { return std::ranges::find(parts, role.part) != parts.end(); };
  if (role.stack != Stack::decoder || role.expert >= 0) return false;
  if (among(table_parts) || among(head_norm_parts)) return role.kind == Kind::weight;
  return among(attention_parts) || among(mlp_parts) || among(norm_parts);
}

/// Dimensions of a head that are turned: whole pairs of the first ones. Nothing where that is not known.
std::optional<std::uint64_t> rotary_width(const Model& model) {
  const double turned = model.rotary_share * static_cast<double>(*model.dim("head_dim"));
  const bool pairs = turned >= 0 && std::fmod(turned, 2) == 0;
  if (model.rope == Rope::none || !pairs) return model.rope == Rope::none ? std::optional(0) : std::nullopt;
  return static_cast<std::uint64_t>(turned);
}

/// Rows and columns that a matrix has to have, 0 where any number will do.
struct Shape {
  std::uint64_t rows = 0, cols = 0;
};

/// Of a weight or a bias that answers depend on. Heads and their width are known.
Shape shape_of(const Model& model, const Role& role) {
  const auto size = [&](const char* name) { return static_cast<std::uint64_t>(*model.dim(name)); };
  const std::uint64_t hidden = size("hidden"), queries = size("heads") * size("head_dim"),
                      keys = size("kv_heads") * size("head_dim");
  const Matrix* up = model.find(role_of(Part::mlp_up, role.layer));
  const std::uint64_t inter = up != nullptr ? up->rows : 0;
  if (role.kind == Kind::bias) {
    const Matrix* weight = model.find(role_of(role.part, role.layer));
    return {weight != nullptr ? weight->rows : hidden, 1};
  }
  switch (role.part) {
    case Part::attn_q:
      return {queries, hidden};
    case Part::attn_k:
    case Part::attn_v:
      return {keys, hidden};
    case Part::attn_o:
      return {hidden, queries};
    case Part::mlp_gate:
    case Part::mlp_up:
      return {inter, hidden};
    case Part::mlp_down:
      return {hidden, inter};
    case Part::attn_q_norm:
    case Part::attn_k_norm: {
      const Matrix* gain = model.find(role);
      const bool each = gain != nullptr && gain->rows == size("head_dim");
      return {each ? size("head_dim") : (role.part == Part::attn_q_norm ? queries : keys), 1};
    }
    case Part::embed:
    case Part::pos_embed:
    case Part::lm_head:
      return {0, hidden};
    default:
      return {hidden, 1};  // gains
  }
}

/// Why answers of this model would not be all of it.
std::string obstacle_of(const Model& model) {
  for (const char* size : {"hidden", "heads", "kv_heads", "head_dim"})
    if (!model.dim(size) || *model.dim(size) <= 0) return fmt::format("{} is unknown", size);
  if (*model.dim("heads") % *model.dim("kv_heads") != 0)
    return "the number of query heads is no multiple of that of kv heads";
  if (model.rope == Rope::mixed) return "not all layers turn queries and keys";
  if (!rotary_width(model)) return "it is not known how much of a head is turned";
  for (const Matrix& matrix : model.matrices) {
    if (matrix.role.part == Part::buffer || matrix.role.part == Part::other) continue;
    const std::string path = path_of(matrix, model.checkpoint);
    if (!asked_about(matrix.role)) return fmt::format("no answer would depend on {}", path);
    if (!is_plain_float(dtype_of(model, matrix)))
      return fmt::format("{} is stored as {}", path, name_of(dtype_of(model, matrix)));
    const Shape wanted = shape_of(model, matrix.role);
    if ((wanted.rows != 0 && matrix.rows != wanted.rows) || matrix.cols != wanted.cols)
      return fmt::format("{} does not have the shape that heads and width ask for", path);
  }
  for (int layer = 0; layer < model.layers(); ++layer)
    for (const Part part : {Part::attn_q, Part::attn_k, Part::attn_v, Part::attn_o, Part::mlp_up,
                            Part::mlp_down, Part::norm_pre_attn})
      if (model.find(role_of(part, layer)) == nullptr)
        return fmt::format("{} is missing", path_of(role_of(part, layer)));
  return model.find(role_of(Part::norm_final)) ? "" : "norm.final is missing";
}

/// What config.json says about the function beside weights. A scaled stream has another epsilon, rightly.
constexpr std::array config_keys = {
    "hidden_act",           "activation_function",    "rope_theta",
    "rotary_emb_base",      "use_parallel_residual",  "sliding_window",
    "attention_multiplier", "embedding_multiplier",   "residual_multiplier",
    "logits_scaling",       "attn_logit_softcapping", "final_logit_softcapping",
    "rope_scaling",         "query_pre_attn_scalar"};

/// The first of them that both models state, and differently.
std::string different_configs(const ModelPair& pair) {
  const ModelConfig base(pair.base->checkpoint.config_json),
      candidate(pair.candidate->checkpoint.config_json);
  const std::vector<std::string> nested = {"text_config"};
  for (const char* key : config_keys) {
    const std::string one = base.scalar(key, nested), other = candidate.scalar(key, nested);
    if (one != "null" && other != "null" && one != other)
      return fmt::format("{} is {} for one model and {} for the other", key, printable(one, 60),
                         printable(other, 60));
  }
  return "";
}

class SameFunctionAnalyzer final : public PairAnalyzer {
 public:
  std::string_view name() const override { return function_method; }
  int version() const override { return 1; }

  std::vector<Subject> subjects(const ModelPair& pair,
                                const std::map<std::string, double>& options) const override {
    if (!pair.tokens || !same_function_obstacle(pair).empty()) return {};
    std::vector<Subject> out;
    const int layers = pair.base->layers();
    for (int layer = 0; layer < layers; ++layer) {
      out.push_back(attention(pair, layer, options));
      out.push_back(mlp(pair, layer, layer, fmt::format("layers/{}/mlp", layer), options));
    }
    for (const Part part : {Part::embed, Part::pos_embed})
      if (pair.find(role_of(part))) out.push_back(table(pair, part, options));
    out.push_back(head(pair, options));
    if (layers > 1) out.push_back(mlp(pair, 0, layers - 1, "control", options));
    std::ranges::sort(out, {}, &Subject::path);
    return out;
  }

  Cost cost(const Subject& subject, std::span<const Input> inputs) const override {
    return function_cost(subject, inputs);
  }

  std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input> inputs,
                                     std::span<const std::vector<double>> companions) const override {
    return begin_function(subject, inputs, companions);
  }

 private:
  static void add_companion(const ModelPair& pair, Side side, int companion, Index index, Subject& s) {
    if (!index) return;
    const Model& model = model_of(pair, side);
    const std::uint32_t tokens = side == Side::base ? pair.tokens->base : pair.tokens->candidate;
    const bool rows = *index == tokens;
    const Matrix& matrix = rows ? *model.find(role_of(Part::embed))
                                : model.matrices[*index - (side == Side::base ? 0 : pair.first_of_candidate)];
    const std::string name = companion_parameter(side, companion);
    s.parameters[name] = static_cast<double>(s.companions.size());
    s.parameters[name + "_dtype"] = static_cast<double>(dtype_of(model, matrix));
    s.parameters[name + "_offset"] = matrix.gain_offset;
    s.companions.push_back(*index);
  }

  /// A subject with its sizes and the tokens of both sides.
  static Subject subject_of(const ModelPair& pair, FunctionPart part, std::string path,
                            const std::map<std::string, double>& options) {
    Subject s{.analyzer = {}, .path = std::move(path)};
    if (const auto seed = options.find("seed"); seed != options.end()) s.parameters["seed"] = seed->second;
    s.parameters["part"] = static_cast<double>(part);
    s.parameters["tokens"] =
        static_cast<double>(tokens_of(pair.base_matrix(*pair.find(role_of(Part::embed))).rows));
    for (const Side side : {Side::base, Side::candidate}) {
      const Model& model = model_of(pair, side);
      const auto set = [&](const char* name, double value) {
        s.parameters[side_parameter(side, name)] = value;
      };
      set("width", static_cast<double>(*model.dim("hidden")));
      set("heads", static_cast<double>(*model.dim("heads")));
      set("kv_heads", static_cast<double>(*model.dim("kv_heads")));
      set("head_width", static_cast<double>(*model.dim("head_dim")));
      set("centred", model.norm == NormKind::layer ? 1 : 0);
      set("rope", static_cast<double>(model.rope));
      set("rotary_width", static_cast<double>(*rotary_width(model)));
      add_companion(pair, side, static_cast<int>(Companion::tokens),
                    side == Side::base ? pair.tokens->base : pair.tokens->candidate, s);
    }
    return s;
  }

  static void add_norm(const ModelPair& pair, Side side, Part part, int layer, Subject& s) {
    add_companion(pair, side, static_cast<int>(Companion::norm_gain),
                  index_in(pair, side, role_of(part, layer)), s);
    add_companion(pair, side, static_cast<int>(Companion::norm_bias),
                  index_in(pair, side, role_of(part, layer, Kind::bias)), s);
  }

  /// The matrices of one side with their biases; parts that the model has not are left out.
  static void add_matrices(const ModelPair& pair, Side side, std::span<const Part> parts, int layer,
                           Subject& s) {
    int which = 0;
    for (const Part part : parts) {
      const Index matrix = index_in(pair, side, role_of(part, layer));
      if (!matrix) continue;
      s.matrices.push_back(*matrix);
      add_companion(pair, side, static_cast<int>(Companion::first_bias) + which++,
                    index_in(pair, side, role_of(part, layer, Kind::bias)), s);
    }
  }

  static Subject attention(const ModelPair& pair, int layer, const std::map<std::string, double>& options) {
    Subject s = subject_of(pair, FunctionPart::attention, fmt::format("layers/{}/attention", layer), options);
    for (const Side side : {Side::base, Side::candidate}) {
      add_norm(pair, side, Part::norm_pre_attn, layer, s);
      add_companion(pair, side, static_cast<int>(Companion::query_gain),
                    index_in(pair, side, role_of(Part::attn_q_norm, layer)), s);
      add_companion(pair, side, static_cast<int>(Companion::key_gain),
                    index_in(pair, side, role_of(Part::attn_k_norm, layer)), s);
      add_matrices(pair, side, attention_parts, layer, s);
    }
    return s;
  }

  static Subject mlp(const ModelPair& pair, int base_layer, int candidate_layer, std::string path,
                     const std::map<std::string, double>& options) {
    Subject s = subject_of(pair, FunctionPart::mlp, std::move(path), options);
    for (const Side side : {Side::base, Side::candidate}) {
      const int layer = side == Side::base ? base_layer : candidate_layer;
      add_norm(pair, side, mlp_norm_of(model_of(pair, side), layer), layer, s);
      add_matrices(pair, side, mlp_parts, layer, s);
    }
    return s;
  }

  static Subject table(const ModelPair& pair, Part part, const std::map<std::string, double>& options) {
    Subject s = subject_of(pair, FunctionPart::table, std::string(name_of(part)), options);
    for (const Side side : {Side::base, Side::candidate})
      s.matrices.push_back(*index_in(pair, side, role_of(part)));
    return s;
  }

  static Subject head(const ModelPair& pair, const std::map<std::string, double>& options) {
    Subject s = subject_of(pair, FunctionPart::head, std::string(name_of(Part::lm_head)), options);
    for (const Side side : {Side::base, Side::candidate}) {
      add_norm(pair, side, Part::norm_final, -1, s);
      s.matrices.push_back(*index_in(pair, side, role_of(head_of(model_of(pair, side)))));
    }
    return s;
  }
};

FunctionReading function_reading_of(const Subject& subject, const std::optional<Features>& features) {
  FunctionReading out;
  out.subject = subject.path;
  if (!features || features->status == Status::failed) {
    out.problem = features ? features->problem : "it was not read";
  } else if (features->status == Status::nonfinite) {
    out.problem = "an answer is not finite";
  } else {
    out.first = features->numbers.at("first");
    out.noise_edge = features->numbers.at("noise_edge");
    out.delta = features->numbers.at("delta");
    out.blur = features->numbers.at("blur");
    if (!(out.blur <= thresholds::same_function_blur)) {
      out.problem = out.blur < 1
                        ? fmt::format("rounding alone may move its answers by {:.2g} %", 100 * out.blur)
                        : "rounding alone may move its answers by as much as they are";
      return out;
    }
    out.agrees = out.first <= thresholds::origin_noise * out.noise_edge;
  }
  return out;
}

Evidence function_row(std::string statistic) {
  Evidence out;
  out.method = function_method;
  out.statistic = std::move(statistic);
  out.null = "rounding of the stored weights";
  return out;
}

}  // namespace

const PairAnalyzer& same_function_analyzer() {
  static const SameFunctionAnalyzer analyzer;
  return analyzer;
}

std::uint64_t tokens_of(std::uint64_t rows) {
  return 2 * std::min(most_tokens, rows / 2 / sequence_length * sequence_length);
}

std::string same_function_obstacle(const ModelPair& pair) {
  const auto embeddings = pair.find(role_of(Part::embed));
  if (!embeddings) return "at least one model has no embedding";
  const std::uint64_t rows = pair.base_matrix(*embeddings).rows;
  if (rows != pair.candidate_matrix(*embeddings).rows) return "the vocabularies differ in size";
  if (tokens_of(rows) == 0) return fmt::format("{} tokens are too few to ask", rows);
  if (pair.base->layers() != pair.candidate->layers()) return "the models differ in depth";
  if (pair.base->norm != pair.candidate->norm) return "the models normalise in different ways";
  if (pair.base->dim("head_dim") != pair.candidate->dim("head_dim"))
    return "the models' heads differ in width";
  for (const Model* model : {pair.base, pair.candidate})
    if (std::string why = obstacle_of(*model); !why.empty()) return why;
  if (pair.base->rope != pair.candidate->rope || rotary_width(*pair.base) != rotary_width(*pair.candidate))
    return "the models turn queries and keys in different ways";
  if (std::string why = different_configs(pair); !why.empty()) return why;
  for (const Part part : {Part::pos_embed, Part::lm_head}) {
    const Matrix* of_base = pair.base->find(role_of(part));
    const Matrix* of_candidate = pair.candidate->find(role_of(part));
    if (part == Part::pos_embed && (of_base == nullptr) != (of_candidate == nullptr))
      return "only one model has pos_embed";
    if (of_base != nullptr && of_candidate != nullptr && of_base->rows != of_candidate->rows)
      return fmt::format("{} differs in size", name_of(part));
  }
  for (int layer = 0; layer < pair.base->layers(); ++layer)
    if ((pair.base->find(role_of(Part::mlp_gate, layer)) == nullptr) !=
        (pair.candidate->find(role_of(Part::mlp_gate, layer)) == nullptr))
      return "only one model has gates";
  return "";
}

SameFunction same_function_of(const ModelPair& pair, const FeatureSource& features) {
  SameFunction out;
  out.obstacle = same_function_obstacle(pair);
  if (out.obstacle.empty() && !pair.tokens)
    out.obstacle = "the rows of an embedding do not lie one behind the other";
  for (const Subject& subject : same_function_analyzer().subjects(pair, {})) {
    FunctionReading reading = function_reading_of(subject, features(function_method, subject.path));
    if (subject.path == "control") {
      out.control = std::move(reading);
      continue;
    }
    out.agreeing += reading.agrees;
    out.readings.push_back(std::move(reading));
  }
  return out;
}

std::vector<Evidence> same_function_evidence(const SameFunction& found) {
  if (!found.asked()) return {};
  Evidence all = function_row("share of parts whose answers agree within rounding");
  if (found.readings.empty()) {
    all.abstain = "unsupported";
  } else {
    all.score = static_cast<double>(found.agreeing) / static_cast<double>(found.readings.size());
    if (!found.control.subject.empty()) all.control = found.control.agrees ? 1 : 0;
  }
  JsonObject detail;
  detail.add("parts", found.readings.size()).add("agreeing", found.agreeing);
  if (!found.obstacle.empty()) detail.add("not_applicable", found.obstacle);
  all.detail_json = detail.text();
  std::vector<Evidence> rows = {all};
  std::vector<FunctionReading> readings = found.readings;
  if (!found.control.subject.empty()) readings.push_back(found.control);
  for (const FunctionReading& r : readings) {
    Evidence one = function_row("largest difference of answers over the rounding null (2 at most agrees)");
    one.role = r.subject;
    if (r.problem.empty()) {
      one.score = r.noise_edge > 0 ? r.first / r.noise_edge : (r.first > 0 ? missing : 0);
    } else {
      one.abstain = "unsupported";
    }
    JsonObject numbers;
    numbers.add("largest", r.first).add("noise_edge", r.noise_edge).add("delta", r.delta).add("blur", r.blur);
    if (!r.problem.empty()) numbers.add("problem", r.problem);
    one.detail_json = numbers.text();
    rows.push_back(std::move(one));
  }
  return rows;
}

}  // namespace stemma
