// Features of all models as one table, unless there are too many.
#include <limits>

#include "io/report/tsv.hpp"
#include "pipeline/feature_rows.hpp"
#include "pipeline/outputs.hpp"

namespace stemma {
std::uint64_t feature_count(const std::vector<Fingerprint>& models) {
  std::uint64_t rows = 0;
  for (const Fingerprint& model : models) for_each_feature(model, [&](const auto&...) { ++rows; });
  return rows;
}

std::string features_table(const std::vector<Fingerprint>& models, std::uint64_t most) {
  Tsv table({"model", "method", "layer", "part", "feature", "value"});
  const bool counts = most != std::numeric_limits<std::uint64_t>::max();
  if (counts && feature_count(models) > most) return table.text();
  for (const Fingerprint& model : models)
    for_each_feature(model, [&](const auto&... cells) { table.row(model.id, cells...); });
  return table.text();
}

}  // namespace stemma
