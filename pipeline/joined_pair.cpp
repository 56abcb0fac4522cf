// Indices of the candidate are shifted behind those of the base.
#include "pipeline/joined_pair.hpp"

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <utility>

#include "analyzers/content_hash.hpp"
#include "analyzers/same_function.hpp"
#include "io/formats/file_reader.hpp"
#include "io/formats/quantised.hpp"
#include "io/report/tsv.hpp"

namespace stemma {

namespace {

/// A quantised tensor is listed once more, as half distances, and so is every matrix in it.
void add_half_distances(Model& joined, ModelPair& pair) {
  std::map<std::uint32_t, std::uint32_t> halves;  // by tensor
  const auto matrices = static_cast<std::uint32_t>(joined.matrices.size());
  for (std::uint32_t m = 0; m < matrices; ++m) {
    Matrix matrix = joined.matrices[m];
    StoredTensor tensor = joined.checkpoint.tensors[matrix.tensor];
    if (tensor.scheme.empty() || pair.equal.contains(path_of(matrix.role))) continue;
    const auto values = std::exchange(tensor.decoding, half_distances_of(*tensor.decoding));
    const bool updated = values->codec != tensor.decoding->codec;
    pair.codes[m] = {static_cast<std::uint32_t>(joined.matrices.size()), tensor.scheme, updated};
    const auto [known, fresh] =
        halves.try_emplace(matrix.tensor, static_cast<std::uint32_t>(joined.checkpoint.tensors.size()));
    if (fresh) joined.checkpoint.tensors.push_back(std::move(tensor));
    matrix.role = {};
    matrix.tensor = known->second;
    joined.matrices.push_back(std::move(matrix));
  }
}

}  // namespace

SurveyedModel join(const SurveyedModel& base, const SurveyedModel& candidate, std::set<std::string> equal) {
  SurveyedModel out;
  out.request.id = fmt::format("{} and {}", base.request.id, candidate.request.id);
  out.request.path = base.request.path;
  Model model = *base.model;
  const Model& other = *candidate.model;
  const auto files = static_cast<std::uint32_t>(model.checkpoint.files.size());
  const auto tensors = static_cast<std::uint32_t>(model.checkpoint.tensors.size());
  auto pair = std::make_shared<ModelPair>();
  pair->base = &*base.model;
  pair->candidate = &other;
  pair->first_of_candidate = static_cast<std::uint32_t>(model.matrices.size());
  pair->equal = std::move(equal);
  for (const SourceFile& file : other.checkpoint.files) model.checkpoint.files.push_back(file);
  for (StoredTensor tensor : other.checkpoint.tensors) {
    tensor.file += files;
    model.checkpoint.tensors.push_back(std::move(tensor));
  }
  for (Matrix matrix : other.matrices) {
    matrix.tensor += tensors;
    model.matrices.push_back(std::move(matrix));
  }
  add_half_distances(model, *pair);
  out.model = std::move(model);
  out.pair = std::move(pair);
  return out;
}

namespace {

bool holds(const std::filesystem::path& file, std::string_view bytes) {
  std::ifstream in(file, std::ios::binary);
  std::string found(bytes.size() + 1, '\0');
  in.read(found.data(), static_cast<std::streamsize>(found.size()));
  return static_cast<std::size_t>(in.gcount()) == bytes.size() && found.starts_with(bytes);
}

}  // namespace

void align(SurveyedModel& joined, const FoundAlignment& found, const std::filesystem::path& map_file) {
  auto pair = std::make_shared<ModelPair>(*joined.pair);
  pair->alignment.change = found.alignment.change;
  pair->alignment.scale = found.alignment.scale;
  pair->alignment.by_neurons = found.by_neurons;
  if (!found.map.empty()) {
    const std::string_view bytes{reinterpret_cast<const char*>(found.map.data()),
                                 found.map.size() * sizeof(double)};
    // Several pairs may have one map, and it must not change while any of them is at work.
    if (!holds(map_file, bytes)) write_whole(map_file, bytes);
    Model& model = *joined.model;
    const std::uint64_t width = found.alignment.width, cols = found.map.size() / width;
    model.checkpoint.files.push_back(stat_source(map_file.string()));
    model.checkpoint.files.back().content = hex(hash_of(std::as_bytes(std::span(found.map))));
    model.checkpoint.tensors.push_back({.name = "alignment",
                                        .dtype = Dtype::f64,
                                        .shape = {width, cols},
                                        .file = static_cast<std::uint32_t>(model.checkpoint.files.size() - 1),
                                        .offset = 0,
                                        .bytes = found.map.size() * sizeof(double)});
    Matrix map;
    map.tensor = static_cast<std::uint32_t>(model.checkpoint.tensors.size() - 1);
    map.rows = map.stored_rows = width;
    map.cols = cols;
    map.slice = {.count = 1, .stride = width, .offset = 0, .length = width};
    pair->alignment.map = static_cast<std::uint32_t>(model.matrices.size());
    model.matrices.push_back(map);
  }
  joined.pair = std::move(pair);
}

namespace {

/// Rows of an embedding, `first` and `count`, as a tensor and a matrix of their own; nothing where they do
/// not lie one behind the other.
std::optional<std::uint32_t> add_rows(Model& model, std::uint32_t embedding, std::uint64_t first,
                                      std::uint64_t count) {
  const Matrix& whole = model.matrices[embedding];
  if (whole.transposed || whole.slice.count != 1) return std::nullopt;
  StoredTensor rows = model.checkpoint.tensors[whole.tensor];
  const std::uint64_t row_bytes = whole.cols * bits_of(rows.dtype) / 8;
  rows.offset += whole.first_element * bits_of(rows.dtype) / 8 + (whole.slice.offset + first) * row_bytes;
  rows.bytes = count * row_bytes;
  rows.shape = {count, whole.cols};
  Matrix matrix{.role = {}, .tensor = static_cast<std::uint32_t>(model.checkpoint.tensors.size())};
  matrix.rows = matrix.stored_rows = count;
  matrix.cols = whole.cols;
  matrix.slice = {.count = 1, .stride = count, .offset = 0, .length = count};
  model.checkpoint.tensors.push_back(std::move(rows));
  model.matrices.push_back(matrix);
  return static_cast<std::uint32_t>(model.matrices.size() - 1);
}

}  // namespace

void add_tokens(SurveyedModel& joined) {
  const auto embeddings = joined.pair->find({.part = Part::embed});
  if (!embeddings) return;
  const std::uint64_t rows = joined.pair->base_matrix(*embeddings).rows, count = tokens_of(rows),
                      first = (rows - count) / 2;
  if (count == 0 || rows != joined.pair->candidate_matrix(*embeddings).rows) return;
  const auto base = add_rows(*joined.model, embeddings->base, first, count),
             candidate = add_rows(*joined.model, embeddings->candidate, first, count);
  if (!base || !candidate) return;
  auto pair = std::make_shared<ModelPair>(*joined.pair);
  pair->tokens = {*base, *candidate};
  joined.pair = std::move(pair);
}

}  // namespace stemma
