// Lengths tell tokens that were trained from rows that only fill a table up.
#include "analyzers/token_rows.hpp"

#include <cmath>
#include <numeric>

#include "analyzers/folding.hpp"
#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/median.hpp"

namespace stemma {

std::string TokenRows::take(std::vector<double> rows, std::uint64_t width, std::span<const double> gain,
                            bool centred) {
  constexpr double empty_row = 1e-3;
  if (rows.empty() || width == 0 || rows.size() % width != 0)
    return "the embedding is not as wide as the weights that read it";
  if (!gain.empty() && gain.size() != width) return "norm gains and weights differ in width";
  rows_ = std::move(rows);
  scale_columns(rows_, gain);
  if (centred) centre_rows(rows_, width);
  std::vector<double> lengths, finite;
  for (std::size_t at = 0; at < rows_.size(); at += width) {
    const auto row = std::span(rows_).subspan(at, width);
    lengths.push_back(std::sqrt(std::inner_product(row.begin(), row.end(), row.begin(), 0.0)));
    if (std::isfinite(lengths.back())) finite.push_back(lengths.back());
  }
  const double usual = median(std::move(finite));
  for (std::size_t t = 0; t < lengths.size(); ++t) {
    empty_.push_back(!(lengths[t] > empty_row * usual) || !std::isfinite(lengths[t]));
    for (double& x : std::span(rows_).subspan(t * width, width)) x = empty_[t] ? 0 : x / lengths[t];
  }
  return "";
}

void TokenRows::answer(std::span<const double> reader, std::uint64_t rows, std::span<double> answers) const {
  if (rows == 0 || count() == 0) return;
  const std::uint64_t width = rows_.size() / count();
  dgemm(Transpose::yes, Transpose::no, count(), rows, width, 1, rows_.data(), width, reader.data(), width, 0,
        answers.data(), count());
}

}  // namespace stemma
