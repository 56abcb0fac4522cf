// How does the heatmap come onto a page that MultiQC makes?
#pragma once
#include <string>

#include "io/report/page/content.hpp"

namespace stemma {

/// The heatmap of a page as custom content of MultiQC: share of agreeing neurons of every pair, null where it
/// is not known, models in the order of the dendrogram. "" where the page has no heatmap either: of fewer
/// than two models, or of too many.
std::string multiqc_json(const PageContent& content);

}  // namespace stemma
