// How do numbers become places in a drawing, with axes that can be read?
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/report/page/markup.hpp"

namespace stemma {

/// From values to pixels. A logarithmic scale wants values above 0.
struct Scale {
  double low = 0, high = 1;   ///< values
  double from = 0, to = 100;  ///< pixels of low and high
  bool log = false;

  double operator()(double value) const;
  /// Round values within the scale, at most about `most`.
  std::vector<double> ticks(int most) const;
};

/// A scale that holds all values and a little more; around a single value, or from 0 to 1 for none.
Scale scale_around(const std::vector<double>& values, double from, double to, bool log);

/// A rectangle for a drawing with its scales; y grows upwards.
struct Frame {
  double left = 0, top = 0, width = 100, height = 100;
  Scale x, y;
};

/// Text of a number at an axis: "0.25", "1e-5".
std::string tick_text(double value);

/// Frame, ticks, their texts and titles of the axes. Titles take 14 px beyond the texts of ticks.
void draw_axes(Markup& page, const Frame& frame, std::string_view x_title, std::string_view y_title,
               int most_x = 5, int most_y = 5);

/// "M1 2L3 4": points that are not finite break the line; lone points are left out.
std::string line_path(const Frame& frame, const std::vector<std::pair<double, double>>& points);
/// Points as strokes of no length, which round ends make dots; one that would hide the one before is left
/// out.
std::string dots_path(const Frame& frame, const std::vector<std::pair<double, double>>& points);

/// About how wide text is, in pixels. An upper estimate for the sans-serif fonts of a page.
double text_width(std::string_view text, double size);

/// Keeps labels from lying on each other: a label that has no room is not drawn.
class LabelRoom {
 public:
  /// Takes the box when it is free.
  bool take(double left, double top, double width, double height);

 private:
  struct Box {
    double left, top, right, bottom;
  };
  std::vector<Box> taken_;
};

/// An svg of the given size with role img and its title and description, for a reader who does not see it.
void open_drawing(Markup& page, std::string_view style, double width, double height, std::string_view title,
                  std::string_view description);

}  // namespace stemma
