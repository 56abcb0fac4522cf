// Both ways to cut end as runs of rows with a stride.
#include "io/model/architecture_split.hpp"

#include <fmt/format.h>

namespace stemma {
namespace {

SplitResult impossible(std::string why, bool unresolved = false) { return {{}, std::move(why), unresolved}; }
SplitResult impossible(const Expression& expression, const Expression::Value& value) {
  return impossible(fmt::format("{}: {}", expression.text(), value.why), value.unresolved);
}
SplitResult not_positive(const Expression& expression, std::int64_t value) {
  return impossible(fmt::format("{} is {}, which is not a size", expression.text(), value));
}

SplitResult concatenated(const Split& split, std::uint64_t out, const Dims& dims) {
  SplitResult result;
  std::uint64_t at = 0;
  for (const SplitPart& part : split.parts) {
    const auto size = part.size.evaluate(dims);
    if (!size.number) return impossible(part.size, size);
    if (*size.number <= 0) return not_positive(part.size, *size.number);
    const auto rows = static_cast<std::uint64_t>(*size.number);
    if (rows > out - at)
      return impossible(fmt::format("the parts need more than the {} rows that are there", out));
    result.slices.push_back({part.part, {1, rows, at, rows}});
    at += rows;
  }
  if (at != out)
    return impossible(fmt::format("the parts have {} rows together, the tensor has {}", at, out));
  return result;
}

SplitResult factored(const Split& split, std::uint64_t out, const Dims& dims) {
  std::uint64_t outer = 1;
  std::uint64_t inner = 1;
  std::uint64_t along = 1;
  std::uint64_t product = 1;
  for (std::size_t i = 0; i < split.view.size(); ++i) {
    const auto factor = split.view[i].evaluate(dims);
    if (!factor.number) return impossible(split.view[i], factor);
    if (*factor.number <= 0) return not_positive(split.view[i], *factor.number);
    const auto n = static_cast<std::uint64_t>(*factor.number);
    if (__builtin_mul_overflow(product, n, &product))
      return impossible("the product of the view is too large");
    (i < split.axis ? outer : i == split.axis ? along : inner) *= n;
  }
  if (product != out) return impossible(fmt::format("the view has {} rows, the tensor has {}", product, out));
  SplitResult result;
  std::uint64_t at = 0;
  for (const SplitPart& part : split.parts) {
    const auto from = part.from.evaluate(dims);
    if (!from.number) return impossible(part.from, from);
    const auto to = part.to.evaluate(dims);
    if (!to.number) return impossible(part.to, to);
    if (*from.number < 0 || static_cast<std::uint64_t>(*from.number) != at) {
      return impossible(
          fmt::format("{} begins at {} of its factor, not at {}", name_of(part.part), *from.number, at));
    }
    if (*to.number <= *from.number || static_cast<std::uint64_t>(*to.number) > along) {
      return impossible(
          fmt::format("{} ends at {} of a factor of {}", name_of(part.part), *to.number, along));
    }
    const auto end = static_cast<std::uint64_t>(*to.number);
    result.slices.push_back({part.part, {outer, along * inner, at * inner, (end - at) * inner}});
    at = end;
  }
  if (at != along) return impossible(fmt::format("the parts cover {} of a factor of {}", at, along));
  return result;
}

}  // namespace

SplitResult slices_of(const Split& split, std::uint64_t out, const Dims& dims) {
  SplitResult result = split.view.empty() ? concatenated(split, out, dims) : factored(split, out, dims);
  for (std::size_t i = 0; i < result.slices.size(); ++i) {
    if (!split.parts[i].paired_heads) continue;
    SplitResult one = unpaired(result.slices[i], *split.parts[i].paired_heads, dims);
    if (one.slices.empty()) return one;
    result.slices[i] = one.slices.front();
  }
  return result;
}

SplitResult unpaired(SplitSlice slice, const Expression& heads, const Dims& dims) {
  const auto value = heads.evaluate(dims);
  if (!value.number) return impossible(heads, value);
  if (*value.number <= 0) return not_positive(heads, *value.number);
  const auto n = static_cast<std::uint64_t>(*value.number);
  const std::uint64_t rows = slice.rows.rows(), head = rows / n;
  if (head == 0 || head % 2 != 0 || rows % n != 0 || slice.rows.length % head != 0) {
    return impossible(
        fmt::format("{} rows of {} are no even number for each of {} heads", rows, name_of(slice.part), n));
  }
  slice.rows.head = head;
  return {{slice}, "", false};
}

std::string described(const SplitSlice& slice, std::uint64_t out) {
  const AxisSlice& rows = slice.rows;
  const std::string range =
      fmt::format("split {} {}:{}", name_of(slice.part), rows.offset, rows.offset + rows.length);
  return rows.count == 1 ? fmt::format("{} of {}", range, out)
                         : fmt::format("{} of every {} of {}", range, rows.stride, out);
}

}  // namespace stemma
