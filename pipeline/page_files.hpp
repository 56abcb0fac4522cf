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
};

/// Writes the page to `page` and the tables of its figures into a directory beside it: report_data for
/// report.html. Throws
/// StorageError, and what page_content throws.
WrittenPage write_page(const std::filesystem::path& archive, const std::filesystem::path& page,
                       const PageWishes& wishes);

}  // namespace stemma
