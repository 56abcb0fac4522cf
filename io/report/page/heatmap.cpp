// How are all pairs seen at once, beside the tree of their distances?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/report/page/chart.hpp"
#include "io/report/page/colour.hpp"
#include "io/report/page/sections.hpp"

namespace stemma {
namespace {

constexpr double branches = 230;  ///< pixels of the dendrogram
constexpr std::uint8_t not_known = 254, same_model = 255;

constexpr std::size_t most_name = 22;              ///< characters of a name beside a row
const std::string_view counted = " and 999 more";  ///< the longest addition to one
constexpr Colour unknown_pixel = {176, 108,
                                  156};  ///< off the scale, which has no red; --missing of the style
constexpr Colour self_pixel = {90, 90, 90};

/// Numbers of pairs by two models.
class PairTable {
 public:
  explicit PairTable(const PageContent& content)
      : n_(content.models.size()), share_(n_ * n_, not_known), percentile_(n_ * n_, not_known) {
    for (const PagePair& pair : content.pairs) {
      put(share_, pair, pair.share);
      put(percentile_, pair, pair.percentile / 100);
    }
  }
  /// Above the diagonal the share of agreeing neurons, below it the percentile of the curve score, in 253rds.
  std::uint8_t at(const Dendrogram& tree, std::size_t row, std::size_t column) const {
    if (row == column) return same_model;
    const std::size_t cell = tree.order[row] * n_ + tree.order[column];
    return row < column ? share_[cell] : percentile_[cell];
  }

 private:
  void put(std::vector<std::uint8_t>& table, const PagePair& pair, double share) const {
    if (!std::isfinite(share)) return;
    const auto level = static_cast<std::uint8_t>(std::lround(std::clamp(share, 0.0, 1.0) * 253));
    table[pair.a * n_ + pair.b] = table[pair.b * n_ + pair.a] = level;
  }

