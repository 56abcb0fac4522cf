// Which points does a sweep have, and what came of them, said to people and to scripts?
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "io/config/sweep.hpp"
#include "pipeline/sweep_directory.hpp"

namespace stemma {

/// How many points and by what, then the first of them with their settings.
std::string points_text(const Sweep& sweep);
/// The same as part of a document; `planned` is the point that the rest of it is about.
nlohmann::ordered_json points_document(const Sweep& sweep, std::size_t planned);

/// One line for every point, and where the table is.
std::string results_text(const SweepDirectory& directory);
/// stemma.sweep/1
std::string results_json(const SweepDirectory& directory);

}  // namespace stemma
