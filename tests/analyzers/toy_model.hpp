// What is the smallest model in memory that analyzers can be run on?
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "analyzers/catalogue.hpp"
#include "io/model/byte_reader.hpp"
#include "io/model/widen.hpp"

namespace stemma::toy {

inline std::vector<std::byte> encode(Dtype dtype, std::span<const double> values) {
  std::vector<std::byte> out(values.size() * bits_of(dtype) / 8);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto single = static_cast<float>(values[i]);
    const auto bits = std::bit_cast<std::uint32_t>(single);
    const auto rounded = static_cast<std::uint16_t>(
        std::isnan(single) ? 0x7FC0U : (bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
    switch (dtype) {
      case Dtype::f64:
        std::memcpy(&out[8 * i], &values[i], 8);
        break;
      case Dtype::f32:
        std::memcpy(&out[4 * i], &single, 4);
        break;
      case Dtype::bf16:
        std::memcpy(&out[2 * i], &rounded, 2);
        break;
      default:
        throw std::invalid_argument("the toy writes f64, f32 and bf16");
    }
  }
  return out;
}

inline std::vector<double> gaussian(std::size_t n, double spread, unsigned seed, double mean = 0) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal(mean, spread);
  std::vector<double> values(n);
  for (double& x : values) x = normal(generator);
  return values;
}

inline Role role(int layer, Part part, int expert = -1, Kind kind = Kind::weight) {
  return {Stack::decoder, layer, part, expert, kind};
}

/// A checkpoint in memory: file i holds tensor i. Also its own byte reader.
class ToyModel : public ByteReader {
 public:
  explicit ToyModel(Dtype dtype = Dtype::f64) : dtype_(dtype) {}

  Model model;

  /// A canonical matrix stored as it is; cols = 0 makes a vector.
  ToyModel& add(const Role& r, std::uint64_t rows, std::uint64_t cols, std::span<const double> values) {
    return add(r, rows, cols, values, dtype_);
  }
  ToyModel& add(const Role& r, std::uint64_t rows, std::uint64_t cols, std::span<const double> values,
                Dtype dtype) {
    const bool vector = cols == 0;
    Matrix matrix = view(r, rows, vector ? 1 : cols, store(path_of(r), rows, cols, values, dtype));
    matrix.vector = vector;
    insert(matrix);
    return *this;
  }

  /// Several matrices of one width stacked in one stored tensor.
  ToyModel& add_stacked(const std::string& name, const std::vector<std::pair<Role, std::uint64_t>>& parts,
                        std::uint64_t cols, std::span<const double> values) {
    std::uint64_t rows = 0;
    for (const auto& part : parts) rows += part.second;
    const std::uint32_t tensor = store(name, rows, cols, values, dtype_);
    std::uint64_t first = 0;
    for (const auto& [r, height] : parts) {
      Matrix matrix = view(r, height, cols, tensor);
      matrix.stored_rows = rows;
      matrix.slice.offset = first;
      matrix.steps = "split";
      insert(matrix);
      first += height;
    }
    return *this;
  }

  /// A matrix whose transpose is stored: `values` are the stored ones, cols x rows.
  ToyModel& add_transposed(const Role& r, std::uint64_t rows, std::uint64_t cols,
                           std::span<const double> values) {
    Matrix matrix = view(r, rows, cols, store(path_of(r), cols, rows, values, dtype_));
    matrix.transposed = true;
    matrix.steps = "transpose";
    insert(matrix);
    return *this;
  }

  void read(const SourceFile& file, std::uint64_t offset, std::span<std::byte> out) override {
    const std::vector<std::byte>& bytes = stored_.at(std::stoul(file.path));
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    read_ += out.size();
  }
  std::uint64_t bytes_read() const override { return read_; }
  const std::vector<std::byte>& stored(std::size_t tensor) const { return stored_.at(tensor); }

 private:
  std::uint32_t store(const std::string& name, std::uint64_t rows, std::uint64_t cols,
                      std::span<const double> values, Dtype dtype) {
    if (values.size() != rows * std::max<std::uint64_t>(cols, 1))
      throw std::invalid_argument("toy: wrong size");
    stored_.push_back(encode(dtype, values));
    SourceFile file;
    file.path = std::to_string(stored_.size() - 1);
    file.bytes = stored_.back().size();
    StoredTensor tensor;
    tensor.name = name;
    tensor.dtype = dtype;
    tensor.shape = {rows};
    if (cols > 0) tensor.shape.push_back(cols);
    tensor.file = static_cast<std::uint32_t>(model.checkpoint.files.size());
    tensor.bytes = file.bytes;
    model.checkpoint.files.push_back(file);
    model.checkpoint.tensors.push_back(tensor);
    return tensor.file;
  }

  static Matrix view(const Role& r, std::uint64_t rows, std::uint64_t cols, std::uint32_t tensor) {
    Matrix matrix;
    matrix.role = r;
    matrix.tensor = tensor;
    matrix.rows = rows;
    matrix.cols = cols;
    matrix.stored_rows = rows;
    matrix.slice = {1, rows, 0, rows};
    return matrix;
  }

  void insert(const Matrix& matrix) {
    const auto place = std::upper_bound(model.matrices.begin(), model.matrices.end(), matrix,
                                        [](const Matrix& a, const Matrix& b) { return a.role < b.role; });
    model.matrices.insert(place, matrix);
  }

