// Scores side by side first, then one block for each test, in the columns that its rows ask for.
#include "pipeline/pair_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "analyzers/curve_score.hpp"
#include "analyzers/origin_rank.hpp"
#include "io/report/columns.hpp"
#include "pipeline/pair_view.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

using SortedJson = nlohmann::json;

constexpr std::size_t most_of_a_sentence = 2000;

SortedJson detail_of(const Evidence& row) {
  SortedJson detail = SortedJson::parse(row.detail_json, nullptr, false);
  return detail.is_object() ? detail : SortedJson::object();
}

std::string text_in(const SortedJson& detail, const char* name) {
  const auto found = detail.find(name);
  return found != detail.end() && found->is_string() ? printable(found->get<std::string>()) : "";
}

double number_in(const SortedJson& detail, const char* name) {
  const auto found = detail.find(name);
  return found != detail.end() && found->is_number() ? found->get<double>() : missing;
}

std::string shown_or_dash(const std::string& text) { return text.empty() ? "-" : printable(text); }

/// Ranks are counts; everything else is a share, a correlation or a distance.
std::string value_words(const Evidence& row, double value) {
  if (std::isnan(value)) return "-";
  return row.statistic.find("rank of") == std::string::npos ? fmt::format("{:.4f}", value)
                                                            : fmt::format("{:g}", value);
}

Rank rank_in(const Evidence& row) {
  return {.percentile = row.background_percentile,
          .n = row.background_n,
          .population = row.background,
          .basis = text_in(detail_of(row), "percentile_basis")};
}

/// The score of every test, one below the other.
std::string headlines(const Pair& pair) {
  std::vector<std::vector<std::string>> rows{{"test", "score", "control", "percentile", "abstains", "null"}};
  std::string populations;
  for (const Evidence& e : pair.evidence) {
    if (!e.role.empty()) continue;
    const Rank rank = rank_in(e);
    rows.push_back({printable(e.method), value_words(e, e.score), value_words(e, e.control),
                    standing_words(rank), shown_or_dash(e.abstain), shown_or_dash(e.null)});
    if (rank.basis.empty()) continue;
    populations += fmt::format("  Percentile: how many of the {} have a lower {}; {}.\n",
                               printable(rank.population), printable(e.method), rank.basis);
  }
  return aligned(rows) + populations;
}

/// One line for each statistic: "Pearson r of one curve   q 0.9924   k 0.9985".
std::string by_statistic(std::span<const Evidence* const> rows) {
  std::vector<std::vector<std::string>> lines;
  for (const Evidence* e : rows) {
    if (lines.empty() || lines.back().front() != "  " + e->statistic) lines.push_back({"  " + e->statistic});
    const std::string label = text_in(detail_of(*e), "label");
    lines.back().push_back(fmt::format("{} {}{}", printable(e->role), value_words(*e, e->score),
                                       label.empty() ? "" : ", " + label));
  }
  return aligned(lines);
}

/// "layers/3/attn.q" apart; nothing for a role that is no place in a layer.
struct LayerPlace {
  int layer = 0;
  std::string within;
};
std::optional<LayerPlace> place_of(const std::string& role) {
  constexpr std::string_view stack = "layers/";
  const std::size_t slash = role.find('/', stack.size());
  if (!role.starts_with(stack) || slash == std::string::npos) return std::nullopt;
  return LayerPlace{std::atoi(role.c_str() + stack.size()), printable(role.substr(slash + 1))};
}

/// What was read of one weight: the rank where one shows, else a word for the label, "-" where it could not
/// be read.
std::string reading_words(const Evidence& row, const std::string& label) {
  static const std::map<std::string_view, const char*> words = {
      {name_of(OriginLabel::identical), "equal"},
      {name_of(OriginLabel::full_rank_close), "full"},
      {name_of(OriginLabel::full_rank_far), "far"},
      {name_of(OriginLabel::unrelated_here), "unrelated"}};
  if (label.empty() || label == name_of(OriginLabel::low_rank)) return value_words(row, row.score);
  const auto word = words.find(label);
  return word == words.end() ? "?" : word->second;
}

