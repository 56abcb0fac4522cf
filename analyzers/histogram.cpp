// How are the values of a tensor distributed, exactly?
//
// 16-bit floats have 65,536 codes: counting them loses only the order of the elements, and every moment,
// quantile and norm is a closed form of the counts, with the same bits for any number of ranks. Other types:
// see numerics/tensor_statistics.hpp. NaN and infinities are counted and left out of the moments: a finding
// about the tensor (status nonfinite), not a failure.
#include "analyzers/histogram.hpp"

#include <algorithm>
#include <set>

#include "analyzers/code_distances.hpp"
#include "analyzers/layer_table.hpp"
#include "analyzers/tensor_marks.hpp"
#include "io/archive/measurement.hpp"
#include "io/model/widen.hpp"

namespace stemma {

namespace {

constexpr std::uint64_t longest_vector = 65536;  // norm gains and biases are kept whole, to fold gauges later

class HistogramMeasurement : public Measurement {
 public:
  HistogramMeasurement(Dtype dtype, bool keep_values)
      : dtype_(dtype), keep_values_(keep_values), statistics_(dtype) {}

  void take_elements(std::size_t, std::span<const std::byte> elements) override {
    statistics_.add(elements);
    if (!keep_values_) return;
    const std::size_t before = values_.size();
    values_.resize(before + elements.size() * 8 / bits_of(dtype_));
    widen(dtype_, elements, std::span(values_).subspan(before));
  }

  Features finish() override {
    Features features = features_of(statistics_.finish());
    if (keep_values_) features.reals["vector"] = std::move(values_);
    return features;
  }

 private:
  Dtype dtype_;
  bool keep_values_;
  TensorStatistics statistics_;
  std::vector<double> values_;
};

class HistogramQuestion : public Analyzer {
 public:
  std::string_view name() const override { return "histogram"; }
  int version() const override { return 1; }

  std::vector<Subject> subjects(const Model& model, const std::map<std::string, double>&) const override {
    std::vector<Subject> out;
    for (const std::uint32_t i : fingerprinted_matrices(model)) {
      const Matrix& matrix = model.matrices[i];
      const Dtype dtype = model.checkpoint.tensors[matrix.tensor].dtype;
      if (bits_of(dtype) < 8) continue;  // packed codes mean nothing without their scales
      Subject subject;
      subject.analyzer = name();
      subject.path = subject_of(matrix, model);
      subject.matrices = {i};
      const bool whole = matrix.vector && matrix.elements() <= longest_vector && dtype != Dtype::c64;
      subject.parameters["keep_values"] = whole ? 1 : 0;
      out.push_back(std::move(subject));
    }
    add_codes(model, out);
    std::sort(out.begin(), out.end(), [](const Subject& a, const Subject& b) { return a.path < b.path; });
    return out;
  }

  Cost cost(const Subject& subject, std::span<const Input> inputs) const override {
    if (subject.half_distances) {
      const auto elements = static_cast<double>(inputs[0].rows * inputs[0].cols);
      return {.flops = 5 * elements, .bytes = 4 * elements, .memory = 1024, .decomposition = {}};
    }
    Cost cost;
    for (const Input& input : inputs) {
      const double elements = static_cast<double>(input.rows) * static_cast<double>(input.cols);
      const bool wide = bits_of(input.dtype) > 16;
      cost.bytes += elements * bits_of(input.dtype) / 8;
      cost.flops += wide ? 20 * elements : 0;
      cost.memory += wide ? std::uint64_t{10} << 20 : std::uint64_t{3} << 20;
    }
    return cost;
  }

  std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input> inputs,
                                     std::span<const std::vector<double>>) const override {
    if (subject.half_distances) return std::make_unique<CodeDistances>();
    const auto keep = subject.parameters.find("keep_values");
    return std::make_unique<HistogramMeasurement>(inputs[0].dtype,
                                                  keep != subject.parameters.end() && keep->second != 0);
  }

  void summarise(const Model& model, const FeatureSource& features, const std::map<std::string, double>&,
                 Fingerprint& fingerprint) const override {
    for (TensorMark& mark : tensor_marks(model, fingerprint)) {
      const auto found = measured(features, name(), mark.role);
      if (!found) continue;
      mark.histogram = {count_in(*found, "digest_hi"), count_in(*found, "digest_lo")};
      mark.distinct = count_in(*found, "n_distinct");
    }
    fill_layer_table(model, features, fingerprint);
  }

 private:
  /// How far quantised tensors may be from what was rounded to them.
  static void add_codes(const Model& model, std::vector<Subject>& out) {
    std::set<std::uint32_t> quantised;
    for (const std::uint32_t i : fingerprinted_matrices(model))
      if (!model.checkpoint.tensors[model.matrices[i].tensor].scheme.empty())
        quantised.insert(model.matrices[i].tensor);
    for (const std::uint32_t tensor : quantised) {
      Subject subject{.analyzer = "histogram", .path = codes_subject(model.checkpoint.tensors[tensor])};
      subject.stored = {tensor};
      subject.apart = subject.half_distances = true;
      out.push_back(std::move(subject));
    }
  }
};

}  // namespace

const Analyzer& histogram_analyzer() {
  static const HistogramQuestion question;
  return question;
}

}  // namespace stemma
