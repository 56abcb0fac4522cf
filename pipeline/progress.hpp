// How far is the work, and how is that shown?
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include "pipeline/clock.hpp"
#include "pipeline/log.hpp"

namespace stemma {

enum class ProgressRenderer : std::uint8_t { automatic, bar, lines, none };

/// Counters of the work stage, written by whoever takes results and read by the printer's thread, so that a
/// line comes even while the main thread computes or waits for a disk.
struct WorkCounters {
  std::uint64_t items_total = 0;
  std::uint64_t bytes_total = 0;
  double seconds_total = 0;  ///< predicted work of all items
  std::atomic<std::uint64_t> items = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<std::uint64_t> bytes = 0;
  std::atomic<double> seconds = 0;  ///< predicted work of the items that ended
};

/// Shows counters of a stage until it is destroyed: one redrawn line on a terminal, else a line at every 10 %
/// and at least every `every`; and a line whenever SIGUSR2 asks for one. Also keeps `status_file` (JSON,
/// replaced atomically every ten seconds and at the end) when its path is not empty.
class Progress {
 public:
  Progress(Log& log, std::string stage, const WorkCounters& counters, ProgressRenderer renderer,
           std::chrono::seconds every, std::filesystem::path status_file);
  ~Progress();

 private:
  void run();
  void show_bar() const;
  void show_line() const;
  void save_status() const;

  Log& log_;
  std::string stage_;
  const WorkCounters& counters_;
  ProgressRenderer renderer_;
  std::chrono::seconds every_;
  std::filesystem::path status_file_;
  Stopwatch watch_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread thread_;
};

/// Columns that a line on the terminal of stderr may have: COLUMNS, or what the terminal says, or 80.
std::size_t terminal_width();

/// The document that is left when a run ends without a result: the numbers of `file`, a former status, with
/// this end; zeros when it cannot be read.
std::string ended_status_json(const std::filesystem::path& file, std::string_view stage, int exit_code);

/// The document of status.json.
std::string status_json(std::string_view stage, std::uint64_t done, std::uint64_t total, std::uint64_t bytes,
                        std::uint64_t failed, int exit_code);

}  // namespace stemma
