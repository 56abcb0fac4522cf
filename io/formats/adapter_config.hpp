// What does the adapter_config.json of a LoRA adapter state, and can this program take it at its word?
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/formats/module_pattern.hpp"

namespace stemma {

/// Ranks and scales as PEFT reads them.
struct AdapterConfig {
  std::string base;              ///< base_model_name_or_path, at most 1 KiB; "" where there is none
  std::uint64_t rank = 8;        ///< r
  double alpha = 8;              ///< lora_alpha
  bool rank_stabilised = false;  ///< use_rslora: the scale is alpha / sqrt(r), not alpha / r
  bool fan_in_fan_out = false;   ///< the base's weights are stored (in, out)
  bool dora = false;             ///< use_dora: rows of the updated weight are scaled to magnitudes
  std::string initialisation;    ///< init_lora_weights where it is a word: "pissa", "gaussian", ...
  std::vector<std::pair<ModulePattern, std::uint64_t>> ranks;  ///< rank_pattern, in the order of the file
  std::vector<std::pair<ModulePattern, double>> alphas;        ///< alpha_pattern
  std::size_t pattern_bytes = 0;                               ///< length of all patterns together

  /// Of a module by its path in the base: the first pattern that matches, else the common value.
  std::uint64_t rank_of(std::string_view module) const;
  double alpha_of(std::string_view module) const;
  double scale_of(std::string_view module) const;
  /// Whether the adapter began with an initialisation that changes the base's weights too, so that, unless it
  /// was converted, it is no update of the published base.
  bool changes_base() const;
};

/// Reads the text of an adapter_config.json. Keys that change nothing about ranks, scales and weights are
/// passed over. Throws InvalidInput that names the key: json.*, adapter.unsupported_type (no LoRA),
/// adapter.unsupported_key (a key that changes what factors mean), adapter.config_value (a
/// value that its key cannot have), adapter.pattern_unsupported, limit.adapter_patterns.
AdapterConfig parse_adapter_config(std::string_view text, const std::string& file_name);

}  // namespace stemma
