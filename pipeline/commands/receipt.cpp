// What can be written at the beginning can most likely be written at the end, and is said in time otherwise.
#include "pipeline/commands/receipt.hpp"

#include <CLI/CLI.hpp>
#include <exception>
#include <filesystem>

#include "io/archive/storage_error.hpp"
#include "io/report/tsv.hpp"
#include "pipeline/json_document.hpp"

namespace stemma {

void Receipt::declare(CLI::App& app) {
  app.add_option("--receipt", file_, "write this file as the last act: exit code, and what was archived")
      ->type_name("FILE");
}

void Receipt::begin() const {
  if (file_.empty()) return;
  write_whole(file_, "");
  std::error_code error;
  std::filesystem::remove(file_, error);
  if (error) throw StorageError(file_, "", "remove", error.value());
}

void Receipt::write(ExitCode code) const noexcept {
  if (file_.empty()) return;
  try {
    write_whole(
        file_,
        json_text({{"schema", "stemma.receipt/1"}, {"exit_code", static_cast<int>(code)}, {"runs", runs_}}));
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): its absence says so
  }
}

}  // namespace stemma
