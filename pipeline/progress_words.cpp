// Numbers of one moment as a line; pure, so that each word is tested without waiting for it.
#include "pipeline/progress_words.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/model/finding.hpp"
#include "pipeline/wording.hpp"

namespace stemma {
namespace {

constexpr double quiet_seconds = 30, last_hour = 3600;
constexpr std::uint64_t bar_width = 20;

std::string rate_words(const WorkState& s) {
  const std::optional<double> rate = reading_rate(s);
  return rate ? fmt::format("  {}/s", bytes_words(*rate)) : "";
}

std::string reading_words(const WorkState& s) {
  if (s.bytes_total == 0) return "";
  return fmt::format("  {} of {}", bytes_words(static_cast<double>(s.bytes)),
                     bytes_words(static_cast<double>(s.bytes_total)));
}

std::string eta_words(const WorkState& s) { return s.eta ? "  eta " + clock_words(*s.eta) : ""; }

std::string left_words(const WorkState& s) {
  return s.time_left && *s.time_left < last_hour ? "  left " + clock_words(std::max(*s.time_left, 0.0)) : "";
}

std::string longest_words(const WorkState& s) {
  if (s.longest.empty()) return "";
  return fmt::format("  now {} ({}, {})", printable(s.longest),
                     counted(static_cast<std::uint64_t>(s.longest_ranks), "rank"),
                     duration_words(s.longest_seconds));
}

std::string memory_used_words(const WorkState& s) {
  if (s.peak_memory == 0 || s.memory_per_rank == 0) return "";
  return fmt::format("  mem {} of {}", memory_words(static_cast<double>(s.peak_memory)),
                     memory_words(static_cast<double>(s.memory_per_rank)));
}

/// The beginning of a text, no more bytes than that and no part of a character.
std::string_view beginning(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  return text.substr(0, bytes);
}

}  // namespace

std::uint64_t percent(const WorkState& s) {
  return s.items * 100 / std::max<std::uint64_t>(s.items_total, 1);
}

std::optional<double> reading_rate(const WorkState& s) {
  if (s.bytes_total == 0) return std::nullopt;
  return static_cast<double>(s.bytes) / std::max(s.elapsed, 1e-9);
}

double share_done(const PredictedWork& work, double seconds, double predicted, int ranks) {
  if (work.actual <= 0) return 0;
  return ranks * std::min(seconds * work.done_here / work.actual, predicted);
}

std::optional<double> seconds_to_go(const PredictedWork& work, double under_way, double elapsed) {
  const double done = work.ended + under_way;
  if (elapsed < quiet_seconds || work.ended <= 0 || work.total <= 0) return std::nullopt;
  return elapsed * std::max(work.total - done, 0.0) / done;
}

std::string progress_line(const WorkState& s) {
  const std::string count = s.items_total == 0 ? "under way"
                                               : fmt::format("{}/{} {} {} %", with_commas(s.items),
                                                             with_commas(s.items_total), s.unit, percent(s));
  return fmt::format("{}{}{}{}{}{}{}{}", count, reading_words(s), rate_words(s), eta_words(s), left_words(s),
                     longest_words(s), memory_used_words(s),
                     s.failed ? fmt::format("  failed {}", *s.failed) : "");
}

std::string progress_bar(std::string_view stage, const WorkState& s, std::size_t columns) {
  const std::uint64_t filled =
      std::min(s.items * bar_width / std::max<std::uint64_t>(s.items_total, 1), bar_width);
  const std::string line = fmt::format(
      "{}  [{:=<{}}>{:<{}}] {}/{}{}  {} %{}{}{}{}", stage, "", filled, "", bar_width - filled,
      with_commas(s.items), with_commas(s.items_total), s.unit == usual_unit ? "" : " " + s.unit, percent(s),
      rate_words(s), eta_words(s), left_words(s), s.longest.empty() ? "" : "  " + printable(s.longest));
  return std::string(beginning(line, columns > 0 ? columns - 1 : 0));
}

}  // namespace stemma
