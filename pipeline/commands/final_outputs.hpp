// What does a run leave when its archive is there?
#pragma once
#include <filesystem>

#include "pipeline/audit.hpp"
#include "pipeline/log.hpp"
#include "pipeline/run_directory.hpp"

namespace stemma {

/// Writes the page, the heatmap for MultiQC, tables and documents, as far as the request wants them, and
/// tells the log what they lack. Returns the page; "" where none is wanted, or none could be made: the
/// results do not depend on it. Throws StorageError.
std::filesystem::path leave_outputs(const RunDirectory& directory, const AuditResult& result,
                                    const AuditRequest& request, Log& log);

}  // namespace stemma
