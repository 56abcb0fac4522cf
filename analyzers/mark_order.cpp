// In which order are the tensors of two models merged by content or by histogram?
#include "analyzers/mark_order.hpp"

#include <algorithm>

namespace stemma {
namespace {

std::vector<const TensorMark*> ordered(const Fingerprint& model, const std::vector<std::uint32_t>& order,
                                       TensorKey (*key_of)(const TensorMark&)) {
  std::vector<const TensorMark*> marks;
  marks.reserve(model.tensors.size());
  if (order.size() == model.tensors.size()) {
    for (const std::uint32_t i : order) marks.push_back(&model.tensors[i]);
    return marks;
  }
  for (const TensorMark& mark : model.tensors) marks.push_back(&mark);
  std::ranges::stable_sort(marks, {}, [key_of](const TensorMark* mark) { return key_of(*mark); });
  return marks;
}

}  // namespace

std::vector<const TensorMark*> in_order_of_content(const Fingerprint& model) {
  return ordered(model, model.by_content, content_key);
}

std::vector<const TensorMark*> in_order_of_histogram(const Fingerprint& model) {
  return ordered(model, model.by_histogram, histogram_key);
}

}  // namespace stemma