  Dtype dtype_;
  std::vector<std::vector<std::byte>> stored_;
  std::uint64_t read_ = 0;
};

using Results = std::map<std::pair<std::string, std::string>, Features>;

/// Streams one subject of one analyzer in chunks of about `chunk` bytes.
inline Features measure(ToyModel& toy, const Analyzer& analyzer, const Subject& subject, std::size_t chunk) {
  const Model& model = toy.model;
  const auto tensor_of = [&](std::uint32_t matrix) { return model.matrices[matrix].tensor; };
  std::vector<Input> inputs;
  for (const std::uint32_t m : subject.matrices) {
    const Matrix& matrix = model.matrices[m];
    inputs.push_back({path_of(matrix, model.checkpoint), model.checkpoint.tensors[matrix.tensor].dtype,
                      matrix.rows, matrix.cols, matrix.gain_offset});
  }
  for (const std::uint32_t t : subject.stored) {
    const StoredTensor& tensor = model.checkpoint.tensors[t];
    const bool matrix = tensor.shape.size() == 2;
    const std::uint64_t rows = matrix ? tensor.shape[0] : tensor.bytes * 8 / bits_of(tensor.dtype);
    inputs.push_back({tensor.name, tensor.dtype, rows, matrix ? tensor.shape[1] : 1, 0});
  }
  const auto stream = [&](std::uint32_t tensor, const std::vector<Matrix>& views, const StoredSink& stored,
                          const PanelSink& panels, std::size_t bytes) {
    const StoredTensor& t = model.checkpoint.tensors[tensor];
    stream_tensor(model.checkpoint.files[t.file], t, views, toy, stored, panels, bytes);
  };
  std::vector<std::vector<double>> companions;
  for (const std::uint32_t m : subject.companions) {
    std::vector<double> values(model.matrices[m].elements());
    const Dtype dtype = model.checkpoint.tensors[tensor_of(m)].dtype;
    stream(
        tensor_of(m), {model.matrices[m]}, {},
        [&](std::size_t, const Panel& panel) {
          widen(dtype, panel.bytes, std::span(values).subspan(panel.first_row, panel.rows));
        },
        std::size_t{1} << 20);
    companions.push_back(std::move(values));
  }
  for (const std::uint32_t m : subject.anchored) {
    const Matrix& matrix = model.matrices[m];
    std::vector<double> all(matrix.elements()), rows;
    const Dtype dtype = model.checkpoint.tensors[matrix.tensor].dtype;
    stream(
        matrix.tensor, {matrix}, {},
        [&](std::size_t, const Panel& panel) {
          widen(dtype, panel.bytes,
                std::span(all).subspan(panel.first_row * matrix.cols, panel.rows * matrix.cols));
        },
        std::size_t{1} << 20);
    for (const std::uint32_t row : model.anchors.rows) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(row * matrix.cols);
      rows.insert(rows.end(), begin, begin + static_cast<std::ptrdiff_t>(matrix.cols));
    }
    companions.push_back(std::move(rows));
  }
  const auto measurement = analyzer.begin(subject, inputs, companions);
  std::set<std::uint32_t> tensors;
  for (const std::uint32_t m : subject.matrices) tensors.insert(tensor_of(m));
  for (const std::uint32_t tensor : tensors) {
    std::vector<Matrix> views;
    std::vector<std::size_t> input_of_view;
    for (std::size_t i = 0; i < subject.matrices.size(); ++i) {
      if (tensor_of(subject.matrices[i]) != tensor) continue;
      views.push_back(model.matrices[subject.matrices[i]]);
      input_of_view.push_back(i);
    }
    stream(
        tensor, views, {},
        [&](std::size_t v, const Panel& panel) {
          measurement->take_elements(input_of_view[v], panel.bytes);
          measurement->take(input_of_view[v], panel);
        },
        chunk);
  }
  for (std::size_t i = 0; i < subject.stored.size(); ++i) {
    stream(
        subject.stored[i], {}, [&](std::span<const std::byte> bytes) { measurement->take_stored(i, bytes); },
        {}, chunk);
  }
  Features features = measurement->finish();
  features.analyzer = analyzer.name();
  features.version = analyzer.version();
  features.subject = subject.path;
  return features;
}

inline Results measure_all(ToyModel& toy, std::size_t chunk = std::size_t{1} << 20,
                           const std::map<std::string, double>& options = {}) {
  Results results;
  for (const Analyzer* analyzer : catalogue()) {
    for (const Subject& subject : analyzer->subjects(toy.model, options)) {
      results[{std::string(analyzer->name()), subject.path}] = measure(toy, *analyzer, subject, chunk);
    }
  }
  return results;
}

inline Fingerprint fingerprint(const ToyModel& toy, const Results& results, const std::string& id = "toy") {
  const FeatureSource source = [&results](std::string_view analyzer,
                                          std::string_view subject) -> std::optional<Features> {
    const auto found = results.find({std::string(analyzer), std::string(subject)});
    if (found == results.end()) return std::nullopt;
    return found->second;
  };
  Fingerprint out;
  out.id = id;
  out.layers = toy.model.layers();
  for (const Analyzer* analyzer : catalogue()) analyzer->summarise(toy.model, source, {}, out);
  return out;
}

inline Fingerprint fingerprint_of(ToyModel& toy, const std::string& id = "toy") {
  return fingerprint(toy, measure_all(toy), id);
}

inline Pair compare(const Fingerprint& a, const Fingerprint& b,
                    const std::map<std::string, std::string>& options = {}) {
  Pair pair;
  pair.a = 0;
  pair.b = 1;
  for (const PairTest* test : pair_tests()) {
    for (Evidence& row :
         test->compare(a, b, test->name() == "intrinsic_fingerprint" ? options : decltype(options){})) {
      pair.evidence.push_back(std::move(row));
    }
  }
  return pair;
}

inline const Evidence& row_of(const Pair& pair, std::string_view method, std::string_view role_name = "") {
  for (const Evidence& row : pair.evidence) {
    if (row.method == method && row.role == role_name) return row;
  }
  throw std::out_of_range("no such evidence row");
}

}  // namespace stemma::toy
