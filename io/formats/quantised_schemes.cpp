// The list of all schemes, and what several of them say.
#include "io/formats/quantised_schemes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace stemma {

std::span<const QuantisationScheme* const> quantisation_schemes() {
  static constexpr std::array schemes{&unsupported_scheme,
                                      &awq_scheme,
                                      &gptq_scheme,
                                      &bitsandbytes_4bit_scheme,
                                      &bitsandbytes_8bit_scheme,
                                      &four_bit_floats_scheme,
                                      &packed_integers_scheme,
                                      &eight_bit_scheme};
  return schemes;
}

const QuantisationScheme* scheme_of_codec(std::string_view codec) {
  for (const QuantisationScheme* scheme : quantisation_schemes())
    if (!codec.empty() && scheme->codec == codec) return scheme;
  return nullptr;
}

bool is_named(const QuantisationScheme& scheme, const QuantisationConfig& config) {
  return !config.method.empty() && std::ranges::find(scheme.methods, config.method) != scheme.methods.end();
}

std::string group_words(std::int64_t group_cols, std::int64_t cols) {
  return group_cols >= cols ? "one scale per row" : fmt::format("groups of {}", group_cols);
}

void note_mismatch(const QuantisedModule& module, const QuantisationContext& context, std::string_view what,
                   std::optional<std::int64_t> stated, std::uint64_t found) {
  if (!stated || static_cast<std::uint64_t>(*stated) == found) return;
  context.findings.push_back({.severity = Severity::warning,
                              .rule = "quant_config_mismatch",
                              .file = context.config.file,
                              .tensor = module.name(),
                              .expected = fmt::format("{} {}", what, *stated),
                              .found = fmt::format("{} {}", what, found),
                              .hint = "the tensors decide"});
}

}  // namespace stemma
