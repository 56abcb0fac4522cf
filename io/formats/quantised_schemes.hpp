// Which schemes of quantisation can be read, and how?
#pragma once
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/formats/quantised_config.hpp"
#include "io/formats/quantised_module.hpp"
#include "io/formats/scaled_codes.hpp"
#include "io/model/finding.hpp"

namespace stemma {

/// What a scheme may use when it looks at a module: no weight is read.
struct QuantisationContext {
  const QuantisationConfig& config;
  ByteReader& reader;              ///< for shapes and zero points
  std::vector<Finding>& findings;  ///< about a module that is used all the same
};

struct QuantisationScheme {
  std::string_view name;                    ///< for people
  std::string_view codec;                   ///< of its decodings
  std::array<std::string_view, 6> methods;  ///< how configurations call it, "" where there are fewer
  bool (*recognises)(const QuantisedModule& module, const QuantisationConfig& config);
  /// The weight that a recognised module holds. Throws InvalidInput with the rule that the module breaks.
  StoredTensor (*weight)(const QuantisedModule& module, const QuantisationContext& context);
  /// Codes and scales of a decoding that `weight` made. Throws what read_scales and read_group_index throw.
  ScaledCodes (*grid)(const Decoding& decoding, ByteReader& reader);
  std::string (*described)(const Decoding& decoding);  ///< "GPTQ, 4 bits, groups of 128"
};

// In the order in which they are asked: the first that recognises a module reads it.
extern const QuantisationScheme unsupported_scheme;
extern const QuantisationScheme awq_scheme;
extern const QuantisationScheme gptq_scheme;
extern const QuantisationScheme bitsandbytes_4bit_scheme;
extern const QuantisationScheme bitsandbytes_8bit_scheme;
extern const QuantisationScheme four_bit_floats_scheme;
extern const QuantisationScheme packed_integers_scheme;
extern const QuantisationScheme eight_bit_scheme;
std::span<const QuantisationScheme* const> quantisation_schemes();

/// Null for a codec of nobody here.
const QuantisationScheme* scheme_of_codec(std::string_view codec);

/// True where the configuration names a method of the scheme.
bool is_named(const QuantisationScheme& scheme, const QuantisationConfig& config);

/// "groups of 128", "one scale per row".
std::string group_words(std::int64_t group_cols, std::int64_t cols);

/// Warns that `stated` of the configuration is not what the shapes say.
void note_mismatch(const QuantisedModule& module, const QuantisationContext& context, std::string_view what,
                   std::optional<std::int64_t> stated, std::uint64_t found);

}  // namespace stemma
