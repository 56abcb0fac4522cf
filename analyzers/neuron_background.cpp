// The table is text in the program, read once.
#include "analyzers/neuron_background.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "analyzers/json_text.hpp"

namespace stemma {

extern const std::string_view neuron_background_table;  // made by the build from neuron_background.tsv

namespace {

constexpr std::string_view median_of_layers = "median";

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(at, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

template <class Number>
Number number_in(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::invalid_argument(fmt::format("\"{}\" is no number of a table of neurons", text));
  return value;
}

/// The stratum of a layer: that of the nearest place.
std::string stratum_at(const Background& background, int layer, int layers) {
  const double place = layers > 1 ? static_cast<double>(layer) / (layers - 1) : 0;
  std::string nearest;
  double least = INFINITY;
  for (const auto& [name, stratum] : background.strata) {
    if (name == median_of_layers) continue;
    const double distance = std::abs(number_in<double>(name) - place);
    if (distance < least) least = distance, nearest = name;
  }
  return nearest;
}

void rank(const Background& background, const std::string& stratum, Evidence& row) {
  const Rank rank = rank_of(background, stratum, row.score);
  if (rank.n == 0) return;
  row.background = rank.population;
  row.background_n = rank.n;
  row.background_percentile = rank.percentile;
  row.detail_json = JsonObject(row.detail_json).add("percentile_basis", rank.basis).text();
}

}  // namespace

Background neuron_background_in(std::string_view table) {
  Background background;
  bool head = true;
  for (const std::string_view line : split(table, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::vector<std::string_view> cells = split(line, '\t');
    if (cells.size() != 5 || (head && line != "place\tset\tmodels\tpairs\tshares"))
      throw std::invalid_argument(fmt::format("\"{}\" is no line of a table of neurons", line));
    const bool is_head = std::exchange(head, false);
    if (is_head || cells[1] != "all") continue;
    if (cells[0] != median_of_layers) number_in<double>(cells[0]);
    Background::Stratum& stratum = background.strata[std::string(cells[0])];
    stratum.population = fmt::format("{} pairs of {} separately trained small models{}", cells[3], cells[2],
                                     cells[0] == median_of_layers ? "" : " at the same place");
    for (const std::string_view count : split(cells[4], ' ')) {
      const std::vector<std::string_view> share = split(count, ':');
      if (share.size() != 2) throw std::invalid_argument(fmt::format("\"{}\" is no share:times", count));
      stratum.scores.insert(stratum.scores.end(), number_in<std::size_t>(share[1]),
                            {number_in<double>(share[0]), -1, -1});
    }
    std::ranges::sort(stratum.scores, {}, &Background::Score::value);
  }
  return background;
}

const Background& neuron_background() {
  static const Background background = neuron_background_in(neuron_background_table);
  return background;
}

void rank_in_neuron_background(const NeuronAgreement& found, std::span<const Fingerprint> models,
                               Pair& pair) {
  const Fingerprint &a = models[pair.a], &b = models[pair.b];
  const Background& background = neuron_background();
  auto block = found.blocks.begin();
  for (Evidence& row : pair.evidence) {
    if (row.method != "neuron_match" || std::isnan(row.score)) continue;
    if (row.role.empty()) rank(background, std::string(median_of_layers), row);
    if (!row.role.starts_with("layers/") || block == found.blocks.end()) continue;
    const NeuronBlock &of_a = a.neurons->blocks[block->a], &of_b = b.neurons->blocks[block->b];
    ++block;
    if (of_a.expert >= 0 || of_b.expert >= 0) continue;
    const std::string place = stratum_at(background, of_a.layer, a.layers);
    if (place == stratum_at(background, of_b.layer, b.layers)) rank(background, place, row);
  }
}

}  // namespace stemma
