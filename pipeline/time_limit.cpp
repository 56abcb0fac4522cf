// Two clocks and two wishes; whatever is earliest counts.
#include "pipeline/time_limit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include "pipeline/clock.hpp"
#include "pipeline/stop_signal.hpp"

namespace stemma {
namespace {

constexpr double after_soon = 170;    // seconds: batch scripts ask three minutes before the end
constexpr double after_at_once = 25;  // Slurm kills thirty seconds after TERM

double unix_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string clock_text(double unix_seconds) {
  const auto moment = static_cast<std::time_t>(unix_seconds);
  std::tm parts{};
  gmtime_r(&moment, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace

TimeLimit::TimeLimit(std::optional<double> end, double margin, Clock wall)
    : end_(end), margin_(margin), least_margin_(margin), clock_(std::move(wall)) {
  if (end_) seconds_ = *end_ - this->wall();
}

double TimeLimit::wall() const { return clock_ ? clock_() : unix_now(); }

double TimeLimit::seconds_left() const {
  return stop_wish() == StopWish::at_once ? 0 : seconds_to_end() - margin_;
}

double TimeLimit::seconds_to_end() const {
  if (stop_wish() == StopWish::at_once)
    return std::max(0.0, after_at_once - seconds_since(StopWish::at_once));
  double left = stop_wish() == StopWish::soon ? after_soon - seconds_since(StopWish::soon) : forever;
  if (end_) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began_;
    left = std::min({left, seconds_ - passed.count(), *end_ - wall()});
  }
  return left;
}

void TimeLimit::learn_sync(double seconds) { margin_ = std::max(margin_, 2 * seconds + least_margin_ / 3); }

bool TimeLimit::over() {
  return stop_wish() == StopWish::at_once && seconds_since(StopWish::at_once) >= after_at_once;
}

std::string TimeLimit::reason() const {
  switch (stop_wish()) {
    case StopWish::at_once:
      return "it was asked to end at once";
    case StopWish::soon:
      return "it was asked to end (USR1)";
    case StopWish::none:
      break;
  }
  return end_ ? fmt::format("its time ends at {}", clock_text(*end_)) : "";
}

std::string TimeLimit::end_text() const { return end_ ? clock_text(*end_) : ""; }

TimeLimit limit_of(const Moment& deadline, double margin) {
  if (deadline.kind == Moment::Kind::none) return TimeLimit(std::nullopt, margin);
  double end = forever;
  if (const char* job = std::getenv("SLURM_JOB_END_TIME"))
    if (const auto moment = moment_from(fmt::format("@{}", job))) end = moment->seconds;
  if (deadline.kind == Moment::Kind::at) end = std::min(end, deadline.seconds);
  if (deadline.kind == Moment::Kind::after) end = std::min(end, unix_now() + deadline.seconds);
  return TimeLimit(end == forever ? std::nullopt : std::optional(end), margin);
}

}  // namespace stemma
