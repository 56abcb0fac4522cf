// Is this file, to the last byte, an archive that keeps the rules of its layout?
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace stemma {

/// One broken rule. Tests compare `rule`, never the prose.
struct Complaint {
  std::string rule;   ///< "archive.ragged", "archive.type", ...
  std::string where;  ///< dataset or attribute, "" for the file as a whole
  std::string problem;
};
/// "where: problem (rule)". The file's name is not in it: whoever prints complaints knows what they are
/// about.
std::string sentence(const Complaint& complaint);

/// Every complaint about the file, none when it is sound. Never throws for what is in the file: what cannot
/// be read is a complaint. A file whose bytes changed since it was sealed is not given to HDF5 at all, which
/// trusts lengths that it reads. One without a seal is a complaint, and is opened all the same: only here, to
/// say what else is wrong with it.
std::vector<Complaint> validate(const std::filesystem::path& path);

}  // namespace stemma
