// How does a page come to lie where it was asked for?
#include "pipeline/page_files.hpp"

#include "io/archive/storage_error.hpp"
#include "io/report/page/sections.hpp"
#include "io/report/page/thinning.hpp"
#include "io/report/tsv.hpp"
#include "pipeline/multiqc.hpp"

namespace stemma {

namespace fs = std::filesystem;

WrittenPage write_page(const fs::path& archive, const fs::path& page, const PageWishes& wishes) {
  const ArchiveReader reader(archive);
  PageContent content =
      page_content(reader, wishes.source.empty() ? archive.filename().string() : wishes.source, wishes);
  const fs::path tables = page.parent_path() / (page.stem().string() + "_data");
  content.tables = tables.filename().string();
  std::error_code error;
  fs::create_directories(tables, error);
  if (error) throw StorageError(tables.string(), "", "create", error.value());
  for (const auto& [name, text] : page_tables(content)) write_whole(tables / name, text);
  const std::string text = fitting_page(content);
  write_whole(page, text);
  return {.page = page,
          .sentences = three_sentences(content),
          .bytes = text.size(),
          .most_bytes = content.most_bytes};
}

bool write_multiqc(const fs::path& archive, const fs::path& file) {
  const std::string text =
      multiqc_json(page_content(ArchiveReader(archive), archive.filename().string(), {}));
  if (!text.empty()) write_whole(file, text);
  return !text.empty();
}

}  // namespace stemma
