// How far is a run, told to machines?
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/progress_words.hpp"

namespace stemma {

/// The content of status.json. What is not known is not said: null in the document.
struct RunStatus {
  std::string stage;  ///< start, survey, work, compare, trace, archive, report, end, stopped or failed
  std::string unit = std::string(usual_unit);  ///< what is counted
  std::uint64_t done = 0, total = 0;
  std::uint64_t bytes = 0;          ///< read in this stage
  std::optional<double> rate = {};  ///< bytes per second since the stage began
  std::optional<double> eta = {};   ///< seconds to the end of the stage
  std::string deadline = {};        ///< ISO 8601 UTC; "" where there is none
  std::uint64_t failed = 0;
  std::optional<int> exit_code = {};  ///< at the end
};

/// stemma.status/1, as of now.
std::string status_json(const RunStatus& status);

/// What is left when a run ends without a result: the numbers of `file`, a former status, with this end;
/// zeros when it cannot be read.
std::string ended_status_json(const std::filesystem::path& file, std::string stage, int exit_code);

}  // namespace stemma
