// Gradient responses of up to ten stored matrices, averaged to the published vector of 15 features.
//
// One subject serves all targets with the same number of columns n. It reads the probe matrix W_0 of that
// size first, from which adversarial noise is made, and then its targets, apart from everybody else's
// reading. Further subjects ask every projection what of its response depends on weights
// (tensorguard_repaired). What the score means, and that most of it sees no weight, stands in README.md; the
// control, the same features of Gaussian weights of the same shapes and names, is always computed beside it.
#include "analyzers/tensorguard.hpp"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "analyzers/numerics/random_numbers.hpp"
#include "analyzers/tensor_marks.hpp"
#include "analyzers/tensorguard_inputs.hpp"
#include "analyzers/tensorguard_repaired.hpp"
#include "analyzers/tensorguard_response.hpp"
#include "analyzers/tensorguard_targets.hpp"
#include "io/model/widen.hpp"

namespace stemma {
namespace {

constexpr std::string_view guard_method = "tensorguard";
constexpr std::uint32_t control_stream = 0x746736;
constexpr const char* feature_names[] = {"mean", "std", "norm", "skewness", "kurtosis"};
std::string control_name(std::size_t feature) { return fmt::format("control_{}", feature_names[feature]); }

/// Options of the run and their defaults, which are the paper's.
struct GuardOptions {
  std::size_t targets = 10;
  int samples = 15, max_layer = 15;
  bool balanced = false, repaired = true;
  std::uint64_t seed = 0;
};

GuardOptions read(const std::map<std::string, double>& given) {
  const auto value = [&](const char* name, double otherwise) {
    const auto found = given.find(name);
    return found == given.end() ? otherwise : found->second;
  };
  GuardOptions options;
  options.targets = static_cast<std::size_t>(value("targets", 10));
  options.samples = static_cast<int>(value("samples", 15));
  options.max_layer = static_cast<int>(value("max_layer", 15));
  options.balanced = value("mode", 0) != 0;
  options.repaired = value("repaired", 1) != 0;
  options.seed = static_cast<std::uint64_t>(value("seed", 0));
  return options;
}

/// Whole rows out of bytes that are cut anywhere.
class Rows {
 public:
  explicit Rows(const Input& input)
      : dtype_(input.dtype), row_bytes_(input.cols * bits_of(input.dtype) / 8), values_(input.cols) {}

  template <class Use>
  void take(std::span<const std::byte> bytes, Use&& use) {
    while (!bytes.empty()) {
      if (begun_.empty() && bytes.size() >= row_bytes_) {
        give(bytes.first(row_bytes_), use);
        bytes = bytes.subspan(row_bytes_);
        continue;
      }
      const std::size_t some = std::min(bytes.size(), row_bytes_ - begun_.size());
      begun_.insert(begun_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(some));
      bytes = bytes.subspan(some);
      if (begun_.size() < row_bytes_) return;
      give(begun_, use);
      begun_.clear();
    }
  }

 private:
  template <class Use>
  void give(std::span<const std::byte> row, Use&& use) {
    widen(dtype_, row, values_);
    use(std::span<const double>(values_));
  }

  Dtype dtype_;
  std::size_t row_bytes_;
  std::vector<std::byte> begun_;
  std::vector<double> values_;
};

/// The inputs of one size as columns of a matrix, so that a row meets all of them at once.
class InputSet {
 public:
  InputSet(std::uint64_t seed, std::uint64_t n) : base_(guard_base(seed, n)) {
    inputs_.resize(static_cast<Eigen::Index>(n), guard_noises);
    for (const GuardNoise noise : {GuardNoise::gaussian, GuardNoise::structured, GuardNoise::low_frequency,
                                   GuardNoise::high_frequency})
      set(noise, guard_input(noise, seed, base_));
  }

  const std::vector<double>& base() const { return base_; }

  void set_adversarial(const std::vector<double>& signs) {
    std::vector<double> input = base_;
    for (std::size_t i = 0; i < input.size(); ++i) input[i] += adversarial_step * signs[i];
    set(GuardNoise::adversarial, input);
  }

  /// The answer of one row to every input.
  Eigen::Matrix<double, 1, guard_noises> operator()(std::span<const double> row) const {
    const Eigen::Map<const Eigen::RowVectorXd> weights(row.data(), static_cast<Eigen::Index>(row.size()));
    return weights * inputs_;
  }

  std::span<const double> input(std::size_t noise) const {
    return {inputs_.col(static_cast<Eigen::Index>(noise)).data(), base_.size()};
  }

 private:
  void set(GuardNoise noise, const std::vector<double>& values) {
    inputs_.col(static_cast<Eigen::Index>(noise)) =
        Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
  }

