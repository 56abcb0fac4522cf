// What of models and pages is not told to others?
#pragma once
#include <span>

#include "io/report/page/content.hpp"
#include "pipeline/survey.hpp"

namespace stemma {

/// Shortens every path in what was found about these models (see Redaction). They can be shown afterwards,
/// and no longer be read.
void redact(std::span<SurveyedModel> models);

/// Shortens every path on a page, and leaves out users and machines.
void redact(PageContent& content);

}  // namespace stemma
