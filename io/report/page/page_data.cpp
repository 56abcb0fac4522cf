// What do the scripts of a page know?
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "io/report/page/colour.hpp"
#include "io/report/page/curve_drawing.hpp"
#include "io/report/page/sections.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

/// A share as one byte: 0 to 250 for 0 to 1, 255 for none.
std::uint8_t packed(double share) {
  return std::isfinite(share) ? static_cast<std::uint8_t>(std::lround(std::clamp(share, 0.0, 1.0) * 250))
                              : 255;
}

Json rounded(double value, double steps) {
  if (!std::isfinite(value)) return nullptr;
  return std::round(value * steps) / steps;
}

/// One byte for each pair, as Distances orders them; "" for too many.
template <class Value>
std::string by_pair(const PageContent& content, std::uint8_t otherwise, const Value& value) {
  const std::size_t n = content.models.size();
  if (n > most_compared) return "";
  std::vector<std::uint8_t> bytes(n * (std::max<std::size_t>(n, 1) - 1) / 2, otherwise);
  for (const PagePair& pair : content.pairs) bytes[Distances::place(n, pair.a, pair.b)] = value(pair);
  return base64(bytes);
}

}  // namespace

std::string page_data(const PageContent& content) {
  Json ids = Json::array(), labels = Json::array();
  for (const PageModel& model : content.models) {
    ids.push_back(shortened(model.id, 130));
    labels.push_back(shortened(model.label, 130));
  }
  Json data = {{"ids", ids}, {"labels", labels}, {"order", content.dendrogram.order}};
  Json relations = Json::array();
  for (int r = 0; r < 9; ++r) relations.push_back(name_of(static_cast<Relation>(r)));
  data["relations"] = relations;
  data["share"] = by_pair(content, 255, [](const PagePair& p) { return packed(p.share); });
  data["percentile"] = by_pair(content, 255, [](const PagePair& p) { return packed(p.percentile / 100); });
  data["relation"] =
      by_pair(content, 255, [](const PagePair& p) { return static_cast<std::uint8_t>(p.relation); });
  if (content.models.size() <= most_lines) {
    Json numbers = Json::array();
    for (const PagePair& p : content.pairs)
      numbers.push_back({p.a, p.b, rounded(p.log10_p, 10), rounded(p.curve_score, 1e4),
                         rounded(p.curve_twin, 1e4), rounded(p.guard, 1e3), rounded(p.guard_control, 1e3)});
    data["numbers"] = numbers;
  }
  Json lines = Json::object();
  for (const CurveFigure& figure : content.curves)
    for (std::size_t p = 0; p < figure.panels.size(); ++p) {
      if (figure.panels[p].lines.size() <= most_lines) continue;  // all of them are drawn
      const Frame frame = frame_of(figure, figure.panels[p]);
      Json of_panel = Json::object();
      for (const CurveLine& line : figure.panels[p].lines)
        of_panel[std::to_string(line.model)] = line_path(frame, line.points);
      lines[figure.id + "-" + std::to_string(p)] = of_panel;
    }
  data["lines"] = lines;
  return data.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace stemma
