// Names and sizes of the number formats, in one table in the order of the enumeration.
#include "io/model/dtype.hpp"

#include <algorithm>
#include <array>

namespace stemma {
namespace {

struct Row {
  std::string_view name;
  unsigned bits;
  bool real;
};

constexpr std::array<Row, dtype_count> rows{{
    {"BOOL", 8, false},       {"U8", 8, false},         {"I8", 8, false},     {"U16", 16, false},
    {"I16", 16, false},       {"U32", 32, false},       {"I32", 32, false},   {"U64", 64, false},
    {"I64", 64, false},       {"F16", 16, true},        {"BF16", 16, true},   {"F32", 32, true},
    {"F64", 64, true},        {"C64", 64, false},       {"F8_E4M3", 8, true}, {"F8_E5M2", 8, true},
    {"F8_E4M3FNUZ", 8, true}, {"F8_E5M2FNUZ", 8, true}, {"F8_E8M0", 8, true}, {"F4", 4, false},
    {"F6_E2M3", 6, false},    {"F6_E3M2", 6, false},
}};

const Row& row_of(Dtype dtype) { return rows[static_cast<std::size_t>(dtype)]; }

}  // namespace

std::string_view name_of(Dtype dtype) { return row_of(dtype).name; }

std::optional<Dtype> dtype_named(std::string_view name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.name == name; });
  if (found == rows.end()) return std::nullopt;
  return static_cast<Dtype>(found - rows.begin());
}

unsigned bits_of(Dtype dtype) { return row_of(dtype).bits; }

bool is_real(Dtype dtype) { return row_of(dtype).real; }

bool is_plain_float(Dtype dtype) { return is_real(dtype) && bits_of(dtype) >= 16; }

}  // namespace stemma
