// Where in its panel does a curve lie?
#pragma once
#include "io/report/page/chart.hpp"
#include "io/report/page/content.hpp"

namespace stemma {

/// The frame that holds all lines of a panel: the same for its drawing and for lines that scripts add.
Frame frame_of(const CurveFigure& figure, const CurvePanel& panel);

}  // namespace stemma
