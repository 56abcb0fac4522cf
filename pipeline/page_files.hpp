// How is a page with its tables written beside an archive?
#pragma once
#include <filesystem>
#include <string>

#include "pipeline/page_content.hpp"

namespace stemma {

/// What was written.
struct WrittenPage {
  std::filesystem::path page;
  std::vector<std::string> sentences;  ///< the three that open it
  std::uint64_t bytes = 0;
  std::uint64_t most_bytes = 0;  ///< what it was to have: it may be larger
};

/// Writes the page to `page` and the tables of its figures into a directory beside it: report_data for
/// report.html. Throws
/// StorageError, and what page_content throws.
WrittenPage write_page(const std::filesystem::path& archive, const std::filesystem::path& page,
                       const PageWishes& wishes);

/// Writes the heatmap of an archive to `file`, for MultiQC. Says whether there is one; see multiqc_json.
/// Throws StorageError, and what page_content throws.
bool write_multiqc(const std::filesystem::path& archive, const std::filesystem::path& file);

}  // namespace stemma
