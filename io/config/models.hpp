// Which models does a configuration name, one by one, after globs and sheets are expanded?
#pragma once
#include <map>
#include <string>
#include <vector>

#include "io/config/run_config.hpp"

namespace stemma {

/// One model to be opened. The path is absolute and existed when it was listed; nobody has looked inside.
struct ModelSource {
  std::string id;
  std::string label;
  std::string path;
  std::string revision;
  std::string variant;
  std::string architecture;  ///< forced family of tables, empty: found out from the files
  std::string family;
  std::vector<std::string> base;  ///< declared parents, ids
  std::string relation;
  ModelUse use = ModelUse::subject;
  std::string place;                           ///< "models.tsv:17", "configs/audit.yaml:14:5"
  std::map<std::string, std::string> further;  ///< other columns of the sheet
};

/// Looks at the file system: one process calls it and tells the others. The order is that of the
/// configuration, matches of a glob sorted bytewise. Throws ConfigProblems for a glob without match, a path
/// or sheet that does not exist, faults of sheets, two models with one id, and zero models.
std::vector<ModelSource> expand_models(const RunConfig& config, std::vector<std::string>& notes,
                                       const Environment& environment = process_environment());

}  // namespace stemma
