// What does a finished run say on the screen?
#pragma once
#include <string>

#include "pipeline/audit.hpp"

namespace stemma {

/// The table of verdicts (one line per subject: what it declares, what the weights allow to say of whom, and
/// how sure that is) and the sentences that must stand beside it. Models by label, where they have one, or by
/// id. Plain columns, no box drawing.
std::string verdict_summary(const AuditResult& result, bool labels);

}  // namespace stemma
