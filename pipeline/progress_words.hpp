// What is said of work that goes on?
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stemma {

/// What most stages count, and a terminal need not say.
inline constexpr std::string_view usual_unit = "items";

/// Work at one moment. What is not known is not said.
struct WorkState {
  std::string unit = std::string(usual_unit);  ///< what is counted
  std::uint64_t items = 0, items_total = 0;
  std::uint64_t bytes = 0, bytes_total = 0;  ///< no total: nothing is read that was foreseen
  std::optional<std::uint64_t> failed = {};
  double elapsed = 0;                    ///< seconds since the stage began
  std::optional<double> eta = {};        ///< seconds to its end
  std::optional<double> time_left = {};  ///< seconds until the run has to end
  std::string longest = {};              ///< the item that runs longest: "acme-7b layers/41/mlp.down"
  int longest_ranks = 1;
  double longest_seconds = 0;
  std::uint64_t peak_memory = 0, memory_per_rank = 0;  ///< bytes: the most that any rank used, and its budget
};

/// Of the items, whole.
std::uint64_t percent(const WorkState& state);

/// Bytes per second since the stage began; nothing where nothing is to be read.
std::optional<double> reading_rate(const WorkState& state);

/// Rank-seconds of work, by the cost model.
struct PredictedWork {
  double total = 0;
  double ended = 0;      ///< of items that ended, whoever did them
  double done_here = 0;  ///< of these, items that took `actual`
  double actual = 0;     ///< rank-seconds
};

/// How much of what is under way is done, in predicted rank-seconds: an item that runs for `seconds` on
/// `ranks` ranks and should take `predicted`, where others took `actual` for `done_here`. Never more than
/// all.
double share_done(const PredictedWork& work, double seconds, double predicted, int ranks);

/// Seconds to the end of a stage that has lasted for `elapsed`: the work that is left at the pace at which it
/// was done so far, `under_way` (rank-seconds) included. Nothing in the first 30 seconds, and while nothing
/// has ended: absent rather than wrong.
std::optional<double> seconds_to_go(const PredictedWork& work, double under_way, double elapsed);

/// A line of a log: "4,212/7,752 items 54 %  412 GB of 760 GB  0.9 GB/s  eta 00:06:10  now acme-7b
/// layers/41/mlp.down (16 ranks, 38 s)  mem 2.6 GiB of 3.0 GiB  failed 2". In the last hour before the run
/// has to end it says so: "left 00:12:40".
std::string progress_line(const WorkState& state);

/// The line of a terminal that has so many columns; one is left free, as a longer one would wrap and stay.
std::string progress_bar(std::string_view stage, const WorkState& state, std::size_t columns);

}  // namespace stemma
