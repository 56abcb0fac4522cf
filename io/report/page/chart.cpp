// How are scales, axes and labels drawn?
#include "io/report/page/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "io/model/utf8.hpp"

namespace stemma {

double Scale::operator()(double value) const {
  const double share = log ? (std::log(value) - std::log(low)) / (std::log(high) - std::log(low))
                           : (value - low) / (high - low);
  return from + share * (to - from);
}

std::vector<double> Scale::ticks(int most) const {
  std::vector<double> ticks;
  if (log) {
    const int first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
    const int last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
    const int step = std::max(1, (last - first + most - 1) / std::max(1, most - 1));
    for (int decade = first; decade <= last; decade += step) ticks.push_back(std::pow(10.0, decade));
    if (ticks.size() > 1) return ticks;
    ticks.clear();  // less than two decades: as on a straight scale
  }
  const double raw = (high - low) / std::max(1, most);
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  double step = power * 10;
  for (const double nice : {1.0, 2.0, 5.0})
    if (power * nice >= raw) {
      step = power * nice;
      break;
    }
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k)
    ticks.push_back(k * step);
  return ticks;
}

Scale scale_around(const std::vector<double>& values, double from, double to, bool log) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : values) {
    if (!std::isfinite(value) || (log && value <= 0)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high) return {.low = log ? 0.1 : 0, .high = 1, .from = from, .to = to, .log = log};
  if (log) {
    const double room = std::max(std::pow(high / low, 0.05), 1.05);
    return {.low = low / room, .high = high * room, .from = from, .to = to, .log = true};
  }
  const double room = high > low ? 0.05 * (high - low) : std::max(std::abs(high) * 0.1, 1e-3);
  return {.low = low - room, .high = high + room, .from = from, .to = to, .log = false};
}

std::string tick_text(double value) {
  if (value != 0 && (std::abs(value) < 1e-3 || std::abs(value) >= 1e6)) return fmt::format("{:.3g}", value);
  return fmt::format("{}", std::round(value * 1e6) / 1e6 + 0.0);  // no -0
}

void draw_axes(Markup& page, const Frame& f, std::string_view x_title, std::string_view y_title, int most_x,
               int most_y) {
  const double bottom = f.top + f.height, right = f.left + f.width;
  std::string grid, frame = fmt::format("M{} {}V{}H{}", coordinate(f.left), coordinate(f.top),
                                        coordinate(bottom), coordinate(right));
  LabelRoom room;
  std::vector<std::pair<double, std::string>> across, up;
  for (const double tick : f.x.ticks(most_x)) across.emplace_back(f.x(tick), tick_text(tick));
  for (const double tick : f.y.ticks(most_y)) up.emplace_back(f.y(tick), tick_text(tick));
  for (const auto& [x, words] : across) frame += fmt::format("M{} {}v4", coordinate(x), coordinate(bottom));
  for (const auto& [y, words] : up)
    grid += fmt::format("M{} {}H{}", coordinate(f.left), coordinate(y), coordinate(right));
  if (!grid.empty()) page.leaf("path", {{"class", "gridline"}, {"d", grid}});
  page.leaf("path", {{"class", "axis"}, {"d", frame}});
  for (const auto& [x, words] : across) {
    const double width = text_width(words, 10);
    if (room.take(x - width / 2 - 3, bottom + 5, width + 6, 12))
      page.element("text", {{"class", "tick"}, {"x", x}, {"y", bottom + 15}, {"text-anchor", "middle"}},
                   words);
  }
  for (const auto& [y, words] : up) {
    const double width = text_width(words, 10);
    if (room.take(f.left - 6 - width, y - 7, width, 14))
      page.element("text", {{"class", "tick"}, {"x", f.left - 6}, {"y", y + 3.5}, {"text-anchor", "end"}},
                   words);
  }
  if (!x_title.empty())
    page.element("text", {{"class", "axis-title"}, {"x", right}, {"y", bottom + 31}, {"text-anchor", "end"}},
                 x_title);
  if (!y_title.empty())
    page.element(
        "text",
        {{"class", "axis-title"}, {"x", std::max(4.0, f.left - 40)}, {"y", std::min(f.top - 8, 13.0)}},
        y_title);
}

std::string line_path(const Frame& frame, const std::vector<std::pair<double, double>>& points) {
  std::string path;
  bool pen_down = false;
  for (const auto& [x, y] : points) {
    const double px = frame.x(x), py = frame.y(y);
    if (!std::isfinite(px) || !std::isfinite(py)) {
      pen_down = false;
      continue;
    }
    path += fmt::format("{}{:.0f} {:.1f}", pen_down ? 'L' : 'M', px, py);
    pen_down = true;
  }
  return path;
}

std::string dots_path(const Frame& frame, const std::vector<std::pair<double, double>>& points) {
  std::string path;
  double last_x = -1e9, last_y = -1e9;
  for (const auto& [x, y] : points) {
    const double px = frame.x(x), py = frame.y(y);
    if (!std::isfinite(px) || !std::isfinite(py)) continue;
    if (std::abs(px - last_x) < 0.5 && std::abs(py - last_y) < 0.8) continue;
    path += fmt::format("M{:.1f} {:.1f}h0", last_x = px, last_y = py);
  }
  return path;
}

double text_width(std::string_view text, double size) {
  constexpr char32_t first_wide = 0x1100;  // from here on scripts have characters as wide as they are high
  double ems = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto [code, length] = first_character(text.substr(at));
    ems += code < first_wide ? 0.66 : 1.05;
    at += std::max<std::size_t>(length, 1);
  }
  return ems * size;
}

bool LabelRoom::take(double left, double top, double width, double height) {
  const Box box{left, top, left + width, top + height};
  const bool free = std::none_of(taken_.begin(), taken_.end(), [&](const Box& other) {
    return box.left < other.right && other.left < box.right && box.top < other.bottom &&
           other.top < box.bottom;
  });
  if (free) taken_.push_back(box);
  return free;
}

void open_drawing(Markup& page, std::string_view style, double width, double height, std::string_view title,
                  std::string_view description) {
  page.open("svg", {{"class", style},
                    {"width", width},
                    {"height", height},
                    {"viewBox", fmt::format("0 0 {} {}", coordinate(width), coordinate(height))},
                    {"role", "img"},
                    {"aria-label", fmt::format("{}. {}", title, description)}});
}

}  // namespace stemma
