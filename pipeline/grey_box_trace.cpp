// The probes of one layer are the base's outputs of the one below.
#include "pipeline/grey_box_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "analyzers/folding.hpp"
#include "io/model/finding.hpp"
#include "io/model/panels.hpp"
#include "io/model/widen.hpp"
#include "io/report/columns.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {

namespace {

[[noreturn]] void refuse(const std::string& model, std::string why) {
  throw InvalidInput({.rule = "trace.grey_box",
                      .file = model,
                      .hint = std::move(why) +
                              "; the grey-box form needs two models with the same layers of RMS "
                              "norms and gated MLPs. Leave --grey-box out"});
}

/// One model, asked for whole matrices.
class Weights {
 public:
  Weights(const SurveyedModel& surveyed, ByteReader& reader) : surveyed_(surveyed), reader_(reader) {}

  const Model& model() const { return *surveyed_.model; }

  std::vector<double> read(const Matrix& matrix) {
    const StoredTensor& tensor = model().checkpoint.tensors[matrix.tensor];
    const SourceFile& file = model().checkpoint.files[tensor.file];
    std::vector<double> values(matrix.elements());
    stream_tensor(file, tensor, std::span(&matrix, 1), reader_, {}, [&](std::size_t, const Panel& panel) {
      widen(tensor.dtype, panel.bytes,
            std::span(values).subspan(panel.first_row * matrix.cols, panel.rows * matrix.cols));
    });
    reader_.check(file);
    return values;
  }
  std::vector<double> needed(const Role& role) {
    const Matrix* matrix = model().find(role);
    if (!matrix) refuse(surveyed_.request.id, fmt::format("there is no {}", path_of(role)));
    return read(*matrix);
  }
  std::vector<double> optional(const Role& role) {
    const Matrix* matrix = model().find(role);
    return matrix ? read(*matrix) : std::vector<double>();
  }
  std::vector<double> gain(const Role& role) {
    const Matrix* matrix = model().find(role);
    return matrix ? effective_gain(read(*matrix), matrix->gain_offset) : std::vector<double>();
  }

 private:
  const SurveyedModel& surveyed_;
  ByteReader& reader_;
};

double epsilon_of(const Model& model) {
  const auto config = nlohmann::json::parse(model.checkpoint.config_json, nullptr, false);
  if (config.is_object())
    if (const auto found = config.find("rms_norm_eps"); found != config.end() && found->is_number())
      return found->get<double>();
  return 1e-6;
}

AttentionShape shape_of(const SurveyedModel& surveyed) {
  const Model& model = *surveyed.model;
  const auto size = [&](const char* name) {
    const auto found = model.dim(name);
    if (!found || *found <= 0) refuse(surveyed.request.id, fmt::format("{} is unknown", name));
    return static_cast<std::uint64_t>(*found);
  };
  if (model.norm != NormKind::rms) refuse(surveyed.request.id, "its norms are LayerNorms");
  return {size("hidden"), size("heads"), size("kv_heads"), size("head_dim")};
}

/// The matrices of one layer, and the layer that looks at them.
class HeldLayer {
 public:
  HeldLayer(Weights& weights, const AttentionShape& shape, int layer)
      : value_(weights.needed({.layer = layer, .part = Part::attn_v})),
        output_(weights.needed({.layer = layer, .part = Part::attn_o})),
        value_bias_(weights.optional({.layer = layer, .part = Part::attn_v, .kind = Kind::bias})),
        output_bias_(weights.optional({.layer = layer, .part = Part::attn_o, .kind = Kind::bias})),
        attention_gain_(weights.gain({.layer = layer, .part = Part::norm_pre_attn})),
        mlp_gain_(weights.gain({.layer = layer, .part = Part::norm_pre_mlp})),
        gate_(weights.needed({.layer = layer, .part = Part::mlp_gate})),
        up_(weights.needed({.layer = layer, .part = Part::mlp_up})),
        down_(weights.needed({.layer = layer, .part = Part::mlp_down})),
        layer_({.shape = shape,
                .attention = {value_, output_, attention_gain_},
                .value_bias = value_bias_,
                .output_bias = output_bias_,
                .gate = gate_,
                .up = up_,
                .down = down_,
                .mlp_gain = mlp_gain_,
                .epsilon = epsilon_of(weights.model())}) {}
  HeldLayer(const HeldLayer&) = delete;
  HeldLayer& operator=(const HeldLayer&) = delete;
  const SingleTokenLayer& layer() const { return layer_; }

 private:
  std::vector<double> value_, output_, value_bias_, output_bias_, attention_gain_, mlp_gain_, gate_, up_,
      down_;
  SingleTokenLayer layer_;
};

/// Rows of the base's embedding for tokens that both vocabularies have.
std::vector<double> probes_of(Weights& base, const Model& candidate, std::uint64_t width,
                              const GreyBoxOptions& options) {
  const Matrix *mine = base.model().find({.part = Part::embed}),
               *theirs = candidate.find({.part = Part::embed});
  const std::uint64_t tokens = mine && theirs ? std::min(mine->rows, theirs->rows) : 0;
  const std::vector<double> all = base.needed({.part = Part::embed});
  std::vector<double> out;
  for (const std::size_t token : draw_probes(options, width, tokens))
    out.insert(out.end(), all.begin() + static_cast<std::ptrdiff_t>(token * width),
               all.begin() + static_cast<std::ptrdiff_t>((token + 1) * width));
  return out;
}

void sum_up(GreyBoxTrace& trace) {
  std::vector<std::pair<double, int>> by_ratio;
  std::vector<std::uint64_t> ranks;
  for (const GreyBoxLayer& l : trace.layers) {
    if (!l.reading) continue;
    trace.passes += l.reading->passes;
    trace.flops += l.reading->flops;
    if (l.reading->repetitions.empty()) continue;
    by_ratio.emplace_back(-l.reading->rank.ratio, l.layer);
    ranks.push_back(l.reading->rank.rank);
  }
  if (ranks.empty()) return;
  std::ranges::sort(by_ratio);
  for (std::size_t i = 0; i < (by_ratio.size() + 9) / 10; ++i)
    trace.representative.push_back(by_ratio[i].second);
  trace.ranks = summary_of(ranks);
}

}  // namespace

