// The largest ratio of neighbours, and the rules that ask whether it may be called a rank.
#include "analyzers/origin_rank.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <stdexcept>

#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

void check(std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]) || values[i] < 0 || (i > 0 && values[i] > values[i - 1]))
      throw std::invalid_argument("singular values are finite, descending and not negative");
}

}  // namespace

std::string_view name_of(OriginLabel label) {
  constexpr std::array<std::string_view, origin_labels> names = {
      "IDENTICAL",      "LOW_RANK",           "FULL_RANK_CLOSE", "FULL_RANK_FAR",
      "UNRELATED_HERE", "ABSTAIN(dead_zone)", "ABSTAIN(mixed)",  "ABSTAIN(unreadable_quantisation)"};
  return names.at(static_cast<std::size_t>(label));
}

std::uint64_t rank_limit(std::uint64_t max_rank, std::uint64_t shortest) {
  const double share = thresholds::origin_rank_share * static_cast<double>(shortest);
  return std::min(max_rank, static_cast<std::uint64_t>(share));
}

RankReading read_rank(std::span<const double> values, double noise_edge, std::uint64_t limit) {
  check(values);
  RankReading out{.limit = limit, .noise_edge = noise_edge};
  if (values.empty()) return out;
  out.first = out.behind = values[0];
  const double least = 0x1p-52 * values[0];
  for (std::size_t i = 0; i + 1 < values.size() && i < limit && values[i] > least; ++i) {
    const double ratio = values[i] / std::max(values[i + 1], least);
    if (out.rank > 0 && ratio <= out.ratio) continue;
    out.rank = i + 1;
    out.ratio = ratio;
    out.behind = values[i + 1];
  }
  const double signal = thresholds::origin_noise * noise_edge;
  out.significant = static_cast<std::uint64_t>(
      std::count_if(values.begin(), values.end(), [signal](double s) { return s > signal; }));
  return out;
}

OriginLabel origin_label(const RankReading& reading, double delta, double update) {
  const double noise = thresholds::origin_noise * reading.noise_edge;
  if (reading.first <= noise) return OriginLabel::identical;
  const bool enough = static_cast<double>(reading.significant) >=
                      thresholds::origin_significant_share * static_cast<double>(reading.rank);
  if (reading.rank > 0 && reading.ratio >= thresholds::origin_gap && reading.behind <= noise && enough &&
      delta < thresholds::origin_far)
    return OriginLabel::low_rank;
  if (update < thresholds::origin_dead_zone) return OriginLabel::dead_zone;
  const bool sinks = static_cast<double>(reading.significant) <
                     thresholds::origin_full_share * static_cast<double>(reading.limit);
  if (delta < thresholds::origin_close && sinks) return OriginLabel::dead_zone;
  if (delta < thresholds::origin_close) return OriginLabel::full_rank_close;
  return delta < thresholds::origin_far ? OriginLabel::full_rank_far : OriginLabel::unrelated_here;
}

RankSummary summary_of(std::vector<std::uint64_t> ranks) {
  if (ranks.empty()) return {};
  std::ranges::sort(ranks);
  const std::size_t n = ranks.size();
  std::map<std::uint64_t, std::size_t> counts;
  for (const std::uint64_t rank : ranks) ++counts[rank];
  const auto most = std::ranges::max_element(counts, {}, [](const auto& count) { return count.second; });
  return {.median = (static_cast<double>(ranks[(n - 1) / 2]) + static_cast<double>(ranks[n / 2])) / 2,
          .minimum = ranks.front(),
          .mode = most->first};
}

OriginModel origin_model(std::span<const OriginLayer> layers) {
  OriginModel out;
  std::map<OriginLabel, std::uint64_t> counts;
  for (const OriginLayer& layer : layers) {
    ++counts[layer.label];
    if (layer.label == OriginLabel::low_rank) out.ranks.push_back(layer.rank);
  }
  for (const auto& [label, count] : counts) {
    if (count == out.agreeing) out.label = OriginLabel::mixed;  // as many say something else
    if (count <= out.agreeing) continue;
    out.agreeing = count;
    out.label = label;
  }
  if (2 * out.agreeing < layers.size()) out.label = OriginLabel::mixed;
  static_cast<RankSummary&>(out) = summary_of(out.ranks);
  return out;
}

}  // namespace stemma
