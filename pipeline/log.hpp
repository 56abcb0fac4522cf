// What does the run say while it goes on?
#pragma once
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

enum class Verbosity : std::uint8_t { debug, info, warn };

/// Lines for people, or one JSON object a line: t, level (debug, info, warn), stage, message.
enum class LogFormat : std::uint8_t { text, json };

/// One event, one line: UTC time, stage in eight columns, sentence, made printable. Goes to stderr and to
/// copies: once there is a run directory, to its log. Only rank 0 speaks; on the other ranks a log is silent.
/// Thread-safe.
class Log {
 public:
  explicit Log(bool speaks) : speaks_(speaks) {}
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// From now on only lines of at least this weight. At first: info.
  void limit_to(Verbosity verbosity) { verbosity_ = verbosity; }

  /// Also appends to this file from now on, besides others. Throws StorageError.
  void copy_to(const std::filesystem::path& file, LogFormat format = LogFormat::text);

  void info(std::string_view stage, std::string_view sentence) { line(Verbosity::info, stage, sentence); }
  void warn(std::string_view sentence) { line(Verbosity::warn, "warn", sentence); }
  void debug(std::string_view stage, std::string_view sentence) { line(Verbosity::debug, stage, sentence); }

  /// A line on stderr that the next one replaces; for terminals, and no weightier than info. Empty text takes
  /// it away.
  void transient(std::string_view text);

 private:
  struct Copy {
    std::FILE* file;
    LogFormat format;
  };

  void line(Verbosity weight, std::string_view stage, std::string_view sentence);

  bool speaks_;
  Verbosity verbosity_ = Verbosity::info;
  std::vector<Copy> copies_;
  bool transient_shown_ = false;
  std::mutex mutex_;
};

}  // namespace stemma