/// Stands below a table of ranks.
constexpr const char* rank_legend =
    "    A number is the rank of an update of low rank: a gap (ratio) in the singular values that ends "
    "(behind) "
    "near the rounding null.\n"
    "    full, far: a small or a large difference of full rank; unrelated: as large as between strangers; ?: "
    "hidden by rounding, --json says how;\n"
    "    -: equal in both models, or not read, like layers that are left out. /rows are the rows outside the "
    "row space of the base.\n";

constexpr const char* circuit = "circuit";
/// Heads of columns, and the members of a circuit's details that stand there.
constexpr std::array<std::pair<const char*, const char*>, 4> circuit_columns = {
    {{"ratio", "ratio"}, {"behind", "behind"}, {"rounding null", "noise_edge"}, {"delta", "delta"}}};

/// One line for each layer, one column for each place in it. A circuit comes first: the whole model is
/// judged by it, and its gap, its null and the size of the difference stand beside it.
std::string by_layer(std::span<const Evidence* const> rows) {
  std::vector<std::string> columns;
  const bool ranks = std::ranges::any_of(rows, [](const Evidence* e) { return e->role.ends_with(circuit); });
  if (ranks) {
    columns.emplace_back(circuit);
    for (const auto& [column, member] : circuit_columns) columns.emplace_back(column);
  }
  std::map<int, std::map<std::string, std::string>> cells;
  for (const Evidence* e : rows) {
    const auto place = place_of(e->role);
    if (!place) continue;
    const SortedJson detail = detail_of(*e);
    auto& line = cells[place->layer];
    line[place->within] = reading_words(*e, text_in(detail, "label"));
    if (std::ranges::find(columns, place->within) == columns.end()) columns.push_back(place->within);
    if (place->within != circuit) continue;
    for (const auto& [column, member] : circuit_columns)
      line[column] = three_digits(number_in(detail, member));
  }
  if (cells.empty()) return "";
  std::vector<std::vector<std::string>> lines{{"  layer"}};
  lines.front().insert(lines.front().end(), columns.begin(), columns.end());
  for (auto& [layer, line] : cells) {
    lines.push_back({fmt::format("  {}", layer)});
    for (const std::string& column : columns) lines.back().push_back(shown_or_dash(line[column]));
  }
  return aligned(lines) + (ranks ? rank_legend : "");
}

/// What the score of a test is, and the rows behind it.
std::string block(std::span<const Evidence> evidence, const Evidence& headline) {
  std::vector<const Evidence*> layers, others;
  for (const Evidence& e : evidence) {
    if (e.method != headline.method || e.role.empty()) continue;
    (place_of(e.role) ? layers : others).push_back(&e);
  }
  return fmt::format("  {}: {}\n", printable(headline.method), printable(headline.statistic)) +
         by_statistic(others) + by_layer(layers);
}

}  // namespace

std::string standing_words(const Rank& rank) {
  if (rank.basis.empty()) return "-";
  if (std::isnan(rank.percentile)) return fmt::format("{} of {}", rank.basis, with_commas(rank.n));
  return fmt::format("{:.1f} % of {}", std::floor(10 * rank.percentile) / 10, with_commas(rank.n));
}

std::string pair_summary(const Fingerprint& a, const Fingerprint& b, const Pair& pair) {
  std::string text = fmt::format("{} and {}: {}\n  {}\n", printable(a.id), printable(b.id),
                                 relation_words(pair), printable(pair.sentence, most_of_a_sentence));
  text += headlines(pair);
  for (const Evidence& e : pair.evidence)
    if (e.role.empty()) text += block(pair.evidence, e);
  return text + fmt::format("  {}\n", curve_score_caveat());
}

}  // namespace stemma
