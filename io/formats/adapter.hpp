// Which pairs of factors does a LoRA adapter hold, for which modules, and with which ranks and scales?
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/formats/adapter_config.hpp"
#include "io/model/byte_reader.hpp"
#include "io/model/tensor.hpp"

namespace stemma {

/// The update of one module: scale * B A, where B is (out, r) and A is (r, in). Of an embedding, whose weight
/// is (rows, width), the update is the transpose of that: A is (r, rows) and B is (width, r).
struct LoraPair {
  std::string module;  ///< path in the base: "model.layers.0.self_attn.q_proj"
  StoredTensor a, b;
  std::optional<StoredTensor> magnitude;  ///< of a DoRA adapter: the lengths of the updated weight's rows
  bool embedding = false;
  std::uint64_t rank = 0;  ///< as the configuration states it; the factors themselves have a.shape[0]
  double alpha = 0;
  double scale = 0;

  std::uint64_t stored_rank() const { return a.shape[0]; }
};

/// An adapter as files on disk. Headers and configuration only: no factor has been read.
struct Adapter {
  std::string location;  ///< its directory
  AdapterConfig config;
  SourceFile file;                   ///< adapter_model.safetensors, or adapter_model.bin where that is absent
  std::vector<LoraPair> pairs;       ///< by module, at least one
  std::vector<StoredTensor> others;  ///< that are no factors: weights and biases that replace the base's
};

/// What PEFT puts before the name of every tensor.
inline constexpr std::string_view adapter_prefix = "base_model.model.";

/// A directory that holds an adapter_config.json or the weights of an adapter and no whole model. False
/// for whatever cannot be listed. Looks at names only.
bool is_adapter(const std::string& location);

/// Whether an adapter that scales whole rows, and so makes no update of a rank, is any use to the caller.
enum class Dora { refused, read };

/// Opens the adapter in a directory. Factors are matrices of 16-, 32- or 64-bit floats, named
/// base_model.model.MODULE.lora_A.weight (lora_A.NAME.weight with one NAME for all), lora_B alike, and
/// lora_embedding_A and _B. Throws InvalidInput: what parse_adapter_config, stat_source and
/// open_container throw, adapter.config_missing, adapter.weights_missing, adapter.no_tensors,
/// adapter.several_adapters, adapter.dora, adapter.unpaired, adapter.dtype, adapter.shape_mismatch,
/// adapter.rank_differs (A has not as many rows as B columns), limit.adapter_patterns.
Adapter open_adapter(const std::string& location, ByteReader& reader, Dora dora = Dora::refused);

/// The name of the tensor in `tensors` (sorted by name) that holds a module's weight: under the module's own
/// name, or with the first of its words ("model", "transformer", "gpt_neox") left out or added, because bases
/// are saved with and without it. Nothing where there is none.
std::optional<std::uint32_t> tensor_of_module(const std::vector<StoredTensor>& tensors,
                                              const std::string& module, std::string_view ending = ".weight");

/// One factor widened to doubles, row-major. Throws what the reader throws, and adapter.nonfinite.
std::vector<double> read_factor(const Adapter& adapter, const StoredTensor& factor, ByteReader& reader);

}  // namespace stemma
