// Tiles belong to ranks for good, rows to ranks for one panel, and what is small is computed by everybody.
#include "analyzers/distributed/shared_band.hpp"

#include <algorithm>
#include <memory>

#include "analyzers/distributed/shared_memory.hpp"
#include "analyzers/distributed/unison.hpp"
#include "analyzers/numerics/blas.hpp"

namespace stemma {
namespace {

constexpr std::uint64_t tile = 256;  // 512 KiB: it is used twice, the second time from the cache
constexpr std::uint64_t band = 32;   // wider makes products faster and the second stage slower

struct Range {
  std::uint64_t begin = 0, end = 0;
  std::uint64_t size() const { return end - begin; }
  Range from(std::uint64_t first) const { return {std::max(begin, first), std::max(end, first)}; }
};

/// Where everything lies in the shared memory behind the matrix, in doubles.
struct Places {
  std::uint64_t partial, image, overlap, end;
  Places(std::uint64_t n, std::uint64_t ranks)
      : partial(n * n),                     // what each rank's tiles add to A V: n x band for each
        image(partial + ranks * n * band),  // A V T
        overlap(image + n * band),          // each rank's rows of V^T A V T
        end(overlap + ranks * band * band) {}
};

class Reduction {
 public:
  /// `memory`: Places::end doubles, which all ranks see.
  Reduction(const Team& team, std::uint64_t n, std::span<double> memory)
      : places_(n, static_cast<std::uint64_t>(team.ranks().size())),
        n_(n),
        ranks_(static_cast<std::uint64_t>(team.ranks().size())),
        rank_(static_cast<std::uint64_t>(team.ranks().rank())),
        memory_(memory),
        panel_(n * band),
        left_(2 * n * band),
        right_(2 * n * band),
        factor_(band * band),
        result_(n, std::min(band, n - 1)) {}

  /// This rank's part of the lower triangle.
  void take(const DealtMatrix& lower) {
    for (std::uint64_t col = 0; col < lower.local_cols(); ++col)
      for (std::uint64_t row = 0; row < lower.local_rows(); ++row) {
        const std::uint64_t i = lower.global_row(row), j = lower.global_col(col);
        if (i >= j) *at(i, j) = lower.at(row, col);
      }
  }

  template <class Meet>
  BandMatrix run(const Meet& meet) {
    meet();
    std::uint64_t first = 0;
    for (; first + band < n_; first += band) {
      const std::uint64_t rest = first + band, rows = n_ - rest;
      const Range mine{rows * rank_ / ranks_, rows * (rank_ + 1) / ranks_};
      const std::uint64_t vectors = factor_panel(first);
      multiply(rest, vectors);
      meet();
      gather_image(rows, vectors, mine);
      meet();
      complete(rows, vectors);
      update(rest, vectors);
      meet();
    }
    keep_columns(first, n_, n_);
    return std::move(result_);
  }

 private:
  double* at(std::uint64_t row, std::uint64_t col) { return memory_.data() + col * n_ + row; }
  double* partial(std::uint64_t rank) { return memory_.data() + places_.partial + rank * n_ * band; }
  double* image() { return memory_.data() + places_.image; }
  double* overlap(std::uint64_t rank) { return memory_.data() + places_.overlap + rank * band * band; }
  /// [V W] and [W V] of the rows behind the panel, one after the other.
  double* v() { return left_.data(); }
  double* w() { return right_.data(); }
  bool owns(std::uint64_t i, std::uint64_t j) const { return (i * (i + 1) / 2 + j) % ranks_ == rank_; }

  /// The band's part of columns [first, last) down to row `below`, which is final.
  void keep_columns(std::uint64_t first, std::uint64_t last, std::uint64_t below) {
    for (std::uint64_t col = first; col < last; ++col)
      for (std::uint64_t row = col; row < below; ++row) result_.at(row, col) = *at(row, col);
  }

  /// QR of the rows below the diagonal block of a panel; R goes into the band. Returns the number of vectors.
  std::uint64_t factor_panel(std::uint64_t first) {
    const std::uint64_t rest = first + band, rows = n_ - rest, vectors = std::min(rows, band);
    for (std::uint64_t col = 0; col < band; ++col)
      std::copy_n(at(rest, first + col), rows, panel_.data() + col * rows);
    keep_columns(first, rest, rest);
    householder_panel(std::span(panel_).first(rows * band), rows, band, factor_);
    for (std::uint64_t col = 0; col < band; ++col)
      for (std::uint64_t row = 0; row <= std::min(col, rows - 1); ++row)
        result_.at(rest + row, first + col) = panel_[col * rows + row];
    for (std::uint64_t col = 0; col < vectors; ++col) {
      double* to = v() + col * rows;
      std::fill_n(to, col, 0.0);
      to[col] = 1;
      std::copy(panel_.data() + col * rows + col + 1, panel_.data() + (col + 1) * rows, to + col + 1);
    }
    return vectors;
  }

