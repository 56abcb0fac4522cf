// Every factor has its partner, or the adapter is refused.
#include "io/formats/adapter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "io/formats/container.hpp"
#include "io/formats/descriptor.hpp"
#include "io/formats/directory_names.hpp"
#include "io/formats/file_reader.hpp"
#include "io/formats/limits.hpp"
#include "io/formats/model_files.hpp"
#include "io/formats/small_file.hpp"
#include "io/model/finding.hpp"
#include "io/model/widen.hpp"

namespace stemma {
namespace {

constexpr std::string_view adapter_config_name = "adapter_config.json",
                           weights_name = "adapter_model.safetensors";
constexpr std::string_view torch_name = "adapter_model.bin";
constexpr std::string_view magnitude_infix = ".lora_magnitude_vector";
constexpr std::string_view dora_hint =
    "a DoRA adapter scales whole rows of the weight, so its update has no rank: trace BASE BASE+ADAPTER "
    "compares "
    "the base with what the adapter makes of it";
constexpr std::array<std::string_view, 3> trunks = {"model.", "transformer.", "gpt_neox."};
/// Bytes of all patterns times bytes of all modules: what matching may cost.
constexpr double most_matching = 0x1p34;

[[noreturn]] void refuse(std::string rule, std::string file, std::string tensor, std::string found,
                         std::string hint) {
  throw InvalidInput({.rule = std::move(rule),
                      .file = std::move(file),
                      .tensor = std::move(tensor),
                      .found = std::move(found),
                      .hint = std::move(hint)});
}

std::string shape_of(const StoredTensor& tensor) {
  return fmt::format("({})", fmt::join(tensor.shape, ", "));
}

/// What the name of a factor says.
struct FactorName {
  std::string module;
  bool is_b = false, embedding = false;
  std::string adapter;  ///< the word behind lora_A, where somebody kept it
};

struct Infix {
  std::string_view text;
  bool is_b, embedding;
};
constexpr std::array<Infix, 4> infixes{{{".lora_A.", false, false},
                                        {".lora_B.", true, false},
                                        {".lora_embedding_A", false, true},
                                        {".lora_embedding_B", true, true}}};

/// Nothing for a tensor that is no factor.
std::optional<FactorName> factor_named(std::string_view name) {
  if (!name.starts_with(adapter_prefix)) return std::nullopt;
  name.remove_prefix(adapter_prefix.size());
  for (const Infix& infix : infixes) {
    const std::size_t at = name.rfind(infix.text);
    if (at == std::string_view::npos || at == 0) continue;
    FactorName out{std::string(name.substr(0, at)), infix.is_b, infix.embedding, ""};
    std::string_view rest = name.substr(at + infix.text.size());
    if (infix.embedding) {
      if (!rest.empty() && rest.front() != '.') return std::nullopt;
      if (!rest.empty()) rest.remove_prefix(1);
      if (rest == "weight") rest = "";
    } else {
      constexpr std::string_view ending = "weight";
      if (!rest.ends_with(ending)) return std::nullopt;  // lora_B.bias
      rest.remove_suffix(ending.size());
      if (rest.ends_with('.')) rest.remove_suffix(1);
    }
    if (rest.find('.') != std::string_view::npos) return std::nullopt;
    out.adapter = rest;
    return out;
  }
  return std::nullopt;
}

/// Both factors of a module on their way together.
struct Halves {
  const StoredTensor* a = nullptr;
  const StoredTensor* b = nullptr;
  bool embedding = false;
};

class Pairing {
 public:
  Pairing(Adapter& adapter, const std::vector<StoredTensor>& tensors, Dora dora)
      : adapter_(adapter), file_(file_name_of(adapter.file.path)), dora_(dora) {
    for (const StoredTensor& tensor : tensors) sort_in(tensor);
  }

  void pair() {
    if (halves_.empty())
      refuse("adapter.no_tensors", file_, "",
             fmt::format("{} tensors, none a factor", adapter_.others.size()),
             "factors are named base_model.model.MODULE.lora_A.weight and lora_B.weight, as PEFT saves them");
    if (words_.size() > 1)
      refuse(
          "adapter.several_adapters", file_, "",
          fmt::format("\"{}\" and \"{}\"", printable(*words_.begin(), 60), printable(*words_.rbegin(), 60)),
          "the file holds factors of several adapters: save each into a directory of its own");
    double module_bytes = 0;
    for (const auto& [key, halves] : halves_) module_bytes += static_cast<double>(key.size());
    if (module_bytes * static_cast<double>(adapter_.config.pattern_bytes) > most_matching)
      refuse("limit.adapter_patterns", std::string(adapter_config_name), "",
             "too many patterns for so many modules",
             "write fewer entries into rank_pattern and alpha_pattern");
    for (const auto& [module, halves] : halves_) add(module, halves);
  }

 private:
  void sort_in(const StoredTensor& tensor) {
    if (const std::size_t at = tensor.name.find(magnitude_infix); at != std::string::npos) {
      if (dora_ == Dora::refused) refuse("adapter.dora", file_, tensor.name, "", std::string(dora_hint));
      if (tensor.name.starts_with(adapter_prefix) && at > adapter_prefix.size())
        magnitudes_.emplace(tensor.name.substr(adapter_prefix.size(), at - adapter_prefix.size()), &tensor);
      return;
    }
    const auto name = factor_named(tensor.name);
    if (!name) {
      adapter_.others.push_back(tensor);
      return;
    }
    words_.insert(name->adapter);
    Halves& halves = halves_[name->module];
    const StoredTensor*& half = name->is_b ? halves.b : halves.a;
    if (half != nullptr || ((halves.a || halves.b) && halves.embedding != name->embedding))
      refuse("adapter.unpaired", file_, tensor.name, "a second factor of one module",
             "every module has one A and one B: save the adapter again");
    half = &tensor;
    halves.embedding = name->embedding;
  }

