// How far is the work, and how is that shown?
#pragma once
#include <atomic>
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
#include "pipeline/status.hpp"
#include "pipeline/time_limit.hpp"
#include "pipeline/under_way.hpp"

namespace stemma {

enum class ProgressRenderer : std::uint8_t { automatic, bar, lines, none };

/// Counters of the work stage, written by whoever takes results and read by the printer's thread, so that a
/// line comes even while the main thread computes or waits for a disk. Work in rank-seconds.
struct WorkCounters {
  std::uint64_t items_total = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t memory_per_rank = 0;  ///< the budget, bytes
  double seconds_total = 0;           ///< predicted work of all items
  std::atomic<std::uint64_t> items = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<std::uint64_t> peak_memory = 0;  ///< of the rank that used most, as far as ranks have told
  std::atomic<double> seconds = 0;             ///< predicted work of the items that ended
  std::atomic<double> seconds_here = 0;        ///< of these, items that were done now
  std::atomic<double> actual_seconds = 0;      ///< that these took
};

/// What is shown. All of it outlives the Progress and may be asked by its thread.
struct WorkView {
  const WorkCounters& counters;
  const UnderWay& under_way;
  std::function<std::string(std::uint32_t item)> name;
  std::function<double(std::uint32_t item)> predicted;  ///< seconds, at its width
  const TimeLimit* limit = nullptr;                     ///< may be null
};

/// How it is shown.
struct ProgressTerms {
  ProgressRenderer renderer = ProgressRenderer::automatic;
  std::chrono::seconds every{30};          ///< no longer without a line
  std::filesystem::path status_file = {};  ///< "" for none
};

/// Shows a stage until it is destroyed: one redrawn line on a terminal, else a line at every 10 % and at
/// least every `every`; and a line whenever SIGUSR2 asks for one. Also keeps the status file, replaced as a
/// whole every ten seconds and at the end.
class Progress {
 public:
  Progress(Log& log, std::string stage, WorkView view, ProgressTerms terms);
  ~Progress();

 private:
  void run();
  WorkState state() const;
  void save_status() const;

  Log& log_;
  std::string stage_;
  WorkView view_;
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