  /// This rank's tiles of rows and columns [rest, n) times V.
  void multiply(std::uint64_t rest, std::uint64_t vectors) {
    const std::uint64_t rows = n_ - rest;
    double* y = partial(rank_);
    std::fill_n(y, rows * vectors, 0.0);
    each_tile(rest, [&](Range i, Range j) {
      const double* a = at(i.begin, j.begin);
      if (i.begin == j.begin) {
        dsymm(i.size(), vectors, 1, a, n_, v() + i.begin - rest, rows, 1, y + i.begin - rest, rows);
        return;
      }
      dgemm(Transpose::no, Transpose::no, i.size(), vectors, j.size(), 1, a, n_, v() + j.begin - rest, rows,
            1, y + i.begin - rest, rows);
      dgemm(Transpose::yes, Transpose::no, j.size(), vectors, i.size(), 1, a, n_, v() + i.begin - rest, rows,
            1, y + j.begin - rest, rows);
    });
  }

  /// This rank's rows of A V T, and their part of V^T A V T.
  void gather_image(std::uint64_t rows, std::uint64_t vectors, Range mine) {
    std::fill_n(overlap(rank_), band * band, 0.0);
    if (mine.size() == 0) return;
    for (std::uint64_t col = 0; col < vectors; ++col)
      for (std::uint64_t row = mine.begin; row < mine.end; ++row) {
        double sum = 0;
        for (std::uint64_t r = 0; r < ranks_; ++r) sum += partial(r)[col * rows + row];
        w()[col * rows + row] = sum;
      }
    dgemm(Transpose::no, Transpose::no, mine.size(), vectors, vectors, 1, w() + mine.begin, rows,
          factor_.data(), band, 0, image() + mine.begin, rows);
    dgemm(Transpose::yes, Transpose::no, vectors, vectors, mine.size(), 1, v() + mine.begin, rows,
          image() + mine.begin, rows, 0, overlap(rank_), band);
  }

  /// W = A V T - 1/2 V T^T (V^T A V T), and both orders of V and W.
  void complete(std::uint64_t rows, std::uint64_t vectors) {
    std::vector<double> sum(band * band, 0.0), half(band * band);
    for (std::uint64_t r = 0; r < ranks_; ++r)
      for (std::uint64_t i = 0; i < band * band; ++i) sum[i] += overlap(r)[i];
    dgemm(Transpose::yes, Transpose::no, vectors, vectors, vectors, -0.5, factor_.data(), band, sum.data(),
          band, 0, half.data(), band);
    std::copy_n(image(), rows * vectors, w());
    dgemm(Transpose::no, Transpose::no, rows, vectors, vectors, 1, v(), rows, half.data(), band, 1, w(),
          rows);
    std::copy_n(w(), rows * vectors, left_.data() + rows * vectors);
    std::copy_n(v(), rows * vectors, right_.data() + rows * vectors);
  }

  /// A -= V W^T + W V^T on this rank's tiles of rows and columns [rest, n).
  void update(std::uint64_t rest, std::uint64_t vectors) {
    const std::uint64_t rows = n_ - rest;
    each_tile(rest, [&](Range i, Range j) {
      dgemm(Transpose::no, Transpose::yes, i.size(), j.size(), 2 * vectors, -1, left_.data() + i.begin - rest,
            rows, right_.data() + j.begin - rest, rows, 1, at(i.begin, j.begin), n_);
    });
  }

  template <class Use>
  void each_tile(std::uint64_t first, const Use& use) {
    for (std::uint64_t j = first / tile; j * tile < n_; ++j)
      for (std::uint64_t i = j; i * tile < n_; ++i)
        if (owns(i, j))
          use(Range{i * tile, std::min((i + 1) * tile, n_)}.from(first),
              Range{j * tile, std::min((j + 1) * tile, n_)}.from(first));
  }

  Places places_;
  std::uint64_t n_, ranks_, rank_;
  std::span<double> memory_;
  std::vector<double> panel_, left_, right_, factor_;  ///< factor_: T, band x band, of Q = I - V T V^T
  BandMatrix result_;
};

}  // namespace

BandMatrix shared_band(const Team& team, const DealtMatrix& lower) {
  const std::uint64_t n = lower.row_axis().size;
  const Places places(n, static_cast<std::uint64_t>(team.ranks().size()));
  SharedMemory memory(team.node(), places.end * sizeof(double));
  const auto reduction = in_unison(team.ranks(), "finding room for a reduction", [&] {
    return std::make_unique<Reduction>(
        team, n, std::span(reinterpret_cast<double*>(memory.bytes().data()), places.end));
  });
  reduction->take(lower);
  BandMatrix result = reduction->run([&] {
    memory.fence();
    if (team.ranks().size() > 1) check_mpi(MPI_Barrier(team.ranks().handle()), "MPI_Barrier");
    memory.fence();
  });
  memory.release();
  return result;
}

}  // namespace stemma
