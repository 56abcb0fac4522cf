// The search inside one directory: first hit wins, and what was passed over is said. Repositories carry
// second copies in sub-directories, so these are not entered.
#include "io/formats/model_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "io/formats/adapter_config.hpp"
#include "io/formats/descriptor.hpp"
#include "io/formats/directory_names.hpp"
#include "io/formats/gguf_files.hpp"
#include "io/formats/limits.hpp"
#include "io/formats/shard_names.hpp"
#include "io/formats/small_file.hpp"

namespace stemma {
namespace {

constexpr std::string_view single = "model.safetensors";
constexpr std::string_view single_index = "model.safetensors.index.json";
constexpr std::string_view torch_single = "pytorch_model.bin";
constexpr std::string_view torch_index = "pytorch_model.bin.index.json";
constexpr std::string_view meta_single = "consolidated.safetensors";
constexpr std::string_view meta_index = "consolidated.safetensors.index.json";
constexpr std::string_view meta_torch = "consolidated.00.pth";  // others beside it hold slices

using Names = std::vector<std::string>;

/// Weights of a whole model: no adapter, no optimizer state, no second copy under Meta's names, no hidden
/// file.
bool is_model_weights(std::string_view name) {
  constexpr std::array<std::string_view, 5> others{".", "adapter", "optimizer", "consolidated", "training_"};
  const auto begins = [&](std::string_view other) { return name.starts_with(other); };
  return name.ends_with(".safetensors") && std::none_of(others.begin(), others.end(), begins);
}

Names model_weights(const Names& listing) {
  Names names;
  std::copy_if(listing.begin(), listing.end(), std::back_inserter(names), is_model_weights);
  return names;
}

/// pytorch_model.bin and its parts.
Names torch_weights(const Names& listing) {
  Names names;
  std::ranges::copy_if(listing, std::back_inserter(names), [](const std::string& name) {
    return name.starts_with("pytorch_model") && name.ends_with(".bin");
  });
  return names;
}

/// A few names for a sentence; strangers decide how many there are.
std::string some_of(const Names& names) {
  constexpr std::size_t most = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", printable(names[i], 60));
  }
  if (names.size() > most) text += fmt::format(" and {} more", names.size() - most);
  return text;
}

Finding about(std::string rule, std::string file, std::string found, std::string hint,
              Severity severity = Severity::error) {
  return {.severity = severity,
          .rule = std::move(rule),
          .file = std::move(file),
          .found = std::move(found),
          .hint = std::move(hint)};
}

void note_unused(const ModelFiles& files, const Names& listing, std::vector<Finding>& findings) {
  const Names torch = torch_weights(listing);
  const bool is_torch = std::ranges::any_of(
      files.names, [](const std::string& name) { return !name.ends_with(".safetensors"); });
  for (const std::string& name : is_torch ? torch : model_weights(listing)) {
    const bool used = std::find(files.names.begin(), files.names.end(), name) != files.names.end();
    if (used || (files.index && name == (is_torch ? torch_single : single)))
      continue;  // beside an index that one is ambiguous_model_files
    findings.push_back(about("orphan_file", name, "", "a weight file that is no part of the model; not used",
                             Severity::warning));
  }
  if (!is_torch && !torch.empty()) {
    findings.push_back(about("mixed_formats", torch.front(), "",
                             "the directory also holds weights in torch format; not used",
                             Severity::warning));
  }
  if (holds(listing, "adapter_config.json")) {
    findings.push_back(about("adapter_beside_model", "adapter_config.json", "",
                             "the directory holds a whole model and an adapter; the model is used",
                             Severity::note));
  }
}

/// The complete set of parts, if there is exactly one; a broken set is an error, no set is nothing.
std::optional<ModelFiles> choose_set(const std::string& directory, const Names& listing,
                                     const ShardSpelling& spelling, std::vector<Finding>& findings) {
  const std::vector<ShardSet> sets = shard_sets(listing, spelling);
  if (sets.empty()) return std::nullopt;
  std::vector<const ShardSet*> complete;
  for (const ShardSet& set : sets) {
    if (set.complete()) complete.push_back(&set);
  }
  if (complete.size() > 1) {
    throw InvalidInput(about("several_models", file_name_of(directory),
                             fmt::format("{} complete sets", complete.size()),
                             "name one by its index, or put each into a directory of its own"));
  }
  const ShardSet& set = complete.empty() ? sets.front() : *complete.front();
  if (set.parts > limits::shards) {
    throw InvalidInput(
        about("limit.shards", set.present.begin()->second, fmt::format("{} parts", set.parts), ""));
  }
  ModelFiles files{.directory = directory, .names = set.names(), .index = std::nullopt, .is_set = true};
  findings.push_back(about("missing_index", file_name_of(directory), fmt::format("{} parts", set.parts),
                           "the parts have no index, so nobody says which tensors should be there",
                           Severity::warning));
  return files;
}

/// Meta's layout in torch format: one file beside its params.json. Throws InvalidInput (format.refused) for
/// several, which hold slices of every tensor.
bool is_whole_meta_model(const std::string& directory, const Names& listing) {
  const auto is_slice = [](const std::string& name) {
    return name.starts_with("consolidated.") && name.ends_with(".pth");
  };
  if (std::ranges::count_if(listing, is_slice) > 1)
    throw InvalidInput(
        about("format.refused", file_name_of(directory), "several consolidated.NN.pth",
              "each holds slices of all tensors: join them with the script of the model's family"));
  return holds(listing, meta_torch) && holds(listing, "params.json");
}

/// " meta-llama/Llama-3.1-8B", as the adapter states it; "" when it does not say.
std::string base_of_adapter(const std::string& directory) {
  try {
    const std::string name = "adapter_config.json";
    const AdapterConfig config =
        parse_adapter_config(read_whole(directory + "/" + name, limits::config_bytes), name);
    return config.base.empty() ? "" : " " + printable(config.base, 100);
  } catch (const InvalidInput&) {
    return "";
  }
}

[[noreturn]] void refuse(const std::string& directory, const Names& listing) {
  constexpr std::array<std::string_view, 12> foreign{".bin",   ".gguf",    ".pt",   ".pth",
                                                     ".ckpt",  ".distcp",  ".onnx", ".h5",
                                                     ".keras", ".msgpack", ".npz",  ".ggml"};
  const std::string name = file_name_of(directory);
  if (holds(listing, "adapter_config.json")) {
    throw InvalidInput(about(
        "format.refused", name,
        fmt::format("an adapter without its base model{}", base_of_adapter(directory)),
        "name it as BASE+ADAPTER to read the model that it makes, or let trace read it beside its base"));
  }
  Names weights;
  std::copy_if(listing.begin(), listing.end(), std::back_inserter(weights), [&](const std::string& file) {
    return std::any_of(foreign.begin(), foreign.end(),
                       [&](std::string_view end) { return file.ends_with(end); });
  });
  if (!weights.empty()) {
    throw InvalidInput(
        about("format.refused", name, some_of(weights),
              "none has the name of a whole model: name the file itself if it is one, or convert the weights "
              "to safetensors with the framework that wrote them"));
  }
  std::string hint =
      "a model directory holds model.safetensors, pytorch_model.bin, or parts with or without an index";
  if (holds(listing, "snapshots"))
    hint = "this is an entry of a Hugging Face cache. Name a directory below its snapshots";
  else if (std::ranges::any_of(listing, [](const auto& file) { return file.ends_with(".incomplete"); }))
    hint = "a download has not ended. Fetch the model again";
  throw InvalidInput(about("no_model_found", name, listing.empty() ? "an empty directory" : some_of(listing),
                           std::move(hint)));
}

}  // namespace

