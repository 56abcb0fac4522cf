// What of models and pages is not told to others?
#pragma once
#include <span>
#include <vector>

#include "io/report/page/content.hpp"
#include "io/report/redaction.hpp"
#include "pipeline/survey.hpp"

namespace stemma {

/// Shortens every path in what was found about these models (see Redaction). They can be shown afterwards,
/// and no longer be read.
void redact(std::span<SurveyedModel> models);

/// Shortens every path on a page, and leaves out users and machines.
void redact(PageContent& content);

/// Shortens every path in one finding, in claims of descent.
void redact(Finding& finding, const Redaction& redaction);
void redact(std::vector<Claim>& claims, const Redaction& redaction);

}  // namespace stemma
