// What are the singular values of every matrix?
//
// Square roots of the eigenvalues of the Gram matrix of the shorter side, in double precision, where products
// of stored floats are exact; error formulas and checks: numerics/singular_values.hpp. The spectrum describes
// a matrix, it does not identify it: strangers trained by one recipe have spectra that correlate to four
// digits.
#include "analyzers/spectrum.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "analyzers/content_hash.hpp"
#include "analyzers/distributed/team_singular_values.hpp"
#include "analyzers/layer_table.hpp"
#include "analyzers/numerics/spectral_shape.hpp"
#include "analyzers/tensor_marks.hpp"

namespace stemma {

namespace {

constexpr double default_largest = 16384;  // LAPACK's 32-bit integers end at k^2 = 2^31
constexpr double default_crosscheck = 128;

MatrixForm form_of(const Input& input) { return {input.dtype, input.rows, input.cols, 0}; }

double parameter_of(const Subject& subject, const std::string& name, double otherwise) {
  const auto found = subject.parameters.find(name);
  return found == subject.parameters.end() ? otherwise : found->second;
}

bool too_large(const Subject& subject, const MatrixForm& form) {
  return static_cast<double>(form.k()) > parameter_of(subject, "largest", default_largest);
}

class SpectrumMeasurement : public Measurement {
 public:
  SpectrumMeasurement(const MatrixForm& form, std::uint64_t crosscheck_every, bool refine)
      : form_(form), values_(form), crosscheck_every_(crosscheck_every), refine_(refine) {}

  void take(std::size_t, const Panel& panel) override {
    values_.take(panel.bytes);
    hash_.add(panel.bytes);
  }

  Features finish() override {
    // Chosen by content, so that every run of any size chooses the same.
    const bool chosen = crosscheck_every_ > 0 && hash_.finish().lo % crosscheck_every_ == 0;
    const auto spectrum = values_.finish({.crosscheck = chosen, .refine = refine_});
    if (spectrum) return features_of(*spectrum, form_);
    Features nothing;
    nothing.status = Status::nonfinite;
    return nothing;
  }

 private:
  MatrixForm form_;
  SingularValues values_;
  ContentHash hash_;
  std::uint64_t crosscheck_every_;
  bool refine_;
};

/// The same by a team. Which content is cross-checked would be known too late, when the rows are gone: a team
/// compares every matrix or none.
class TeamSpectrumMeasurement : public Measurement {
 public:
  TeamSpectrumMeasurement(const MatrixForm& form, Team& team, bool crosscheck)
      : form_(form), values_(form, team, {.crosscheck = crosscheck, .solver = std::nullopt}) {}

  void take(std::size_t, const Panel& panel) override { values_.take(panel.bytes); }

  Features finish() override {
    const auto spectrum = values_.finish();
    if (spectrum) return features_of(*spectrum, form_);
    Features nothing;
    nothing.status = Status::nonfinite;
    return nothing;
  }

 private:
  MatrixForm form_;
  TeamSingularValues values_;
};

/// Beyond what one rank solves: the weights go by unseen.
class Refused : public Measurement {
 public:
  explicit Refused(std::string problem) : problem_(std::move(problem)) {}
  Features finish() override {
    Features features;
    features.status = Status::skipped;
    features.rule = "spectrum.too_large";
    features.problem = problem_;
    features.suggestion = "set analyzers.spectrum.largest higher, if the memory is there";
    return features;
  }

 private:
  std::string problem_;
};

class SpectrumQuestion : public Analyzer {
 public:
  std::string_view name() const override { return "spectrum"; }
  int version() const override { return 1; }
  bool by_content() const override { return true; }

  std::vector<Subject> subjects(const Model& model,
                                const std::map<std::string, double>& options) const override {
    std::vector<Subject> out;
    for (const std::uint32_t i : fingerprinted_matrices(model)) {
      const Matrix& matrix = model.matrices[i];
      const Dtype dtype = model.checkpoint.tensors[matrix.tensor].dtype;
      if (matrix.vector || !is_real(dtype) || dtype == Dtype::f8_e8m0)
        continue;  // codes and scales are no weights
      Subject subject;
      subject.analyzer = name();
      subject.path = subject_of(matrix, model);
      subject.matrices = {i};
      subject.parameters = options;
      out.push_back(std::move(subject));
    }
    std::sort(out.begin(), out.end(), [](const Subject& a, const Subject& b) { return a.path < b.path; });
    return out;
  }