  std::vector<double> base_;
  Eigen::Matrix<double, Eigen::Dynamic, guard_noises> inputs_;
};

using NoiseAnswers = std::array<ResponseSums, guard_noises>;

/// Mean features over the draws of a schedule.
std::array<double, GradientFeatures::count> averaged(const NoiseAnswers& answers, const InputSet& inputs,
                                                     const std::array<int, guard_noises>& times) {
  std::array<double, GradientFeatures::count> mean{};
  double draws = 0;
  for (std::size_t noise = 0; noise < guard_noises; ++noise) {
    if (times[noise] == 0) continue;
    const auto values = gradient_features(answers[noise], inputs.input(noise)).values();
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += times[noise] * values[i];
    draws += times[noise];
  }
  for (double& value : mean) value /= draws;
  return mean;
}

class GuardMeasurement : public Measurement {
 public:
  /// `inputs`: the probe, then the targets.
  GuardMeasurement(std::span<const Input> inputs, const GuardOptions& options)
      : options_(options),
        inputs_(inputs.begin(), inputs.end()),
        set_(options.seed, inputs.front().cols),
        adversary_(std::in_place, set_.base(), guard_class(options.seed, inputs.front().rows)),
        answers_(inputs.size()) {}

  void take_stored(std::size_t which, std::span<const std::byte> bytes) override {
    if (which != reading_) {
      rows_.emplace(inputs_[which]);
      reading_ = which;
    }
    if (which == 0) {
      rows_->take(bytes, [&](std::span<const double> row) { adversary_->take(row); });
      return;
    }
    close_probe();
    rows_->take(bytes, [&](std::span<const double> row) {
      const auto y = set_(row);
      for (std::size_t noise = 0; noise < guard_noises; ++noise)
        answers_[which][noise].add(y[static_cast<Eigen::Index>(noise)]);
    });
  }

  Features finish() override {
    const InputSet control = control_inputs();
    Features features;
    for (std::size_t i = 1; i < inputs_.size(); ++i) {
      const auto times = guard_schedule(options_.seed, inputs_[i].role, options_.samples, options_.balanced);
      const auto values = averaged(answers_[i], set_, times);
      const auto other = averaged(control_answers(inputs_[i]), control, times);
      for (std::size_t f = 0; f < values.size(); ++f) {
        if (!std::isfinite(values[f])) features.status = Status::nonfinite;
        features.reals[feature_names[f]].push_back(values[f]);
        features.reals[control_name(f)].push_back(other[f]);
      }
    }
    return features;
  }

 private:
  void close_probe() {
    if (!adversary_) return;
    set_.set_adversarial(adversary_->signs());
    adversary_.reset();
  }

  /// The adversarial input of random weights is x with signs that know nothing of x.
  InputSet control_inputs() const {
    InputSet control = set_;
    std::vector<double> signs = normal_numbers(options_.seed, control_stream, inputs_[0].cols);
    for (double& sign : signs) sign = sign < 0 ? -1 : 1;
    control.set_adversarial(signs);
    return control;
  }

  /// y = W x for Gaussian W is Gaussian: no matrix has to be drawn.
  NoiseAnswers control_answers(const Input& input) const {
    NoiseAnswers answers;
    for (std::size_t noise = 0; noise < guard_noises; ++noise) {
      const std::uint64_t seed = options_.seed ^ guard_key(input.role);
      const auto stream = control_stream + 1 + static_cast<std::uint32_t>(noise);
      for (const double y : normal_numbers(seed, stream, input.rows)) answers[noise].add(y);
    }
    return answers;
  }

  GuardOptions options_;
  std::vector<Input> inputs_;
  InputSet set_;
  std::optional<AdversarialNoise> adversary_;  ///< until the probe went by
  std::optional<Rows> rows_;
  std::size_t reading_ = std::size_t(-1);
  std::vector<NoiseAnswers> answers_;  ///< by input
};

/// Whether a subject asks one projection, and not the targets of one size.
bool of_projection(const Subject& subject) { return !subject.matrices.empty(); }

std::string path_for(std::uint64_t columns) { return fmt::format("columns/{}", columns); }

/// Sums of feature vectors over some targets.
struct Mean {
  std::array<double, GradientFeatures::count> sum{};
  double targets = 0;
  void add(const std::array<double, GradientFeatures::count>& values) {
    for (std::size_t f = 0; f < sum.size(); ++f) sum[f] += values[f];
    ++targets;
  }
  double of(std::size_t feature) const { return targets > 0 ? sum[feature] / targets : 0; }
};

/// The vector of a model: means over all targets, and over the classes; 0 for a class without a target, as
/// in the original.
GuardVector vector_of(const Mean& all, const std::array<Mean, 4>& classes, std::size_t targets) {
  GuardVector out{};
  for (std::size_t f = 0; f < GradientFeatures::count; ++f) out[f] = all.of(f);
  std::size_t at = GradientFeatures::count;
  for (const GuardClass kind : {GuardClass::attention, GuardClass::ffn, GuardClass::embedding})
    for (std::size_t f = 0; f < 3; ++f) out[at++] = classes[static_cast<std::size_t>(kind)].of(f);
  out[at] = static_cast<double>(targets);
  return out;
}

class TensorGuard : public Analyzer {
 public:
  std::string_view name() const override { return guard_method; }
  int version() const override { return 1; }
  std::string_view paper() const override { return "arXiv 2506.01631"; }

