// How does an archive become a page of results? No weight is read.
#pragma once
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "io/archive/archive_reader.hpp"
#include "io/report/page/content.hpp"

namespace stemma {

/// What the reader of the page asked for.
struct PageWishes {
  std::string title;           ///< "": from the configuration
  std::string theme = "auto";  ///< auto, light or dark
  bool redact = false;         ///< paths are shortened, whatever the configuration of the run says
  std::string source;          ///< where the results come from; "": the file name of the archive
  /// Names for people by id, in place of those of the archive.
  std::vector<std::pair<std::string, std::string>> labels;
  /// A page of these two models alone, whose scores still stand beside those of the whole archive.
  std::optional<std::pair<std::string, std::string>> pair;
};

/// A page was asked for of models that were not compared.
class NoSuchPair : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Everything on the page. `name` is that of the archive. Throws NoSuchPair, InvalidInput for an archive that
/// is damaged.
PageContent page_content(const ArchiveReader& archive, const std::string& name, const PageWishes& wishes);

/// Tables with the numbers of every figure that no other table of a run holds, by file name: curves.tsv,
/// spectra.tsv, backgrounds.tsv, singular_values.tsv, order.tsv, distance.phy (PHYLIP, lower triangle) and
/// tree.nwk.
std::vector<std::pair<std::string, std::string>> page_tables(const PageContent& content);

}  // namespace stemma
