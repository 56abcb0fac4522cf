// ScaLAPACK and ELPA, with every code of theirs looked at on every rank.
#include "analyzers/distributed/team_solvers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <stdexcept>

#include "analyzers/distributed/shared_band.hpp"
#include "analyzers/distributed/unison.hpp"
#include "analyzers/numerics/blas.hpp"
#include "analyzers/numerics/lapack.hpp"
#include "analyzers/numerics/philox.hpp"

#ifdef STEMMA_HAS_ELPA
#include <elpa/elpa.h>
#endif

extern "C" {
void pdtran_(const int* m, const int* n, const double* alpha, const double* a, const int* ia, const int* ja,
             const int* desca, const double* beta, double* c, const int* ic, const int* jc, const int* descc);
void pdsyrk_(const char* uplo, const char* trans, const int* n, const int* k, const double* alpha,
             const double* a, const int* ia, const int* ja, const int* desca, const double* beta, double* c,
             const int* ic, const int* jc, const int* descc);
void pdsyevr_(const char* jobz, const char* range, const char* uplo, const int* n, double* a, const int* ia,
              const int* ja, const int* desca, const double* vl, const double* vu, const int* il,
              const int* iu, int* m, int* nz, double* w, double* z, const int* iz, const int* jz,
              const int* descz, double* work, const int* lwork, int* iwork, const int* liwork, int* info);
void pdpotrf_(const char* uplo, const int* n, double* a, const int* ia, const int* ja, const int* desca,
              int* info);
void pdpotrs_(const char* uplo, const int* n, const int* columns, const double* a, const int* ia,
              const int* ja, const int* desca, double* b, const int* ib, const int* jb, const int* descb,
              int* info);
void pdgesvd_(const char* jobu, const char* jobvt, const int* m, const int* n, double* a, const int* ia,
              const int* ja, const int* desca, double* s, double* u, const int* iu, const int* ju,
              const int* descu, double* vt, const int* ivt, const int* jvt, const int* descvt, double* work,
              const int* lwork, int* info);
}

