// In which order are the tensors of two models merged by content or by histogram?
#pragma once
#include <vector>

#include "io/archive/fingerprint.hpp"

namespace stemma {

/// All tensors in ascending order of content_key, equal ones in the order of the model. A fingerprint whose
/// orders were not filled by order_marks is sorted here.
std::vector<const TensorMark*> in_order_of_content(const Fingerprint& model);
/// The same of histogram_key.
std::vector<const TensorMark*> in_order_of_histogram(const Fingerprint& model);

}  // namespace stemma
