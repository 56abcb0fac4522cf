// How does a page come to lie where it was asked for?
#include "pipeline/page_files.hpp"

#include "io/archive/storage_error.hpp"
#include "io/report/page/sections.hpp"
#include "io/report/page/thinning.hpp"
#include "io/report/tsv.hpp"
#include "pipeline/multiqc.hpp"

namespace stemma {

namespace fs = std::filesystem;

namespace {

/// The page, and the tables of its figures in a directory beside it.
std::uint64_t write_page(PageContent& content, const fs::path& page) {
  const fs::path tables = page.parent_path() / (page.stem().string() + "_data");
  content.tables = tables.filename().string();
  std::error_code error;
  fs::create_directories(tables, error);
  if (error) throw StorageError(tables.string(), "", "create", error.value());
  for (const auto& [name, text] : page_tables(content)) write_whole(tables / name, text);
  const std::string text = fitting_page(content);
  write_whole(page, text);
  return text.size();
}

}  // namespace

WrittenPage write_page(const fs::path& archive, const PageFiles& files, const PageWishes& wishes) {
  const ArchiveReader reader(archive);
  PageContent content =
      page_content(reader, wishes.source.empty() ? archive.filename().string() : wishes.source, wishes);
  WrittenPage written{
      .page = files.page, .sentences = three_sentences(content), .most_bytes = content.most_bytes};
  if (!files.page.empty()) written.bytes = write_page(content, files.page);
  if (files.heatmap.empty()) return written;
  const std::string heatmap = multiqc_json(content);
  if (!heatmap.empty()) write_whole(files.heatmap, heatmap);
  written.heatmap = !heatmap.empty();
  return written;
}

}  // namespace stemma
