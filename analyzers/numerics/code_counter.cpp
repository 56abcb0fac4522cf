// How often does each 16-bit or 8-bit code occur?
#include "analyzers/numerics/code_counter.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace stemma {

namespace {

static_assert(std::endian::native == std::endian::little, "stored tensors are little-endian");

constexpr std::size_t codes = 65536;
// A table and a gap: counters of one code in different tables must differ in the low 12 bits of their
// addresses, or a load waits for the store to the other table.
constexpr std::size_t stride = codes + 272;
constexpr std::size_t few_bytes = 16384;  // from here on a table is faster, measured
constexpr std::uint64_t sample = 65536;   // elements after which the number of tables is chosen

/// Counts 16-bit units; the one at place p goes to table p % Tables.
template <std::size_t Tables>
void count_units(std::span<const std::byte> bytes, std::uint32_t* tables) {
  const auto add = [tables]<std::size_t Place>(std::uint64_t word,
                                               std::integral_constant<std::size_t, Place>) {
    ++tables[Place % Tables * stride + (word & 0xFFFFU)];
    ++tables[(Place + 1) % Tables * stride + (word >> 16U & 0xFFFFU)];
    ++tables[(Place + 2) % Tables * stride + (word >> 32U & 0xFFFFU)];
    ++tables[(Place + 3) % Tables * stride + (word >> 48U)];
  };
  std::size_t at = 0;
  for (; at + 16 <= bytes.size(); at += 16) {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    std::memcpy(&first, bytes.data() + at, sizeof first);
    std::memcpy(&second, bytes.data() + at + 8, sizeof second);
    add(first, std::integral_constant<std::size_t, 0>{});
    add(second, std::integral_constant<std::size_t, 4>{});
  }
  for (; at < bytes.size(); at += 2) {
    std::uint16_t unit = 0;
    std::memcpy(&unit, bytes.data() + at, sizeof unit);
    ++tables[unit];
  }
}

template <class Use>
void count_sorted(std::vector<std::uint16_t> few, const Use& use) {
  std::sort(few.begin(), few.end());
  for (auto run = few.begin(); run != few.end();) {
    const auto end = std::upper_bound(run, few.end(), *run);
    use(*run, static_cast<std::uint64_t>(end - run));
    run = end;
  }
}

}  // namespace

CodeCounter::CodeCounter(Dtype dtype, std::uint64_t flush_after) : dtype_(dtype), flush_after_(flush_after) {
  if (bits_of(dtype) != 16 && bits_of(dtype) != 8) {
    throw std::invalid_argument("CodeCounter counts codes of 16 or 8 bits");
  }
}

void CodeCounter::add(std::span<const std::byte> bytes) {
  if (bits_of(dtype_) == 16 && bytes.size() % 2 != 0) {
    throw std::invalid_argument("CodeCounter: bytes end inside an element");
  }
  if (tables_.empty()) {
    if (few_.size() + bytes.size() <= few_bytes) {
      few_.insert(few_.end(), bytes.begin(), bytes.end());
      return;
    }
    open_tables();
  }
  if (bytes.size() % 2 != 0) {
    ++single_[std::to_integer<std::size_t>(bytes.back())];
    bytes = bytes.first(bytes.size() - 1);
  }
  while (!bytes.empty()) {
    const std::uint64_t until = chosen_ ? flush_after_ : std::min(flush_after_, sample);
    const std::size_t taken = std::min<std::uint64_t>(2 * (until - since_flush_), bytes.size());
    count(bytes.first(taken));
    bytes = bytes.subspan(taken);
    since_flush_ += taken / 2;
    if (since_flush_ == until && !chosen_) choose_tables();
    if (since_flush_ == flush_after_) flush();
  }
}

void CodeCounter::open_tables() {
  tables_.assign(stride, 0);
  single_.assign(256, 0);
  add(std::exchange(few_, {}));
}

void CodeCounter::count(std::span<const std::byte> bytes) {
  switch (tables_.size() / stride) {
    case 1:
      return count_units<1>(bytes, tables_.data());
    case 2:
      return count_units<2>(bytes, tables_.data());
    default:
      return count_units<8>(bytes, tables_.data());
  }
}

/// More tables cost cache, so they must be worth it: measured by bench_histogram.
void CodeCounter::choose_tables() {
  chosen_ = true;
  std::uint32_t most_frequent = 0;
  for (const std::uint32_t count : tables_) most_frequent = std::max(most_frequent, count);
  if (5ULL * most_frequent > 2 * since_flush_) {
    tables_.resize(8 * stride);
  } else if (20ULL * most_frequent > since_flush_) {
    tables_.resize(2 * stride);
  }
}

void CodeCounter::flush() {
  total_.resize(codes);
  for (std::size_t table = 0; table < tables_.size(); table += stride)
    for (std::size_t unit = 0; unit < codes; ++unit) total_[unit] += tables_[table + unit];
  std::fill(tables_.begin(), tables_.end(), 0);
  since_flush_ = 0;
}

template <class Use>
void CodeCounter::for_each_unit(const Use& use) const {
  for (std::size_t unit = 0; unit < codes; ++unit) {
    std::uint64_t count = total_.empty() ? 0 : total_[unit];
    for (std::size_t at = unit; at < tables_.size(); at += stride) count += tables_[at];
    if (count != 0) use(unit, count);
  }
}

Histogram CodeCounter::finish() {
  Histogram histogram;
  histogram.dtype = dtype_;
  histogram.kind = bits_of(dtype_) == 16 ? HistogramKind::code16 : HistogramKind::code8;
  const auto add_bin = [&histogram](std::size_t code, std::uint64_t count) {
    histogram.code.push_back(static_cast<std::uint16_t>(code));
    histogram.count.push_back(count);
  };
  if (tables_.empty()) {
    count_sorted(few_codes(), add_bin);
  } else if (bits_of(dtype_) == 16) {
    for_each_unit(add_bin);
  } else {
    std::vector<std::uint64_t> counts = single_;
    for_each_unit([&counts](std::size_t pair, std::uint64_t count) {
      counts[pair % 256] += count;
      counts[pair / 256] += count;
    });
    for (std::size_t code = 0; code < counts.size(); ++code)
      if (counts[code] != 0) add_bin(code, counts[code]);
  }
  return histogram;
}

std::vector<std::uint16_t> CodeCounter::few_codes() const {
  std::vector<std::uint16_t> few(few_.size() * 8 / bits_of(dtype_));
  if (bits_of(dtype_) == 16) {
    std::memcpy(few.data(), few_.data(), few_.size());
  } else {
    std::transform(few_.begin(), few_.end(), few.begin(),
                   [](std::byte b) { return std::to_integer<std::uint16_t>(b); });
  }
  return few;
}

}  // namespace stemma
