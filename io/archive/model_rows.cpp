// How does a model become rows of /models and /files, and its tensors an order?
#include "io/archive/model_rows.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

namespace stemma {
namespace {

std::string declared_json(const std::vector<Claim>& claims) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const Claim& claim : claims)
    out.push_back({{"base", archive_text(claim.base)},
                   {"relation", archive_text(claim.relation)},
                   {"source", archive_text(claim.source)}});
  return out.dump();
}

std::uint8_t format_flag(const std::string& format) {
  for (const auto& [value, meaning] : layout::flag_table("format").values)
    if (meaning == format) return value;
  return 255;
}

void write_files(TableWriter& table, std::uint32_t model, const ModelEntry& entry) {
  const Checkpoint& checkpoint = entry.model->checkpoint;
  const std::uint8_t format = format_flag(checkpoint.format);
  for (std::size_t i = 0; i < checkpoint.files.size(); ++i) {
    const SourceFile& file = checkpoint.files[i];
    const FileFacts facts = i < entry.files.size() ? entry.files[i] : FileFacts{};
    table.put("files/path", file.path);
    table.put("files/model_index", model);
    table.put("files/bytes", file.bytes);
    table.put("files/mtime_ns", file.mtime_ns);
    table.put("files/header_bytes", file.header_bytes);
    table.put("files/format", format);
    table.put("files/filesystem", file.filesystem);
    table.put("files/sha256", facts.sha256);
    table.put("files/sha256_source", facts.sha256_source);
    table.put("files/bytes_read", facts.bytes_read);
  }
}

}  // namespace

std::vector<TensorLine> tensor_lines(const Model& model) {
  const Checkpoint& checkpoint = model.checkpoint;
  std::vector<std::vector<std::uint32_t>> views(checkpoint.tensors.size());
  for (std::uint32_t i = 0; i < model.matrices.size(); ++i) views.at(model.matrices[i].tensor).push_back(i);

  std::vector<TensorLine> lines;
  for (std::size_t t = 0; t < views.size(); ++t) {
    const StoredTensor& stored = checkpoint.tensors[t];
    const bool whole = views[t].size() == 1 && model.matrices[views[t].front()].as_stored();
    if (!whole)
      lines.push_back({.name = stored.name,
                       .role = "",
                       .subject = "stored/" + stored.name,
                       .stored = &stored,
                       .used = !views[t].empty()});
    for (const std::uint32_t i : views[t]) {
      std::string path = path_of(model.matrices[i], checkpoint);
      lines.push_back({.name = stored.name,
                       .role = path,
                       .subject = path,
                       .stored = &stored,
                       .matrix = &model.matrices[i],
                       .matrix_index = i,
                       .view = !whole,
                       .used = model.matrices[i].role.part != Part::buffer});
    }
  }
  std::ranges::sort(lines, {}, [](const TensorLine& l) { return std::tie(l.name, l.role); });
  return lines;
}

void write_model(TableWriter& table, std::uint32_t model, const ModelEntry& entry,
                 const FeatureSource& features, std::vector<ContentKey>& keys) {
  const std::uint64_t first_file = table.rows("files/path");
  const std::uint64_t first_tensor = table.rows("tensors/name");
  const std::uint64_t first_layer = table.rows("layers/layer");

  std::map<std::string, std::uint32_t> tensor_of_role;
  if (entry.model != nullptr) {
    write_files(table, model, entry);
    std::uint64_t stored_row = 0;
    for (TensorLine& line : tensor_lines(*entry.model)) {
      const std::uint64_t row = table.rows("tensors/name");
      if (line.matrix == nullptr) stored_row = row;
      if (line.view) line.view_of = stored_row;
      if (line.matrix != nullptr) tensor_of_role.emplace(line.role, static_cast<std::uint32_t>(row));
      write_tensor(table, line, model, entry, first_file, features, keys);
    }
  }
  write_layers(table, model, entry.fingerprint, tensor_of_role);

  const Fingerprint* fingerprint = entry.fingerprint;
  const Checkpoint* checkpoint = entry.model == nullptr ? nullptr : &entry.model->checkpoint;
  const std::vector<Claim> claims = fingerprint != nullptr  ? fingerprint->declared
                                    : checkpoint != nullptr ? checkpoint->claims
                                                            : std::vector<Claim>{};
  table.put("models/id", entry.id);
  table.put("models/label", entry.label);
  table.put("models/path", entry.path);
  table.put("models/revision", entry.revision);
  table.put("models/architecture", fingerprint != nullptr   ? fingerprint->family
                                   : entry.model != nullptr ? entry.model->family
                                                            : std::string());
  table.put("models/format", checkpoint == nullptr ? entry.format : checkpoint->format);
  table.put("models/declared_base", claims.empty() ? std::string() : claims.front().base);
  table.put("models/declared_json", declared_json(claims));
  table.put("models/config_json", checkpoint == nullptr ? std::string() : checkpoint->config_json);
  table.put("models/use", entry.use);
  table.put("models/parameters", fingerprint != nullptr   ? fingerprint->parameters
                                 : entry.model != nullptr ? entry.model->parameters()
                                                          : 0);
  table.put("models/bytes", entry.model == nullptr ? 0 : entry.model->bytes());
  table.put("models/n_layers", fingerprint != nullptr   ? fingerprint->layers
                               : entry.model != nullptr ? entry.model->layers()
                                                        : 0);
  table.put("models/status", entry.status);
  table.put("models/tensor_start", first_tensor);
  table.put("models/tensor_count", table.rows("tensors/name") - first_tensor);
  table.put("models/layer_start", first_layer);
  table.put("models/layer_count", table.rows("layers/layer") - first_layer);
}

}  // namespace stemma
