// How is the family tree drawn, with what models declare beside it?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "io/report/page/chart.hpp"
#include "io/report/page/relation_mark.hpp"
#include "io/report/page/sections.hpp"

namespace stemma {
namespace {

constexpr double row_height = 20, width_of_branches = 460;

/// What is drawn of a tree: nodes that stand for whole branches have no children here.
struct Visible {
  std::vector<std::vector<std::uint32_t>> children;  ///< by node
  std::vector<std::size_t> leaves;                   ///< by node, of the whole tree
  std::vector<std::uint32_t> first_leaf;             ///< by node: a model
  std::vector<double> depth;                         ///< by node, from the root
};

Visible visible_part(const FamilyTree& tree, std::size_t most) {
  const std::size_t n = tree.nodes.size();
  Visible v{.children = std::vector<std::vector<std::uint32_t>>(n),
            .leaves = std::vector<std::size_t>(n, 0),
            .first_leaf = std::vector<std::uint32_t>(n, FamilyTree::none),
            .depth = std::vector<double>(n, 0)};
  std::vector<double> span(n, 0);  // how far the farthest leaf lies below
  for (std::uint32_t i = 1; i < n; ++i)
    v.depth[i] = v.depth[tree.nodes[i].parent] + std::max(0.0, tree.nodes[i].length);
  for (std::size_t i = n; i-- > 0;) {
    const FamilyTree::Node& node = tree.nodes[i];
    if (node.leaf != FamilyTree::none) {
      v.leaves[i] = 1;
      v.first_leaf[i] = node.leaf;
    }
    if (node.parent == FamilyTree::none) continue;
    v.leaves[node.parent] += v.leaves[i];
    v.first_leaf[node.parent] = std::min(v.first_leaf[node.parent], v.first_leaf[i]);
    span[node.parent] = std::max(span[node.parent], span[i] + std::max(0.0, node.length));
  }
  for (std::uint32_t i = 1; i < n; ++i) v.children[tree.nodes[i].parent].push_back(i);
  // The shortest branches give way first, so that what is left tells most.
  std::vector<std::uint32_t> inner;
  for (std::uint32_t i = 1; i < n; ++i)
    if (!v.children[i].empty()) inner.push_back(i);
  // Of equal ones the inner branch comes first, so that no branch is folded within a folded one.
  std::reverse(inner.begin(), inner.end());
  std::stable_sort(inner.begin(), inner.end(), [&](auto a, auto b) { return span[a] < span[b]; });
  std::size_t rows = n == 0 ? 0 : v.leaves[0];
  std::vector<std::size_t> shown = v.leaves;  // rows that a branch takes
  for (const std::uint32_t node : inner) {
    if (rows <= most) break;
    const std::size_t saved = shown[node] - 1;
    rows -= saved;
    v.children[node].clear();
    for (std::uint32_t up = node; up != FamilyTree::none; up = tree.nodes[up].parent) shown[up] -= saved;
  }
  return v;
}

class TreeDrawing {
 public:
  TreeDrawing(const PageContent& content, const Visible& visible) : content_(content), v_(visible) {
    place(0);
    double deepest = 0;
    for (std::uint32_t node : rows_) deepest = std::max(deepest, v_.depth[node]);
    x_ = {
        .low = 0, .high = deepest > 0 ? deepest : 1, .from = 10, .to = 10 + width_of_branches, .log = false};
    for (const std::uint32_t node : rows_) names_ = std::max(names_, text_width(words_of(node), 12));
  }

  double width() const { return x_.to + names_ + 150; }
  double height() const { return row_height * static_cast<double>(rows_.size()) + 44; }
  std::size_t rows() const { return rows_.size(); }

  void draw(Markup& page) const {
    std::string path;
    for (std::uint32_t node = 1; node < content_.tree.nodes.size(); ++node) {
      if (!placed_.contains(node)) continue;
      const std::uint32_t parent = content_.tree.nodes[node].parent;
      path += fmt::format("M{:.1f} {:.1f}V{:.1f}H{:.1f}", x_(v_.depth[parent]), placed_.at(parent),
                          placed_.at(node), x_(v_.depth[node]));
    }
    page.leaf("path", {{"class", "branch"}, {"d", path}});
    draw_declarations(page);
    draw_names(page);
    draw_support(page);
    const double length = 0.1 / x_.high * (x_.to - x_.from), bottom = height() - 22;
    if (length > 20 && length < width_of_branches) {
      page.leaf("path",
                {{"class", "axis"}, {"d", fmt::format("M10 {}h{}", coordinate(bottom), coordinate(length))}});
      page.element("text", {{"class", "tick"}, {"x", 10}, {"y", bottom + 14}}, "a tenth of the neurons");
    }
  }

 private:
  void place(std::uint32_t node) {
    if (content_.tree.nodes.empty()) return;
    if (v_.children[node].empty()) {
      rows_.push_back(node);
      placed_[node] = 12 + row_height * (static_cast<double>(rows_.size()) - 0.5);
      return;
    }
    double sum = 0;
    for (const std::uint32_t child : v_.children[node]) {
      place(child);
      sum += placed_[child];
    }
    placed_[node] = sum / static_cast<double>(v_.children[node].size());
  }

