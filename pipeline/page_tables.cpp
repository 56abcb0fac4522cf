// Which tables lie beside a page, so that every figure can be drawn again?
#include <fmt/format.h>

#include <cmath>

#include "io/report/page/sections.hpp"
#include "io/report/tsv.hpp"
#include "pipeline/page_content.hpp"
#include "pipeline/page_parts.hpp"

namespace stemma {
namespace {

std::string curve_table(const PageContent& content, bool spectra) {
  Tsv table({"figure", "panel", "model", "x", "y"});
  for (const CurveFigure& figure : content.curves) {
    if ((figure.id == "spectra") != spectra) continue;
    for (const CurvePanel& panel : figure.panels)
      for (const CurveLine& line : panel.lines)
        for (const auto& [x, y] : line.points)
          table.row(figure.id, panel.title, content.models[line.model].id, x, y);
  }
  return table.text();
}

std::string background_table(const PageContent& content) {
  Tsv table({"figure", "population", "kind", "a", "b", "score"});
  for (const NullFigure& figure : content.nulls) {
    for (const double score : figure.scores)
      table.row(figure.id, figure.population, figure.counted, "", "", score);
    for (const NullFigure::Mark& mark : figure.marks) {
      const PagePair& pair = content.pairs[mark.pair];
      table.row(figure.id, figure.population, "marked", content.models[pair.a].id, content.models[pair.b].id,
                mark.score);
    }
  }
  return table.text();
}

std::string singular_value_table(const PageContent& content) {
  Tsv table({"a", "b", "subject", "layer", "label", "rank", "noise_edge", "place", "singular_value"});
  for (const Dossier& dossier : content.dossiers) {
    const PagePair& pair = content.pairs[dossier.pair];
    for (const OriginReading& r : dossier.readings)
      for (std::size_t i = 0; i < r.values.size(); ++i)
        table.row(content.models[pair.a].id, content.models[pair.b].id, r.subject, r.layer, r.label, r.rank,
                  r.noise_edge, static_cast<std::uint64_t>(i + 1), r.values[i]);
  }
  return table.text();
}

std::string order_table(const PageContent& content) {
  Tsv table({"row", "model"});
  for (std::size_t row = 0; row < content.dendrogram.order.size(); ++row)
    table.row(static_cast<std::uint64_t>(row), content.models[content.dendrogram.order[row]].id);
  return table.text();
}

/// Lower triangle in the format of PHYLIP, names without blanks; what is not known counts as 1, as in the
/// tree beside the heatmap. Of too many models there is none.
std::string phylip(const PageContent& content) {
  if (content.models.size() > most_compared) return "0\n";
  const Distances distances = neuron_distances(content);
  std::string text = fmt::format("{}\n", content.models.size());
  for (std::size_t i = 0; i < content.models.size(); ++i) {
    std::string name = cell(content.models[i].id);
    for (char& c : name)
      if (c == ' ') c = '_';
    text += name;
    for (std::size_t j = 0; j < i; ++j) {
      const double distance = distances(i, j);
      text += fmt::format(" {}", std::isnan(distance) ? 1.0 : std::round(distance * 1e6) / 1e6);
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> page_tables(const PageContent& content) {
  std::vector<std::string> names;
  for (const PageModel& model : content.models) names.push_back(model.id);
  return {{"curves.tsv", curve_table(content, false)},
          {"spectra.tsv", curve_table(content, true)},
          {"backgrounds.tsv", background_table(content)},
          {"singular_values.tsv", singular_value_table(content)},
          {"order.tsv", order_table(content)},
          {"distance.phy", phylip(content)},
          {"tree.nwk", newick(content.tree, names) + "\n"}};
}

}  // namespace stemma
