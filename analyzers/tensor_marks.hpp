// Where in a fingerprint does one canonical tensor stand, and was it measured?
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/archive/features.hpp"
#include "io/archive/fingerprint.hpp"
#include "io/model/model.hpp"

namespace stemma {

/// Path under which a matrix is a subject of content and histogram.
std::string subject_of(const Matrix& matrix, const Model& model);

/// Indices of the matrices that are fingerprinted: all but buffers, in the model's order.
std::vector<std::uint32_t> fingerprinted_matrices(const Model& model);

/// One mark per fingerprinted matrix, in that order; made on the first call, kept afterwards.
std::vector<TensorMark>& tensor_marks(const Model& model, Fingerprint& fingerprint);

/// The features when they exist and carry numbers (not failed, skipped or pending).
std::optional<Features> measured(const FeatureSource& features, std::string_view analyzer,
                                 std::string_view subject);

/// A number or count by name; NaN and 0 when absent.
double number_in(const Features& features, const std::string& name);
std::uint64_t count_in(const Features& features, const std::string& name);

}  // namespace stemma
