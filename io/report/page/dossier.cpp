// What is told of one pair?
#include "io/report/page/dossier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "io/model/finding.hpp"
#include "io/report/page/chart.hpp"
#include "io/report/page/colour.hpp"
#include "io/report/page/relation_mark.hpp"
#include "io/report/page/sections.hpp"
#include "io/report/shell_word.hpp"

namespace stemma {
namespace {

std::string number(double value) {
  if (!std::isfinite(value)) return "";
  if (value == std::round(value) && std::abs(value) < 1e9) return fmt::format("{:.0f}", value);
  return fmt::format("{:.4g}", value);
}

/// Where a percentile lies between 0 and 100.
void draw_percentile(Markup& page, const Evidence& e) {
  if (!std::isfinite(e.background_percentile)) return;
  open_drawing(page, "strip", 90, 12, "Percentile",
               fmt::format("{:.1f} % of unrelated pairs are lower", e.background_percentile));
  page.leaf("path", {{"class", "axis"}, {"d", "M5 9.5h80"}});
  page.leaf("circle", {{"class", "dot"}, {"cx", 5 + 0.8 * e.background_percentile}, {"cy", 5.5}, {"r", 3.5}});
  page.close("svg");
  page.text(fmt::format(" {:.1f} % of {}", e.background_percentile, e.background_n));
}

void write_evidence(Markup& page, const PageContent& content, const Pair& pair) {
  page.open("div",
            {{"class", "scroll"}, {"tabindex", 0}, {"role", "region"}, {"aria-label", "Tests of this pair"}});
  page.open("table", {{"class", "evidence"}});
  page.element("caption", "Each test beside its null, its background and its control");
  page.open("thead").open("tr");
  for (const char* column :
       {"Method", "Statistic", "Score", "Control", "Null hypothesis", "Background", "log10 p", "Grade"})
    page.element("th", {{"scope", "col"}}, column);
  page.close("tr").close("thead").open("tbody");
  for (const Evidence& e : pair.evidence) {
    // Layers and curves have figures.
    if (e.role.starts_with("layers/") || (e.method == "intrinsic_fingerprint" && !e.role.empty())) continue;
    page.open("tr").open("th", {{"scope", "row"}}).element("code", shortened(e.method, 40)).close("th");
    page.open("td").name(e.statistic, 90);
    if (!e.role.empty()) page.text(": ").name(e.role, 40);
    if (!e.abstain.empty()) page.text(" (abstains: ").name(e.abstain, 40).text(")");
    page.close("td");
    page.element("td", {{"class", "number"}}, number(e.score));
    page.element("td", {{"class", "number"}}, number(e.control));
    page.open("td").name(e.null, 90).close("td");
    page.open("td", {{"title", shortened(e.background, 200)}});
    draw_percentile(page, e);
    page.close("td");
    page.element("td", {{"class", "number"}},
                 std::isfinite(e.log10_p) ? fmt::format("{:.1f}", e.log10_p) : "");
    page.element("td", name_of(e.grade)).close("tr");
  }
  page.close("tbody").close("table").close("div");
  if (content.headlines_only)
    page.element("p", {{"class", "note"}},
                 "Of so many pairs the archive keeps the headline of each test; stemma compare ARCHIVE:A "
                 "ARCHIVE:B makes all rows of one again.");
}

struct Block {
  std::string a, b;  ///< "layers/3"
  double share = missing, percentile = missing;
};

/// "layers/3 and layers/2" names one block in each model; one name stands for both.
std::vector<Block> blocks_of(const Pair& pair) {
  std::vector<Block> blocks;
  for (const Evidence& e : pair.evidence) {
    if (e.method != "neuron_match" || !e.role.starts_with("layers/")) continue;
    const std::size_t joint = e.role.find(" and ");
    blocks.push_back({.a = e.role.substr(0, joint),
                      .b = joint == std::string::npos ? e.role : e.role.substr(joint + 5),
                      .share = e.score,
                      .percentile = e.background_percentile});
  }
  return blocks;
}

int layer_of(const std::string& block) {
  return block.starts_with("layers/") ? std::atoi(block.c_str() + 7) : 0;
}

/// Shares of agreeing neurons, block by block, with the share that strangers may reach.
void draw_agreement(Markup& page, const std::vector<Block>& blocks, double strangers) {
  const double step = std::clamp(560.0 / static_cast<double>(blocks.size()), 2.0, 26.0);
  Frame frame{.left = 52,
              .top = 22,
              .width = std::max(120.0, step * static_cast<double>(blocks.size())),
              .height = 120,
              .x = {},
              .y = {}};
  frame.x = {.low = -0.5,
             .high = static_cast<double>(blocks.size()) - 0.5,
             .from = frame.left,
             .to = frame.left + frame.width,
             .log = false};
  frame.y = {.low = 0, .high = 1.02, .from = frame.top + frame.height, .to = frame.top, .log = false};
  open_drawing(page, "agreement", frame.left + frame.width + 120, 186,
               "Share of agreeing neurons in each MLP", fmt::format("{} MLPs", blocks.size()));
  draw_axes(page, frame, "MLP, by layer", "neurons that agree", 6, 5);
  std::string bars;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (!std::isfinite(blocks[i].share)) continue;
    const double x = frame.x(static_cast<double>(i));
    bars += fmt::format("M{:.1f} {:.1f}V{:.1f}H{:.1f}V{:.1f}Z", x - step * 0.4, frame.y(0),
                        std::min(frame.y(blocks[i].share), frame.y(0) - 1), x + step * 0.4, frame.y(0));
  }
  page.leaf("path", {{"class", "bars found"}, {"d", bars}});
  if (std::isfinite(strangers)) {
    const double limit = frame.y(strangers);
    page.leaf("path", {{"class", "limit threshold"},
                       {"d", fmt::format("M{} {}h{}", coordinate(frame.left), coordinate(limit),
                                         coordinate(frame.width + 6))}});
    page.element("text", {{"class", "tick"}, {"x", frame.left + frame.width + 9}, {"y", limit + 3.5}},
                 fmt::format("strangers: {:.2f}", strangers));
  }
  page.close("svg");
}

/// Which block of one model is which of the other: two columns, and a line for each match.
void draw_block_map(Markup& page, const PageContent& content, const PagePair& pair,
                    const std::vector<Block>& blocks) {
  const int most = std::max({content.models[pair.a].layers, content.models[pair.b].layers, 1});
  const double step = std::clamp(360.0 / most, 4.0, 16.0);
  const double width = 330, height = step * most + 40;
  open_drawing(page, "block-map", width, height, "Which layer is which",
               fmt::format("{} matched MLPs of {} and {} layers", blocks.size(),
                           content.models[pair.a].layers, content.models[pair.b].layers));
  page.element("text", {{"class", "name"}, {"x", 110}, {"y", 14}, {"text-anchor", "end"}},
               shortened(content.models[pair.a].id, 15));
  page.element("text", {{"class", "name"}, {"x", 220}, {"y", 14}}, shortened(content.models[pair.b].id, 15));
  const double limit = 1 - content.limits.threshold;
  const auto y = [&](int layer) { return 30 + step * (layer + 0.5); };
  std::array<std::string, 2> matches, boxes;  // weak ones, and those that agree
  for (const Block& block : blocks) {
    const bool agrees = std::isfinite(block.share) && block.share >= limit;
    matches.at(agrees ? 1 : 0) +=
        fmt::format("M118 {}L212 {}", coordinate(y(layer_of(block.a))), coordinate(y(layer_of(block.b))));
  }
  LabelRoom room;
  for (const bool left : {true, false})
    for (int layer = 0; layer < (left ? content.models[pair.a] : content.models[pair.b]).layers; ++layer) {
      const double x = left ? 110 : 212;
      const bool used = std::any_of(blocks.begin(), blocks.end(), [&](const Block& b) {
        return layer_of(left ? b.a : b.b) == layer && std::isfinite(b.share) && b.share >= limit;
      });
      boxes.at(used ? 1 : 0) += fmt::format("M{} {}h8v{}h-8z", coordinate(x),
                                            coordinate(y(layer) - step * 0.4), coordinate(step * 0.8));
      if (room.take(left ? 0 : 200, y(layer) - 6, 50, 12))
        page.element("text",
                     {{"class", "tick"},
                      {"x", left ? 104 : 226},
                      {"y", y(layer) + 3.5},
                      {"text-anchor", left ? "end" : "start"}},
                     fmt::format("{}", layer));
    }
  for (const bool agrees : {false, true}) {
    page.leaf("path", {{"class", agrees ? "match" : "match weak"}, {"d", matches.at(agrees ? 1 : 0)}});
    page.leaf("path", {{"class", agrees ? "block" : "block unused"}, {"d", boxes.at(agrees ? 1 : 0)}});
  }
  page.close("svg");
}

void write_neurons(Markup& page, const PageContent& content, const PagePair& pair, const Pair& found) {
  const std::vector<Block> blocks = blocks_of(found);
  if (blocks.empty()) return;
  page.element("h4", "Neurons");
  page.open("div", {{"class", "panels"}});
  page.open("figure", {{"class", "scroll"}});
  page.element("figcaption",
               "How many neurons of each MLP agree. Below the line separately trained models may agree too.");
  draw_agreement(page, blocks, content.strangers);
  page.close("figure").open("figure");
  page.element("figcaption",
               "Which layer of one model is which of the other. Hollow layers have no counterpart.");
  draw_block_map(page, content, pair, blocks);
  page.close("figure").close("div");
}

/// How many singular values of a reading are drawn: the rank that was read, and what comes behind it.
std::size_t values_shown(const OriginReading& r) {
  return std::min<std::size_t>(r.values.size(),
                               std::max<std::size_t>(24, r.label == "LOW_RANK" ? r.rank + 8 : 0));
}

/// Singular values of differences, layer by layer, with the line from which on they are more than rounding.
void draw_singular_values(Markup& page, const std::vector<const OriginReading*>& readings, double multiple) {
  int first = INT32_MAX, last = 0;
  std::vector<double> values;
  std::vector<std::pair<double, double>> dots, edge;
  for (const OriginReading* r : readings) {
    first = std::min(first, r->layer);
    last = std::max(last, r->layer);
    for (std::size_t i = 0; i < values_shown(*r); ++i)
      if (r->values[i] > 0) {
        values.push_back(r->values[i]);
        dots.emplace_back(r->layer, r->values[i]);
      }
    const double line = multiple * r->noise_edge;
    if (line > 0) values.push_back(line);
    edge.emplace_back(r->layer - 0.4, line);
    edge.emplace_back(r->layer + 0.4, line);
    edge.emplace_back(missing, missing);
  }
  const double step = std::clamp(600.0 / (last - first + 1), 6.0, 40.0);
  Frame frame{.left = 60,
              .top = 36,
              .width = std::max(160.0, step * (last - first + 1)),
              .height = 170,
              .x = {},
              .y = {}};
  frame.x = {.low = first - 0.5,
             .high = last + 0.5,
             .from = frame.left,
             .to = frame.left + frame.width,
             .log = false};
  frame.y = scale_around(values, frame.top + frame.height, frame.top, true);
  open_drawing(page, "singular", frame.left + frame.width + 16, 252, "Singular values of the difference",
               fmt::format("layers {} to {}, the largest values of each, logarithmic", first, last));
  draw_axes(page, frame, "layer", "singular value", 8, 5);
  page.leaf("path", {{"class", "limit noise"}, {"d", line_path(frame, edge)}});
  page.leaf("path", {{"class", "dots"}, {"d", dots_path(frame, dots)}});
  LabelRoom room;
  for (const OriginReading* r : readings) {
    const std::string words = r->label == "LOW_RANK" ? fmt::format("{}", r->rank) : "";
    const double w = text_width(words, 10), x = frame.x(r->layer);
    if (!words.empty() && room.take(x - w / 2 - 1, frame.top - 14, w + 2, 12))
      page.element("text", {{"class", "rank"}, {"x", x}, {"y", frame.top - 4}, {"text-anchor", "middle"}},
                   words);
  }
  page.close("svg");
}

std::string word_of(const OriginReading& r) {
  if (r.label == "LOW_RANK") return fmt::format("{}", r.rank);
  if (r.label == "IDENTICAL") return "=";
  if (r.label == "UNRELATED_HERE") return "other";
  return r.label.starts_with("FULL_RANK") ? "full" : "?";
}

/// Rank of the difference of every weight: rows are roles, columns layers.
void write_rank_table(Markup& page, const std::vector<OriginReading>& readings) {
  std::map<std::string, std::map<int, const OriginReading*>> by_role;
  std::map<int, bool> layers;
  for (const OriginReading& r : readings) {
    if (r.reading != "tensor" || r.layer < 0) continue;
    const std::size_t slash = r.subject.find('/', 7);
    by_role[slash == std::string::npos ? r.subject : r.subject.substr(slash + 1)][r.layer] = &r;
    layers[r.layer] = true;
  }
  if (by_role.empty()) return;
  page.open("div", {{"class", "scroll"},
                    {"tabindex", 0},
                    {"role", "region"},
                    {"aria-label", "Rank of every weight's difference"}});
  page.open("table", {{"class", "ranks"}});
  page.element("caption",
               "Rank of the difference of every weight. =: unchanged; full: no low rank; other: as far apart "
               "as strangers; ?: could not be read");
  page.open("thead").open("tr").element("th", {{"scope", "col"}}, "Weight");
  for (const auto& [layer, any] : layers) page.element("th", {{"scope", "col"}}, fmt::format("{}", layer));
  page.close("tr").close("thead").open("tbody");
  for (const auto& [role, row] : by_role) {
    page.open("tr").open("th", {{"scope", "row"}}).name(role, 30).close("th");
    for (const auto& [layer, any] : layers) {
      const auto found = row.find(layer);
      if (found == row.end()) {
        page.element("td", "");
        continue;
      }
      const std::string words = word_of(*found->second);
      page.element("td",
                   {{"class", words == "="                         ? "same"
                              : found->second->label == "LOW_RANK" ? "low"
                                                                   : "full"},
                    {"title", fmt::format("{}, gap {}", shortened(found->second->label, 40),
                                          number(found->second->ratio))}},
                   words);
    }
    page.close("tr");
  }
  page.close("tbody").close("table").close("div");
}

void write_origin(Markup& page, const PageContent& content, const std::vector<OriginReading>& readings) {
  std::map<std::string, std::vector<const OriginReading*>> kinds;
  for (const OriginReading& r : readings)
    if ((r.reading == "operator" || r.reading == "tensor") && r.layer >= 0 && !r.values.empty()) {
      const std::size_t slash = r.subject.find('/', 7);
      kinds[r.reading == "operator" ? "attention circuits" : r.subject.substr(slash + 1)].push_back(&r);
    }
  if (kinds.empty()) return;
  page.element("h4", "The difference of the weights");
  page.open("div", {{"class", "panels"}});
  std::size_t drawn = 0;
  for (const char* kind : {"attention circuits", "attn.q", "attn.v", "mlp.down"}) {
    const auto found = kinds.find(kind);
    if (found == kinds.end() || ++drawn > 2) continue;
    page.open("figure", {{"class", "scroll"}});
    page.element(
        "figcaption",
        fmt::format(
            "The largest singular values of the difference of {}, layer by layer. Dots above the line, {} "
            "times the largest of rounding, are signal; numbers are ranks that were read.",
            kind, content.noise_multiple));
    draw_singular_values(page, found->second, content.noise_multiple);
    page.close("figure");
  }
  page.close("div");
  write_rank_table(page, readings);
}

}  // namespace

std::string pair_words(const PageContent& content, const PagePair& pair) {
  return fmt::format("{} and {}", shortened(content.models[pair.a].id, 60),
                     shortened(content.models[pair.b].id, 60));
}

void write_dossier(Markup& page, const PageContent& content, const Dossier& dossier) {
  const PagePair& pair = content.pairs[dossier.pair];
  page.open("article", {{"class", "dossier"},
                        {"id", fmt::format("pair-{}-{}", pair.a, pair.b)},
                        {"data-a", pair.a},
                        {"data-b", pair.b}});
  page.element("h3", pair_words(content, pair));
  page.open("p", {{"class", "finding"}});
  write_relation(page, dossier.found.relation, dossier.found.reason);
  page.text(". ").name(dossier.found.sentence, 1200);
  page.close("p");
  write_evidence(page, content, dossier.found);
  write_neurons(page, content, pair, dossier.found);
  write_origin(page, content, dossier.readings);
  page.open("p", {{"class", "note"}}).text("The same from the weights, read again: ");
  page.element("code", fmt::format("stemma trace {} {}", shell_word(content.models[pair.a].path),
                                   shell_word(content.models[pair.b].path)));
  page.close("p").close("article");
}

}  // namespace stemma
