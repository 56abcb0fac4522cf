// Models that exist only in memory, for tests of who does what.
#pragma once
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "analyzers/catalogue.hpp"
#include "io/model/finding.hpp"
#include "pipeline/question.hpp"
#include "pipeline/survey.hpp"

namespace stemma::test {

/// A model of `layers` square f32 matrices q, k, v, o of side `side`, one file each layer, no bytes behind
/// it.
inline SurveyedModel fake_model(const std::string& id, int layers, std::uint64_t side) {
  SurveyedModel surveyed;
  surveyed.request.id = id;
  Model model;
  model.family = "llama";
  model.dims = {{"heads", 2},
                {"kv_heads", 2},
                {"head_dim", static_cast<std::int64_t>(side / 2)},
                {"hidden", static_cast<std::int64_t>(side)}};
  for (int layer = 0; layer < layers; ++layer) {
    model.checkpoint.files.push_back(
        {.path = id + "/" + std::to_string(layer), .bytes = 4 * side * side * 4});
    std::uint64_t offset = 0;
    for (const Part part : {Part::attn_q, Part::attn_k, Part::attn_v, Part::attn_o}) {
      Matrix matrix;
      matrix.role = {.layer = layer, .part = part};
      matrix.tensor = static_cast<std::uint32_t>(model.checkpoint.tensors.size());
      matrix.rows = matrix.cols = matrix.stored_rows = side;
      matrix.slice = {.count = 1, .stride = 0, .offset = 0, .length = side};
      model.checkpoint.tensors.push_back({.name = path_of(matrix.role),
                                          .dtype = Dtype::f32,
                                          .shape = {side, side},
                                          .file = static_cast<std::uint32_t>(layer),
                                          .offset = offset,
                                          .bytes = side * side * 4});
      offset += side * side * 4;
      model.matrices.push_back(matrix);
    }
  }
  surveyed.model = std::move(model);
  return surveyed;
}

/// Weights made from the place in the file; throws where it is told to.
class FakeReader final : public ByteReader {
 public:
  explicit FakeReader(std::function<bool(const SourceFile&)> fails = {}) : fails_(std::move(fails)) {}

  void read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) override {
    if (fails_ && fails_(file))
      throw InvalidInput(
          {.severity = Severity::error, .rule = "file.short_read", .file = file.path, .hint = "planted"});
    read_ += out.size();
    for (std::size_t i = 0; i + 4 <= out.size(); i += 4) {
      const auto at =
          static_cast<std::uint32_t>(offset + i) * 2654435761U + static_cast<std::uint32_t>(file.path.size());
      const float value = static_cast<float>(at >> 8) / static_cast<float>(1U << 24) - 0.5F;
      std::memcpy(out.data() + i, &value, 4);
    }
  }
  std::uint64_t bytes_read() const override { return read_; }

 private:
  std::function<bool(const SourceFile&)> fails_;
  std::uint64_t read_ = 0;
};

/// Every analyzer of the catalogue without options.
inline std::vector<Question> all_questions() {
  std::vector<Question> questions;
  for (const Analyzer* analyzer : catalogue()) questions.push_back({analyzer, {}});
  return questions;
}

}  // namespace stemma::test
