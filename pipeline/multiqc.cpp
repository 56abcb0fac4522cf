// MultiQC finds files whose names end in _mqc.json, and reads a list of rows beside the names of both axes.
#include "pipeline/multiqc.hpp"

#include <cmath>

#include "pipeline/json_document.hpp"
#include "pipeline/version.hpp"

namespace stemma {

std::string multiqc_json(const PageContent& content) {
  using Json = nlohmann::ordered_json;
  const std::size_t n = content.models.size();
  const auto& order = content.dendrogram.order;
  if (n < 2 || order.size() != n) return "";
  std::vector<std::size_t> row(n);
  for (std::size_t i = 0; i < n; ++i) row[order[i]] = i;
  Json data(n, Json(n, nullptr)), names = Json::array();
  for (std::size_t i = 0; i < n; ++i) {
    names.push_back(content.models[order[i]].id);
    data[i][i] = 1;
  }
  for (const PagePair& pair : content.pairs) {
    const std::size_t i = row[pair.a], j = row[pair.b];
    data[i][j] = data[j][i] = json_number(std::round(pair.share * 1e4) / 1e4);
  }
  const Json document = {
      {"id", "stemma_similarity"},
      {"section_name", "Stemma: kinship of models"},
      {"description",
       "Share of neurons that agree in two models. Separately trained models share up to a tenth. "
       "Written by Stemma " +
           std::string(version_text) + "; its report.html holds the evidence."},
      {"plot_type", "heatmap"},
      {"pconfig",
       {{"id", "stemma_similarity_heatmap"},
        {"title", "Stemma: share of agreeing neurons"},
        {"min", 0},
        {"max", 1},
        {"square", true}}},
      {"xcats", names},
      {"ycats", names},
      {"data", data}};
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace stemma
