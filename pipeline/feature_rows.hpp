// Which numbers of which place of a model are features?
#pragma once
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/archive/fingerprint.hpp"

namespace stemma {

/// Calls `take(method, layer, part, feature, value)` for every number that is known.
template <class Take>
void for_each_feature(const Fingerprint& model, const Take& take) {
  const auto put = [&](std::string_view method, int layer, std::string_view part, std::string_view feature,
                       double value) {
    if (!std::isnan(value)) take(method, layer, part, feature, value);
  };
  const LayerTable& t = model.table;
  for (std::size_t row = 0; row < t.layer.size(); ++row)
    for (const char* part : layer_parts) {
      const auto put_column = [&](const char* method, const char* feature,
                                  const std::map<std::string, std::vector<double>>& columns) {
        const auto column = columns.find(part);
        if (column != columns.end()) put(method, t.layer[row], part, feature, column->second[row]);
      };
      put_column("histogram", "std_unbiased", t.std_unbiased);
      put_column("histogram", "log_frobenius", t.log_frobenius);
      put_column("histogram", "kurtosis_excess", t.kurtosis_excess);
      put_column("spectrum", "s1", t.s1);
      put_column("spectrum", "stable_rank", t.stable_rank);
      put_column("spectrum", "effective_rank", t.effective_rank);
    }
  if (model.repaired)
    for (std::size_t row = 0; row < model.repaired->layer.size(); ++row)
      for (std::size_t p = 0; p < projection_parts.size(); ++p)
        for (const auto& [name, curves] : repaired_columns)
          put("tensorguard", model.repaired->layer[row], projection_parts[p], name,
              ((*model.repaired).*curves)[p][row]);
  if (!model.intrinsic) return;
  const IntrinsicCurves& c = *model.intrinsic;
  for (std::size_t row = 0; row < c.layer.size(); ++row) {
    const auto put_curve = [&](std::string_view part, const char* feature, const std::vector<double>& curve) {
      if (row < curve.size()) put("intrinsic_fingerprint", c.layer[row], part, feature, curve[row]);
    };
    for (std::size_t p = 0; p < qkvo_parts.size(); ++p) {
      put_curve(qkvo_parts[p], "std", c.curve[p]);
      put_curve(qkvo_parts[p], "edge_ratio", c.edge[p]);
    }
    for (std::size_t p = 0; p < twin_parts.size(); ++p) put_curve(twin_parts[p], "twin", c.twin[p]);
    for (const auto& [name, values] : c.further) put_curve(name, "further", values);
  }
}

}  // namespace stemma
