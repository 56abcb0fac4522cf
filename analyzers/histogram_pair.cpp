// Which tensors of two models hold the same values in another order?
//
// Equal histograms of tensors whose bytes differ mean a permutation (of neurons, heads or the stream): the
// cheapest sight of a rearranged model. Different histograms say nothing. A tensor with few distinct values
// can share its counts with a stranger's by accident and is left out.
#include "analyzers/histogram_pair.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "analyzers/json_text.hpp"

namespace stemma {

namespace {

constexpr std::uint64_t few_values = 16;

using Key = std::tuple<Hash128, std::uint8_t, std::uint64_t>;
Key key_of(const TensorMark& mark) { return {mark.histogram, mark.dtype, mark.rows * mark.cols}; }

bool counts(const TensorMark& mark) {
  return mark.known && mark.distinct >= few_values && mark.histogram != Hash128{};
}

std::uint64_t bytes_of(const Fingerprint& model) {
  std::uint64_t bytes = 0;
  for (const TensorMark& mark : model.tensors) bytes += counts(mark) ? mark.bytes : 0;
  return bytes;
}

class HistogramPair : public PairTest {
 public:
  std::string_view name() const override { return "histogram"; }
  std::vector<std::string_view> needs() const override { return {"content", "histogram"}; }

  std::vector<Evidence> compare(const Fingerprint& a, const Fingerprint& b,
                                const std::map<std::string, std::string>&) const override {
    std::map<Key, std::vector<const TensorMark*>> unmatched;
    for (const TensorMark& mark : b.tensors) {
      if (counts(mark)) unmatched[key_of(mark)].push_back(&mark);
    }
    std::uint64_t permuted = 0;
    std::uint64_t permuted_bytes = 0;
    std::string first;
    for (const TensorMark& mark : a.tensors) {
      const auto found = counts(mark) ? unmatched.find(key_of(mark)) : unmatched.end();
      if (found == unmatched.end() || found->second.empty()) continue;
      // An identical tensor takes its twin away; what is left over with equal values is a rearrangement.
      auto& others = found->second;
      const auto same = std::find_if(others.begin(), others.end(),
                                     [&](const TensorMark* other) { return other->content == mark.content; });
      const bool rearranged = same == others.end();
      const auto taken = rearranged ? others.begin() : same;
      if (rearranged) {
        ++permuted;
        permuted_bytes += mark.bytes;
        if (first.empty()) first = mark.role;
      }
      others.erase(taken);
    }
    Evidence row;
    row.method = name();
    row.statistic = "share of bytes with equal values in another order";
    row.null = "two tensors share all counts by accident";
    const double larger = static_cast<double>(std::max(bytes_of(a), bytes_of(b)));
    const bool comparable = bytes_of(a) > 0 && bytes_of(b) > 0;
    if (comparable) row.score = static_cast<double>(permuted_bytes) / larger;
    if (!comparable) row.abstain = "unsupported";
    row.detail_json = JsonObject()
                          .add("permuted_tensors", permuted)
                          .add("permuted_bytes", permuted_bytes)
                          .add("first_role", std::string_view(first))
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
