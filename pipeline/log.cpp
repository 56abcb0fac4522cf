// One event, one line: UTC time, stage, sentence; on the screen and in the run's log alike.
#include "pipeline/log.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "io/archive/storage_error.hpp"
#include "io/model/finding.hpp"
#include "pipeline/clock.hpp"

namespace stemma {
namespace {

constexpr std::size_t most_of_a_line = std::size_t{16} << 10;  // a command line may name many models

std::string_view name_of(Verbosity weight) {
  return weight == Verbosity::debug ? "debug" : weight == Verbosity::info ? "info" : "warn";
}

}  // namespace

Log::~Log() {
  transient("");
  for (const Copy& copy : copies_) std::fclose(copy.file);
}

void Log::copy_to(const std::filesystem::path& file, LogFormat format) {
  if (!speaks_) return;
  std::FILE* const opened = std::fopen(file.c_str(), "ae");
  if (!opened) throw StorageError(file, "", "write", errno);
  copies_.push_back({opened, format});
}

void Log::line(Verbosity weight, std::string_view stage, std::string_view sentence) {
  if (!speaks_ || weight < verbosity_) return;
  const std::string now = utc_now(), message = printable(sentence, most_of_a_line);
  const std::string text = fmt::format("{}  {:<8}  {}\n", now, stage, message);
  const std::lock_guard lock(mutex_);
  if (transient_shown_) std::fputs("\r\033[K", stderr);
  transient_shown_ = false;
  std::fputs(text.c_str(), stderr);
  for (const Copy& copy : copies_) {
    if (copy.format == LogFormat::json) {
      const nlohmann::ordered_json event{
          {"t", now}, {"level", name_of(weight)}, {"stage", stage}, {"message", message}};
      std::fputs((event.dump() + "\n").c_str(), copy.file);
    } else {
      std::fputs(text.c_str(), copy.file);
    }
    std::fflush(copy.file);
  }
}

void Log::transient(std::string_view text) {
  if (!speaks_ || verbosity_ > Verbosity::info) return;
  const std::lock_guard lock(mutex_);
  if (text.empty() && !transient_shown_) return;
  // Not fmt::print, which throws when nobody reads any more: this may be the thread of the progress.
  std::fputs(fmt::format("\r\033[K{}", text).c_str(), stderr);
  std::fflush(stderr);
  transient_shown_ = !text.empty();
}

}  // namespace stemma
