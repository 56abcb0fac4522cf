// Which tensors of two models are the same bytes?
#include "analyzers/content_pair.hpp"

#include <algorithm>
#include <compare>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analyzers/json_text.hpp"
#include "analyzers/mark_order.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

/// Can equal bytes be more than custom? Without a histogram nobody knows how many values there are.
bool counts(const TensorMark& mark) {
  const auto dtype = static_cast<Dtype>(mark.dtype);
  const bool has_histogram = mark.histogram != Hash128{};
  return mark.known && mark.bytes > 0 && is_real(dtype) && bits_of(dtype) >= 8 &&
         (!has_histogram || mark.distinct >= thresholds::few_values);
}

struct Totals {
  std::uint64_t tensors = 0, bytes = 0, left_out = 0;
};

Totals totals_of(const Fingerprint& model) {
  Totals totals;
  for (const TensorMark& mark : model.tensors) {
    if (counts(mark)) {
      ++totals.tensors;
      totals.bytes += mark.bytes;
    } else if (mark.known) {
      ++totals.left_out;
    }
  }
  return totals;
}

/// Calls visit(mark of a, mark of b) for every role that both models have.
template <class Visit>
void for_each_common_role(const Fingerprint& a, const Fingerprint& b, Visit visit) {
  // Models of one architecture list the same roles in the same order; a table is only made where they do not.
  std::unordered_map<std::string_view, const TensorMark*> table;
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    const TensorMark& mark = a.tensors[i];
    if (i < b.tensors.size() && b.tensors[i].role == mark.role) {
      visit(mark, b.tensors[i]);
      continue;
    }
    if (table.empty())
      for (const TensorMark& other : b.tensors) table.emplace(other.role, &other);
    if (const auto found = table.find(mark.role); found != table.end()) visit(mark, *found->second);
  }
}

/// Merges the tensors of both models by content key.
void count_equal(const Fingerprint& a, const Fingerprint& b, ContentMatch& match) {
  const std::vector<const TensorMark*> of_a = in_order_of_content(a), of_b = in_order_of_content(b);
  for (auto x = of_a.begin(), y = of_b.begin(); x != of_a.end() && y != of_b.end();) {
    const auto order = content_key(**x) <=> content_key(**y);
    if (order == 0) {
      if (counts(**x) && counts(**y)) {
        ++match.equal_tensors;
        match.equal_bytes += (*x)->bytes;
      }
      ++x, ++y;
    } else if (order < 0) {
      ++x;
    } else {
      ++y;
    }
  }
}

class ContentPair : public PairTest {
 public:
  std::string_view name() const override { return "content"; }
  std::vector<std::string_view> needs() const override { return {"content"}; }

  std::vector<Evidence> compare(const Fingerprint& a, const Fingerprint& b,
                                const std::map<std::string, std::string>&) const override {
    const ContentMatch match = match_content(a, b);
    Evidence row;
    row.method = name();
    row.statistic = "share of equal bytes";
    row.null = "different bytes agree in a 128-bit hash by accident: 2^-128 a pair";
    row.score = match.share();
    if (match.tensors_a == 0 || match.tensors_b == 0) row.abstain = "unsupported";
    row.detail_json = JsonObject()
                          .add("equal_tensors", match.equal_tensors)
                          .add("equal_same_role", match.equal_same_role)
                          .add("equal_bytes", match.equal_bytes)
                          .add("tensors_a", match.tensors_a)
                          .add("tensors_b", match.tensors_b)
                          .add("bytes_a", match.bytes_a)
                          .add("bytes_b", match.bytes_b)
                          .add("left_out", match.left_out)
                          .add("identical", match.identical)
                          .add("bytes_compared", false)
                          .text();
    return {row};
  }
};

}  // namespace

double ContentMatch::share() const {
  if (tensors_a == 0 || tensors_b == 0) return missing;
  return static_cast<double>(equal_bytes) / static_cast<double>(std::max(bytes_a, bytes_b));
}

ContentMatch match_content(const Fingerprint& a, const Fingerprint& b) {
  ContentMatch match;
  const Totals of_a = totals_of(a);
  const Totals of_b = totals_of(b);
  match.tensors_a = of_a.tensors;
  match.tensors_b = of_b.tensors;
  match.bytes_a = of_a.bytes;
  match.bytes_b = of_b.bytes;
  match.left_out = of_a.left_out + of_b.left_out;
  match.all_tensors = a.tensors.size();

  count_equal(a, b, match);
  std::uint64_t common = 0, same = 0;
  for_each_common_role(a, b, [&](const TensorMark& x, const TensorMark& y) {
    ++common;
    if (!x.known || !y.known || content_key(x) != content_key(y)) return;
    ++same;
    if (counts(x) && counts(y)) ++match.equal_same_role;
  });
  const std::size_t all = a.tensors.size();
  match.identical = all > 0 && all == b.tensors.size() && common == all && same == all;
  return match;
}

const PairTest& content_pair_test() {
  static const ContentPair test;
  return test;
}

}  // namespace stemma
