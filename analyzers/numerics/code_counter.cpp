// How often does each 16-bit or 8-bit code occur?
#include "analyzers/numerics/code_counter.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace stemma {

namespace {

constexpr std::size_t few_elements = 16384;
constexpr std::uint64_t flush_elements = std::uint64_t{1} << 31;

std::uint16_t code_at(std::span<const std::byte> bytes, std::size_t i, std::size_t width) {
  const auto low = std::to_integer<unsigned>(bytes[i * width]);
  const auto high = width == 2 ? std::to_integer<unsigned>(bytes[i * width + 1]) : 0U;
  return static_cast<std::uint16_t>(low | high << 8U);
}

}  // namespace

CodeCounter::CodeCounter(Dtype dtype) : dtype_(dtype), width_(bits_of(dtype) / 8) {
  if (bits_of(dtype) != 16 && bits_of(dtype) != 8) {
    throw std::invalid_argument("CodeCounter counts codes of 16 or 8 bits");
  }
}

void CodeCounter::add(std::span<const std::byte> bytes) {
  if (bytes.size() % width_ != 0) throw std::invalid_argument("CodeCounter: bytes end inside an element");
  const std::size_t elements = bytes.size() / width_;
  if (total_.empty() && few_.size() + elements < few_elements) {
    for (std::size_t i = 0; i < elements; ++i) few_.push_back(code_at(bytes, i, width_));
    return;
  }
  if (total_.empty()) open_tables();
  while (!bytes.empty()) {
    const std::size_t room = static_cast<std::size_t>(flush_elements - since_flush_) * width_;
    const std::size_t taken = std::min(room, bytes.size());
    count(bytes.first(taken));
    bytes = bytes.subspan(taken);
    since_flush_ += taken / width_;
    if (since_flush_ == flush_elements) flush();
  }
}

void CodeCounter::open_tables() {
  const std::size_t codes = width_ == 2 ? 65536 : 256;
  even_.assign(codes, 0);
  odd_.assign(codes, 0);
  total_.assign(codes, 0);
  for (const std::uint16_t code : few_) ++total_[code];
  few_ = {};
}

void CodeCounter::count(std::span<const std::byte> bytes) {
  const std::size_t elements = bytes.size() / width_;
  std::size_t i = 0;
  if (width_ == 2) {
    for (; i + 4 <= elements; i += 4) {
      std::uint64_t four = 0;
      std::memcpy(&four, bytes.data() + 2 * i, sizeof four);
      ++even_[four & 0xFFFF];
      ++odd_[four >> 16 & 0xFFFF];
      ++even_[four >> 32 & 0xFFFF];
      ++odd_[four >> 48];
    }
  }
  for (; i < elements; ++i) ++(i % 2 == 0 ? even_ : odd_)[code_at(bytes, i, width_)];
}

void CodeCounter::flush() {
  for (std::size_t code = 0; code < total_.size(); ++code) {
    total_[code] += std::uint64_t{even_[code]} + odd_[code];
    even_[code] = odd_[code] = 0;
  }
  since_flush_ = 0;
}

Histogram CodeCounter::finish() {
  Histogram histogram;
  histogram.kind = width_ == 2 ? HistogramKind::code16 : HistogramKind::code8;
  histogram.dtype = dtype_;
  if (total_.empty()) {
    std::sort(few_.begin(), few_.end());
    for (auto run = few_.begin(); run != few_.end();) {
      const auto end = std::upper_bound(run, few_.end(), *run);
      histogram.code.push_back(*run);
      histogram.count.push_back(static_cast<std::uint64_t>(end - run));
      run = end;
    }
    return histogram;
  }
  flush();
  for (std::size_t code = 0; code < total_.size(); ++code) {
    if (total_[code] == 0) continue;
    histogram.code.push_back(static_cast<std::uint16_t>(code));
    histogram.count.push_back(total_[code]);
  }
  return histogram;
}

}  // namespace stemma
