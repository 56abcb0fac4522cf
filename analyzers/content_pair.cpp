// Which tensors of two models are the same bytes?
#include "analyzers/content_pair.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "analyzers/json_text.hpp"

namespace stemma {

namespace {

using Key = std::tuple<Hash128, std::uint8_t, std::uint64_t, std::uint64_t>;

Key key_of(const TensorMark& mark) { return {mark.content, mark.dtype, mark.rows, mark.cols}; }
bool counts(const TensorMark& mark) { return mark.known && mark.bytes > 0 && mark.distinct != 1; }

struct Totals {
  std::uint64_t tensors = 0, bytes = 0, constant = 0;
};

Totals totals_of(const Fingerprint& model) {
  Totals totals;
  for (const TensorMark& mark : model.tensors) {
    if (counts(mark)) {
      ++totals.tensors;
      totals.bytes += mark.bytes;
    } else if (mark.known) {
      ++totals.constant;
    }
  }
  return totals;
}

bool identical(const Fingerprint& a, const std::map<std::string, const TensorMark*>& b, std::size_t size_b) {
  if (a.tensors.empty() || a.tensors.size() != size_b || b.size() != size_b) return false;
  return std::all_of(a.tensors.begin(), a.tensors.end(), [&](const TensorMark& mark) {
    const auto other = b.find(mark.role);
    return mark.known && other != b.end() && other->second->known && key_of(mark) == key_of(*other->second);
  });
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
                          .add("constant_left_out", match.constant)
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
  match.constant = of_a.constant + of_b.constant;
  match.all_tensors = a.tensors.size();

  std::map<Key, std::uint64_t> unmatched;
  std::map<std::string, const TensorMark*> by_role;
  for (const TensorMark& mark : b.tensors) {
    by_role[mark.role] = &mark;
    if (counts(mark)) ++unmatched[key_of(mark)];
  }
  for (const TensorMark& mark : a.tensors) {
    if (!counts(mark)) continue;
    const auto found = unmatched.find(key_of(mark));
    if (found == unmatched.end() || found->second == 0) continue;
    --found->second;
    ++match.equal_tensors;
    match.equal_bytes += mark.bytes;
    const auto other = by_role.find(mark.role);
    const bool same_role =
        other != by_role.end() && counts(*other->second) && key_of(*other->second) == key_of(mark);
    match.equal_same_role += same_role ? 1 : 0;
  }
  match.identical = identical(a, by_role, b.tensors.size());
  return match;
}

const PairTest& content_pair_test() {
  static const ContentPair test;
  return test;
}

}  // namespace stemma