namespace stemma {
namespace {

constexpr int one = 1;
constexpr std::uint64_t blocks_each = 4;

int narrow(std::uint64_t size) {
  if (size > static_cast<std::uint64_t>(std::numeric_limits<int>::max()))
    throw std::overflow_error("matrix dimension exceeds the 32-bit integers of ScaLAPACK");
  return static_cast<int>(size);
}

/// Workspaces come back as floating point and may be short by a little (Reference-ScaLAPACK issue 105).
int workspace(double queried) {
  constexpr int slack = 128;
  if (!(queried < static_cast<double>(std::numeric_limits<int>::max() - slack)))
    throw std::overflow_error("workspace exceeds the 32-bit integers of ScaLAPACK");
  return static_cast<int>(queried) + slack;
}

/// Collective. Whether every rank says so.
bool all_say(const Team& team, bool good) { return team.ranks().all_reduce_min(good ? 1 : 0) == 1; }

/// The values of the grid's first rank on every rank, those without a place included.
void tell_everybody(const Team& team, std::vector<double>& values) {
  if (team.ranks().size() == 1) return;
  check_mpi(MPI_Bcast(values.data(), narrow(values.size()), MPI_DOUBLE, 0, team.ranks().handle()),
            "MPI_Bcast");
}

/// Where the iteration begins: no direction is orthogonal to all of these.
std::vector<double> random_signs(std::uint64_t n) {
  std::vector<double> out(n);
  for (std::uint64_t i = 0; i < n; ++i) {
    const auto bits =
        philox({static_cast<std::uint32_t>(i / 128), static_cast<std::uint32_t>(i >> 39U), 0, 0}, {0, 0});
    out[i] = (bits[i % 128 / 32] >> (i % 32) & 1U) != 0 ? 1 : -1;
  }
  return out;
}

/// Collective over the grid. The upper triangle from the lower one: ELPA reads both and compares nothing.
void fill_upper(DealtMatrix& lower, const ProcessGrid& grid) {
  const std::uint64_t n = lower.row_axis().size;
  DealtMatrix mirrored = in_unison(Communicator(grid.members()), "mirroring a Gram matrix",
                                   [&] { return DealtMatrix(grid, n, n); });
  const int order = narrow(n);
  const double as_it_is = 1, nothing = 0;
  const auto from = lower.descriptor(), to = mirrored.descriptor();
  pdtran_(&order, &order, &as_it_is, lower.data(), &one, &one, from.data(), &nothing, mirrored.data(), &one,
          &one, to.data());
  for (std::uint64_t col = 0; col < lower.local_cols(); ++col)
    for (std::uint64_t row = 0; row < lower.local_rows(); ++row)
      if (lower.global_row(row) < lower.global_col(col)) lower.at(row, col) = mirrored.at(row, col);
}

#ifdef STEMMA_HAS_ELPA
/// Returns ELPA's first error code. It prints of some errors that it aborts, but returns.
int elpa_two_stage(const ProcessGrid& grid, DealtMatrix& full, std::vector<double>& values) {
  static const int started = elpa_init(20170403);
  if (started != ELPA_OK) return started;
  int code = ELPA_OK;
  elpa_t handle = elpa_allocate(&code);
  if (code != ELPA_OK) return code;
  const int order = narrow(full.row_axis().size);
  const std::pair<const char*, int> settings[] = {
      {"na", order},
      {"nev", order},
      {"local_nrows", narrow(full.local_rows())},
      {"local_ncols", narrow(full.local_cols())},
      {"nblk", static_cast<int>(DealtAxis::block)},
      {"mpi_comm_parent", static_cast<int>(MPI_Comm_c2f(grid.members()))},
      {"process_row", grid.row()},
      {"process_col", grid.col()},
  };
  for (const auto& [name, value] : settings)
    if (code == ELPA_OK) elpa_set_integer(handle, name, value, &code);
  if (code == ELPA_OK) code = elpa_setup(handle);
  if (code == ELPA_OK) elpa_set_integer(handle, "solver", ELPA_SOLVER_2STAGE, &code);
  if (code == ELPA_OK) elpa_eigenvalues_double(handle, full.data(), values.data(), &code);
  int freed = ELPA_OK;
  elpa_deallocate(handle, &freed);
  return code;
}
#endif

/// Room for a solver's workspace on every rank of the grid, or the same exception on all of them.
struct Workspace {
  std::vector<double> doubles;
  std::vector<int> integers;
};
Workspace agreed_workspace(const ProcessGrid& grid, double doubles, int integers) {
  return in_unison(Communicator(grid.members()), "finding room for a solver", [&] {
    return Workspace{std::vector<double>(static_cast<std::size_t>(workspace(doubles))),
                     std::vector<int>(static_cast<std::size_t>(integers) + 128)};
  });
}

int pdsyevr(const ProcessGrid& grid, DealtMatrix& lower, std::vector<double>& values) {
  const int order = narrow(lower.row_axis().size), query = -1;
  const auto description = lower.descriptor();
  double unused = 0;
  const double no_bound = 0;
  const int no_index = 0;
  int found = 0, vectors = 0, info = 0, integers = 0;
  std::array<double, 3> wanted{};
  // A descriptor of Z must be valid even where no vectors are asked for.
  const auto call = [&](double* work, const int* size, int* integer_work, const int* integer_size) {
    pdsyevr_("N", "A", "L", &order, lower.data(), &one, &one, description.data(), &no_bound, &no_bound,
             &no_index, &no_index, &found, &vectors, values.data(), &unused, &one, &one, description.data(),
             work, size, integer_work, integer_size, &info);
  };
  call(wanted.data(), &query, &integers, &query);
  if (info != 0) return info;
  Workspace work = agreed_workspace(grid, wanted[0], integers);
  const int size = narrow(work.doubles.size()), integer_size = narrow(work.integers.size());
  call(work.doubles.data(), &size, work.integers.data(), &integer_size);
  return info != 0 ? info : order - found;
}

/// Collective. Small ones: everybody gets the whole matrix and solves it by LAPACK; the first rank's answer
/// counts, because processors of different kinds may differ in the last bit.
std::vector<double> gathered_eigenvalues(const Team& team, const DealtMatrix& lower) {
  const std::uint64_t n = lower.row_axis().size;
  std::vector<double> whole =
      in_unison(team.ranks(), "gathering a Gram matrix", [&] { return std::vector<double>(n * n, 0.0); });
  for (std::uint64_t col = 0; col < lower.local_cols(); ++col)
    for (std::uint64_t row = 0; row < lower.local_rows(); ++row)
      whole[lower.global_col(col) * n + lower.global_row(row)] = lower.at(row, col);
  team.sum(whole);
  std::vector<double> values = in_unison(team.ranks(), "taking eigenvalues", [&] {
    return symmetric_eigenvalues(whole, n, Tridiagonalisation::one_stage);
  });
  if (!all_say(team, values.size() == n)) return {};
  tell_everybody(team, values);
  return values;
}

/// Collective. The first rank's iteration counts, because processors of different kinds may differ in the
/// last bit.
std::vector<double> shared_eigenvalues(const Team& team, const DealtMatrix& lower) {
  const std::uint64_t n = lower.row_axis().size;
  BandMatrix band = shared_band(team, lower);
  std::vector<double> values = in_unison(team.ranks(), "taking eigenvalues", [&] {
    if (!team.ranks().leads()) return std::vector<double>(n);
    return band_eigenvalues(std::move(band));
  });
  if (!all_say(team, values.size() == n)) return {};
  tell_everybody(team, values);
  return values;
}

/// Collective. Runs a solver on the ranks of the grid; its values on all ranks, none when any rank's code is
/// not 0.
template <class Solver>
std::vector<double> solved(const Team& team, std::uint64_t k, const char* what, const Solver& solver) {
  std::vector<double> values = in_unison(team.ranks(), what, [&] { return std::vector<double>(k); });
  int code = 0;
  std::exception_ptr failure;
  try {
    if (team.grid().holds()) code = solver(values);
  } catch (...) {
    failure = std::current_exception();  // thrown in unison by all ranks of the grid
  }
  agree(team.ranks(), what, failure);
  if (!all_say(team, code == 0)) return {};
  tell_everybody(team, values);
  return values;
}

}  // namespace

std::string elpa_version() {
#ifdef STEMMA_HAS_ELPA
  return STEMMA_HAS_ELPA;
#else
  return "";
#endif
}

TeamSolvers team_solvers() { return {elpa_version(), STEMMA_HAS_SCALAPACK}; }

SpectrumMethod team_method_for(const Team& team, std::uint64_t k) {
  const ProcessGrid& grid = team.grid();
  const auto side = static_cast<std::uint64_t>(std::max(grid.shape().rows, grid.shape().cols));
  if (grid.context() < 0 && grid.holds()) return SpectrumMethod::gram_dsyevd;  // MPI was not started
  if (k < blocks_each * DealtAxis::block * side) return SpectrumMethod::gram_dsyevd;
  if (team.nodes() == 1 && team.ranks().size() <= most_sharing_ranks) return SpectrumMethod::gram_shared;
  return elpa_version().empty() ? SpectrumMethod::gram_pdsyevr : SpectrumMethod::gram_elpa2;
}

std::vector<double> team_eigenvalues(const Team& team, DealtMatrix lower, SpectrumMethod how) {
  serialise_blas();
  const std::uint64_t k = lower.row_axis().size;
  if (how == SpectrumMethod::gram_dsyevd) return gathered_eigenvalues(team, lower);
  if (how == SpectrumMethod::gram_shared && team.nodes() == 1) return shared_eigenvalues(team, lower);
  if (how == SpectrumMethod::gram_elpa2 ? elpa_version().empty() : how != SpectrumMethod::gram_pdsyevr)
    throw std::invalid_argument(fmt::format("a team has no solver {}", name_of(how)));
  return solved(team, k, "taking eigenvalues", [&](std::vector<double>& values) {
#ifdef STEMMA_HAS_ELPA
    if (how == SpectrumMethod::gram_elpa2) {
      fill_upper(lower, team.grid());
      return elpa_two_stage(team.grid(), lower, values);
    }
#endif
    return pdsyevr(team.grid(), lower, values);
  });
}

std::vector<double> team_dense_singular_values(const Team& team, DealtMatrix matrix) {
  serialise_blas();
  const std::uint64_t k = std::min(matrix.row_axis().size, matrix.col_axis().size);
  return solved(team, k, "taking singular values", [&](std::vector<double>& values) {
    const int rows = narrow(matrix.row_axis().size), cols = narrow(matrix.col_axis().size), query = -1;
    const auto description = matrix.descriptor();
    double wanted = 0, unused = 0;
    int info = 0;
    const auto call = [&](double* work, const int* size) {
      pdgesvd_("N", "N", &rows, &cols, matrix.data(), &one, &one, description.data(), values.data(), &unused,
               &one, &one, description.data(), &unused, &one, &one, description.data(), work, size, &info);
    };
    call(&wanted, &query);
    if (info != 0) return info;
    Workspace work = agreed_workspace(team.grid(), wanted, 0);
    const int size = narrow(work.doubles.size());
    call(work.doubles.data(), &size);
    // min(m, n) + 1 says that ranks ran different code, nothing of the values; the comparison judges them.
    return info == narrow(k) + 1 ? 0 : info;
  });
}

std::vector<double> team_smallest_directions(const Team& team, DealtMatrix lower, std::uint64_t count) {
  serialise_blas();
  const std::uint64_t k = lower.row_axis().size;
  constexpr int steps = 8;
  std::optional<DealtMatrix> sides;
  std::vector<double> vectors = in_unison(team.ranks(), "finding small directions", [&] {
    sides.emplace(team.grid(), k, count);
    return random_signs(k * count);
  });
  make_orthonormal(vectors, k, count);
  const int order = narrow(k), columns = narrow(count);
  const auto factor = lower.descriptor(), side = sides->descriptor();
  int info = 0;
  if (team.grid().holds()) pdpotrf_("L", &order, lower.data(), &one, &one, factor.data(), &info);
  if (!all_say(team, info == 0)) return {};
  for (int step = 0; step < steps; ++step) {
    for (std::uint64_t col = 0; col < sides->local_cols(); ++col)
      for (std::uint64_t row = 0; row < sides->local_rows(); ++row)
        sides->at(row, col) = vectors[sides->global_col(col) * k + sides->global_row(row)];
    if (team.grid().holds())
      pdpotrs_("L", &order, &columns, lower.data(), &one, &one, factor.data(), sides->data(), &one, &one,
               side.data(), &info);
    std::fill(vectors.begin(), vectors.end(), 0.0);
    for (std::uint64_t col = 0; col < sides->local_cols(); ++col)
      for (std::uint64_t row = 0; row < sides->local_rows(); ++row)
        vectors[sides->global_col(col) * k + sides->global_row(row)] = sides->at(row, col);
    team.sum(vectors);
    make_orthonormal(vectors, k, count);
  }
  return vectors;
}

DealtMatrix team_syrk(const Team& team, const DealtMatrix& matrix) {
  const std::uint64_t n = matrix.col_axis().size;
  DealtMatrix gram(team.grid(), n, n);
  if (!team.grid().holds()) return gram;
  const int order = narrow(n), depth = narrow(matrix.row_axis().size);
  const double as_it_is = 1, nothing = 0;
  const auto from = matrix.descriptor(), to = gram.descriptor();
  pdsyrk_("L", "T", &order, &depth, &as_it_is, matrix.data(), &one, &one, from.data(), &nothing, gram.data(),
          &one, &one, to.data());
  return gram;
}

}  // namespace stemma
