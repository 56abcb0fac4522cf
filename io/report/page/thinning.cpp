// Every step keeps the first k of something; the largest k whose page fits is found by halving.
#include "io/report/page/thinning.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "io/report/page/sections.hpp"

namespace stemma {
namespace {

/// Models of the pairs that are told in full, in their order, then all others.
std::vector<std::uint32_t> by_weight(const PageContent& content) {
  std::vector<std::uint32_t> order;
  std::vector<bool> placed(content.models.size());
  const auto place = [&](std::uint32_t model) {
    if (!placed[model]) order.push_back(model);
    placed[model] = true;
  };
  for (const Dossier& dossier : content.dossiers) {
    place(content.pairs[dossier.pair].a);
    place(content.pairs[dossier.pair].b);
  }
  for (std::uint32_t model = 0; model < content.models.size(); ++model) place(model);
  return order;
}

/// Ranks of models in that order.
std::vector<std::size_t> ranks_of(const std::vector<std::uint32_t>& order) {
  std::vector<std::size_t> ranks(order.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) ranks[order[rank]] = rank;
  return ranks;
}

void keep_lines(CurveFigure& figure, const std::vector<std::size_t>& ranks, std::size_t most) {
  if (figure.panels.empty()) return;  // nothing of it was drawn
  figure.thinned_to = most;
  for (CurvePanel& panel : figure.panels)
    std::erase_if(panel.lines, [&](const CurveLine& line) { return ranks[line.model] >= most; });
  std::erase_if(figure.panels, [](const CurvePanel& panel) { return panel.lines.empty(); });
}

class Thinning {
 public:
  explicit Thinning(const PageContent& content)
      : content_(content), ranks_(ranks_of(by_weight(content))), page_(page_of(content)) {}

  std::string page() {
    keep(content_.dossiers.size(), [](PageContent& thin, std::size_t most) {
      thin.dossiers.resize(most);
      thin.dossiers_thinned = true;
    });
    keep_curves([](const CurveFigure& figure) { return figure.id == "spectra"; });
    keep_curves([](const CurveFigure& figure) { return figure.id != "spectra"; });
    return std::move(page_);
  }

 private:
  using Step = std::function<void(PageContent&, std::size_t)>;

  bool fits() const { return page_.size() <= content_.most_bytes; }

  /// Curves of as many models as fit, in the figures that are meant.
  void keep_curves(const std::function<bool(const CurveFigure&)>& meant) {
    const bool drawn = std::ranges::any_of(
        content_.curves, [&](const CurveFigure& figure) { return meant(figure) && !figure.panels.empty(); });
    keep(drawn ? content_.models.size() : 0, [&](PageContent& thin, std::size_t most) {
      for (CurveFigure& figure : thin.curves)
        if (meant(figure)) keep_lines(figure, ranks_, most);
    });
  }

  /// Keeps as many of `all` as fit, none where no number does.
  void keep(std::size_t all, const Step& step) {
    if (fits() || all == 0) return;
    const auto dossiers = content_.dossiers;
    const auto curves = content_.curves;
    std::size_t shown = all;
    const auto try_with = [&](std::size_t most) {
      content_.dossiers = dossiers;
      content_.curves = curves;
      step(content_, most);
      page_ = page_of(content_);
      shown = most;
      return fits();
    };
    std::size_t fitting = 0, failing = all;
    while (failing - fitting > 1) {
      const std::size_t middle = std::midpoint(fitting, failing);
      (try_with(middle) ? fitting : failing) = middle;
    }
    if (shown != fitting) try_with(fitting);
  }

  PageContent content_;
  std::vector<std::size_t> ranks_;
  std::string page_;
};

}  // namespace

std::string fitting_page(const PageContent& content) { return Thinning(content).page(); }

}  // namespace stemma
