// One event, one line: UTC time, stage, sentence; on the screen and in the run's log alike.
#include "pipeline/log.hpp"

#include <fmt/format.h>

#include <cerrno>

#include "io/archive/storage_error.hpp"
#include "io/model/finding.hpp"
#include "pipeline/clock.hpp"

namespace stemma {
namespace {

constexpr std::size_t most_of_a_line = std::size_t{16} << 10;  // a command line may name many models

}  // namespace

Log::~Log() {
  transient("");
  if (file_) std::fclose(file_);
}

void Log::copy_to(const std::filesystem::path& file) {
  if (!speaks_) return;
  file_ = std::fopen(file.c_str(), "ae");
  if (!file_) throw StorageError(file, "", "write", errno);
}

void Log::line(Verbosity weight, std::string_view stage, std::string_view sentence) {
  if (!speaks_ || weight < verbosity_) return;
  const std::string text =
      fmt::format("{}  {:<8}  {}\n", utc_now(), stage, printable(sentence, most_of_a_line));
  const std::lock_guard lock(mutex_);
  if (transient_shown_) std::fputs("\r\033[K", stderr);
  transient_shown_ = false;
  std::fputs(text.c_str(), stderr);
  if (file_) {
    std::fputs(text.c_str(), file_);
    std::fflush(file_);
  }
}

void Log::transient(std::string_view text) {
  if (!speaks_) return;
  const std::lock_guard lock(mutex_);
  if (text.empty() && !transient_shown_) return;
  fmt::print(stderr, "\r\033[K{}", text);
  std::fflush(stderr);
  transient_shown_ = !text.empty();
}

}  // namespace stemma
