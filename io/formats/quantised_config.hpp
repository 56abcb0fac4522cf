// What do the configurations beside the weights say about quantisation?
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace stemma {

/// Claims, which shapes confirm or contradict. What is absent, of another kind than expected, or differs
/// from module to module, is not stated.
struct QuantisationConfig {
  std::string file;     ///< that says so; "" where nothing does
  std::string method;   ///< "gptq", "awq", "fp8", ...: quant_method, or quant_algo in lower case
  std::string variant;  ///< "gptq_v2", "gemv", ...: checkpoint_format or version
  std::string pack_dtype;
  std::optional<std::int64_t> bits;
  std::optional<std::int64_t> group_size;                      ///< -1: one group
  std::optional<std::pair<std::int64_t, std::int64_t>> block;  ///< rows and columns under one scale
  bool symmetric = false;
  bool activation_order = false;

  bool is_present() const { return !file.empty(); }
};

/// `config` is the text of config.json, "" for none: then nothing is stated. Else the first of these that is
/// there counts: quantization_config and compression_config of config.json, on top or in text_config, and the
/// files quantize_config.json, quant_config.json and hf_quant_config.json in `directory`. Faults of those
/// files are faults of claims: they state nothing.
QuantisationConfig quantisation_config(const std::string& config, const std::string& directory);

}  // namespace stemma
