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

#include "io/formats/file_reader.hpp"
#include "io/formats/limits.hpp"
#include "io/formats/model_files.hpp"
#include "io/formats/safetensors.hpp"
#include "io/formats/small_file.hpp"
#include "io/model/finding.hpp"
#include "io/model/widen.hpp"

namespace stemma {
namespace {

constexpr std::string_view config_name = "adapter_config.json", weights_name = "adapter_model.safetensors";
constexpr std::string_view torch_name = "adapter_model.bin", prefix = "base_model.model.";
/// Bytes of all patterns times bytes of all modules: what matching may cost.
constexpr double most_matching = 0x1p34;

std::string beside(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name);
}

bool holds(const std::vector<std::string>& sorted, std::string_view name) {
  return std::binary_search(sorted.begin(), sorted.end(), name);
}

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
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
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
  Pairing(Adapter& adapter, const std::vector<StoredTensor>& tensors) : adapter_(adapter) {
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
      refuse("limit.adapter_patterns", std::string(config_name), "", "too many patterns for so many modules",
             "write fewer entries into rank_pattern and alpha_pattern");
    for (const auto& [module, halves] : halves_) add(module, halves);
  }

 private:
  void sort_in(const StoredTensor& tensor) {
    if (tensor.name.find("lora_magnitude_vector") != std::string::npos)
      refuse("adapter.dora", file_, tensor.name, "",
             "a DoRA adapter scales whole rows of the weight, so its update has no rank: merge it into its "
             "base and trace the merged model");
    const auto name = factor_named(tensor.name);
    if (!name) {
      adapter_.others.push_back(tensor.name);
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
    adapter_.pairs.push_back({module, *halves.a, *halves.b, halves.embedding, config.rank_of(module),
                              config.alpha_of(module), config.scale_of(module)});
  }

  Adapter& adapter_;
  const std::string file_{weights_name};
  std::map<std::string, Halves> halves_;
  std::set<std::string> words_;
};

}  // namespace

bool is_adapter(const std::string& location) {
  try {
    const std::vector<std::string> listing = list_directory(location);
    if (!holds(listing, config_name) && !holds(listing, weights_name)) return false;
    std::vector<Finding> findings;
    choose_files(location, listing, findings);
    return false;
  } catch (const InvalidInput& no_model) {
    const std::string& rule = no_model.finding().rule;
    return rule == "format.refused" || rule == "no_model_found";
  }
}

Adapter open_adapter(const std::string& location, ByteReader& reader) {
  const std::vector<std::string> listing = list_directory(location);
  Adapter adapter{.location = location, .config = {}, .file = {}, .pairs = {}, .others = {}};
  if (!holds(listing, config_name))
    refuse("adapter.config_missing", std::string(config_name), "", "no such file",
           "ranks and scales stand in it: put it beside adapter_model.safetensors");
  adapter.config = parse_adapter_config(read_whole(beside(location, config_name), limits::config_bytes),
                                        std::string(config_name));
  if (!holds(listing, weights_name))
    refuse("adapter.weights_missing", std::string(weights_name), "",
           holds(listing, torch_name) ? "only adapter_model.bin" : "no such file",
           "this version reads safetensors: save the adapter again in that format");
  adapter.file = stat_source(beside(location, weights_name));
  const SafetensorsHeader header = read_safetensors_header(adapter.file, reader);
  adapter.file.header_bytes = header.header_bytes;
  Pairing(adapter, header.tensors).pair();
  return adapter;
}

std::vector<double> read_factor(const Adapter& adapter, const StoredTensor& factor, ByteReader& reader) {
  std::vector<std::byte> bytes(factor.bytes);
  reader.read(adapter.file, factor.offset, bytes);
  reader.check(adapter.file);
  std::vector<double> values(factor.elements());
  widen(factor.dtype, bytes, values);
  const auto strange = std::ranges::find_if(values, [](double x) { return !std::isfinite(x); });
  if (strange != values.end())
    refuse("adapter.nonfinite", std::string(weights_name), factor.name,
           fmt::format("{} at element {}", *strange, strange - values.begin()),
           "an update with such an element is none: the training went wrong, take an earlier state of it");
  return values;
}

}  // namespace stemma
