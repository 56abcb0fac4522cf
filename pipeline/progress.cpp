// A thread that reads counters and calls neither MPI nor HDF5, so that its line comes in any case.
#include "pipeline/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/report/tsv.hpp"
#include "pipeline/stop_signal.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

constexpr std::chrono::milliseconds redraw{250};
constexpr double status_seconds = 10, quiet_seconds = 30;  // no ETA before this: absent rather than wrong
constexpr std::uint64_t line_at_percent = 10;

bool terminal() {
  const char *kind = std::getenv("TERM"), *plain = std::getenv("NO_COLOR");
  return isatty(STDERR_FILENO) && kind && std::string_view(kind) != "dumb" && (!plain || *plain == '\0');
}

std::optional<double> remaining_seconds(const WorkCounters& counters, double elapsed) {
  const double done = counters.seconds;
  if (done <= 0 || counters.seconds_total <= 0) return std::nullopt;
  return elapsed * (counters.seconds_total - done) / done;
}

}  // namespace

Progress::Progress(Log& log, std::string stage, const WorkCounters& counters, ProgressRenderer renderer,
                   std::chrono::seconds every, std::filesystem::path status_file)
    : log_(log),
      stage_(std::move(stage)),
      counters_(counters),
      renderer_(renderer),
      every_(every),
      status_file_(std::move(status_file)) {
  if (renderer_ == ProgressRenderer::automatic)
    renderer_ = terminal() ? ProgressRenderer::bar : ProgressRenderer::lines;
  thread_ = std::thread([this] { run(); });
}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ended_.notify_all();
  thread_.join();
  if (renderer_ == ProgressRenderer::bar) log_.transient("");
  if (!status_file_.empty()) save_status();
}

void Progress::run() {
  double line_at = 0, status_at = 0;
  std::uint64_t tenth = 0;
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, redraw, [this] { return end_; })) {
    const double now = watch_.seconds();
    if (renderer_ == ProgressRenderer::bar) show_bar();
    const std::uint64_t reached =
        counters_.items_total ? counters_.items * 100 / counters_.items_total / line_at_percent : 0;
    const bool late = now - line_at >= static_cast<double>(every_.count());
    const bool due =
        renderer_ == ProgressRenderer::lines && (late || (reached > tenth && now - line_at >= 1));
    if (progress_wanted() || due) {
      show_line();
      line_at = now;
      tenth = reached;
    }
    if (!status_file_.empty() && now - status_at >= status_seconds) {
      save_status();
      status_at = now;
    }
  }
}

void Progress::show_bar() const {
  const std::uint64_t total = std::max<std::uint64_t>(counters_.items_total, 1), done = counters_.items;
  constexpr std::uint64_t width = 20;
  const auto filled = done * width / total;
  const double elapsed = watch_.seconds();
  std::string eta;
  if (const auto left = remaining_seconds(counters_, elapsed)) eta = "  eta " + duration_words(*left);
  const std::string line =
      fmt::format("{}  [{:=<{}}>{:<{}}] {}/{}  {} %  {}/s{}", stage_, "", filled, "", width - filled,
                  with_commas(done), with_commas(counters_.items_total), done * 100 / total,
                  bytes_words(static_cast<double>(counters_.bytes) / std::max(elapsed, 1e-9)), eta);
  log_.transient(line.substr(0, terminal_width() - 1));  // a longer one would wrap, and stay
}

void Progress::show_line() const {
  const double elapsed = watch_.seconds();
  std::string eta;
  if (const auto left = remaining_seconds(counters_, elapsed); left && elapsed >= quiet_seconds)
    eta = "  eta " + duration_words(*left);
  log_.info(stage_, fmt::format("{}/{} items {} %  {} of {}  {}/s{}  failed {}", with_commas(counters_.items),
                                with_commas(counters_.items_total),
                                counters_.items * 100 / std::max<std::uint64_t>(counters_.items_total, 1),
                                bytes_words(static_cast<double>(counters_.bytes)),
                                bytes_words(static_cast<double>(counters_.bytes_total)),
                                bytes_words(static_cast<double>(counters_.bytes) / std::max(elapsed, 1e-9)),
                                eta, counters_.failed.load()));
}

void Progress::save_status() const {
  try {
    write_whole(status_file_, status_json(stage_, counters_.items, counters_.items_total, counters_.bytes,
                                          counters_.failed, -1));
  } catch (const std::exception& error) {
    log_.warn(error.what());  // a status nobody can read must not end the run
  }
}

std::size_t terminal_width() {
  constexpr std::size_t least = 20, usual = 80;
  std::size_t columns = 0;
  if (const char* text = std::getenv("COLUMNS")) std::from_chars(text, text + std::strlen(text), columns);
  winsize size{};
  if (columns == 0 && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0) columns = size.ws_col;
  return columns == 0 ? usual : std::max(columns, least);
}

std::string ended_status_json(const std::filesystem::path& file, std::string_view stage, int exit_code) {
  std::ifstream in(file);
  const auto before = nlohmann::json::parse(in, nullptr, false);
  const auto number = [&](const char* name) -> std::uint64_t {
    const bool known = before.is_object() && before.contains(name) && before[name].is_number_unsigned();
    return known ? before[name].get<std::uint64_t>() : 0;
  };
  return status_json(stage, number("done"), number("total"), number("bytes"), number("failed"), exit_code);
}

std::string status_json(std::string_view stage, std::uint64_t done, std::uint64_t total, std::uint64_t bytes,
                        std::uint64_t failed, int exit_code) {
  nlohmann::ordered_json status{{"schema", "stemma.status/1"},
                                {"stemma", version_text},
                                {"stage", stage},
                                {"done", done},
                                {"total", total},
                                {"bytes", bytes},
                                {"failed", failed},
                                {"updated", utc_now()}};
  if (exit_code >= 0) status["exit_code"] = exit_code;
  return status.dump(2) + "\n";
}

}  // namespace stemma
