// How is what was found about pairs read back?
#include "io/archive/pair_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace stemma {
namespace {

constexpr std::uint64_t piece = 65'536;  ///< rows of text that are held at once

const std::string origin_group = "methods/origin_tracer/";

struct Rows {
  std::uint64_t first = 0, count = 0;
};

Grade grade_in(std::uint8_t stored) {
  if (stored > static_cast<std::uint8_t>(Grade::X))
    throw std::out_of_range("evidence of a grade that is none");
  return static_cast<Grade>(stored);
}

/// Rows that belong to each of these pairs; they stand together, by pair.
std::vector<Rows> rows_of(const TableReader& t, const std::string& column,
                          std::span<const std::size_t> wanted) {
  const auto pairs = t.read<std::uint32_t>(column);
  std::vector<Rows> rows;
  for (const std::size_t pair : wanted) {
    const auto [first, last] = std::equal_range(pairs.begin(), pairs.end(), static_cast<std::uint32_t>(pair));
    rows.push_back(
        {static_cast<std::uint64_t>(first - pairs.begin()), static_cast<std::uint64_t>(last - first)});
  }
  return rows;
}

std::vector<Evidence> read_evidence(const TableReader& t, Rows of) {
  std::vector<Evidence> rows(of.count);
  const auto text = [&](const char* name, std::string Evidence::*field) {
    auto values = t.text(std::string("evidence/") + name, of.first, of.count);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*field = std::move(values.at(i));
  };
  const auto real = [&](const char* name, double Evidence::*field) {
    const auto values = t.read<double>(std::string("evidence/") + name, of.first, of.count);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*field = values.at(i);
  };
  text("method", &Evidence::method);
  text("statistic", &Evidence::statistic);
  text("null", &Evidence::null);
  text("background", &Evidence::background);
  text("role", &Evidence::role);
  text("abstain", &Evidence::abstain);
  text("detail_json", &Evidence::detail_json);
  real("score", &Evidence::score);
  real("background_percentile", &Evidence::background_percentile);
  real("control", &Evidence::control);
  real("log10_p", &Evidence::log10_p);
  const auto background_n = t.read<std::uint64_t>("evidence/background_n", of.first, of.count);
  const auto grade = t.read<std::uint8_t>("evidence/grade", of.first, of.count);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].background_n = background_n.at(i);
    rows[i].grade = grade_in(grade.at(i));
  }
  return rows;
}

std::vector<OriginReading> read_origin(const TableReader& t, Rows of) {
  std::vector<OriginReading> readings(of.count);
  const auto text = [&](const char* name, std::string OriginReading::*field) {
    auto values = t.text(origin_group + name, of.first, of.count);
    for (std::size_t i = 0; i < readings.size(); ++i) readings[i].*field = std::move(values.at(i));
  };
  const auto real = [&](const char* name, double OriginReading::*field) {
    const auto values = t.read<double>(origin_group + name, of.first, of.count);
    for (std::size_t i = 0; i < readings.size(); ++i) readings[i].*field = values.at(i);
  };
  const auto whole = [&](const char* name, std::uint64_t OriginReading::*field) {
    const auto values = t.read<std::uint32_t>(origin_group + name, of.first, of.count);
    for (std::size_t i = 0; i < readings.size(); ++i) readings[i].*field = values.at(i);
  };
  text("subject", &OriginReading::subject);
  text("reading", &OriginReading::reading);
  text("label", &OriginReading::label);
  whole("rank_estimate", &OriginReading::rank);
  whole("rank_limit", &OriginReading::limit);
  whole("n_significant", &OriginReading::significant);
  real("ratio", &OriginReading::ratio);
  real("delta", &OriginReading::delta);
  real("update", &OriginReading::update);
  real("cosine", &OriginReading::cosine);
  real("noise_floor", &OriginReading::noise_edge);
  const auto layer = t.read<std::int32_t>(origin_group + "layer", of.first, of.count);
  const auto start = t.read<std::uint64_t>(origin_group + "row_start", of.first, of.count);
  const auto count = t.read<std::uint32_t>(origin_group + "row_count", of.first, of.count);
  for (std::size_t i = 0; i < readings.size(); ++i) {
    OriginReading& r = readings[i];
    r.layer = layer.at(i);
    r.values = t.read<double>(origin_group + "value", start.at(i), count.at(i));
    if (!r.values.empty()) r.first = r.values.front();
    if (r.rank < r.values.size()) r.behind = r.values[r.rank];
  }
  return readings;
}

}  // namespace

std::vector<Pair> read_pair_verdicts(const TableReader& t) {
  std::vector<Pair> pairs(t.rows("pairs/verdict"));
  const auto a = t.read<std::uint32_t>("pairs/model_a");
  const auto b = t.read<std::uint32_t>("pairs/model_b");
  const auto verdict = t.read<std::uint8_t>("pairs/verdict");
  const auto log10_p = t.read<double>("pairs/log10_p");
  const auto corrected = t.read<double>("pairs/log10_p_corrected");
  const auto tests = t.read<std::uint64_t>("pairs/tests");
  const auto direction = t.read<std::int32_t>("pairs/direction");
  const auto reason = t.text("pairs/reason");
  const auto words = t.text("pairs/sentence");
  const std::uint64_t models = t.rows("models/id");
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (a.at(i) >= b.at(i) || b.at(i) >= models)
      throw std::out_of_range(fmt::format("pair {} names no two models in order", i));
    if (verdict.at(i) > static_cast<std::uint8_t>(Relation::abstain))
      throw std::out_of_range(fmt::format("pair {} has a class that is none", i));
    pairs[i] = {.a = a.at(i),
                .b = b.at(i),
                .relation = static_cast<Relation>(verdict.at(i)),
                .reason = reason.at(i),
                .sentence = words.at(i),
                .log10_p = log10_p.at(i),
                .log10_p_corrected = corrected.at(i),
                .tests = tests.at(i),
                .direction = direction.at(i),
                .evidence = {}};
  }
  return pairs;
}