  Cost cost(const Subject& subject, std::span<const Input> inputs) const override {
    const MatrixForm form = form_of(inputs[0]);
    Cost cost;
    cost.bytes = static_cast<double>(form.bytes());
    cost.memory = std::uint64_t{64} << 10U;
    if (too_large(subject, form)) return cost;
    if (form.k() > 0) cost.decomposition = Decomposition{form};
    return cost;
  }

  std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input> inputs,
                                     std::span<const std::vector<double>>) const override {
    const MatrixForm form = form_of(inputs[0]);
    if (too_large(subject, form))
      return std::make_unique<Refused>(
          fmt::format("the shorter side is {}, above analyzers.spectrum.largest = {}", form.k(),
                      parameter_of(subject, "largest", default_largest)));
    const double every = parameter_of(subject, "crosscheck_every", default_crosscheck);
    return std::make_unique<SpectrumMeasurement>(form, static_cast<std::uint64_t>(every),
                                                 parameter_of(subject, "refine", 0) != 0);
  }

  std::unique_ptr<Measurement> begin_together(const Subject& subject, std::span<const Input> inputs,
                                              std::span<const std::vector<double>>,
                                              Team& team) const override {
    const bool every = parameter_of(subject, "crosscheck_every", default_crosscheck) == 1;
    return std::make_unique<TeamSpectrumMeasurement>(form_of(inputs[0]), team, every);
  }

  void summarise(const Model& model, const FeatureSource& features, const std::map<std::string, double>&,
                 Fingerprint& fingerprint) const override {
    fill_spectra(model, features, fingerprint);
  }
};

}  // namespace

Features features_of(const Spectrum& spectrum, const MatrixForm& form) {
  const SpectralShape shape = shape_of(spectrum.values, spectrum.error.tau);
  const SpectrumGaps& gaps = spectrum.gaps;
  Features out;
  out.reals["value"] = spectrum.values;
  out.counts = {{"rows", form.rows},
                {"cols", form.cols},
                {"method", static_cast<std::uint64_t>(spectrum.method)},
                {"error_model", static_cast<std::uint64_t>(spectrum.error.model)},
                {"count_below_tau", spectrum.count_below_tau},
                {"attempts", static_cast<std::uint64_t>(spectrum.attempts)},
                {"grid_rows", static_cast<std::uint64_t>(spectrum.grid.rows)},
                {"grid_cols", static_cast<std::uint64_t>(spectrum.grid.cols)},
                {"exact_products", bits_of(form.dtype) <= 32 ? 1U : 0U}};
  out.numbers = {{"s1", spectrum.error.s1},
                 {"e_estimate", spectrum.error.e_estimate},
                 {"e_bound", spectrum.error.e_bound},
                 {"tau", spectrum.error.tau},
                 {"frobenius_sq", spectrum.frobenius_sq},
                 {"stable_rank", shape.stable_rank},
                 {"effective_rank", shape.effective_rank},
                 {"entropy", shape.entropy},
                 {"energy_rank", shape.energy_rank},
                 {"participation_ratio", shape.participation_ratio},
                 {"tail_exponent", shape.tail_exponent},
                 {"condition", shape.condition},
                 {"trace_gap", gaps.trace_gap},
                 {"square_gap", gaps.square_gap},
                 {"probe_gap", gaps.probe_gap},
                 {"min_eigenvalue", gaps.min_eigenvalue},
                 {"norm_gap", gaps.norm_gap},
                 {"crosscheck_gap", gaps.crosscheck_gap}};
  return out;
}

const Analyzer& spectrum_analyzer() {
  static const SpectrumQuestion question;
  return question;
}

}  // namespace stemma
