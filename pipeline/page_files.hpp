// How is a page with its tables written beside an archive?
#pragma once
#include <filesystem>
#include <string>

#include "pipeline/page_content.hpp"

namespace stemma {

/// Where the content of a page goes; "" where it does not.
struct PageFiles {
  std::filesystem::path page;
  std::filesystem::path heatmap = {};  ///< its heatmap alone, for MultiQC: see multiqc_json
};

/// What was written.
struct WrittenPage {
  std::filesystem::path page;
  std::vector<std::string> sentences;  ///< the three that open it
  std::uint64_t bytes = 0;
  std::uint64_t most_bytes = 0;  ///< what it was to have: it may be larger
  bool heatmap = false;          ///< there is one
};

/// Writes the page, with the tables of its figures in a directory beside it (report_data for report.html),
/// and the heatmap. Throws StorageError, and what page_content throws.
WrittenPage write_page(const std::filesystem::path& archive, const PageFiles& files,
                       const PageWishes& wishes);

}  // namespace stemma