Names list_directory(const std::string& directory) {
  Names names;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
    if (names.size() > limits::directory_entries) {
      throw InvalidInput(about("limit.directory", file_name_of(directory),
                               fmt::format("more than {} entries", limits::directory_entries), ""));
    }
  }
  if (error) throw InvalidInput(about("file.open_failed", file_name_of(directory), error.message(), ""));
  std::sort(names.begin(), names.end());
  return names;
}

ModelFiles files_of_index(const std::string& directory, const std::string& index_name, const Names& listing,
                          std::vector<Finding>& findings) {
  const std::string text = read_whole(directory + "/" + index_name, limits::index_bytes);
  ModelFiles files{
      .directory = directory, .names = {}, .index = parse_shard_index(text, index_name), .is_set = true};
  files.names = files.index->files;
  note_unused(files, listing, findings);
  return files;
}

ModelFiles choose_files(const std::string& directory, const Names& listing, std::vector<Finding>& findings) {
  if (holds(listing, single_index))
    return files_of_index(directory, std::string(single_index), listing, findings);
  ModelFiles files{.directory = directory, .names = {}, .index = std::nullopt, .is_set = false};
  const Names weights = model_weights(listing);
  if (holds(listing, single)) {
    files.names = {std::string(single)};
  } else if (auto set = choose_set(directory, listing, safetensors_parts, findings)) {
    files = std::move(*set);
  } else if (weights.size() == 1) {
    files.names = weights;
    findings.push_back(about("unusual_file_name", weights.front(), "",
                             "the only weight file of the directory, so it is taken for the model",
                             Severity::note));
  } else if (weights.size() > 1) {
    throw InvalidInput(about("several_models", file_name_of(directory), some_of(weights),
                             "name one file, or put each model into a directory of its own"));
  } else if (holds(listing, meta_index)) {
    return files_of_index(directory, std::string(meta_index), listing, findings);
  } else if (holds(listing, meta_single)) {
    files.names = {std::string(meta_single)};
  } else if (holds(listing, torch_index)) {
    return files_of_index(directory, std::string(torch_index), listing, findings);
  } else if (holds(listing, torch_single)) {
    files.names = {std::string(torch_single)};
  } else if (auto parts = choose_set(directory, listing, torch_parts, findings)) {
    files = std::move(*parts);
  } else if (is_whole_meta_model(directory, listing)) {
    files.names = {std::string(meta_torch)};
  } else if (auto gguf = choose_gguf_files(directory, listing)) {
    files = std::move(*gguf);
  } else {
    refuse(directory, listing);
  }
  note_unused(files, listing, findings);
  return files;
}

}  // namespace stemma
