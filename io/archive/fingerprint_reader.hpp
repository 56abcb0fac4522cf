// How do rows become fingerprints, failures and findings again?
#pragma once
#include <cstdint>
#include <vector>

#include "io/archive/archive_reader.hpp"
#include "io/archive/table_reader.hpp"

namespace stemma {

std::vector<ModelRow> read_models(const TableReader& table);
std::vector<TensorRow> read_tensors(const TableReader& table, const ModelRow& model);
/// `histogram_tensors`: the column /histograms/tensor_index.
Fingerprint read_fingerprint(const TableReader& table, const ModelRow& model, std::size_t model_index,
                             const std::vector<std::uint32_t>& histogram_tensors, Sketches sketches);

/// Nothing where no neurons were sketched.
std::optional<NeuronSketch> read_neurons(const TableReader& table, std::size_t model_index);

/// Moments of one tensor row as features of "histogram"; without counts when there are none.
Features read_moments(const TableReader& table, std::uint64_t tensor);
/// Adds one histogram row.
void read_histogram(const TableReader& table, std::uint64_t row, Features& features);

/// One row of /spectra as features of "spectrum".
Features read_spectrum(const TableReader& table, std::uint64_t row);

std::vector<Failure> read_failures(const TableReader& table, const std::vector<ModelRow>& models);
std::vector<ModelFinding> read_findings(const TableReader& table, const std::vector<ModelRow>& models);

}  // namespace stemma
