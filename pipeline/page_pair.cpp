// What is left of a page when it tells of one pair?
#include <algorithm>

#include "pipeline/page_parts.hpp"

namespace stemma {

PageContent only_pair(PageContent content, std::uint32_t a, std::uint32_t b, const ArchiveReader& archive) {
  if (a > b) std::swap(a, b);
  const auto at = std::find_if(content.pairs.begin(), content.pairs.end(),
                               [&](const PagePair& p) { return p.a == a && p.b == b; });
  const auto place = static_cast<std::size_t>(at - content.pairs.begin());
  Dossier dossier{.pair = 0,
                  .found = archive.pair_verdicts()[place],
                  .readings = archive.origin_readings(std::span(&place, 1)).front()};
  dossier.found.evidence = archive.evidence(std::span(&place, 1)).front();
  content.dossiers = {std::move(dossier)};
  content.dossiers_possible = 1;
  for (CurveFigure& figure : content.curves) {
    figure.models_of = 2;
    for (CurvePanel& panel : figure.panels) {
      std::erase_if(panel.lines, [&](const CurveLine& line) { return line.model != a && line.model != b; });
      for (CurveLine& line : panel.lines) line.model = line.model == a ? 0 : 1;
    }
    std::erase_if(figure.panels, [](const CurvePanel& panel) { return panel.lines.empty(); });
  }
  for (NullFigure& figure : content.nulls) {
    std::erase_if(figure.marks, [&](const NullFigure::Mark& mark) { return mark.pair != place; });
    for (NullFigure::Mark& mark : figure.marks) mark.pair = 0;
  }
  PagePair pair = *at;
  pair.a = 0;
  pair.b = 1;
  content.pairs = {pair};
  std::vector<PageModel> both = {content.models[a], content.models[b]};
  for (PageModel& model : both) {
    model.pair = 0;
    const std::string relative = model.relative ? content.models[*model.relative].id : "";
    model.relative = relative == both[0].id   ? std::optional<std::uint32_t>(0)
                     : relative == both[1].id ? std::optional<std::uint32_t>(1)
                                              : std::nullopt;
  }
  std::erase_if(content.findings,
                [&](const ModelFinding& f) { return f.model != both[0].id && f.model != both[1].id; });
  std::erase_if(content.failures,
                [&](const Failure& f) { return f.model != both[0].id && f.model != both[1].id; });
  content.models = std::move(both);
  const DistanceLimits limits = content.limits;
  content.tree = {};
  content.left_out_of_tree = 0;
  add_trees(content, {}, {.method = TreeMethod::none});
  content.limits = limits;  // of the whole archive
  return content;
}

}  // namespace stemma
