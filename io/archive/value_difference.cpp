// Exact columns may not differ at all; of the others each says by how much.
#include "io/archive/value_difference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>

#include "io/model/finding.hpp"

namespace stemma {
namespace {

template <class Number>
double number_at(const std::vector<std::byte>& bytes, std::size_t i) {
  Number value{};
  std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
  return static_cast<double>(value);
}

double number(const RowValues& values, std::size_t i) {
  switch (values.type) {
    case h5::Type::u1:
      return number_at<std::uint8_t>(values.bytes, i);
    case h5::Type::u2:
      return number_at<std::uint16_t>(values.bytes, i);
    case h5::Type::u4:
      return number_at<std::uint32_t>(values.bytes, i);
    case h5::Type::u8:
      return number_at<std::uint64_t>(values.bytes, i);
    case h5::Type::i1:
      return number_at<std::int8_t>(values.bytes, i);
    case h5::Type::i4:
      return number_at<std::int32_t>(values.bytes, i);
    case h5::Type::i8:
      return number_at<std::int64_t>(values.bytes, i);
    case h5::Type::f4:
      return number_at<float>(values.bytes, i);
    case h5::Type::f8:
      return number_at<double>(values.bytes, i);
    case h5::Type::str:
      break;
  }
  return missing;
}

bool is_real(h5::Type type) { return type == h5::Type::f4 || type == h5::Type::f8; }

/// A number at the beginning of a text: how long it is, its value, digits behind the point.
struct Numeral {
  std::size_t length = 0;
  double value = 0;
  int decimals = -1;  ///< -1: an integer
};

Numeral numeral_in(std::string_view text) {
  Numeral numeral;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), numeral.value);
  if (error != std::errc()) return {};
  numeral.length = static_cast<std::size_t>(end - text.data());
  const std::string_view digits = text.substr(0, numeral.length);
  const auto point = digits.find('.'), exponent = digits.find_first_of("eE");
  if (point != std::string_view::npos)
    numeral.decimals = static_cast<int>(std::min(exponent, digits.size()) - point - 1);
  if (exponent != std::string_view::npos) numeral.decimals = 300;  // its digits say nothing about its size
  return numeral;
}

bool close(const Numeral& a, const Numeral& b) {
  if (a.value == b.value) return true;
  if (a.decimals < 0 && b.decimals < 0) return false;  // counts
  const double unit = std::pow(10, -std::max(a.decimals, b.decimals));
  const double larger = std::max(std::abs(a.value), std::abs(b.value));
  return std::abs(a.value - b.value) <= std::max(1e-6 * larger, std::min(unit, 0.1) * 1.001);
}

}  // namespace

bool same_but_for_rounding(const std::string& a, const std::string& b) {
  std::string_view x = a, y = b;
  while (!x.empty() && !y.empty()) {
    const Numeral p = numeral_in(x), q = numeral_in(y);
    if (p.length > 0 && q.length > 0) {
      if (!close(p, q)) return false;
      x.remove_prefix(p.length);
      y.remove_prefix(q.length);
      continue;
    }
    if (x.front() != y.front()) return false;
    x.remove_prefix(1);
    y.remove_prefix(1);
  }
  return x.empty() && y.empty();
}

void ValueDifference::found(Agreement agreement, double size, const std::string& here,
                            const std::string& there) {
  if (agreement_ < agreement || example_.empty()) example_ = fmt::format("{} here, {} there", here, there);
  agreement_ = std::max(agreement_, agreement);
  ++differing_;
  if (std::isnan(size_) || size > size_) size_ = size;
}

void ValueDifference::add(const RowValues& here, const RowValues& there) {
  compared_ += std::max(here.rows() * here.width, there.rows() * there.width);
  if (here == there) return;
  if (here.rows() != there.rows() || here.width != there.width || here.labels != there.labels) {
    uneven_ = true;
    found(column_.rounding ? Agreement::rounding : Agreement::different, missing,
          fmt::format("{} x {} values", here.rows(), here.width),
          fmt::format("{} x {}", there.rows(), there.width));
    return;
  }
  if (column_.type == h5::Type::str)
    add_texts(here, there);
  else
    add_numbers(here, there);
}

void ValueDifference::add_texts(const RowValues& here, const RowValues& there) {
  for (std::size_t i = 0; i < here.texts.size(); ++i) {
    if (here.texts[i] == there.texts[i]) continue;
    const bool rounding =
        column_.enters == layout::Enters::feature && same_but_for_rounding(here.texts[i], there.texts[i]);
    found(rounding ? Agreement::rounding : Agreement::different, missing,
          fmt::format("\"{}\"", printable(here.texts[i], 80)),
          fmt::format("\"{}\"", printable(there.texts[i], 80)));
  }
}

void ValueDifference::add_numbers(const RowValues& here, const RowValues& there) {
  const std::size_t count = here.bytes.size() / h5::size_of(here.type);
  const std::size_t piece = by_piece_ ? count : static_cast<std::size_t>(here.width);
  for (std::size_t first = 0; first < count; first += piece) {
    double largest = 0;
    for (std::size_t i = first; i < first + piece; ++i)
      for (const RowValues* values : {&here, &there})
        if (const double x = std::abs(number(*values, i)); std::isfinite(x)) largest = std::max(largest, x);
    for (std::size_t i = first; i < first + piece; ++i) {
      const std::size_t width = h5::size_of(here.type);
      if (std::memcmp(here.bytes.data() + i * width, there.bytes.data() + i * width, width) == 0) continue;
      const double x = number(here, i), y = number(there, i);
      const bool may_round = column_.enters == layout::Enters::feature && is_real(column_.type);
      double size = std::abs(x - y);
      if (is_real(column_.type) && x != y) size /= may_round ? largest : std::max(std::abs(x), std::abs(y));
      const bool rounds = column_.rounding || (may_round && size <= column_.tolerance);
      found(rounds ? Agreement::rounding : Agreement::different, size, fmt::format("{}", x),
            fmt::format("{}", y));
    }
  }
}

}  // namespace stemma
