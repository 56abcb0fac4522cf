// A thread that reads counters and calls neither MPI nor HDF5, so that its line comes in any case.
#include "pipeline/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "io/report/tsv.hpp"
#include "pipeline/status.hpp"
#include "pipeline/stop_signal.hpp"

namespace stemma {
namespace {

constexpr std::chrono::milliseconds redraw{250};
constexpr double redraw_seconds = std::chrono::duration<double>(redraw).count();
constexpr double status_seconds = 10;
constexpr std::uint64_t line_at_percent = 10;

bool terminal() {
  const char *kind = std::getenv("TERM"), *plain = std::getenv("NO_COLOR");
  return isatty(STDERR_FILENO) && kind && std::string_view(kind) != "dumb" && (!plain || *plain == '\0');
}

}  // namespace

Progress::Progress(Log& log, std::string stage, State state, ProgressTerms terms)
    : log_(log), stage_(std::move(stage)), state_(std::move(state)), terms_(std::move(terms)) {
  if (terms_.renderer == ProgressRenderer::automatic)
    terms_.renderer = terminal() ? ProgressRenderer::bar : ProgressRenderer::lines;
  thread_ = std::thread([this] { run(); });
}

Progress::~Progress() {
  {
    const std::lock_guard lock(mutex_);
    end_ = true;
  }
  ended_.notify_all();
  thread_.join();
  if (terms_.renderer == ProgressRenderer::bar) log_.transient("");
  if (!terms_.status_file.empty()) save_status();
}

void Progress::run() {
  double line_at = 0, looked_at = 0, status_at = 0;
  std::uint64_t tenth = 0;
  const bool bar = terms_.renderer == ProgressRenderer::bar;
  const bool lines = terms_.renderer == ProgressRenderer::lines;
  // Looked at once more only after a redraw, so the line has to come before it is late.
  const double longest_silence = static_cast<double>(terms_.every.count()) - redraw_seconds;
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, redraw, [this] { return end_; })) {
    const double now = watch_.seconds();
    const bool wanted = progress_wanted(), late = lines && now - line_at >= longest_silence;
    // Whoever asks how far the work is holds up who hands it out: no more often than it can be said.
    if (bar || wanted || late || (lines && now - looked_at >= 1)) {
      const WorkState s = state();
      const std::uint64_t reached = percent(s) / line_at_percent;
      looked_at = now;
      if (bar) log_.transient(progress_bar(stage_, s, terminal_width()));
      if (wanted || late || (lines && reached > tenth)) {
        log_.info(stage_, progress_line(s));
        line_at = now;
        tenth = reached;
      }
    }
    if (!terms_.status_file.empty() && now - status_at >= status_seconds) {
      save_status();
      status_at = now;
    }
  }
}

WorkState Progress::state() const {
  WorkState s = state_(watch_.seconds());
  if (const double left = terms_.limit ? terms_.limit->seconds_to_end() : INFINITY; std::isfinite(left))
    s.time_left = left;
  return s;
}

void Progress::save_status() const {
  try {
    const WorkState s = state();
    write_whole(terms_.status_file, status_json({.stage = stage_,
                                                 .unit = s.unit,
                                                 .done = s.items,
                                                 .total = s.items_total,
                                                 .bytes = s.bytes,
                                                 .rate = reading_rate(s),
                                                 .eta = s.eta,
                                                 .deadline = terms_.limit ? terms_.limit->end_text() : "",
                                                 .failed = s.failed.value_or(terms_.failed)}));
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

}  // namespace stemma
