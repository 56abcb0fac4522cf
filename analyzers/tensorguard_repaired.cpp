// One product with one input for each matrix, while the common reading goes by.
//
// The numbers of a matrix are sums over its rows, which are added in their order, and every row is summed in
// an order that its length alone decides: panels may be cut between any rows.
#include "analyzers/tensorguard_repaired.hpp"

#include <algorithm>
#include <cmath>

#include "analyzers/layer_table.hpp"
#include "analyzers/numerics/row_products.hpp"
#include "analyzers/tensor_marks.hpp"
#include "analyzers/tensorguard_inputs.hpp"
#include "analyzers/tensorguard_response.hpp"
#include "io/archive/evidence.hpp"
#include "io/model/widen.hpp"

namespace stemma {
namespace {

/// What one matrix, or the experts of a layer together, has of every curve.
using Values = std::array<double, repaired_columns.size()>;

Values values_of(const ResponseSums& sums, const RepairedResponse& response) {
  const RepairedControl control = repaired_control(sums.count);
  return {response.kurtosis, response.skewness, control.kurtosis, control.kurtosis_spread, control.skewness};
}

class RepairedMeasurement : public Measurement {
 public:
  RepairedMeasurement(const Input& input, std::uint64_t seed)
      : dtype_(input.dtype), x_(guard_base(seed, input.cols)), rows_(rows_together * input.cols) {}

  void take(std::size_t, const Panel& panel) override {
    const std::size_t row_bytes = x_.size() * bits_of(dtype_) / 8;
    for (std::uint64_t row = 0; row < panel.rows; row += rows_together) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(rows_together, panel.rows - row));
      const auto rows = std::span(rows_).first(count * x_.size());
      widen(dtype_, panel.bytes.subspan(row * row_bytes, count * row_bytes), rows);
      const RowNumbers y = row_products(rows, count, x_);
      for (std::size_t r = 0; r < count; ++r) sums_.add(y[r]);
    }
  }

  Features finish() override {
    Features features;
    RepairedResponse response = repaired_response(sums_);
    if (!std::isfinite(sums_.power[0])) features.status = Status::nonfinite;
    const Values values = values_of(sums_, response);
    for (std::size_t i = 0; i < values.size(); ++i) features.numbers[repaired_columns[i].name] = values[i];
    features.problem = std::move(response.problem);
    return features;
  }

 private:
  Dtype dtype_;
  std::vector<double> x_, rows_;
  ResponseSums sums_;
};

bool is_projection(const Model& model, const Matrix& matrix) {
  return !matrix.vector && matrix.elements() > 0 &&
         bits_of(model.checkpoint.tensors[matrix.tensor].dtype) >= 8 &&
         model.checkpoint.tensors[matrix.tensor].dtype != Dtype::c64;
}

/// Which of them add up as squares: skewnesses, which have no sign, and the spread of a mean.
constexpr std::array<bool, repaired_columns.size()> as_squares = {false, true, false, true, true};

/// Of several matrices: means of kurtoses, root mean squares of skewnesses, and the spread of a mean of
/// independent kurtoses. Missing where one of them is.
Values pooled(const Model& model, const FeatureSource& features, std::string_view analyzer,
              const std::vector<const Matrix*>& matrices) {
  Values sum{};
  if (matrices.empty()) sum.fill(missing);
  for (const Matrix* matrix : matrices) {
    const auto found = measured(features, analyzer, subject_of(*matrix, model));
    for (std::size_t i = 0; i < sum.size(); ++i) {
      const double value = found ? number_in(*found, repaired_columns[i].name) : missing;
      sum[i] += as_squares[i] ? value * value : value;
    }
  }
  const double n = static_cast<double>(matrices.size());
  return {sum[0] / n, std::sqrt(sum[1] / n), sum[2] / n, std::sqrt(sum[3]) / n, std::sqrt(sum[4] / n)};
}

}  // namespace

std::vector<Subject> repaired_subjects(const Model& model) {
  std::vector<Subject> out;
  for (int layer = 0; layer < model.layers(); ++layer)
    for (const char* part : projection_parts)
      for (const Matrix* matrix : matrices_of(model, layer, part)) {
        if (!is_projection(model, *matrix)) continue;
        Subject& subject = out.emplace_back();
        subject.path = subject_of(*matrix, model);
        subject.matrices = {static_cast<std::uint32_t>(matrix - model.matrices.data())};
      }
  return out;
}

Cost repaired_cost(const Input& input) {
  const double elements = static_cast<double>(input.rows) * static_cast<double>(input.cols);
  Cost cost;
  cost.flops = 2 * elements;
  cost.bytes = elements * bits_of(input.dtype) / 8;
  cost.memory = 8 * input.cols * (1 + rows_together);
  return cost;
}

std::unique_ptr<Measurement> repaired_measurement(const Input& input, std::uint64_t seed) {
  return std::make_unique<RepairedMeasurement>(input, seed);
}

std::optional<RepairedCurves> repaired_curves(const Model& model, const FeatureSource& features,
                                              std::string_view analyzer) {
  RepairedCurves curves;
  bool any = false;
  for (int layer = 0; layer < model.layers(); ++layer) {
    curves.layer.push_back(layer);
    for (std::size_t p = 0; p < projection_parts.size(); ++p) {
      Values values = pooled(model, features, analyzer, matrices_of(model, layer, projection_parts[p]));
      if (!std::isfinite(values[0])) values.fill(missing);
      any = any || std::isfinite(values[0]);
      for (std::size_t i = 0; i < values.size(); ++i)
        (curves.*repaired_columns[i].curves)[p].push_back(values[i]);
    }
  }
  return any ? std::optional(std::move(curves)) : std::nullopt;
}

}  // namespace stemma