std::vector<Pair> read_pairs(const TableReader& t) {
  std::vector<Pair> pairs = read_pair_verdicts(t);
  const auto pair_of = t.read<std::uint32_t>("evidence/pair_index");
  auto evidence = read_evidence(t, {0, pair_of.size()});
  for (std::size_t i = 0; i < evidence.size(); ++i)
    pairs.at(pair_of.at(i)).evidence.push_back(std::move(evidence[i]));
  return pairs;
}

std::map<std::string, std::vector<Headline>> read_headlines(const TableReader& t) {
  const std::uint64_t pairs = t.rows("pairs/verdict"), rows = t.rows("evidence/pair_index");
  std::map<std::string, std::vector<Headline>> by_method;
  for (std::uint64_t first = 0; first < rows; first += piece) {
    const std::uint64_t count = std::min(piece, rows - first);
    const auto pair = t.read<std::uint32_t>("evidence/pair_index", first, count);
    const auto method = t.text("evidence/method", first, count), role = t.text("evidence/role", first, count);
    const auto score = t.read<double>("evidence/score", first, count);
    const auto control = t.read<double>("evidence/control", first, count);
    const auto percentile = t.read<double>("evidence/background_percentile", first, count);
    const auto log10_p = t.read<double>("evidence/log10_p", first, count);
    for (std::uint64_t i = 0; i < count; ++i) {
      if (!role[i].empty()) continue;
      auto& headlines = by_method.try_emplace(method[i], pairs).first->second;
      headlines.at(pair[i]) = {score[i], control[i], percentile[i], log10_p[i]};
    }
  }
  return by_method;
}

std::vector<std::vector<float>> read_scores_of_places(const TableReader& t, std::string_view method,
                                                      std::string_view prefix) {
  const std::uint64_t rows = t.rows("evidence/pair_index");
  std::vector<std::vector<float>> scores(t.rows("pairs/verdict"));
  for (std::uint64_t first = 0; first < rows; first += piece) {
    const std::uint64_t count = std::min(piece, rows - first);
    const auto pair = t.read<std::uint32_t>("evidence/pair_index", first, count);
    const auto of = t.text("evidence/method", first, count), role = t.text("evidence/role", first, count);
    const auto score = t.read<double>("evidence/score", first, count);
    for (std::uint64_t i = 0; i < count; ++i)
      if (of[i] == method && role[i].starts_with(prefix))
        scores.at(pair[i]).push_back(static_cast<float>(score[i]));
  }
  return scores;
}

std::vector<std::optional<Grade>> read_grades(const TableReader& t) {
  const auto level = t.read<double>("pairs/log10_p");
  const std::uint64_t rows = t.rows("evidence/pair_index");
  std::vector<std::optional<Grade>> grades(level.size());
  for (std::uint64_t first = 0; first < rows; first += piece) {
    const std::uint64_t count = std::min(piece, rows - first);
    const auto pair = t.read<std::uint32_t>("evidence/pair_index", first, count);
    const auto log10_p = t.read<double>("evidence/log10_p", first, count);
    const auto grade = t.read<std::uint8_t>("evidence/grade", first, count);
    for (std::uint64_t i = 0; i < count; ++i)
      if (log10_p[i] == level.at(pair[i])) grades[pair[i]] = grade_in(grade[i]);
  }
  return grades;
}

std::vector<std::vector<Evidence>> read_evidence_of(const TableReader& t,
                                                    std::span<const std::size_t> pairs) {
  std::vector<std::vector<Evidence>> evidence;
  for (const Rows& rows : rows_of(t, "evidence/pair_index", pairs))
    evidence.push_back(read_evidence(t, rows));
  return evidence;
}

std::vector<std::vector<OriginReading>> read_origin_readings(const TableReader& t,
                                                             std::span<const std::size_t> pairs) {
  std::vector<std::vector<OriginReading>> readings;
  for (const Rows& rows : rows_of(t, origin_group + "pair_index", pairs))
    readings.push_back(read_origin(t, rows));
  return readings;
}

std::vector<BackgroundScores> read_backgrounds(const TableReader& t) {
  const auto method = t.text("backgrounds/method"), population = t.text("backgrounds/population");
  const auto start = t.read<std::uint64_t>("backgrounds/row_start");
  const auto count = t.read<std::uint32_t>("backgrounds/row_count");
  std::vector<BackgroundScores> backgrounds(method.size());
  for (std::size_t i = 0; i < backgrounds.size(); ++i)
    backgrounds[i] = {method[i], population.at(i),
                      t.read<double>("backgrounds/value", start.at(i), count.at(i))};
  return backgrounds;
}

}  // namespace stemma
