// What is left of a page when it tells of one pair?
#include <algorithm>

#include "io/report/page/relation_mark.hpp"
#include "pipeline/page_parts.hpp"
#include "pipeline/pair_view.hpp"

namespace stemma {
namespace {

/// What this pair alone says of one of its models, which are 0 and 1.
void tell_of_pair(PageModel& model, std::uint32_t other, const Pair& found, const PageModel& partner) {
  model.relation = found.relation;
  model.reason = found.reason;
  model.pair = 0;
  model.relative = joins(found.relation) ? std::optional(other) : std::nullopt;
  model.direction = other == 0 ? found.direction : -found.direction;  // positive where b comes from a
  if (declares(model.declared, partner.id)) return;                   // what was said of that claim stands
  model.declaration.clear();
  model.declaration_reason.clear();
}

}  // namespace

PageContent only_pair(PageContent content, std::size_t place) {
  const std::uint32_t a = content.pairs[place].a, b = content.pairs[place].b;
  for (CurveFigure& figure : content.curves) {
    figure.left_out = 0;
    for (CurvePanel& panel : figure.panels) {
      std::erase_if(panel.lines, [&](const CurveLine& line) { return line.model != a && line.model != b; });
      for (CurveLine& line : panel.lines) line.model = line.model == a ? 0 : 1;
    }
    std::erase_if(figure.panels, [](const CurvePanel& panel) { return panel.lines.empty(); });
  }
  for (NullFigure& figure : content.nulls)
    for (NullFigure::Mark& mark : figure.marks) mark.pair = 0;
  std::vector<PageModel> both = {content.models[a], content.models[b]};
  Dossier& dossier = content.dossiers.front();
  dossier.pair = 0;
  for (std::uint32_t m = 0; m < 2; ++m) tell_of_pair(both[m], 1 - m, dossier.found, both[1 - m]);
  PagePair pair = content.pairs[place];
  pair.a = 0;
  pair.b = 1;
  content.pairs = {pair};
  content.dossiers_possible = 1;
  const auto of_others = [&](const std::string& model) { return model != both[0].id && model != both[1].id; };
  std::erase_if(content.findings, [&](const ModelFinding& f) { return of_others(f.model); });
  std::erase_if(content.failures, [&](const Failure& f) { return of_others(f.model); });
  content.models = std::move(both);
  // A page of two models is handed to others: it does not tell of the rest of the corpus.
  content.configuration.clear();
  std::erase_if(content.provenance, [](const auto& row) {
    return row.first == "Overrides" || row.first == "argv" || row.first == "user" || row.first == "Machine";
  });
  add_trees(content, {}, {.method = TreeMethod::none});
  return content;
}

}  // namespace stemma
