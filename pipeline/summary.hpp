// What does a finished run say on the screen?
#pragma once
#include <string>

#include "pipeline/audit.hpp"

namespace stemma {

/// The table of verdicts (one line per subject: what it declares, who is nearest, what the weights allow to
/// say) and the sentences that must stand beside it. Models by label, where they have one, or by id. Plain
/// columns, no box drawing.
std::string verdict_summary(const AuditResult& result, bool labels);

/// All tests of one pair: score, control, background, what may be said.
std::string pair_summary(const Fingerprint& a, const Fingerprint& b, const Pair& pair);

}  // namespace stemma