GreyBoxTrace trace_grey_box(const SurveyedModel& base, const SurveyedModel& candidate, ByteReader& reader,
                            const GreyBoxOptions& options) {
  const Stopwatch whole;
  const std::uint64_t before = reader.bytes_read();
  GreyBoxTrace out{.base = base.request.id, .candidate = candidate.request.id};
  const AttentionShape shape = shape_of(base), other = shape_of(candidate);
  if (shape.width != other.width || shape.heads != other.heads || shape.kv_heads != other.kv_heads ||
      shape.head_width != other.head_width || base.model->layers() != candidate.model->layers())
    refuse(candidate.request.id,
           fmt::format("its layers have other sizes than those of {}", base.request.id));
  Weights of_base(base, reader), of_candidate(candidate, reader);
  std::vector<double> inputs = probes_of(of_base, *candidate.model, shape.width, options);
  out.probes = inputs.size() / shape.width;
  for (int layer = 0; layer < base.model->layers(); ++layer) {
    const Stopwatch watch;
    const HeldLayer mine(of_base, shape, layer);
    std::vector<double> outputs;
    {
      const HeldLayer theirs(of_candidate, shape, layer);  // gone before the inversion takes memory
      outputs = theirs.layer().output(inputs);
    }
    GreyBoxLayer& read = out.layers.emplace_back();
    read.layer = layer;
    read.reading = read_grey_box(mine.layer(), inputs, outputs, options);
    inputs = mine.layer().output(inputs);
    read.seconds = watch.seconds();
  }
  sum_up(out);
  out.bytes_read = reader.bytes_read() - before;
  out.seconds = whole.seconds();
  return out;
}

std::string grey_box_summary(const GreyBoxTrace& trace) {
  std::string text = fmt::format("{} and {}, layer by layer, from outputs alone\n", printable(trace.base),
                                 printable(trace.candidate));
  std::vector<std::vector<std::string>> rows{
      {"layer", "rank", "ratio", "delta", "probes used", "error", "passes", "seconds", ""}};
  for (const GreyBoxLayer& l : trace.layers) {
    if (!l.reading) {
      rows.push_back({fmt::format("{}", l.layer), "-", "-", "-", "-", "-", "-",
                      fmt::format("{:.2f}", l.seconds), "a number is not finite"});
      continue;
    }
    const GreyBoxReading& r = *l.reading;
    const bool known = !r.repetitions.empty();
    const bool marked = std::ranges::find(trace.representative, l.layer) != trace.representative.end();
    rows.push_back({fmt::format("{}", l.layer), known ? fmt::format("{}", r.rank.rank) : "-",
                    known ? fmt::format("{:.3g}", r.rank.ratio) : "-", fmt::format("{:.3g}", r.delta),
                    fmt::format("{} of {}", r.accepted, r.probes), fmt::format("{:.1e}", r.worst_error),
                    fmt::format("{}", r.passes), fmt::format("{:.2f}", l.seconds),
                    marked  ? "representative"
                    : known ? ""
                            : "too few probes were inverted"});
  }
  text += aligned(rows);
  if (trace.representative.empty()) {
    text += "  No rank was read.\n";
  } else {
    text += fmt::format("  Ranks: minimum {} (what arXiv 2505.19466 reports), median {:g}, mode {}.\n",
                        trace.ranks.minimum, trace.ranks.median, trace.ranks.mode);
  }
  text += fmt::format(
      "  Nobody sees the rounding of the weights here, so there is no null and no verdict: a large ratio "
      "alone is no "
      "update.\n  Cost: {} passes of a token through an MLP, {:.3g} GFlop, {} read in {}.\n",
      with_commas(trace.passes), trace.flops / 1e9, bytes_words(static_cast<double>(trace.bytes_read)),
      duration_words(trace.seconds));
  return text;
}

std::string grey_box_json(const GreyBoxTrace& trace) {
  using Json = nlohmann::ordered_json;
  Json layers = Json::array();
  for (const GreyBoxLayer& l : trace.layers) {
    Json entry{{"layer", l.layer}, {"seconds", l.seconds}};
    if (l.reading) {
      const GreyBoxReading& r = *l.reading;
      const bool known = !r.repetitions.empty();
      entry.update(Json{{"rank", known ? Json(r.rank.rank) : Json(nullptr)},
                        {"ratio", known ? json_number(r.rank.ratio) : Json(nullptr)},
                        {"delta", json_number(r.delta)},
                        {"probes", r.probes},
                        {"accepted", r.accepted},
                        {"worst_error", json_number(r.worst_error)},
                        {"passes", r.passes},
                        {"flops", r.flops},
                        {"singular_values", r.values}});
    }
    layers.push_back(std::move(entry));
  }
  const Json document{{"schema", "stemma.grey_box/1"},
                      {"stemma", version_text},
                      {"base", trace.base},
                      {"candidate", trace.candidate},
                      {"minimum", trace.ranks.minimum},
                      {"median", trace.ranks.median},
                      {"mode", trace.ranks.mode},
                      {"representative_layers", trace.representative},
                      {"passes", trace.passes},
                      {"flops", trace.flops},
                      {"bytes_read", trace.bytes_read},
                      {"seconds", trace.seconds},
                      {"layers", layers}};
  return json_text(document);
}

}  // namespace stemma
