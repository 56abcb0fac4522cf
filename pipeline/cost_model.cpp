// Sums of work over rates, with what a team adds and what it cannot share.
#include "pipeline/cost_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "io/config/problems.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* schema = "stemma.calibration/1";

/// Of a team, the ranks that one decomposition keeps busy.
int ranks_used(const Decomposition& decomposition, int ranks) {
  if (decomposition.form.k() <= too_small_for_teams) return 1;
  return std::min(ranks, std::max(decomposition.widest(), 1));
}

bool same(const Decomposition& a, const Decomposition& b) {
  return a.form.dtype == b.form.dtype && a.form.rows == b.form.rows && a.form.cols == b.form.cols;
}

double positive(const Json& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end() || !at->is_number()) throw std::runtime_error(fmt::format("{} is missing", key));
  const double value = at->get<double>();
  if (!(value > 0) || !std::isfinite(value))
    throw std::runtime_error(fmt::format("{} must be positive", key));
  return value;
}

}  // namespace

std::uint64_t ItemCost::largest_k() const {
  std::uint64_t k = 0;
  for (const Decomposition& d : decompositions) k = std::max(k, d.form.k());
  return k;
}

int ItemCost::widest() const {
  int most = 1;
  for (const Decomposition& d : decompositions)
    if (d.form.k() > too_small_for_teams) most = std::max(most, d.widest());
  return most;
}

std::uint64_t ItemCost::memory_on(int ranks, bool one_node) const {
  std::uint64_t largest = 0;
  for (const Decomposition& d : decompositions)
    largest = std::max(largest, d.memory(ranks_used(d, ranks), one_node));
  return memory + largest;
}

bool ItemCost::operator==(const ItemCost& other) const {
  return read_bytes == other.read_bytes && scanned_bytes == other.scanned_bytes && flops == other.flops &&
         memory == other.memory &&
         std::equal(decompositions.begin(), decompositions.end(), other.decompositions.begin(),
                    other.decompositions.end(), same);
}

double CostModel::eigen_rate(double k) const {
  const auto above = std::find_if(eigen_rates.begin(), eigen_rates.end(),
                                  [&](const EigenRate& r) { return static_cast<double>(r.k) >= k; });
  if (above == eigen_rates.begin()) return above->rate;
  if (above == eigen_rates.end()) return eigen_rates.back().rate;
  const EigenRate& below = *(above - 1);
  const double from = std::log(static_cast<double>(below.k)), to = std::log(static_cast<double>(above->k));
  return below.rate + (above->rate - below.rate) * (std::log(k) - from) / (to - from);
}

double CostModel::seconds(const ItemCost& cost, int ranks) const {
  double total = cost.read_bytes / read_rate / ranks + cost.scanned_bytes / scan_rate +
                 cost.flops / flop_rate + item_seconds;
  for (const Decomposition& d : cost.decompositions) {
    const double k = static_cast<double>(d.form.k());
    if (k == 0) continue;
    const double alone = d.product_flops() / product_rate + d.eigenvalue_flops() / eigen_rate(k) +
                         d.witness_flops() / flop_rate;
    const int used = ranks_used(d, ranks);
    total += used == 1 ? alone : alone / (used * team_efficiency) + k * step_seconds * std::log2(used);
  }
  return total;
}

std::string to_json(const CostModel& model) {
  Json rates = Json::array();
  for (const CostModel::EigenRate& r : model.eigen_rates)
    rates.push_back({{"k", r.k}, {"flops_per_second", r.rate}});
  return Json{{"schema", schema},
              {"name", model.name},
              {"product_flops_per_second", model.product_rate},
              {"eigenvalue_rates", rates},
              {"read_bytes_per_second", model.read_rate},
              {"scan_bytes_per_second", model.scan_rate},
              {"loop_flops_per_second", model.flop_rate},
              {"team_efficiency", model.team_efficiency},
              {"step_seconds", model.step_seconds},
              {"item_seconds", model.item_seconds}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

CostModel cost_model_of(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("schema", Json()) != schema)
    throw std::runtime_error(fmt::format("it is no {} document", schema));
  CostModel model;
  if (const auto name = json.find("name"); name != json.end() && name->is_string()) model.name = *name;
  model.product_rate = positive(json, "product_flops_per_second");
  model.read_rate = positive(json, "read_bytes_per_second");
  model.scan_rate = positive(json, "scan_bytes_per_second");
  model.flop_rate = positive(json, "loop_flops_per_second");
  model.team_efficiency = positive(json, "team_efficiency");
  model.step_seconds = positive(json, "step_seconds");
  model.item_seconds = positive(json, "item_seconds");
  if (model.team_efficiency > 1) throw std::runtime_error("team_efficiency must be at most 1");
  model.eigen_rates.clear();
  const auto rates = json.find("eigenvalue_rates");
  if (rates == json.end() || !rates->is_array() || rates->empty())
    throw std::runtime_error("eigenvalue_rates is missing");
  for (const Json& rate : *rates) {
    if (!rate.is_object()) throw std::runtime_error("eigenvalue_rates holds objects with k");
    const auto k = static_cast<std::uint64_t>(positive(rate, "k"));
    if (k == 0 || (!model.eigen_rates.empty() && k <= model.eigen_rates.back().k))
      throw std::runtime_error("eigenvalue_rates must ascend by k");
    model.eigen_rates.push_back({k, positive(rate, "flops_per_second")});
  }
  return model;
}

CostModel read_cost_model(const std::filesystem::path& file) {
  std::string problem;
  std::ifstream in(file);
  std::stringstream text;
  if (in >> text.rdbuf()) {
    try {
      return cost_model_of(text.str());
    } catch (const std::exception& error) {
      problem = error.what();
    }
  } else {
    problem = "it cannot be read";
  }
  throw ConfigProblems({Problem{.file = file.string(),
                                .line = 0,
                                .column = 0,
                                .key = "",
                                .message = "no calibration can be taken from it: " + problem}});
}

}  // namespace stemma
