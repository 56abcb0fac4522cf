// What is left of a page when it tells of one pair?
#include <algorithm>

#include "io/report/page/relation_mark.hpp"
#include "pipeline/page_parts.hpp"

namespace stemma {
namespace {

/// What this pair alone says of one of its models, which are 0 and 1.
void tell_of_pair(PageModel& model, std::uint32_t other, const Pair& found, const PageModel& partner) {
  model.relation = found.relation;
  model.reason = found.reason;
  model.pair = 0;
  model.relative = joins(found.relation) ? std::optional(other) : std::nullopt;
  model.direction = other == 0 ? found.direction : -found.direction;  // positive where b comes from a
  const bool claims = std::any_of(model.declared.begin(), model.declared.end(),
                                  [&](const Claim& claim) { return claim.base == partner.id; });
  if (claims) return;  // what was said of that claim stands
  model.declaration.clear();
  model.declaration_reason.clear();
}

}  // namespace

PageContent only_pair(PageContent content, std::uint32_t a, std::uint32_t b, const ArchiveReader& archive) {
  if (a > b) std::swap(a, b);
  const auto at = std::find_if(content.pairs.begin(), content.pairs.end(),
                               [&](const PagePair& p) { return p.a == a && p.b == b; });
  const auto place = static_cast<std::size_t>(at - content.pairs.begin());
  Dossier dossier{.pair = 0,
                  .found = archive.pair_verdicts()[place],
                  .readings = archive.origin_readings(std::span(&place, 1)).front()};
  dossier.found.evidence = archive.evidence(std::span(&place, 1)).front();
  for (CurveFigure& figure : content.curves) {
    figure.left_out = 0;
    for (CurvePanel& panel : figure.panels) {
      std::erase_if(panel.lines, [&](const CurveLine& line) { return line.model != a && line.model != b; });
      for (CurveLine& line : panel.lines) line.model = line.model == a ? 0 : 1;
    }
    std::erase_if(figure.panels, [](const CurvePanel& panel) { return panel.lines.empty(); });
  }
  for (NullFigure& figure : content.nulls) {
    std::erase_if(figure.marks, [&](const NullFigure::Mark& mark) { return mark.pair != place; });
    for (NullFigure::Mark& mark : figure.marks) mark.pair = 0;
    figure.related = figure.marks.size();
  }
  std::vector<PageModel> both = {content.models[a], content.models[b]};
  const auto grade = archive.grades()[place];
  const std::vector<float> shares = archive.scores_of_places("neuron_match", "layers/")[place];
  for (std::uint32_t m = 0; m < 2; ++m) {
    tell_of_pair(both[m], 1 - m, dossier.found, both[1 - m]);
    both[m].grade = grade ? name_of(*grade) : std::string_view();
    both[m].layer_shares = shares;
  }
  add_trees(content, {},
            {.method = TreeMethod::none});  // for the limits, which are those of the whole archive
  const DistanceLimits limits = content.limits;
  PagePair pair = *at;
  pair.a = 0;
  pair.b = 1;
  content.pairs = {pair};
  content.dossiers = {std::move(dossier)};
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
  content.limits = limits;
  return content;
}

}  // namespace stemma