  void add(const std::string& module, const Halves& halves) const {
    if (halves.a == nullptr || halves.b == nullptr) {
      const StoredTensor& alone = halves.a != nullptr ? *halves.a : *halves.b;
      refuse("adapter.unpaired", file_, alone.name, fmt::format("no {}", halves.a != nullptr ? "B" : "A"),
             "an update is the product of two factors: save the adapter again, or fetch all of it");
    }
    for (const StoredTensor* factor : {halves.a, halves.b}) {
      const Dtype type = factor->dtype;
      if (!is_plain_float(type))
        refuse("adapter.dtype", file_, factor->name, std::string(name_of(type)),
               "factors are read as BF16, F16, F32 or F64: save the adapter in one of them");
      if (factor->shape.size() != 2 || factor->elements() == 0)
        refuse("adapter.shape_mismatch", file_, factor->name, shape_of(*factor),
               "a factor is a matrix with at least one row and column; those of convolutions are not read");
    }
    if (halves.a->shape[0] != halves.b->shape[1])
      refuse("adapter.rank_differs", file_, halves.b->name,
             fmt::format("B {} beside A {}", shape_of(*halves.b), shape_of(*halves.a)),
             "B needs as many columns as A has rows: save the adapter again");
    const AdapterConfig& config = adapter_.config;
    adapter_.pairs.push_back({module, *halves.a, *halves.b, magnitude_of(module), halves.embedding,
                              config.rank_of(module), config.alpha_of(module), config.scale_of(module)});
  }

  std::optional<StoredTensor> magnitude_of(const std::string& module) const {
    const auto found = magnitudes_.find(module);
    if (found == magnitudes_.end()) return std::nullopt;
    const StoredTensor& tensor = *found->second;
    if (!is_plain_float(tensor.dtype))
      refuse("adapter.dtype", file_, tensor.name, std::string(name_of(tensor.dtype)),
             "magnitudes are read as BF16, F16, F32 or F64: save the adapter in one of them");
    return tensor;
  }

  Adapter& adapter_;
  const std::string file_;
  std::map<std::string, Halves> halves_;
  std::map<std::string, const StoredTensor*> magnitudes_;
  Dora dora_;
  std::set<std::string> words_;
};

}  // namespace

bool is_adapter(const std::string& location) {
  try {
    const std::vector<std::string> listing = list_directory(location);
    if (!holds(listing, adapter_config_name) && !holds(listing, weights_name) && !holds(listing, torch_name))
      return false;
    std::vector<Finding> findings;
    choose_files(location, listing, findings);
    return false;
  } catch (const InvalidInput& no_model) {
    const std::string& rule = no_model.finding().rule;
    return rule == "format.refused" || rule == "no_model_found";
  }
}

Adapter open_adapter(const std::string& location, ByteReader& reader, Dora dora) {
  const std::vector<std::string> listing = list_directory(location);
  Adapter adapter{.location = location, .config = {}, .file = {}, .pairs = {}, .others = {}};
  if (!holds(listing, adapter_config_name))
    refuse("adapter.config_missing", std::string(adapter_config_name), "", "no such file",
           "ranks and scales stand in it: put it beside adapter_model.safetensors");
  adapter.config =
      parse_adapter_config(read_whole(beside(location, adapter_config_name), limits::config_bytes),
                           std::string(adapter_config_name));
  if (adapter.config.dora && dora == Dora::refused)
    refuse("adapter.dora", std::string(adapter_config_name), "", "use_dora = true", std::string(dora_hint));
  const bool is_torch = !holds(listing, weights_name) && holds(listing, torch_name);
  if (!is_torch && !holds(listing, weights_name))
    refuse("adapter.weights_missing", std::string(weights_name), "", "no such file",
           "fetch the whole adapter, or save it again");
  adapter.file = stat_source(beside(location, is_torch ? torch_name : weights_name));
  const Container container = open_container(adapter.file, reader);
  adapter.file.header_bytes = container.header_bytes;
  Pairing(adapter, container.tensors, dora).pair();
  return adapter;
}

std::optional<std::uint32_t> tensor_of_module(const std::vector<StoredTensor>& tensors,
                                              const std::string& module, std::string_view ending) {
  const auto named = [&](const std::string& name) -> std::optional<std::uint32_t> {
    const auto found = std::ranges::lower_bound(tensors, name, {}, &StoredTensor::name);
    if (found == tensors.end() || found->name != name) return std::nullopt;
    return static_cast<std::uint32_t>(found - tensors.begin());
  };
  const std::string name = module + std::string(ending);
  if (const auto found = named(name)) return found;
  for (const std::string_view trunk : trunks)
    if (name.starts_with(trunk))
      if (const auto found = named(name.substr(trunk.size()))) return found;
  for (const std::string_view trunk : trunks)
    if (const auto found = named(std::string(trunk) + name)) return found;
  return std::nullopt;
}

std::vector<double> read_factor(const Adapter& adapter, const StoredTensor& factor, ByteReader& reader) {
  std::vector<std::byte> bytes(factor.bytes);
  const SourceFile source = source_of(adapter.file, factor);
  reader.read(source, factor.offset, bytes);
  reader.check(source);
  std::vector<double> values(factor.elements());
  widen(factor.dtype, bytes, values);
  const auto strange = std::ranges::find_if(values, [](double x) { return !std::isfinite(x); });
  if (strange != values.end())
    refuse("adapter.nonfinite", file_name_of(adapter.file.path), factor.name,
           fmt::format("{} at element {}", *strange, strange - values.begin()),
           "an update with such an element is none: the training went wrong, take an earlier state of it");
  return values;
}

}  // namespace stemma
