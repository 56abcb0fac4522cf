// Which rows does one model become?
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/archive/records.hpp"
#include "io/archive/table_writer.hpp"

namespace stemma {

/// The identity of one tensor row's content, kept until all models are known.
struct ContentKey {
  Hash128 hash;
  std::uint64_t rows = 0;
  std::uint64_t cols = 0;
  std::uint32_t tensor = 0;  ///< row in /tensors
  Dtype dtype = Dtype::f32;

  auto operator<=>(const ContentKey&) const = default;
};

/// Appends one model to /models, /files, /tensors, /moments, /histograms, /vectors, /codes, /spectra,
/// /layers, /methods/intrinsic_fingerprint and /methods/tensorguard, and the keys of its tensors to `keys`.
void write_model(TableWriter& table, std::uint32_t model, const ModelEntry& entry,
                 const FeatureSource& features, std::vector<ContentKey>& keys);

// Its parts, one file each.
struct TensorLine;
std::vector<TensorLine> tensor_lines(const Model& model);
void write_tensor(TableWriter& table, const TensorLine& line, std::uint32_t model, const ModelEntry& entry,
                  std::uint64_t first_file, const FeatureSource& features, std::vector<ContentKey>& keys);
void write_measurement(TableWriter& table, std::uint32_t tensor, const std::optional<Features>& histogram);
/// Nothing when there are no values.
void write_spectrum(TableWriter& table, std::uint32_t tensor, const std::optional<Features>& spectrum);
void write_layers(TableWriter& table, std::uint32_t model, const Fingerprint* fingerprint,
                  const std::map<std::string, std::uint32_t>& tensor_of_role);
/// nullptr: nothing was sketched, and the model has no anchors.
void write_neurons(TableWriter& table, std::uint32_t model, const NeuronSketch* found);

/// A row of /tensors in the making.
struct TensorLine {
  std::string name;
  std::string role;
  std::string subject;  ///< whose features describe it
  const StoredTensor* stored = nullptr;
  const Matrix* matrix = nullptr;             ///< nullptr: the stored tensor behind views
  std::uint32_t matrix_index = 0;             ///< of matrix
  bool view = false;                          ///< in part, transposed, or one of several
  bool used = true;                           ///< some matrix lies in it that is no buffer
  std::optional<std::uint64_t> view_of = {};  ///< row of the stored tensor
};

}  // namespace stemma