  std::vector<Subject> subjects(const Model& model,
                                const std::map<std::string, double>& options) const override {
    const GuardOptions guard = read(options);
    std::vector<Subject> out;
    for (const auto& [columns, targets] : by_columns(model, guard)) {
      Subject& subject = out.emplace_back();
      subject.path = path_for(columns);
      subject.stored = {guard_probe(model.checkpoint, columns, guard.max_layer)};
      for (const GuardTarget& target : targets) subject.stored.push_back(target.tensor);
      subject.parameters = options;
      subject.apart = true;
    }
    if (guard.repaired)
      for (Subject& subject : repaired_subjects(model)) {
        subject.parameters["seed"] = static_cast<double>(guard.seed);  // all that travels with each matrix
        out.push_back(std::move(subject));
      }
    for (Subject& subject : out) subject.analyzer = guard_method;
    std::sort(out.begin(), out.end(), [](const Subject& a, const Subject& b) { return a.path < b.path; });
    return out;
  }

  Cost cost(const Subject& subject, std::span<const Input> inputs) const override {
    if (of_projection(subject)) return repaired_cost(inputs.front());
    Cost cost;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const double elements = static_cast<double>(inputs[i].rows) * static_cast<double>(inputs[i].cols);
      cost.flops += elements * (i == 0 ? 4 : 2 * guard_noises);
      cost.bytes += elements * bits_of(inputs[i].dtype) / 8;
      cost.memory = std::max<std::uint64_t>(cost.memory, 8 * inputs[i].rows);
    }
    cost.memory += inputs.front().cols * 8 * 4 * (guard_noises + 2);
    return cost;
  }

  std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input> inputs,
                                     std::span<const std::vector<double>>) const override {
    const GuardOptions options = read(subject.parameters);
    if (of_projection(subject)) return repaired_measurement(inputs.front(), options.seed);
    return std::make_unique<GuardMeasurement>(inputs, options);
  }

  void summarise(const Model& model, const FeatureSource& features,
                 const std::map<std::string, double>& options, Fingerprint& fingerprint) const override {
    const GuardOptions guard = read(options);
    fingerprint.guard = response_of(model, features, guard);
    if (guard.repaired) fingerprint.repaired = repaired_curves(model, features, guard_method);
  }

 private:
  /// Nothing where a target has no features, or some that are not finite.
  static std::optional<GuardResponse> response_of(const Model& model, const FeatureSource& features,
                                                  const GuardOptions& options) {
    Mean all, all_control;
    std::array<Mean, 4> classes, class_controls;
    std::size_t targets = 0;
    for (const auto& [columns, members] : by_columns(model, options)) {
      const auto found = measured(features, guard_method, path_for(columns));
      // A vector of other tensors would be compared with whole ones, and NaN would spoil the whole corpus.
      if (!found || found->status == Status::nonfinite) return std::nullopt;
      for (std::size_t i = 0; i < members.size(); ++i) {
        std::array<double, GradientFeatures::count> values{}, control{};
        for (std::size_t f = 0; f < values.size(); ++f) {
          values[f] = found->reals.at(feature_names[f]).at(i);
          control[f] = found->reals.at(control_name(f)).at(i);
        }
        const auto kind = static_cast<std::size_t>(members[i].kind);
        all.add(values), classes[kind].add(values);
        all_control.add(control), class_controls[kind].add(control);
        ++targets;
      }
    }
    if (targets == 0) return std::nullopt;
    return GuardResponse{vector_of(all, classes, targets), vector_of(all_control, class_controls, targets)};
  }

  /// Targets by their number of columns, each by name.
  static std::map<std::uint64_t, std::vector<GuardTarget>> by_columns(const Model& model,
                                                                      const GuardOptions& options) {
    std::map<std::uint64_t, std::vector<GuardTarget>> groups;
    for (const GuardTarget& target :
         guard_targets(model.checkpoint, options.targets, options.max_layer, options.seed))
      groups[model.checkpoint.tensors[target.tensor].shape[1]].push_back(target);
    return groups;
  }
};

}  // namespace

const Analyzer& tensorguard_analyzer() {
  static const TensorGuard guard;
  return guard;
}

}  // namespace stemma
