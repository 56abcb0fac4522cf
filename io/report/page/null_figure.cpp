// How is a score seen beside those of unrelated pairs?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/report/page/chart.hpp"
#include "io/report/page/relation_mark.hpp"
#include "io/report/page/sections.hpp"

namespace stemma {
namespace {

constexpr double width = 640, height = 210;
constexpr int bins = 60;

void draw_histogram(Markup& page, const NullFigure& figure, Frame& frame) {
  std::vector<double> all = figure.scores;
  for (const NullFigure::Mark& mark : figure.marks) all.push_back(mark.score);
  frame.x = scale_around(all, frame.left, frame.left + frame.width, false);
  std::vector<double> counts(bins, 0);
  const double step = (frame.x.high - frame.x.low) / bins;
  for (const double score : figure.scores)
    ++counts[static_cast<std::size_t>(std::clamp((score - frame.x.low) / step, 0.0, bins - 1.0))];
  const double most = std::max(1.0, *std::max_element(counts.begin(), counts.end()));
  frame.y = {.low = 0, .high = most * 1.05, .from = frame.top + frame.height, .to = frame.top, .log = false};
  draw_axes(page, frame, figure.axis, figure.counted, 6, 4);
  std::string path;
  for (int b = 0; b < bins; ++b) {
    if (counts[static_cast<std::size_t>(b)] == 0) continue;
    const double left = frame.x(frame.x.low + b * step), right = frame.x(frame.x.low + (b + 1) * step);
    path += fmt::format("M{:.1f} {:.1f}V{:.1f}H{:.1f}V{:.1f}Z", left, frame.y(0),
                        std::min(frame.y(counts[static_cast<std::size_t>(b)]), frame.y(0) - 1), right,
                        frame.y(0));
  }
  page.leaf("path", {{"class", "bars"}, {"d", path}});
}

}  // namespace

void write_nulls(Markup& page, const PageContent& content) {
  open_section(page, "nulls", "Scores beside those of other pairs",
               "Bars count pairs that are held for unrelated, or of which nothing was found; marks are pairs "
               "that are related, or the one that this page tells of. Where no null is valid, a score among "
               "the bars says nothing, however near 1 it lies.");
  if (content.nulls.empty()) page.element("p", "This archive holds no scores of other pairs.");
  for (const NullFigure& figure : content.nulls) {
    page.open("figure", {{"class", "null"}});
    page.element("figcaption", shortened(figure.title, 120));
    open_drawing(page, "null", width, height, figure.title,
                 fmt::format("{} {} ({}), {} marked pairs", figure.scores.size(), figure.counted,
                             shortened(figure.population, 200), figure.marked));
    Frame frame{.left = 60, .top = 40, .width = width - 80, .height = height - 82, .x = {}, .y = {}};
    draw_histogram(page, figure, frame);
    if (std::isfinite(figure.limit) && figure.limit > frame.x.low && figure.limit < frame.x.high)
      page.leaf("path", {{"class", "limit threshold"},
                         {"d", fmt::format("M{} {}v{}", coordinate(frame.x(figure.limit)),
                                           coordinate(frame.top), coordinate(frame.height))}});
    for (const NullFigure::Mark& mark : figure.marks)
      draw_mark(page, content.pairs[mark.pair].relation, frame.x(mark.score), frame.top - 8, 8);
    page.close("svg");
    page.element("p", {{"class", "note"}},
                 fmt::format("{} {}: {}. {}{}", grouped(figure.scores.size()), figure.counted,
                             shortened(figure.population, 300), figure.caption,
                             figure.marks.size() < figure.marked
                                 ? fmt::format(" Of {} pairs {} are marked.", grouped(figure.marked),
                                               figure.marks.size())
                                 : ""));
    write_table_name(page, content.tables + "/" + figure.file);
    page.close("figure");
  }
  page.close("section");
}

}  // namespace stemma
