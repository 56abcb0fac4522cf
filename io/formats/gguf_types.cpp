// One row for every type, removed ones too.
#include "io/formats/gguf_types.hpp"

#include <algorithm>
#include <array>

namespace stemma {
namespace {

using enum Dtype;

constexpr GgufType plain(std::uint32_t id, std::string_view name, std::uint64_t bytes, Dtype dtype) {
  return {.id = id, .name = name, .values = 1, .bytes = bytes, .plain = dtype, .codec = ""};
}
constexpr GgufType coded(std::uint32_t id, std::string_view name, std::uint64_t values, std::uint64_t bytes,
                         std::string_view codec) {
  return {.id = id, .name = name, .values = values, .bytes = bytes, .plain = {}, .codec = codec};
}
/// Codes are places in large books of vectors, which are not part of the file.
constexpr GgufType book(std::uint32_t id, std::string_view name, std::uint64_t bytes) {
  return {.id = id, .name = name, .values = 256, .bytes = bytes, .plain = {}, .codec = ""};
}
constexpr GgufType removed(std::uint32_t id, std::string_view name) {
  return {.id = id, .name = name, .values = 0, .bytes = 0, .plain = {}, .codec = ""};
}

constexpr std::array types{
    plain(0, "F32", 4, f32),
    plain(1, "F16", 2, f16),
    coded(2, "Q4_0", 32, 18, "q4_0"),
    coded(3, "Q4_1", 32, 20, "q4_1"),
    removed(4, "Q4_2"),
    removed(5, "Q4_3"),
    coded(6, "Q5_0", 32, 22, "q5_0"),
    coded(7, "Q5_1", 32, 24, "q5_1"),
    coded(8, "Q8_0", 32, 34, "q8_0"),
    coded(9, "Q8_1", 32, 36, "q8_1"),
    coded(10, "Q2_K", 256, 84, "q2_k"),
    coded(11, "Q3_K", 256, 110, "q3_k"),
    coded(12, "Q4_K", 256, 144, "q4_k"),
    coded(13, "Q5_K", 256, 176, "q5_k"),
    coded(14, "Q6_K", 256, 210, "q6_k"),
    coded(15, "Q8_K", 256, 292, "q8_k"),
    book(16, "IQ2_XXS", 66),
    book(17, "IQ2_XS", 74),
    book(18, "IQ3_XXS", 98),
    book(19, "IQ1_S", 50),
    coded(20, "IQ4_NL", 32, 18, "iq4_nl"),
    book(21, "IQ3_S", 110),
    book(22, "IQ2_S", 82),
    coded(23, "IQ4_XS", 256, 136, "iq4_xs"),
    plain(24, "I8", 1, i8),
    plain(25, "I16", 2, i16),
    plain(26, "I32", 4, i32),
    plain(27, "I64", 8, i64),
    plain(28, "F64", 8, f64),
    book(29, "IQ1_M", 56),
    plain(30, "BF16", 2, bf16),
    removed(31, "Q4_0_4_4"),
    removed(32, "Q4_0_4_8"),
    removed(33, "Q4_0_8_8"),
    coded(34, "TQ1_0", 256, 54, "tq1_0"),
    coded(35, "TQ2_0", 256, 66, "tq2_0"),
    removed(36, "IQ4_NL_4_4"),
    removed(37, "IQ4_NL_4_8"),
    removed(38, "IQ4_NL_8_8"),
    coded(39, "MXFP4", 32, 17, "mxfp4"),
    coded(40, "NVFP4", 64, 36, "nvfp4"),
    coded(41, "Q1_0", 128, 18, "q1_0"),
    coded(42, "Q2_0", 64, 18, "q2_0"),
};

}  // namespace

const GgufType* gguf_type(std::uint32_t id) {
  const auto* const known = std::ranges::find(types, id, &GgufType::id);
  return known == types.end() ? nullptr : known;
}

}  // namespace stemma
