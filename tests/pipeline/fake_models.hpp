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

inline InvalidInput short_read(const SourceFile& file) {
  return InvalidInput(
      {.severity = Severity::error, .rule = "file.short_read", .file = file.path, .hint = "planted"});
}

/// Weights made from the place in the file. The hooks are called first and may throw.
class FakeReader final : public ByteReader {
 public:
  using Hook = std::function<void(const SourceFile&)>;
  explicit FakeReader(Hook on_read = {}, Hook on_check = {}, std::function<void()> on_count = {})
      : on_read_(std::move(on_read)), on_check_(std::move(on_check)), on_count_(std::move(on_count)) {}

  void read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) override {
    if (on_read_) on_read_(file);
    read_ += out.size();
    for (std::size_t i = 0; i + 4 <= out.size(); i += 4) {
      const auto at =
          static_cast<std::uint32_t>(offset + i) * 2654435761U + static_cast<std::uint32_t>(file.path.size());
      const float value = static_cast<float>(at >> 8) / static_cast<float>(1U << 24) - 0.5F;
      std::memcpy(out.data() + i, &value, 4);
    }
  }
  void check(const SourceFile& file) override {
    if (on_check_) on_check_(file);
  }
  std::uint64_t bytes_read() const override {
    if (on_count_) on_count_();
    return read_;
  }

 private:
  Hook on_read_, on_check_;
  std::function<void()> on_count_;
  std::uint64_t read_ = 0;
};

/// Every analyzer of the catalogue without options.
inline std::vector<Question> all_questions() {
  std::vector<Question> questions;
  for (const Analyzer* analyzer : catalogue()) questions.push_back({analyzer, {}});
  return questions;
}

}  // namespace stemma::test
