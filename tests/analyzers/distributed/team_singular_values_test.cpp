// Does a team of any shape find the singular values that one rank finds, and does it notice what is wrong?
#include "analyzers/distributed/team_singular_values.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "analyzers/distributed/team_solvers.hpp"
#include "io/model/finding.hpp"
#include "tests/analyzers/matrices.hpp"
#include "tests/harness/mpi_world.hpp"
#include "tests/harness/teams.hpp"

namespace stemma {
namespace {

using namespace matrices;
using test::all_ranks;

/// Calls use(team) for every grid of the world, on real nodes and with every rank as a node of its own, and
/// for a grid that leaves a rank without a place.
void for_each_team(const std::function<void(Team&)>& use) {
  std::vector<std::pair<GridShape, Team::Nodes>> kinds;
  for (const test::GridShape& shape : test::grid_shapes(all_ranks().size()))
    kinds.push_back({{shape.rows, shape.cols}, Team::Nodes::as_they_are});
  kinds.push_back({squarest(all_ranks().size()), Team::Nodes::each_rank_alone});
  if (all_ranks().size() > 1) kinds.push_back({{1, all_ranks().size() - 1}, Team::Nodes::as_they_are});
  for (const auto& [shape, nodes] : kinds) {
    SCOPED_TRACE(testing::Message() << shape.rows << " x " << shape.cols);
    Team team(all_ranks(), shape, nodes);
    use(team);
    team.release();
  }
}

std::optional<Spectrum> by_team(Team& team, const Stored& matrix, const TeamRequest& request = {},
                                std::uint64_t rows_at_once = 100) {
  TeamSingularValues values(matrix.form, team, request);
  std::span<const std::byte> rest = matrix.bytes;
  while (!rest.empty()) {
    const std::size_t some = std::min<std::size_t>(rest.size(), rows_at_once * matrix.form.row_bytes());
    values.take(rest.first(some));
    rest = rest.subspan(some);
  }
  return values.finish();
}

void expect_same(const Spectrum& one, const Spectrum& other, double tolerance) {
  ASSERT_EQ(one.values.size(), other.values.size());
  for (std::size_t i = 0; i < one.values.size(); ++i)
    EXPECT_NEAR(one.values[i], other.values[i], tolerance * one.error.s1) << i;
  if (std::isinf(one.frobenius_sq)) {  // the values are right all the same
    EXPECT_EQ(one.frobenius_sq, other.frobenius_sq);
  } else {
    EXPECT_NEAR(one.frobenius_sq, other.frobenius_sq, 1e-14 * one.frobenius_sq);
  }
}

std::vector<SpectrumMethod> solvers_of(const Team& team, std::uint64_t k) {
  std::vector<SpectrumMethod> methods = {SpectrumMethod::gram_dsyevd};
  if (team.grid().holds() && team.grid().context() < 0) return methods;  // MPI was not started
  methods.push_back(SpectrumMethod::gram_pdsyevr);
  if (team.nodes() == 1) methods.push_back(SpectrumMethod::gram_shared);
  const int side = std::max(team.grid().shape().rows, team.grid().shape().cols);
  if (!elpa_version().empty() && k >= 256U * static_cast<std::uint64_t>(side))
    methods.push_back(SpectrumMethod::gram_elpa2);
  return methods;
}

TEST(TeamSingularValues, EveryShapeEverySolverAgreesWithOneRank) {
  const Stored matrices[] = {gaussian(Dtype::bf16, 300, 300, 1),  gaussian(Dtype::bf16, 700, 130, 2),
                             gaussian(Dtype::bf16, 130, 700, 3),  gaussian(Dtype::f32, 520, 514, 4),
                             gaussian(Dtype::f64, 400, 260, 5),   gaussian(Dtype::bf16, 2000, 64, 6),
                             gaussian(Dtype::bf16, 1100, 1030, 7)};
  for_each_team([&](Team& team) {
    for (const Stored& matrix : matrices) {
      SCOPED_TRACE(testing::Message() << matrix.form.rows << " by " << matrix.form.cols);
      const auto alone = spectrum_of(matrix);
      for (const SpectrumMethod method : solvers_of(team, matrix.form.k())) {
        const auto together = by_team(team, matrix, {.crosscheck = false, .solver = method});
        EXPECT_TRUE(together) << name_of(method);
        if (!together) continue;
        EXPECT_EQ(together->method, method);
        expect_same(*alone, *together, 1e-12);
      }
    }
  });
}

TEST(TeamSingularValues, TeamsOfOneShapeGiveTheSameBits) {
  // Whoever is in the team, and whether its ranks share memory: what runtime.reproducible rests on.
  const int ranks = all_ranks().size();
  if (ranks < 4) GTEST_SKIP() << "two teams of two need four ranks";
  const Stored matrix = gaussian(Dtype::bf16, 1100, 1030, 12);
  for (const SpectrumMethod method : {SpectrumMethod::gram_dsyevd, SpectrumMethod::gram_pdsyevr,
                                      SpectrumMethod::gram_elpa2, SpectrumMethod::gram_shared}) {
    if (method == SpectrumMethod::gram_elpa2 && elpa_version().empty()) continue;
    std::optional<std::vector<double>> first;
    for (const int pairing : {1, 2})  // neighbours, or every second rank
      for (const Team::Nodes nodes : {Team::Nodes::as_they_are, Team::Nodes::each_rank_alone}) {
        if (method == SpectrumMethod::gram_shared && nodes != Team::Nodes::as_they_are) continue;
        const test::Team half(all_ranks(), all_ranks().rank() / pairing % 2);
        Team team(half.ranks(), {1, half.ranks().size()}, nodes);
        const auto spectrum = by_team(team, matrix, {.crosscheck = false, .solver = method});
        team.release();
        ASSERT_TRUE(spectrum) << name_of(method);
        if (!first) first = spectrum->values;
        EXPECT_EQ(spectrum->values, *first) << name_of(method);
        std::string bytes(reinterpret_cast<const char*>(first->data()), 8 * first->size());
        const std::vector<std::string> all = all_ranks().gather(bytes);
        for (const std::string& other : all) EXPECT_TRUE(other == all.front()) << name_of(method);
      }
  }
}

TEST(TeamSingularValues, ClosedForm) {
  std::vector<double> truth(260);
  for (std::size_t i = 0; i < truth.size(); ++i) truth[i] = 1 / std::sqrt(static_cast<double>(i + 1));
  for_each_team([&](Team& team) {
    for (const auto& [rows, cols] : {std::pair{260U, 260U}, {520U, 260U}, {260U, 520U}}) {
      const auto spectrum = by_team(team, stored(Dtype::f64, rows, cols, with_values(truth, rows, cols)));
      EXPECT_TRUE(spectrum);
      if (!spectrum) continue;
      for (std::size_t i = 0; i < truth.size(); ++i)
        EXPECT_LE(std::abs(spectrum->values[i] - truth[i]), spectrum->error.estimate(spectrum->values[i]))
            << i;
    }
  });
}

TEST(TeamSingularValues, OddMatrices) {
  for_each_team([](Team& team) {
    const auto zero = by_team(team, stored(Dtype::bf16, 80, 70, std::vector<double>(5600, 0.0)));
    EXPECT_TRUE(zero && zero->values == std::vector<double>(70, 0.0));
    for (const auto& [rows, cols] : {std::pair{1U, 300U}, {300U, 1U}, {1U, 1U}}) {
      const Stored thin = gaussian(Dtype::f32, rows, cols, 8);
      const auto spectrum = by_team(team, thin);
      EXPECT_TRUE(spectrum);
      if (spectrum) expect_same(*spectrum_of(thin), *spectrum, 1e-14);
    }
    const auto empty = by_team(team, {{Dtype::bf16, 0, 7}, {}});
    EXPECT_TRUE(empty && empty->values.empty());
    for (const double bad : {std::nan(""), static_cast<double>(INFINITY)})
      for (const auto& [rows, cols] : {std::pair{90U, 70U}, {70U, 90U}}) {
        auto values = toy::gaussian(6300, 1, 9);
        values[6000] = bad;
        EXPECT_FALSE(by_team(team, stored(Dtype::bf16, rows, cols, values)));
      }
    // Magnitudes whose squares leave the range of doubles, and those that denormal ones have.
    for (const double size : {1e200, 1e-200}) {
      const Stored extreme = stored(Dtype::f64, 100, 80, toy::gaussian(8000, size, 10));
      const auto spectrum = by_team(team, extreme);
      EXPECT_TRUE(spectrum);
      if (spectrum) expect_same(*spectrum_of(extreme), *spectrum, 1e-12);
    }
  });
}

TEST(TeamSingularValues, GramEqualsPdsyrkAndRowsMayComeInAnyPieces) {
  const Stored matrix = gaussian(Dtype::bf16, 900, 330, 11);
  const std::vector<double> values = matrix.values();
  for_each_team([&](Team& team) {
    if (team.grid().holds() && team.grid().context() < 0) return;  // ScaLAPACK needs MPI
    DealtMatrix dense(team.grid(), 900, 330);
    for (std::uint64_t col = 0; col < dense.local_cols(); ++col)
      for (std::uint64_t row = 0; row < dense.local_rows(); ++row)
        dense.at(row, col) = values[dense.global_row(row) * 330 + dense.global_col(col)];
    const DealtMatrix oracle = team_syrk(team, dense);
    std::optional<DealtMatrix> first;
    for (const std::size_t piece : {900U, 37U, 1U}) {
      TeamGram gram(matrix.form, team);
      for (std::size_t row = 0; row < 900; row += piece)
        gram.take(std::span(matrix.bytes).subspan(row * 660, std::min<std::size_t>(piece, 900 - row) * 660));
      const DealtMatrix made = gram.finish();
      for (std::uint64_t col = 0; col < made.local_cols(); ++col)
        for (std::uint64_t row = 0; row < made.local_rows(); ++row) {
          if (made.global_row(row) < made.global_col(col)) continue;
          EXPECT_NEAR(made.at(row, col), oracle.at(row, col), 1e-13);
          if (first) {
            EXPECT_EQ(made.at(row, col), first->at(row, col));
          }
        }
      if (!first) first = made;
    }
  });
}

TEST(TeamSingularValues, PdgesvdAgrees) {
  for_each_team([](Team& team) {
    if (team.grid().holds() && team.grid().context() < 0) return;
    for (const Stored& matrix : {gaussian(Dtype::bf16, 300, 200, 12), gaussian(Dtype::bf16, 200, 300, 13)}) {
      const auto spectrum = by_team(team, matrix, {.crosscheck = true});
      EXPECT_TRUE(spectrum);
      if (spectrum) {
        EXPECT_LE(spectrum->gaps.crosscheck_gap, 1e-12);
      }
    }
  });
}

TEST(TeamSingularValues, FactsOfTheDealtGramAreThoseOfTheWholeOne) {
  const Stored matrix = gaussian(Dtype::bf16, 500, 210, 14);
  TallGram whole(matrix.form);
  whole.take(matrix.bytes);
  LargeArray lower = whole.finish();
  const Probes x = probe_vectors(matrix.form);
  const GramFacts truth = gram_facts(lower, x);
  for_each_team([&](Team& team) {
    TeamGram gram(matrix.form, team);
    gram.take(matrix.bytes);
    DealtMatrix dealt = gram.finish();
    const GramFacts facts = gram_facts(team, dealt, x);
    EXPECT_NEAR(facts.square, truth.square, 1e-13 * truth.square);
    for (std::size_t p = 0; p < probes; ++p)
      for (std::size_t i = 0; i < 210; ++i) EXPECT_NEAR(facts.images[p][i], truth.images[p][i], 1e-13);
    // An off-diagonal element that is wrong on one rank is seen on all: A^T A x knows nothing of it.
    for (std::uint64_t col = 0; col < dealt.local_cols(); ++col)
      for (std::uint64_t row = 0; row < dealt.local_rows(); ++row)
        if (dealt.global_row(row) == 200 && dealt.global_col(col) == 3) dealt.at(row, col) += 1e-6;
    const GramFacts wrong = gram_facts(team, dealt, x);
    EXPECT_NEAR(std::abs(wrong.images[0][200] - truth.images[0][200]), 1e-6, 1e-10);
    EXPECT_NEAR(std::abs(wrong.images[0][3] - truth.images[0][3]), 1e-6, 1e-10);
  });
}

/// One rank reads other bytes than its team: whatever it adds to the sums, every rank refuses.
TEST(TeamSingularValues, OneRankWithAFlippedBitIsNoticedByAll) {
  if (all_ranks().size() == 1) GTEST_SKIP() << "takes two ranks to disagree";
  const Stored streamed = gaussian(Dtype::bf16, 2100, 2060, 15), next = gaussian(Dtype::bf16, 300, 200, 16);
  for (const int culprit : {0, all_ranks().size() - 1}) {
    Stored mine = streamed;
    // The upper byte of an element in every row: 0.02 becomes about 1e36 for whoever widens it.
    if (all_ranks().rank() == culprit)
      for (std::size_t row = 0; row < 2100; ++row) mine.bytes[row * 4120 + 9] ^= std::byte{0x40};
    Team team(all_ranks());
    try {
      by_team(team, mine);
      ADD_FAILURE() << "rank " << culprit << " disagreed and nobody noticed";
    } catch (const InvalidInput& error) {
      EXPECT_EQ(error.finding().rule, "spectrum.invariant");
    }
    // The next matrix of the same team is none the worse for it.
    const auto spectrum = by_team(team, next);
    EXPECT_TRUE(spectrum);
    if (spectrum) expect_same(*spectrum_of(next), *spectrum, 1e-12);
    team.release();
  }
}

TEST(TeamSingularValues, OneRankWithoutMemoryFailsAll) {
  for (int culprit = 0; culprit < all_ranks().size(); ++culprit) {
    Team team(all_ranks());
    // Nothing is allocated for an impossible matrix: vectors refuse by its size alone. Both sizes are
    // streamed.
    const std::uint64_t side = all_ranks().rank() == culprit ? std::uint64_t{1} << 40U : 2304;
    EXPECT_ANY_THROW(TeamSingularValues({Dtype::bf16, side, side}, team));
    team.release();
  }
}

}  // namespace
}  // namespace stemma
