// Does every check catch the error that it is there for?
#include "analyzers/numerics/spectrum_checks.hpp"

#include <gtest/gtest.h>

#include "analyzers/numerics/lapack.hpp"
#include "io/model/finding.hpp"
#include "tests/analyzers/matrices.hpp"

namespace stemma {
namespace {

using namespace matrices;

constexpr std::uint64_t k = 48;

/// All that the checks look at, of a sound matrix; tests break one thing each.
struct Case {
  Stored matrix = gaussian(Dtype::bf16, 130, k, 11);
  LargeArray gram = gram_of(matrix.form, matrix.bytes);
  MatrixFacts facts = facts_of(matrix);

  static MatrixFacts facts_of(const Stored& stored) {
    MatrixWitness witness(stored.form);
    witness.take(stored.bytes);
    return witness.finish();
  }
  double s1_sq() const {
    auto copy = gram;
    return symmetric_eigenvalues(copy, k, Tridiagonalisation::one_stage).back();
  }
  /// `spoil` works on the ascending eigenvalues.
  std::string broken(const std::function<void(std::vector<double>&)>& spoil = {}) {
    const GramFacts says = gram_facts(gram, probe_vectors(matrix.form));
    auto copy = gram;
    auto eigenvalues = symmetric_eigenvalues(copy, k, Tridiagonalisation::one_stage);
    if (spoil) spoil(eigenvalues);
    gaps = {};
    const auto violation = check_eigenvalues(matrix.form, facts, says, eigenvalues, gaps);
    return violation ? violation->gap : "";
  }
  SpectrumGaps gaps;
};

TEST(SpectrumChecks, SoundIsSilent) {
  Case sound;
  EXPECT_EQ(sound.broken(), "");
  EXPECT_LT(sound.gaps.trace_gap, 1e-14);
  EXPECT_LT(sound.gaps.square_gap, 1e-14);
  EXPECT_LT(sound.gaps.probe_gap, 1e-15);
  EXPECT_EQ(sound.gaps.norm_gap, 0);
}

TEST(SpectrumChecks, FactsAreThoseOfTheElements) {
  for (const auto& [rows, cols] : {std::pair{130U, 48U}, {48U, 130U}, {700U, 3U}}) {
    const Stored matrix = gaussian(Dtype::f32, rows, cols, 4);
    MatrixWitness witness(matrix.form);
    witness.take(matrix.bytes);
    if (matrix.form.wide()) witness.take_again(0, matrix.bytes);
    const MatrixFacts facts = witness.finish();
    const std::vector<double> values = matrix.values();
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::Map<const RowMajor> a(values.data(), rows, cols);
    EXPECT_NEAR(facts.frobenius_sq, a.squaredNorm(), 1e-14 * a.squaredNorm());
    EXPECT_NEAR(facts.longest_row_or_column,
                std::max(a.rowwise().norm().maxCoeff(), a.colwise().norm().maxCoeff()), 1e-14);
    EXPECT_NEAR(facts.norm_product,
                std::sqrt(a.cwiseAbs().rowwise().sum().maxCoeff() * a.cwiseAbs().colwise().sum().maxCoeff()),
                1e-12);
    const Probes x = probe_vectors(matrix.form);
    for (std::size_t p = 0; p < probes; ++p) {
      const Eigen::Map<const Eigen::VectorXd> probe(x[p].data(), static_cast<Eigen::Index>(x[p].size()));
      const Eigen::VectorXd image = rows < cols ? Eigen::VectorXd(a * (a.transpose() * probe))
                                                : Eigen::VectorXd(a.transpose() * (a * probe));
      ASSERT_EQ(facts.images[p].size(), x[p].size());
      for (std::size_t i = 0; i < x[p].size(); ++i)
        EXPECT_NEAR(facts.images[p][i], image[static_cast<Eigen::Index>(i)], 1e-14);
      EXPECT_EQ(probe.cwiseAbs().minCoeff(), 1);
    }
    EXPECT_NE(x[0], x[1]);
  }
}

TEST(SpectrumChecks, WrongOffDiagonalElementIsSeenByTheProbesOnly) {
  Case spoilt;
  const double s1_sq = spoilt.s1_sq();
  spoilt.gram[7 + 3 * k] += 1e-10 * s1_sq;
  EXPECT_EQ(spoilt.broken(), "probe_gap");
  EXPECT_LT(spoilt.gaps.trace_gap, 1e-14);  // as blind as it is said to be
  EXPECT_LT(spoilt.gaps.square_gap, 1e-14);
}

TEST(SpectrumChecks, EveryElementOfTheGramIsWatched) {
  Case sound;
  const double s1_sq = sound.s1_sq();
  for (const std::uint64_t column : {0U, 1U, 31U, 46U})
    for (std::uint64_t row = column + 1; row < k; row += 5) {
      Case spoilt;
      spoilt.gram[row + column * k] -= 1e-11 * s1_sq;
      EXPECT_EQ(spoilt.broken(), "probe_gap") << row << " " << column;
    }
}

TEST(SpectrumChecks, WrongDiagonalElement) {
  Case spoilt;
  spoilt.gram[5 + 5 * k] *= 1 + 1e-8;
  EXPECT_EQ(spoilt.broken(), "trace_gap");
}

TEST(SpectrumChecks, OneWrongEigenvalue) {
  EXPECT_EQ(Case().broken([](auto& values) { values[20] *= 1 + 1e-9; }), "trace_gap");
}

TEST(SpectrumChecks, TwoWrongEigenvaluesThatCancel) {
  Case spoilt;
  const std::string gap = spoilt.broken([](auto& values) {
    const double error = 1e-8 * values.back();
    values.back() += error;
    values.front() -= error;
  });
  EXPECT_EQ(gap, "square_gap");
  EXPECT_LT(spoilt.gaps.trace_gap, 1e-12);
}

TEST(SpectrumChecks, NegativeEigenvalue) {
  // A pair that leaves both sums as they were: (a, b) -> roots with the same sum, and the probes see nothing.
  Case spoilt;
  spoilt.broken();
  SpectrumGaps gaps;
  const GramFacts says{.square = 5, .images = {std::vector<double>{0, 0}, std::vector<double>{0, 0}}};
  MatrixFacts facts;
  facts.frobenius_sq = 1;  // 2 + -1
  facts.images = says.images;
  facts.norm_product = 2;
  const std::vector<double> eigenvalues = {-1, 2};
  const auto violation = check_eigenvalues({Dtype::f32, 2, 2}, facts, says, eigenvalues, gaps);
  ASSERT_TRUE(violation);
  EXPECT_EQ(violation->gap, "min_eigenvalue");
}

TEST(SpectrumChecks, WrongScaleLeavesTheNorms) {
  Case spoilt;
  spoilt.broken();
  spoilt.facts.longest_row_or_column *= 16;  // the norms of another view
  EXPECT_EQ(spoilt.broken(), "norm_gap");
  spoilt.facts = Case::facts_of(spoilt.matrix);
  spoilt.facts.norm_product /= 16;
  EXPECT_EQ(spoilt.broken(), "norm_gap");
}

TEST(SpectrumChecks, FlippedBitBetweenTwoReadings) {
  for (const std::size_t byte : {std::size_t{0}, std::size_t{777}, std::size_t{12479}}) {
    Case spoilt;
    spoilt.matrix.bytes[byte] ^= std::byte{1};
    spoilt.gram = gram_of(spoilt.matrix.form, spoilt.matrix.bytes);  // the witness saw the right bytes
    EXPECT_NE(spoilt.broken(), "") << byte;
  }
}

TEST(SpectrumChecks, NotANumberIsAViolation) {
  EXPECT_EQ(Case().broken([](auto& values) { values[9] = std::numeric_limits<double>::quiet_NaN(); }),
            "trace_gap");
  Case spoilt;
  spoilt.gram[9 + 2 * k] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(spoilt.broken([](auto& values) { values.assign(k, 1.0); }), "");
}

/// Solvers that err on purpose.
SpectrumSolvers erring(bool gram, double dense_factor) {
  SpectrumSolvers solvers = SpectrumSolvers::lapack();
  if (gram)
    solvers.eigenvalues = [right = solvers.eigenvalues](std::span<double> g, std::uint64_t n) {
      auto values = right(g, n);
      values.ascending[n / 2] *= 1 + 1e-6;
      return values;
    };
  solvers.dense = [right = solvers.dense, dense_factor](std::span<double> a, std::uint64_t m,
                                                        std::uint64_t n) {
    auto values = right(a, m, n);
    for (double& s : values) s *= dense_factor;
    return values;
  };
  return solvers;
}

std::string rule_of(const Stored& matrix, const SpectrumRequest& request, SpectrumSolvers solvers) {
  try {
    spectrum_of(matrix, request, std::move(solvers));
  } catch (const InvalidInput& refusal) {
    EXPECT_FALSE(refusal.finding().found.empty());
    return refusal.finding().rule;
  }
  return "";
}

TEST(SpectrumChecks, WrongAnswerIsReplacedOnce) {
  for (const auto& [rows, cols] : {std::pair{130U, 48U}, {48U, 130U}}) {
    const Stored matrix = gaussian(Dtype::bf16, rows, cols, 3);
    const auto right = spectrum_of(matrix), saved = spectrum_of(matrix, {}, erring(true, 1));
    EXPECT_EQ(saved->attempts, 2);
    EXPECT_EQ(saved->method, SpectrumMethod::dgesdd);
    EXPECT_EQ(saved->error.model, ErrorModel::backward_stable);
    for (std::size_t i = 0; i < right->values.size(); ++i)
      EXPECT_NEAR(saved->values[i], right->values[i], 1e-13 * right->values[0]);
  }
}

TEST(SpectrumChecks, NoConvergenceIsAnotherReasonToRepeat) {
  SpectrumSolvers solvers = SpectrumSolvers::lapack();
  solvers.eigenvalues = [](std::span<double>, std::uint64_t) { return Eigenvalues{}; };
  EXPECT_EQ(spectrum_of(gaussian(Dtype::bf16, 20, 10, 3), {}, solvers)->attempts, 2);
}

TEST(SpectrumChecks, TwoWrongAnswersFailWithBothNumbers) {
  const Stored matrix = gaussian(Dtype::bf16, 130, 48, 3);
  EXPECT_EQ(rule_of(matrix, {}, erring(true, 1 + 1e-9)), "spectrum.invariant");
  try {
    spectrum_of(matrix, {}, erring(true, 1 + 1e-9));
  } catch (const InvalidInput& refusal) {
    EXPECT_NE(refusal.finding().found.find("gram_dsyevd"), std::string::npos);
    EXPECT_NE(refusal.finding().found.find("dgesdd"), std::string::npos);
  }
}

TEST(SpectrumChecks, TooLargeToRepeat) {
  const Stored matrix = gaussian(Dtype::bf16, 1, 40000000, 3, 1e-3);
  ASSERT_FALSE(repeatable(matrix.form));
  EXPECT_EQ(rule_of(matrix, {}, erring(true, 1)), "spectrum.invariant");
}

TEST(SpectrumChecks, SoundAnswersThatDisagree) {
  // Both keep their sums, and one of them moved two values in opposite directions.
  SpectrumSolvers solvers = SpectrumSolvers::lapack();
  solvers.dense = [right = solvers.dense](std::span<double> a, std::uint64_t m, std::uint64_t n) {
    auto values = right(a, m, n);
    const double moved = 1e-6 * values[20];
    values[10] = std::sqrt(values[10] * values[10] + moved);
    values[20] = std::sqrt(values[20] * values[20] - moved);
    return values;
  };
  const Stored matrix = gaussian(Dtype::bf16, 130, 48, 3);
  EXPECT_EQ(rule_of(matrix, {}, solvers), "");  // nobody asked
  EXPECT_EQ(rule_of(matrix, {.crosscheck = true}, solvers), "spectrum.disagreement");
}

}  // namespace
}  // namespace stemma
