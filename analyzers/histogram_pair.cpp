// Which tensors of two models hold the same values in another order?
//
// Equal histograms of tensors whose bytes differ mean a permutation (of neurons, heads or the stream): the
// cheapest sight of a rearranged model. Different histograms say nothing. A tensor with few distinct values
// can share its counts with a stranger's by accident and is left out.
#include "analyzers/histogram_pair.hpp"

#include <algorithm>
#include <compare>
#include <span>
#include <vector>

#include "analyzers/json_text.hpp"
#include "analyzers/mark_order.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

bool may_be_permuted(const TensorMark& mark) {
  return mark.known && mark.distinct >= thresholds::few_values && mark.histogram != Hash128{};
}

std::uint64_t bytes_of(const Fingerprint& model) {
  std::uint64_t bytes = 0;
  for (const TensorMark& mark : model.tensors) bytes += may_be_permuted(mark) ? mark.bytes : 0;
  return bytes;
}

/// Tensors with equal values in another order, of two runs of marks that share one histogram key.
struct Rearranged {
  std::uint64_t tensors = 0, bytes = 0;
  const TensorMark* first = nullptr;  ///< of model a, in the order of the model

  void add(std::span<const TensorMark* const> of_a, std::span<const TensorMark* const> of_b) {
    if (!may_be_permuted(*of_a.front()) || !may_be_permuted(*of_b.front())) return;
    // An identical tensor takes its twin away; what is left over on both sides is a rearrangement.
    std::vector<const TensorMark*> others(of_b.begin(), of_b.end()), left;
    for (const TensorMark* mark : of_a) {
      const auto twin = std::ranges::find(others, mark->content, &TensorMark::content);
      if (twin == others.end()) {
        left.push_back(mark);
      } else {
        others.erase(twin);
      }
    }
    left.resize(std::min(left.size(), others.size()));
    for (const TensorMark* mark : left) {
      ++tensors;
      bytes += mark->bytes;
      if (first == nullptr || mark < first) first = mark;
    }
  }
};

Rearranged rearranged(const Fingerprint& a, const Fingerprint& b) {
  Rearranged found;
  const std::vector<const TensorMark*> of_a = in_order_of_histogram(a), of_b = in_order_of_histogram(b);
  for (auto x = of_a.begin(), y = of_b.begin(); x != of_a.end() && y != of_b.end();) {
    const TensorKey key = histogram_key(**x);
    const auto order = key <=> histogram_key(**y);
    const auto other = [&](const TensorMark* mark) { return histogram_key(*mark) != key; };
    if (order == 0) {
      const auto x_end = std::find_if(x, of_a.end(), other), y_end = std::find_if(y, of_b.end(), other);
      found.add({x, x_end}, {y, y_end});
      x = x_end, y = y_end;
    } else if (order < 0) {
      ++x;
    } else {
      ++y;
    }
  }
  return found;
}

class HistogramPair : public PairTest {
 public:
  std::string_view name() const override { return "histogram"; }
  std::vector<std::string_view> needs() const override { return {"content", "histogram"}; }

  std::vector<Evidence> compare(const Fingerprint& a, const Fingerprint& b,
                                const std::map<std::string, std::string>&) const override {
    const Rearranged found = rearranged(a, b);
    Evidence row;
    row.method = name();
    row.statistic = "share of bytes with equal values in another order";
    row.null = "two tensors share all counts by accident";
    const double larger = static_cast<double>(std::max(bytes_of(a), bytes_of(b)));
    const bool comparable = bytes_of(a) > 0 && bytes_of(b) > 0;
    if (comparable) row.score = static_cast<double>(found.bytes) / larger;
    if (!comparable) row.abstain = "unsupported";
    row.detail_json = JsonObject()
                          .add("permuted_tensors", found.tensors)
                          .add("permuted_bytes", found.bytes)
                          .add("first_role", found.first ? std::string_view(found.first->role) : "")
                          .text();
    return {row};
  }
};

}  // namespace

const PairTest& histogram_pair_test() {
  static const HistogramPair test;
  return test;
}

}  // namespace stemma
