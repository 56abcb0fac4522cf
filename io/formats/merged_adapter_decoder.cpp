// Rows of W + s B A, as they are asked for.
#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "io/formats/merged_adapter.hpp"
#include "io/model/widen.hpp"

namespace stemma {
namespace {

/// Rows whose lengths are measured together: a few megabytes.
constexpr std::uint64_t values_at_once = std::uint64_t{1} << 20;

std::vector<double> widened(const EncodedPart& part, ByteReader& reader) {
  const std::vector<std::byte> bytes = read_part(part, reader);
  std::vector<double> values(bytes.size() * 8 / bits_of(part.dtype));
  widen(part.dtype, bytes, values);
  return values;
}

std::vector<double> transposed(const std::vector<double>& m, std::uint64_t rows, std::uint64_t cols) {
  std::vector<double> out(m.size());
  for (std::uint64_t r = 0; r < rows; ++r)
    for (std::uint64_t c = 0; c < cols; ++c) out[c * rows + r] = m[r * cols + c];
  return out;
}

class MergedDecoder final : public FloatDecoder {
 public:
  MergedDecoder(const Decoding& decoding, ByteReader& reader)
      : weight_(decoding.parts.at(0)),
        reader_(reader),
        turned_(decoding.numbers.at(0) != 0),
        scale_(std::bit_cast<double>(decoding.numbers.at(1))),
        cols_(weight_.shape.at(1)) {
    const EncodedPart &a = decoding.parts.at(1), &b = decoding.parts.at(2);
    rank_ = a.shape.at(0);
    left_ = widened(b, reader);   // (out, r)
    right_ = widened(a, reader);  // (r, in)
    if (turned_) {
      std::vector<double> left = transposed(right_, rank_, a.shape.at(1));
      right_ = transposed(left_, b.shape.at(0), rank_);
      left_ = std::move(left);
    }
    if (decoding.parts.size() > 3) measure(widened(decoding.parts[3], reader));
  }

  void values(std::uint64_t first, std::span<float> out) override {
    sum(first, out.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::uint64_t at = first + i;
      const double factor = factors_.empty() ? 1 : factors_[turned_ ? at % cols_ : at / cols_];
      out[i] = static_cast<float>(factor * sums_[i]);
    }
  }

 private:
  /// sums_ = elements [first, first + count) of W + s L R.
  void sum(std::uint64_t first, std::size_t count) {
    const unsigned width = bits_of(weight_.dtype) / 8;
    stored_.resize(count * width);
    reader_.read(weight_.file, weight_.offset + first * width, stored_);
    sums_.resize(count);
    widen(weight_.dtype, stored_, sums_);
    for (std::size_t i = 0; i < count;) {
      const std::uint64_t row = (first + i) / cols_, begin = (first + i) % cols_;
      const std::size_t n = std::min<std::uint64_t>(cols_ - begin, count - i);
      update_.assign(n, 0.0);
      for (std::uint64_t k = 0; k < rank_; ++k) {
        const double l = left_[row * rank_ + k];
        const double* const r = right_.data() + k * cols_ + begin;
        for (std::size_t c = 0; c < n; ++c) update_[c] += l * r[c];
      }
      for (std::size_t c = 0; c < n; ++c) sums_[i + c] += scale_ * update_[c];
      i += n;
    }
  }

  /// DoRA: every output of W + s B A is scaled to its magnitude; outputs are rows, or columns where it is
  /// turned.
  void measure(const std::vector<double>& magnitudes) {
    std::vector<double> squares(magnitudes.size());
    const std::uint64_t elements = weight_.shape.at(0) * cols_;
    for (std::uint64_t first = 0; first < elements; first += values_at_once) {
      const std::size_t count = std::min(values_at_once, elements - first);
      sum(first, count);
      for (std::size_t i = 0; i < count; ++i)
        squares[turned_ ? (first + i) % cols_ : (first + i) / cols_] += sums_[i] * sums_[i];
    }
    factors_.resize(magnitudes.size());
    for (std::size_t i = 0; i < magnitudes.size(); ++i) factors_[i] = magnitudes[i] / std::sqrt(squares[i]);
  }

  const EncodedPart& weight_;
  ByteReader& reader_;
  bool turned_;
  double scale_;
  std::uint64_t cols_, rank_ = 0;
  std::vector<double> left_, right_;  ///< W + s L R, both row-major
  std::vector<double> factors_;       ///< of outputs; empty without magnitudes
  std::vector<std::byte> stored_;
  std::vector<double> sums_, update_;
};

}  // namespace

std::unique_ptr<Decoder> merged_adapter_decoder(const Decoding& decoding, ByteReader& reader) {
  return std::make_unique<MergedDecoder>(decoding, reader);
}

}  // namespace stemma
