// Schemes whose codes point into large tables, or whose layouts nobody has written down: recognised, so that
// nobody takes their codes for weights.
#include <fmt/format.h>

#include <algorithm>

#include "io/formats/quantised_schemes.hpp"

namespace stemma {
namespace {

struct Mark {
  std::string_view part, scheme;
};
constexpr std::array marks{Mark{"q_weight", "EXL2"},
                           Mark{"trellis", "EXL3"},
                           Mark{"W_q", "HQQ"},
                           Mark{"codebooks", "AQLM"},
                           Mark{"Qidxs", "QuIP#"},
                           Mark{"B_24", "Marlin, 2 of 4"},
                           Mark{"weight_bitmask", "bitmasks of sparse weights"}};

/// MLX: words of codes with scales and biases.
bool is_mlx(const QuantisedModule& module) {
  const StoredTensor* weight = module.find("weight");
  return weight != nullptr && weight->dtype == Dtype::u32 && module.has("scales");
}

std::string_view scheme_of(const QuantisedModule& module) {
  for (const Mark& mark : marks)
    if (module.has(mark.part)) return mark.scheme;
  return is_mlx(module) ? "MLX" : "";
}

bool recognises(const QuantisedModule& module, const QuantisationConfig&) {
  return !scheme_of(module).empty();
}

StoredTensor weight(const QuantisedModule& module, const QuantisationContext&) {
  module.refuse(
      "quant.unsupported", module.parts().begin()->first, "a scheme that is read",
      fmt::format(
          "quantised as {}, which is not read: use the unquantised release, or one in GGUF, GPTQ or AWQ",
          scheme_of(module)));
}

}  // namespace

const QuantisationScheme unsupported_scheme{
    "a scheme that is not read", "", {}, recognises, weight, nullptr, nullptr};

}  // namespace stemma
