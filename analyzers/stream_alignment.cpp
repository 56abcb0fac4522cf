// A sample of tokens decides: twice as many as axes determine a rotation.
#include "analyzers/stream_alignment.hpp"

#include <algorithm>
#include <array>

#include "io/model/widen.hpp"

namespace stemma {

namespace {

constexpr const char* path = "alignment";
constexpr std::uint64_t tokens_for_each_axis = 2;

/// Tokens that are compared, and which ones: evenly spread over those that both embeddings have.
struct Sample {
  std::uint64_t shared = 0, tokens = 0;

  Sample(std::uint64_t rows_of_base, std::uint64_t rows_of_candidate, std::uint64_t width)
      : shared(std::min(rows_of_base, rows_of_candidate)),
        tokens(std::min(shared, tokens_for_each_axis * width)) {}
  std::uint64_t row(std::uint64_t i) const { return i * shared / tokens; }
};

class StreamMeasurement final : public Measurement {
 public:
  explicit StreamMeasurement(std::span<const Input> inputs)
      : width_(inputs[0].cols),
        sample_(inputs[0].rows, inputs[1].rows, width_),
        dtypes_{inputs[0].dtype, inputs[1].dtype} {
    for (std::vector<double>& rows : rows_) rows.resize(sample_.tokens * width_);
  }

  void take(std::size_t input, const Panel& panel) override {
    const std::size_t row_bytes = panel.rows == 0 ? 0 : panel.bytes.size() / panel.rows;
    for (std::uint64_t& next = next_[input]; next < sample_.tokens; ++next) {
      const std::uint64_t row = sample_.row(next);
      if (row >= panel.first_row + panel.rows) break;
      widen(dtypes_[input], panel.bytes.subspan((row - panel.first_row) * row_bytes, row_bytes),
            std::span(rows_[input]).subspan(next * width_, width_));
    }
  }

  Features finish() override {
    Features out;
    const auto found = align_stream({rows_[0], rows_[1], sample_.tokens, width_});
    if (!found) {
      out.status = Status::nonfinite;
      return out;
    }
    out.counts = {
        {"change", static_cast<std::uint64_t>(found->change)}, {"width", width_}, {"tokens", sample_.tokens}};
    out.numbers = {{"scale", found->scale}, {"agreeing", found->agreeing}, {"residual", found->residual}};
    if (!found->rotation.empty()) out.reals["map"] = found->rotation;
    if (found->change == StreamChange::signed_permutation) {
      std::vector<double>& map = out.reals["map"];
      for (std::size_t i = 0; i < width_; ++i)
        map.push_back(found->sign[i] * static_cast<double>(found->source[i] + 1));
    }
    return out;
  }

 private:
  std::uint64_t width_;
  Sample sample_;
  std::array<Dtype, 2> dtypes_;
  std::array<std::vector<double>, 2> rows_;
  std::array<std::uint64_t, 2> next_{};
};

class StreamAlignmentAnalyzer final : public PairAnalyzer {
 public:
  std::string_view name() const override { return "stream_alignment"; }
  int version() const override { return 2; }

  std::vector<Subject> subjects(const ModelPair& pair, const std::map<std::string, double>&) const override {
    const auto both = pair.find({.part = Part::embed});
    if (!both || pair.base_matrix(*both).cols != pair.candidate_matrix(*both).cols ||
        pair.equal.contains(path_of(Role{.part = Part::embed})))
      return {};
    return {{.analyzer = {}, .path = path, .matrices = {both->base, both->candidate}}};
  }

  Cost cost(const Subject&, std::span<const Input> inputs) const override {
    const Sample sample(inputs[0].rows, inputs[1].rows, inputs[0].cols);
    const auto d = static_cast<double>(inputs[0].cols), n = static_cast<double>(sample.tokens);
    // The singular value decomposition with vectors costs as much as twice these plain loops.
    return {.flops = d * d * n / 4 + 6 * d * d * d,
            .memory = static_cast<std::uint64_t>(8 * (2 * n * d + 6 * d * d)),
            .decomposition = {}};
  }

  std::unique_ptr<Measurement> begin(const Subject&, std::span<const Input> inputs,
                                     std::span<const std::vector<double>>) const override {
    return std::make_unique<StreamMeasurement>(inputs);
  }
};

}  // namespace

const PairAnalyzer& stream_alignment_analyzer() {
  static const StreamAlignmentAnalyzer analyzer;
  return analyzer;
}

FoundAlignment stream_alignment_of(const Features& features) {
  FoundAlignment out;
  if (features.status != Status::ok) return out;
  if (const auto map = features.reals.find("map"); map != features.reals.end()) out.map = map->second;
  out.tokens = features.counts.at("tokens");
  out.alignment = alignment_with(static_cast<StreamChange>(features.counts.at("change")),
                                 features.numbers.at("scale"), features.counts.at("width"), out.map);
  out.alignment.agreeing = features.numbers.at("agreeing");
  out.alignment.residual = features.numbers.at("residual");
  return out;
}

StreamAlignment alignment_with(StreamChange change, double scale, std::uint64_t width,
                               std::span<const double> map) {
  StreamAlignment out{.change = change, .width = width, .source = {}, .sign = {}, .rotation = {}};
  out.scale = scale;
  if (change == StreamChange::orthogonal) out.rotation.assign(map.begin(), map.end());
  if (change == StreamChange::signed_permutation)
    for (const double axis : map) {
      out.sign.push_back(axis < 0 ? -1 : 1);
      out.source.push_back(static_cast<std::uint64_t>(axis < 0 ? -axis : axis) - 1);
    }
  return out;
}

std::string_view name_of(StreamChange change) {
  switch (change) {
    case StreamChange::identity:
      return "identity";
    case StreamChange::signed_permutation:
      return "signed_permutation";
    case StreamChange::orthogonal:
      return "orthogonal";
    case StreamChange::unaligned:
      break;
  }
  return "unaligned";
}

}  // namespace stemma
