// Until when may this run go on, and what ends it?
#pragma once
#include <chrono>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

#include "io/config/moment.hpp"
#include "pipeline/exit_code.hpp"

namespace stemma {

/// A run that ended before all its work was done. What was computed is kept: the same command goes on there.
class StoppedEarly : public std::runtime_error {
 public:
  StoppedEarly(const std::string& sentence, ExitCode code) : std::runtime_error(sentence), code_(code) {}
  /// stopped; usage where nothing was done, and doing the same again would do nothing again; done where the
  /// rest is the work of others.
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// The end of a run: a moment that was set for it, and what signals ask (stop_signal.hpp). Only rank 0's
/// counts.
class TimeLimit {
 public:
  using Clock = std::function<double()>;  ///< Unix seconds

  /// `end` in Unix seconds; without one only signals end it. The last `margin` seconds are kept for what
  /// follows the work. `wall` is another clock, for tests.
  explicit TimeLimit(std::optional<double> end = {}, double margin = 0, Clock wall = {});

  /// Seconds in which work has to end; infinite without an end, negative when it should have ended. A wall
  /// clock that is set while the run goes on can only make it shorter. After StopWish::soon at most 170 less
  /// the margin, after StopWish::at_once none.
  double seconds_left() const;
  /// Seconds until it is over, nothing kept: what people see. May be called by any thread.
  double seconds_to_end() const;
  /// The last synchronisation of results took `seconds`: a slow disk makes the margin longer.
  void learn_sync(double seconds);

  /// Some work was done under this limit.
  void work_was_done() { useful_ = true; }
  bool work_was_possible() const { return useful_; }

  /// What runs now is not waited for any more: 25 seconds after somebody asked to end at once.
  static bool over();
  bool has_passed() const { return end_ && wall() >= *end_; }
  /// Seconds kept for what follows the work.
  double margin() const { return margin_; }
  /// What ends the run, for people: "its time ends at 2026-11-21T14:02:10Z".
  std::string reason() const;
  const std::optional<double>& end() const { return end_; }
  /// "2026-11-21T14:02:10Z", "" without an end.
  std::string end_text() const;

 private:
  double wall() const;

  std::optional<double> end_;
  bool useful_ = false;
  double margin_ = 0, least_margin_ = 0;
  Clock clock_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  double seconds_ = std::numeric_limits<double>::infinity();  ///< from began_ to the end
};

/// The limit of a run that starts now: by `deadline` or the end of its Slurm job, if SLURM_JOB_END_TIME tells
/// it, whichever is earlier; none where the deadline is none. `margin` in seconds.
TimeLimit limit_of(const Moment& deadline, double margin);

}  // namespace stemma
