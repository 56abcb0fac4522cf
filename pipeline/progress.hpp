// How is it shown how far a stage is?
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "pipeline/clock.hpp"
#include "pipeline/log.hpp"
#include "pipeline/progress_words.hpp"
#include "pipeline/time_limit.hpp"

namespace stemma {

enum class ProgressRenderer : std::uint8_t { automatic, bar, lines, none };

/// How a stage is shown.
struct ProgressTerms {
  ProgressRenderer renderer = ProgressRenderer::automatic;
  std::chrono::seconds every{30};          ///< no longer without a line
  std::filesystem::path status_file = {};  ///< "" for none
  const TimeLimit* limit = nullptr;        ///< when the run has to end; may be null
  std::uint64_t failed = 0;                ///< in earlier stages, for the status of one that does not say

  /// The same of a run that has to end then, in which so much has failed already.
  ProgressTerms until(const TimeLimit* end, std::uint64_t failures = 0) const {
    ProgressTerms out = *this;
    out.limit = end;
    out.failed = failures;
    return out;
  }
};

/// Shows a stage until it is destroyed: one redrawn line on a terminal, else a line at every 10 % and at
/// least every `every`; and, in verbs that heed signals, a line whenever SIGUSR2 asks for one. Also keeps the
/// status file, replaced as a whole every ten seconds and at the end.
class Progress {
 public:
  /// `state`: of a stage that has lasted for so many seconds. A thread asks it, so that a line comes even
  /// while the main thread computes or waits for a disk.
  using State = std::function<WorkState(double elapsed)>;

  Progress(Log& log, std::string stage, State state, ProgressTerms terms);
  ~Progress();

 private:
  void run();
  WorkState state() const;
  void save_status() const;

  Log& log_;
  std::string stage_;
  State state_;
  ProgressTerms terms_;
  Stopwatch watch_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread thread_;
};

/// Columns that a line on the terminal of stderr may have: COLUMNS, or what the terminal says, or 80.
std::size_t terminal_width();

}  // namespace stemma
