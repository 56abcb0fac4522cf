// How are curves of many models laid over each other?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "io/report/page/chart.hpp"
#include "io/report/page/curve_drawing.hpp"
#include "io/report/page/relation_mark.hpp"
#include "io/report/page/sections.hpp"

namespace stemma {
namespace {

constexpr double panel_width = 288, panel_height = 206;

void write_panel(Markup& page, const CurveFigure& figure, std::size_t index, const Families& families) {
  const CurvePanel& panel = figure.panels[index];
  const Frame frame = frame_of(figure, panel);
  page.open("figure", {{"class", "panel"}, {"data-panel", fmt::format("{}-{}", figure.id, index)}});
  page.element("figcaption", panel.title);
  open_drawing(page, "curves", panel_width, panel_height, fmt::format("{}: {}", figure.title, panel.title),
               fmt::format("{} models, {} over {}", panel.lines.size(), figure.y_axis, figure.x_axis));
  draw_axes(page, frame, figure.x_axis, figure.y_axis);
  if (std::isfinite(figure.reference) && figure.reference > frame.y.low && figure.reference < frame.y.high) {
    const double y = frame.y(figure.reference);
    page.leaf(
        "path",
        {{"class", "limit threshold"},
         {"d", fmt::format("M{} {}h{}", coordinate(frame.left), coordinate(y), coordinate(frame.width))}});
  }
  const std::size_t drawn = std::min(panel.lines.size(), most_lines);
  for (const bool alone : {true, false})  // families lie above the crowd
    for (const CurveLine& line : std::span(panel.lines).first(drawn)) {
      const std::string style = family_style(families, line.model), path = line_path(frame, line.points);
      if ((style == "kx") == alone && !path.empty())
        page.leaf("path", {{"class", "line " + style}, {"data-m", line.model}, {"d", path}});
    }
  page.open("g", {{"class", "chosen"}}).close("g");
  page.close("svg").close("figure");
}

void write_legend(Markup& page, const PageContent& content, const Families& families) {
  page.open("ul", {{"class", "legend"}});
  for (std::size_t f = 0; f < std::min<std::size_t>(families.members.size(), 7); ++f) {
    page.open("li").open("span", {{"class", fmt::format("swatch k{}", f)}}).close("span").text(" ");
    page.name(content.models[families.members[f].front()].id, 30);
    page.text(fmt::format(" and {} more", families.members[f].size() - 1)).close("li");
  }
  page.open("li")
      .open("span", {{"class", "swatch kx"}})
      .close("span")
      .text(families.members.size() > 7 ? " other families, and models alone" : " models alone");
  page.close("li").close("ul");
}

}  // namespace

Frame frame_of(const CurveFigure& figure, const CurvePanel& panel) {
  std::vector<double> xs, ys;
  for (const CurveLine& line : panel.lines)
    for (const auto& [x, y] : line.points) {
      xs.push_back(x);
      ys.push_back(y);
    }
  Frame frame{
      .left = 52, .top = 22, .width = panel_width - 66, .height = panel_height - 62, .x = {}, .y = {}};
  frame.x = scale_around(xs, frame.left, frame.left + frame.width, figure.log_x);
  frame.y = scale_around(ys, frame.top + frame.height, frame.top, figure.log_y);
  return frame;
}

void write_curves(Markup& page, const PageContent& content, const Families& families) {
  for (const CurveFigure& figure : content.curves) {
    open_section(page, figure.id, figure.title, figure.caption);
    if (figure.panels.empty() && !figure.thinned_to) {
      page.element("p", "No model of this archive has such curves.").close("section");
      continue;
    }
    write_legend(page, content, families);
    std::size_t most = 0;
    for (const CurvePanel& panel : figure.panels) most = std::max(most, panel.lines.size());
    if (most > most_lines)
      page.open("p", {{"class", "note"}})
          .text(fmt::format(
              "The first {} of {} models are drawn; a model that is chosen as A or B is drawn above them.",
              most_lines, most))
          .close("p");
    if (figure.thinned_to)
      page.open("p", {{"class", "note"}})
          .text(fmt::format("Only {} of {} models are shown here, {}; {}/{} holds what is left out.",
                            grouped(*figure.thinned_to), grouped(content.models.size()), size_words(content),
                            content.tables, figure.file))
          .close("p");
    if (figure.left_out > 0)
      page.open("p", {{"class", "note"}})
          .text(fmt::format(
              "{} models are left out here: of many, those are shown that belong to a pair told in full.",
              figure.left_out))
          .close("p");
    page.open("div", {{"class", "panels"}});
    for (std::size_t p = 0; p < figure.panels.size(); ++p) write_panel(page, figure, p, families);
    page.close("div");
    write_table_name(page, content.tables + "/" + figure.file);
    page.close("section");
  }
}

}  // namespace stemma