  std::size_t n_;
  std::vector<std::uint8_t> share_, percentile_;
};

struct Layout {
  double cell, side, left, top;
};

double room_for_names(std::size_t n, const PageContent& content) {
  double names = 60;
  for (const PageModel& model : content.models)
    names = std::max(names, text_width(shortened(model.id, most_name), 11) + 10);
  return names + (n > most_cells ? text_width(counted, 11) : 0);
}

Layout layout_of(std::size_t n, const PageContent& content) {
  constexpr double whole = 1190;  // of a page that is 1280 wide
  const double cell =
      n <= most_cells
          ? std::clamp(720.0 / static_cast<double>(std::max<std::size_t>(n, 1)), 13.0, 40.0)
          : std::max(520.0, whole - branches - 20 - room_for_names(n, content)) / static_cast<double>(n);
  double top = 14;
  if (n <= most_cells)
    for (const PageModel& model : content.models)
      top = std::max(top, 14 + text_width(shortened(model.id, most_name), 11));
  return {.cell = cell, .side = cell * static_cast<double>(n), .left = branches + 20, .top = top};
}

Scale distances(const Layout& at) {
  return {.low = 1, .high = 0, .from = 6, .to = at.left - 8, .log = false};
}

void draw_dendrogram(Markup& page, const PageContent& content, const Layout& at) {
  const Dendrogram& tree = content.dendrogram;
  const Scale x = distances(at);
  const std::size_t groups = tree.n + tree.merges.size();
  std::vector<double> place(groups), height(groups, 0), first(groups), last(groups);
  for (std::size_t row = 0; row < tree.order.size(); ++row) {
    const std::uint32_t leaf = tree.order[row];
    place[leaf] = at.top + at.cell * (static_cast<double>(row) + 0.5);
    first[leaf] = place[leaf] - at.cell / 2;
    last[leaf] = place[leaf] + at.cell / 2;
  }
  // Of many joins the highest are drawn; what joins below them is one triangle.
  const std::size_t folded = tree.merges.size() > most_lines ? tree.merges.size() - most_lines : 0;
  std::string path, triangles;
  for (std::size_t k = 0; k < tree.merges.size(); ++k) {
    const auto& [left, right, distance, size] = tree.merges[k];
    const std::size_t group = tree.n + k;
    place[group] = (place[left] + place[right]) / 2;
    height[group] = std::min(distance, 1.0);
    first[group] = std::min(first[left], first[right]);
    last[group] = std::max(last[left], last[right]);
    if (k < folded) continue;
    path += fmt::format("M{:.1f} {:.1f}H{:.1f}V{:.1f}H{:.1f}", x(height[left]), place[left], x(height[group]),
                        place[right], x(height[right]));
    for (const std::size_t child : {left, right})
      if (child >= tree.n && child < tree.n + folded)
        triangles += fmt::format("M{:.1f} {:.1f}L{:.1f} {:.1f}V{:.1f}Z", x(height[child]), place[child], x(0),
                                 first[child], last[child]);
  }
  page.leaf("path", {{"class", folded > 0 ? "branch fine" : "branch"}, {"d", path}});
  if (folded > 0) page.leaf("path", {{"class", "collapsed"}, {"d", triangles}});
}

/// The three lines with their words below, each on a row of its own.
void draw_limits(Markup& page, const PageContent& content, const Layout& at) {
  const Scale x = distances(at);
  const double bottom = at.top + at.side;
  struct Line {
    double distance;
    std::string_view style;
    std::string words;
  };
  const Line lines[] = {
      {content.limits.threshold, "limit threshold",
       fmt::format("limit of the robust test, grade M: {:.4g} % of the neurons",
                   100 * (1 - content.limits.threshold))},
      {content.limits.background, "limit background", "nearest pair without evidence"},
      {content.limits.detection, "limit detection", "limit of detection"},
  };
  double row = bottom + 52;  // below the legend
  for (const Line& line : lines) {
    if (!std::isfinite(line.distance)) continue;
    const double px = x(std::clamp(line.distance, 0.0, 1.0));
    page.leaf("path",
              {{"class", line.style},
               {"d", fmt::format("M{} {}V{}", coordinate(px), coordinate(at.top - 4), coordinate(row - 4))}});
    page.element("text", {{"class", "tick"}, {"x", px + 4}, {"y", row}},
                 fmt::format("{} ({:.2f})", line.words, line.distance));
    row += 15;
  }
}

void draw_distance_axis(Markup& page, const Layout& at) {
  const Scale x = distances(at);
  const double bottom = at.top + at.side;
  page.leaf("path",
            {{"class", "axis"},
             {"d", fmt::format("M{} {}H{}", coordinate(x(1)), coordinate(bottom + 4), coordinate(x(0)))}});
  for (const double tick : {1.0, 0.5, 0.0})
    page.element("text",
                 {{"class", "tick"},
                  {"x", x(tick)},
                  {"y", bottom + 16},
                  {"text-anchor", tick == 1   ? "start"
                                  : tick == 0 ? "end"
                                              : "middle"}},
                 tick_text(tick));
}

/// Rows that have room for their names; of many rows those of large families come first.
void draw_names(Markup& page, const PageContent& content, const Families& families, const Layout& at) {
  const Dendrogram& tree = content.dendrogram;
  std::vector<std::pair<std::size_t, std::string>> wanted;  // row, words
  std::vector<std::size_t> row_of(tree.n);
  for (std::size_t row = 0; row < tree.order.size(); ++row) row_of[tree.order[row]] = row;
  if (at.cell < 11)
    for (const auto& members : families.members) {
      const std::uint32_t first = members.front();
      wanted.emplace_back(
          row_of[members[members.size() / 2]],
          fmt::format("{} and {} more", shortened(content.models[first].id, most_name), members.size() - 1));
    }
  for (std::size_t row = 0; row < tree.order.size(); ++row)
    wanted.emplace_back(row, shortened(content.models[tree.order[row]].id, most_name));
  LabelRoom room;
  for (const auto& [row, words] : wanted) {
    const double y = at.top + at.cell * (static_cast<double>(row) + 0.5);
    if (room.take(0, y - 6, 1, 12))
      page.element("text", {{"class", "name"}, {"x", at.left + at.side + 6}, {"y", y + 3.5}}, words);
  }
  if (tree.n > most_cells) return;
  for (std::size_t column = 0; column < tree.order.size(); ++column) {
    const double x = at.left + at.cell * (static_cast<double>(column) + 0.5);
    page.element("text",
                 {{"class", "name"},
                  {"transform",
                   fmt::format("translate({} {}) rotate(-90)", coordinate(x + 3.5), coordinate(at.top - 5))}},
                 shortened(content.models[tree.order[column]].id, most_name));
  }
}

void draw_cells(Markup& page, const PageContent& content, const Layout& at) {
  const PairTable table(content);
  const Dendrogram& tree = content.dendrogram;
  const std::size_t n = tree.n;
  if (n > most_cells) {
    std::vector<Colour> palette;
    for (int level = 0; level < not_known; ++level) palette.push_back(cividis(level / 253.0));
    palette.push_back(unknown_pixel);
    palette.push_back(self_pixel);
    std::vector<std::uint8_t> pixels(n * n);
    for (std::size_t row = 0; row < n; ++row)
      for (std::size_t column = 0; column < n; ++column)
        pixels[row * n + column] = table.at(tree, row, column);
    page.leaf(
        "image",
        {{"class", at.cell < 1 ? "cells fine" : "cells"},  // smoothed where rows would get lost
         {"x", at.left},
         {"y", at.top},
         {"width", at.side},
         {"height", at.side},
         {"preserveAspectRatio", "none"},
         {"href", png_url(pixels, static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(n), palette)}});
    return;
  }
  page.open("g", {{"class", "cells"}});
  for (std::size_t row = 0; row < n; ++row)
    for (std::size_t column = 0; column < n; ++column) {
      const std::uint8_t level = table.at(tree, row, column);
      const double x = at.left + at.cell * static_cast<double>(column),
                   y = at.top + at.cell * static_cast<double>(row);
      const double side = at.cell - (at.cell > 8 ? 1 : 0);
      if (level >= not_known)
        page.leaf("rect", {{"class", level == same_model ? "self" : "unknown"},
                           {"x", x},
                           {"y", y},
                           {"width", side},
                           {"height", side}});
      else
        page.leaf(
            "rect",
            {{"x", x}, {"y", y}, {"width", side}, {"height", side}, {"fill", hex(cividis(level / 253.0))}});
    }
  page.close("g");
}

void draw_legend(Markup& page, const PageContent& content, const Layout& at) {
  const double y = at.top + at.side + 14, left = at.left + std::max(0.0, at.side - 200);
  for (int step = 0; step < 40; ++step)
    page.leaf("rect", {{"x", left + 5 * step},
                       {"y", y},
                       {"width", 5.4},
                       {"height", 9},
                       {"fill", hex(cividis(step / 39.0))}});
  page.element("text", {{"class", "tick"}, {"x", left}, {"y", y + 21}}, "0");
  page.element("text", {{"class", "tick"}, {"x", left + 200}, {"y", y + 21}, {"text-anchor", "end"}},
               "1, or 100 %");
  if (std::any_of(content.pairs.begin(), content.pairs.end(),
                  [](const PagePair& p) { return std::isnan(p.share) || std::isnan(p.percentile); })) {
    page.open("g", {{"class", "cells"}})
        .leaf("rect", {{"class", "unknown"}, {"x", left}, {"y", y + 30}, {"width", 10}, {"height", 10}});
    page.close("g").element("text", {{"class", "tick"}, {"x", left + 15}, {"y", y + 39}}, "not known");
  }
}

}  // namespace

void write_heatmap(Markup& page, const PageContent& content, const Families& families) {
  open_section(
      page, "heatmap", "All pairs at once",
      "Bright cells above the diagonal are pairs whose neurons agree; below it the same pairs by the "
      "published curve score, as its percentile among unrelated pairs. Rows stand in the order of the "
      "tree at the left, which joins models by the share of agreeing neurons (average linkage of 1 - "
      "share).");
  const std::size_t n = content.models.size();
  if (n < 2) {
    page.element("p", "There are fewer than two models, so there is no pair.").close("section");
    return;
  }
  if (content.dendrogram.n != n) {
    page.element("p",
                 fmt::format("{} models are too many for a page; pairs.tsv and evidence.tsv hold all pairs.",
                             grouped(n)))
        .close("section");
    return;
  }
  const Layout at = layout_of(n, content);
  const double width = std::max(at.left + at.side + room_for_names(n, content), 620.0);
  page.open("div", {{"class", "scroll figure"},
                    {"id", "heatmap-box"},
                    {"tabindex", 0},
                    {"role", "group"},
                    {"aria-label",
                     "Heatmap of all pairs: arrow keys move from cell to cell, Enter opens the pair"}});
  open_drawing(page, "heatmap", width, at.top + at.side + 102, "Heatmap and dendrogram",
               fmt::format("{} models; families of at least two: {}", n, families.members.size()));
  draw_dendrogram(page, content, at);
  draw_distance_axis(page, at);
  draw_limits(page, content, at);
  draw_cells(page, content, at);
  draw_names(page, content, families, at);
  draw_legend(page, content, at);
  page.leaf("rect", {{"id", "heatmap-cursor"},
                     {"class", "cursor"},
                     {"data-left", at.left},
                     {"data-top", at.top},
                     {"data-side", at.side},
                     {"x", at.left},
                     {"y", at.top},
                     {"width", at.cell},
                     {"height", at.cell}});
  page.close("svg").close("div");
  if (n > most_cells) {
    page.open("p", {{"class", "note"}})
        .text("A click shows the pairs around it, large enough to be told apart.");
    if (n - 1 > most_lines)
      page.text(fmt::format(" Of {} joins the {} highest are drawn; a triangle holds what joins below.",
                            grouped(n - 1), most_lines));
    if (at.cell < 1) page.text(" A pixel holds more than one pair, and shows about their mean.");
    page.close("p");
  }
  page.element("p", {{"id", "heatmap-reading"}, {"class", "reading"}, {"aria-live", "polite"}}, "");
  page.open("div", {{"id", "heatmap-window"}, {"class", "scroll figure"}}).close("div");
  write_table_name(page, fmt::format("{0}/distance.phy, {0}/order.tsv, evidence.tsv", content.tables));
  page.close("section");
}

Families families_of(const PageContent& content) {
  const Dendrogram& tree = content.dendrogram;
  Families families;
  families.of.assign(content.models.size(), Families::none);
  if (tree.n == 0) return families;
  const double limit = std::isfinite(content.limits.threshold) ? content.limits.threshold : 1;
  std::vector<std::vector<std::uint32_t>> group(tree.n + tree.merges.size());
  for (std::uint32_t leaf = 0; leaf < tree.n; ++leaf) group[leaf] = {leaf};
  for (std::size_t k = 0; k < tree.merges.size(); ++k) {
    const auto& merge = tree.merges[k];
    if (merge.height > limit || group[merge.left].empty() || group[merge.right].empty()) continue;
    auto& joined = group[tree.n + k];
    joined = std::move(group[merge.left]);
    joined.insert(joined.end(), group[merge.right].begin(), group[merge.right].end());
    group[merge.left].clear();
    group[merge.right].clear();
  }
  for (auto& members : group)
    if (members.size() > 1) families.members.push_back(std::move(members));
  std::vector<std::size_t> row(tree.n);
  for (std::size_t i = 0; i < tree.order.size(); ++i) row[tree.order[i]] = i;
  for (auto& members : families.members)
    std::sort(members.begin(), members.end(), [&](auto a, auto b) { return row[a] < row[b]; });
  std::sort(families.members.begin(), families.members.end(), [&](const auto& a, const auto& b) {
    return a.size() != b.size() ? a.size() > b.size() : row[a.front()] < row[b.front()];
  });
  for (std::size_t f = 0; f < families.members.size(); ++f)
    for (const std::uint32_t model : families.members[f]) families.of[model] = f;
  return families;
}

std::string family_style(const Families& families, std::size_t model) {
  const std::size_t family = families.of[model];
  return family < 7 ? fmt::format("k{}", family) : "kx";
}

}  // namespace stemma
