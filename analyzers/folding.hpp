// What does a weight look like once the norm in front of it, or behind it, is multiplied in?
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "io/model/dtype.hpp"
#include "io/model/panels.hpp"

namespace stemma {

/// How rows of one matrix are folded, in double precision.
/// Reader of a norm: W diag(gain), then, for a LayerNorm, W (I - 11^T/d): every row loses its mean.
/// Writer with a norm behind it: diag(gain) W. Removing column means (LayerNorm writers) needs all rows and
/// is left to who sums over them.
struct Fold {
  std::vector<double> columns;  ///< gain per column; empty: none
  std::vector<double> rows;     ///< gain per row; empty: none
  bool centre_rows = false;
};

/// Gains as the norm applies them: stored value plus the family's offset (Gemma stores gain - 1).
std::vector<double> effective_gain(std::span<const double> stored, double offset);

/// Every row of a row-major matrix times the gain, which is as long as a row; an empty gain changes nothing.
void scale_columns(std::span<double> matrix, std::span<const double> gain);
std::vector<double> with_gain(std::span<const double> matrix, std::span<const double> gain);
/// Every row of a row-major matrix less its mean: what a LayerNorm in front of a reader does to it.
void centre_rows(std::span<double> matrix, std::uint64_t cols);
/// Every column less its mean: the same of a writer that only LayerNorms see.
void centre_columns(std::span<double> matrix, std::uint64_t cols);

/// A reader, rows of `cols`, and the columns of a writer of `cols`, as rows, with the gain of the norm in
/// front of the one or behind the other multiplied in (empty: none); `centred` where that norm is a
/// LayerNorm.
std::vector<double> folded_reader(std::vector<double> reader, std::uint64_t cols,
                                  std::span<const double> gain, bool centred);
std::vector<double> folded_writer_columns(std::vector<double> writer, std::uint64_t cols,
                                          std::span<const double> gain, bool centred);

/// Cuts panels, whatever their height, into blocks of exactly `height` folded rows (the last may be shorter),
/// so that sums over blocks have the same bits for every way of reading.
class FoldedBlocks {
 public:
  /// A block: its first row, its number of rows, its values row-major.
  using Use = std::function<void(std::uint64_t first_row, std::uint64_t rows, std::span<double> values)>;
  FoldedBlocks(Dtype dtype, std::uint64_t rows, std::uint64_t cols, std::uint64_t height, Fold fold, Use use);

  /// Panels in ascending row order. Hands out a block as soon as it is full, the last one with the last row.
  void take(const Panel& panel);

 private:
  void fold_row(std::span<double> row, std::uint64_t index) const;

  Dtype dtype_;
  std::uint64_t rows_;
  std::uint64_t cols_;
  std::uint64_t height_;
  Fold fold_;
  Use use_;
  std::vector<double> block_;
  std::uint64_t filled_ = 0;  ///< rows in the open block
  std::uint64_t next_row_ = 0;
};

}  // namespace stemma
