// Which curves, spectra and backgrounds does a page show?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analyzers/curve_score.hpp"
#include "analyzers/neuron_background.hpp"
#include "analyzers/thresholds.hpp"
#include "pipeline/page_parts.hpp"

namespace stemma {
namespace {

constexpr std::size_t spectrum_points = 64;

/// Scores compare shapes, not sizes.
enum class Shape : std::uint8_t { over_mean, less_mean };

/// A curve over relative depth, in units of its mean; of logarithms, less their mean.
std::vector<std::pair<double, double>> shape_of(const std::vector<double>& curve, Shape shape) {
  double sum = 0;
  std::size_t known = 0;
  for (const double value : curve)
    if (std::isfinite(value)) {
      sum += value;
      ++known;
    }
  std::vector<std::pair<double, double>> points;
  if (known < 2 || sum == 0) return points;
  const double mean = sum / static_cast<double>(known);
  for (std::size_t i = 0; i < curve.size(); ++i)
    points.emplace_back(static_cast<double>(i) / static_cast<double>(curve.size() - 1),
                        shape == Shape::over_mean ? curve[i] / mean : curve[i] - mean);
  return points;
}

CurveFigure curve_figure(const std::vector<Fingerprint>& models,
                         std::array<std::vector<double>, 4> IntrinsicCurves::*curves,
                         const std::array<const char*, 4>& names, Shape shape) {
  CurveFigure figure{.x_axis = "relative depth",
                     .y_axis = shape == Shape::over_mean ? "value over mean" : "logarithm, less its mean",
                     .panels = {}};
  for (std::size_t part = 0; part < names.size(); ++part) {
    CurvePanel panel{.title = names[part], .lines = {}};
    for (std::uint32_t m = 0; m < models.size(); ++m) {
      if (!models[m].intrinsic) continue;
      auto points = shape_of(((*models[m].intrinsic).*curves)[part], shape);
      if (!points.empty()) panel.lines.push_back({m, std::move(points)});
    }
    if (!panel.lines.empty()) figure.panels.push_back(std::move(panel));
  }
  return figure;
}

/// Singular values in units of the edge that random numbers of the same size have, at up to 64 places that
/// are even on a logarithmic axis.
std::vector<std::pair<double, double>> spectrum_points_of(const Features& spectrum, double rows, double cols,
                                                          double deviation) {
  const auto found = spectrum.reals.find("value");
  std::vector<std::pair<double, double>> points;
  if (found == spectrum.reals.end() || found->second.empty()) return points;
  const std::vector<double>& values = found->second;
  const double edge = deviation * (std::sqrt(rows) + std::sqrt(cols));
  if (!(edge > 0)) return points;
  std::size_t last = values.size();
  for (std::size_t k = 0; k < spectrum_points; ++k) {
    const double share = static_cast<double>(k) / (spectrum_points - 1);
    const auto i =
        static_cast<std::size_t>(std::lround(std::pow(static_cast<double>(values.size()), share))) - 1;
    if (i == last || values[i] <= 0) continue;
    last = i;
    points.emplace_back(static_cast<double>(i + 1) / static_cast<double>(values.size()), values[i] / edge);
  }
  return points;
}

CurveFigure spectra(const ArchiveReader& archive, const std::vector<Fingerprint>& models,
                    const std::vector<std::uint32_t>& chosen) {
  CurveFigure figure{.x_axis = "rank over size",
                     .y_axis = "singular value over edge",
                     .log_x = true,
                     .log_y = true,
                     .reference = 1,
                     .panels = {}};
  const std::array<std::pair<const char*, const char*>, 7> places = {{{"attn.q", "q"},
                                                                      {"attn.k", "k"},
                                                                      {"attn.v", "v"},
                                                                      {"attn.o", "o"},
                                                                      {"mlp.gate", "gate"},
                                                                      {"mlp.up", "up"},
                                                                      {"mlp.down", "down"}}};
  for (const auto& [role, part] : places)
    figure.panels.push_back({.title = fmt::format("{}, middle layer", role), .lines = {}});
  for (const std::uint32_t m : chosen) {
    const Fingerprint& model = models[m];
    const int middle = model.layers / 2;
    const auto row =
        std::find(model.table.layer.begin(), model.table.layer.end(), middle) - model.table.layer.begin();
    const std::vector<TensorRow> tensors = archive.tensors(m);
    for (std::size_t t = 0; t < tensors.size(); ++t)
      for (std::size_t p = 0; p < places.size(); ++p) {
        const auto& [role, part] = places[p];
        if (tensors[t].role != fmt::format("layers/{}/{}", middle, role)) continue;
        const auto deviations = model.table.std_unbiased.find(part);
        if (deviations == model.table.std_unbiased.end() ||
            static_cast<std::size_t>(row) >= deviations->second.size())
          continue;
        const auto spectrum = archive.spectrum(archive.models()[m].first_tensor + t);
        if (!spectrum) continue;
        auto points = spectrum_points_of(*spectrum, static_cast<double>(tensors[t].rows),
                                         static_cast<double>(tensors[t].cols),
                                         deviations->second[static_cast<std::size_t>(row)]);
        if (points.size() > 1) figure.panels[p].lines.push_back({m, std::move(points)});
      }
  }
  std::erase_if(figure.panels, [](const CurvePanel& panel) { return panel.lines.empty(); });
  figure.left_out = models.size() - chosen.size();
  return figure;
}

/// Marks above a background; of many the first.
template <class Score>
void add_marks(NullFigure& figure, const PageContent& content, const std::vector<std::size_t>& marked,
               const Score& score) {
  constexpr std::size_t most = 400;
  for (const std::size_t i : marked) {
    if (!std::isfinite(score(content.pairs[i]))) continue;
    ++figure.marked;
    if (figure.marks.size() < most) figure.marks.push_back({i, score(content.pairs[i])});
  }
}

void add_scores(NullFigure& figure, const std::vector<double>& scores) {
  std::copy_if(scores.begin(), scores.end(), std::back_inserter(figure.scores),
               [](double score) { return std::isfinite(score); });
}

}  // namespace

void add_curves(PageContent& content, const ArchiveReader& archive, const std::vector<Fingerprint>& models,
                const std::vector<std::uint32_t>& chosen) {
  CurveFigure published =
      curve_figure(models, &IntrinsicCurves::curve, {"q", "k", "v", "o"}, Shape::over_mean);
  published.id = "curves";
  published.title = "Curves over the layers, as published";
  published.caption = fmt::format(
      "Standard deviation of the weights of each layer (intrinsic_fingerprint, arXiv 2507.03014), over its "
      "mean. {}",
      curve_score_caveat());
  published.file = "curves.tsv";
  CurveFigure twins = curve_figure(models, &IntrinsicCurves::twin,
                                   {"q with k", "o with v", "up with down", "gate"}, Shape::less_mean);
  twins.id = "twins";
  twins.title = "The same from products that no exact re-parameterisation moves";
  twins.caption =
      "The control of the curves above. Where a candidate was rotated or its heads were re-mapped, the upper "
      "curves move and "
      "these stay.";
  twins.file = "curves.tsv";
  CurveFigure of_spectra = spectra(archive, models, chosen);
  of_spectra.id = "spectra";
  of_spectra.title = "Singular values";
  of_spectra.caption =
      "Singular values of weights in the middle layer, in units of the largest that random numbers of the "
      "same size and shape "
      "have (dashed). What training wrote stands above it.";
  of_spectra.file = "spectra.tsv";
  for (CurveFigure* figure : {&published, &twins, &of_spectra}) content.curves.push_back(std::move(*figure));
}

void add_nulls(PageContent& content, const std::vector<BackgroundScores>& backgrounds,
               const std::vector<std::size_t>& marked) {
  const auto share = [](const PagePair& pair) { return static_cast<double>(pair.share); };
  const auto curve = [](const PagePair& pair) { return static_cast<double>(pair.curve_score); };
  std::vector<double> trained, shares, curves;
  if (const auto median = neuron_background().strata.find("median");
      median != neuron_background().strata.end())
    for (const Background::Score& score : median->second.scores) trained.push_back(score.value);
  for (const PagePair& pair : content.pairs)
    if (pair.relation == Relation::no_evidence) {
      shares.push_back(pair.share);
      curves.push_back(pair.curve_score);
    }
  const std::string_view neurons = "share of agreeing neurons";
  const std::string_view limit =
      "The dashed line is the share that the robust test, grade M, allows strangers.";
  const auto add = [&](std::string id, std::string title, std::string population, std::string_view caption,
                       std::string_view axis, std::string_view counted, const std::vector<double>& scores,
                       const auto& score, double line) {
    NullFigure figure{.id = std::move(id),
                      .title = std::move(title),
                      .population = std::move(population),
                      .caption = std::string(caption),
                      .axis = std::string(axis),
                      .file = "backgrounds.tsv",
                      .scores = {},
                      .marks = {},
                      .limit = line,
                      .counted = std::string(counted)};
    add_scores(figure, scores);
    add_marks(figure, content, marked, score);
    if (!figure.scores.empty()) content.nulls.push_back(std::move(figure));
  };
  add("null-trained", "Share of agreeing neurons, and separately trained models",
      "separately trained small models of one recipe, which travel with the program", limit, neurons,
      "unrelated pairs", trained, share, thresholds::universal_neurons);
  add("null-here", "Share of agreeing neurons, and pairs of this archive without evidence",
      "pairs of this archive of which tests found nothing", limit, neurons, "pairs without evidence", shares,
      share, thresholds::universal_neurons);
  constexpr std::string_view no_null =
      "No null is valid for this score: related pairs and strangers may score alike.";
  for (std::size_t b = 0; b < backgrounds.size(); ++b)
    add(fmt::format("null-{}", b), fmt::format("Score of {}", backgrounds[b].method),
        backgrounds[b].population, no_null, "score", "pairs held for unrelated", backgrounds[b].scores, curve,
        missing);
  if (backgrounds.empty())
    add("null-curves", "Score of intrinsic_fingerprint, and pairs of this archive without evidence",
        "pairs of this archive of which tests found nothing", no_null, "score", "pairs without evidence",
        curves, curve, missing);
}

}  // namespace stemma
