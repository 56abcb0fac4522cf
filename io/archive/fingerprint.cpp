// In which orders are the tensors of two models merged?
#include "io/archive/fingerprint.hpp"

#include <algorithm>
#include <numeric>

namespace stemma {
namespace {

template <class KeyOf>
std::vector<std::uint32_t> order_by(const std::vector<TensorMark>& tensors, KeyOf key_of) {
  std::vector<std::uint32_t> order(tensors.size());
  std::iota(order.begin(), order.end(), 0U);
  // Stable: equal keys stay in the order of the model.
  std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return key_of(tensors[i]); });
  return order;
}

}  // namespace

TensorKey content_key(const TensorMark& mark) { return {mark.content, mark.dtype, mark.rows, mark.cols}; }
TensorKey histogram_key(const TensorMark& mark) {
  return {mark.histogram, mark.dtype, mark.rows * mark.cols, 0};
}

void order_marks(Fingerprint& fingerprint) {
  fingerprint.by_content = order_by(fingerprint.tensors, content_key);
  fingerprint.by_histogram = order_by(fingerprint.tensors, histogram_key);
}

}  // namespace stemma