  std::string words_of(std::uint32_t node) const {
    const std::string name = shortened(content_.models[v_.first_leaf[node]].id, 40);
    return v_.leaves[node] > 1 ? fmt::format("{} and {} more", name, v_.leaves[node] - 1) : name;
  }

  void draw_names(Markup& page) const {
    for (const std::uint32_t node : rows_) {
      const PageModel& model = content_.models[v_.first_leaf[node]];
      const double x = x_(v_.depth[node]), y = placed_.at(node);
      if (v_.leaves[node] > 1)
        page.leaf("path", {{"class", "collapsed"},
                           {"d", fmt::format("M{} {}l9 -6v12z", coordinate(x), coordinate(y))}});
      else
        draw_mark(page, model.relation, x + 8, y, 10);
      page.element("text", {{"class", "name"}, {"x", x + 17}, {"y", y + 4}}, words_of(node));
    }
  }

  void draw_support(Markup& page) const {
    LabelRoom room;
    for (const std::uint32_t node : rows_) {
      const double x = x_(v_.depth[node]), y = placed_.at(node);
      room.take(x, y - 9, 20 + text_width(words_of(node), 12), 18);
    }
    for (const auto& [node, y] : placed_) {
      const double support = content_.tree.nodes[node].support;
      if (node == 0 || !std::isfinite(support)) continue;
      const std::string words = fmt::format("{:.0f}", support);
      const double width = text_width(words, 9), right = x_(v_.depth[node]) - 2;
      if (right - width > x_(v_.depth[content_.tree.nodes[node].parent]) &&
          room.take(right - width, y - 14, width, 12))
        page.element("text", {{"class", "support"}, {"x", right}, {"y", y - 4}, {"text-anchor", "end"}},
                     words);
    }
  }

  /// From each model to the parent that it declares, where both are rows.
  void draw_declarations(Markup& page) const {
    std::map<std::string_view, std::uint32_t> row_of;
    for (const std::uint32_t node : rows_)
      if (v_.leaves[node] == 1) row_of[content_.models[v_.first_leaf[node]].id] = node;
    const double x = x_.to + names_ + 24;
    for (const auto& [id, node] : row_of) {
      const PageModel& model = content_.models[v_.first_leaf[node]];
      for (const Claim& claim : model.declared) {
        const auto parent = row_of.find(claim.base);
        if (parent == row_of.end()) continue;
        const double from = placed_.at(node), to = placed_.at(parent->second);
        const double reach = std::min(110.0, 14 + 2.2 * std::abs(to - from) / row_height * 4);
        const bool contradicted = model.declaration == "not_supported" || model.declaration == "other_found";
        page.leaf("path", {{"class", contradicted ? "claim" : "claim held"},
                           {"d", fmt::format("M{0} {1}C{2} {1} {2} {3} {0} {3}", coordinate(x),
                                             coordinate(from), coordinate(x + reach), coordinate(to))}});
      }
    }
  }

  const PageContent& content_;
  const Visible& v_;
  std::vector<std::uint32_t> rows_;
  std::map<std::uint32_t, double> placed_;  ///< nodes that are drawn
  Scale x_;
  double names_ = 0;
};

}  // namespace

void write_tree(Markup& page, const PageContent& content) {
  if (!content.tree_wanted) return;
  open_section(
      page, "tree", "Family tree",
      content.tree_by_joining
          ? "Lengths are shares of neurons that do not agree, in the median MLP. The root is the middle of "
            "the "
            "longest path and means nothing: who came first is said in the table, where something shows it."
          : "The tree beside the heatmap, with names: models join at the mean share of neurons that do not "
            "agree. Its root means nothing: who came first is said in the table, where something shows it.");
  if (content.tree.nodes.size() < 2) {
    page.element("p", "No two models have a distance, so there is no tree.").close("section");
    return;
  }
  const Visible visible = visible_part(content.tree, most_lines);
  const TreeDrawing drawing(content, visible);
  page.open("div",
            {{"class", "scroll figure"}, {"tabindex", 0}, {"role", "group"}, {"aria-label", "Family tree"}});
  open_drawing(
      page, "tree", drawing.width(), drawing.height(),
      content.tree_by_joining ? "Family tree by neighbour joining" : "Family tree by average linkage",
      fmt::format("{} models in {} rows; tree.nwk holds it as text", visible.leaves[0], drawing.rows()));
  drawing.draw(page);
  page.close("svg").close("div");
  page.open("p", {{"class", "note"}});
  if (content.tree_has_support)
    page.text("Numbers on edges: percent of resamplings over layers that keep the branch. ");
  page.text(
      "Models whose neurons were not compared stand as far apart as strangers. Dashed curves join models to "
      "the parents they declare; an orange one was not found.");
  if (drawing.rows() < visible.leaves[0])
    page.text(fmt::format(" Short branches are drawn as one row each, so that {} rows show {} models.",
                          drawing.rows(), visible.leaves[0]));
  if (content.left_out_of_tree > 0)
    page.text(fmt::format(" {} models are left out: nothing is known of their distances.",
                          content.left_out_of_tree));
  page.close("p");
  write_table_name(page, fmt::format("{0}/tree.nwk, {0}/distance.phy", content.tables));
  page.close("section");
}

}  // namespace stemma
