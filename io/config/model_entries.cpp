// A text is a location; a mapping has exactly one of path, glob and sheet.
#include "io/config/model_entries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <tuple>
#include <utility>

#include "io/config/hub_cache.hpp"
#include "io/config/key_advice.hpp"
#include "io/config/yaml_section.hpp"

namespace stemma {
namespace {

constexpr std::size_t text_limit = 64 << 10;

/// The one key of path, hf, glob, sheet and adapter that is given; "" after a problem.
std::string kind_of(Section& entry) {
  std::vector<std::string> given;
  for (const std::string& kind : model_kinds()) {
    if (entry.find(kind)) given.push_back(kind);
  }
  if (entry.find("hf")) given.emplace_back("hf");
  if (given.size() == 1) return given[0];
  if (given.empty()) {
    const auto& keys = entry.keys();
    const bool later =
        std::any_of(keys.begin(), keys.end(), [](const YamlKey& k) { return is_later_model_key(k.text); });
    if (!later) {
      entry.complaints().add(
          entry.at(), entry.path(),
          fmt::format("{} names no model. Give it one of path, hf, glob, sheet and adapter", entry.path()));
    }
  } else {
    entry.complaints().add(
        entry.place_of(given[1]), entry.path(),
        fmt::format("{} has {}; it must have exactly one of them", entry.path(), fmt::join(given, " and ")));
  }
  return "";
}

std::string checked_id(Section& entry, std::string_view key, std::string id) {
  if (is_model_id(id)) return id;
  entry.complain(key, fmt::format("{} = {} is not an id ({})", entry.path_of(key), shown(id), model_id_rule));
  return "";
}

void read_traits(Section& section, ModelListing& entry) {
  if (auto id = section.text("id")) entry.id = checked_id(section, "id", *id);
  entry.label = section.text("label").value_or("");
  for (std::string& base : section.texts("base").value_or(std::vector<std::string>{})) {
    base = checked_id(section, "base", std::move(base));
    if (!base.empty()) entry.base.push_back(std::move(base));
  }
  entry.relation = section.text("relation").value_or("");
  entry.family = section.text("family").value_or("");
  if (auto use = section.choice("use", use_names())) {
    const auto at = std::find(use_names().begin(), use_names().end(), *use) - use_names().begin();
    entry.use = static_cast<ModelUse>(at);
  }
  entry.revision = section.text("revision").value_or("");
  entry.variant = section.text("variant").value_or("");
  entry.architecture = section.text("architecture").value_or("");
  if (auto on = section.text("on")) entry.on = checked_id(section, "on", *on);
  const bool is_adapter = entry.kind == ModelListing::Kind::adapter;
  if (is_adapter) section.require("on", "An adapter is read merged into its base");
  if (!is_adapter && section.has("on"))
    section.complain(
        "on", fmt::format("{} names the base of an adapter, and this entry has none", section.path_of("on")));
  if (is_adapter || entry.kind == ModelListing::Kind::path) return;
  for (const char* key : {"id", "label"}) {
    if (section.has(key)) {
      section.complain(
          key, fmt::format("{} names one model, but this entry may name many. Remove it, or give a path",
                           section.path_of(key)));
    }
  }
}

std::string advice_for_model_key(const std::string& path) {
  const std::string_view key = std::string_view(path).substr(path.rfind('.') + 1);
  return is_later_model_key(key)
             ? fmt::format(
                   "{} is not supported by this version. An adapter is read merged into its base; "
                   "stemma trace BASE ADAPTER reads its factors alone",
                   shown(path))
             : "";
}

/// The snapshot that `hf: org/name@rev` names; `revision` may stand apart.
std::string read_hub_name(Section& section, const PathAnchors& anchors) {
  std::string name = section.text("hf").value_or("");
  if (const auto revision = section.text("revision"); revision && name.find('@') == std::string::npos)
    name += "@" + *revision;
  if (!name.starts_with("hf:")) name = "hf:" + name;
  const ExpandedPath snapshot = model_location(name, "", anchors.environment);
  if (!snapshot.problem.empty()) section.complain("hf", snapshot.problem);
  return snapshot.path;
}

ModelListing read_entry(const YamlNode& node, const std::string& path, const PathAnchors& anchors,
                        Complaints& complaints) {
  ModelListing entry;
  entry.place = printed(node.at, complaints.file());
  if (node.kind == YamlNode::Kind::scalar) {
    entry.location = read_input_path(node, path, anchors, complaints, Locates::model);
    return entry;
  }
  if (node.kind != YamlNode::Kind::mapping) {
    complaints.add(
        node.at, path,
        fmt::format("{} is {}; it must be a path, or a mapping with path, hf, glob, sheet or adapter", path,
                    name_of(node.kind)));
    return entry;
  }
  Section section(node, path, complaints);
  const std::string kind = kind_of(section);
  if (kind == "hf") {
    entry.location = read_hub_name(section, anchors);
  } else if (!kind.empty()) {
    const auto at = std::find(model_kinds().begin(), model_kinds().end(), kind) - model_kinds().begin();
    entry.kind = static_cast<ModelListing::Kind>(at);
    entry.location = read_input_path(*section.find(kind), section.path_of(kind), anchors, complaints,
                                     entry.kind == ModelListing::Kind::glob   ? Locates::glob
                                     : entry.kind == ModelListing::Kind::path ? Locates::model
                                                                              : Locates::file);
    if (entry.kind == ModelListing::Kind::glob && entry.location.find("**") != std::string::npos) {
      section.complain(
          kind, fmt::format("{} holds **, which is not read (a glob never descends)", section.path_of(kind)));
    }
  }
  read_traits(section, entry);
  section.close(advice_for_model_key);
  return entry;
}

}  // namespace

bool ModelListing::operator==(const ModelListing& other) const {
  const auto fields = [](const ModelListing& e) {
    return std::tie(e.kind, e.location, e.id, e.label, e.base, e.relation, e.family, e.use, e.revision,
                    e.variant, e.architecture, e.on);
  };
  return fields(*this) == fields(other);
}

std::vector<ModelListing> read_model_entries(const YamlNode& list, const PathAnchors& anchors,
                                             Complaints& complaints) {
  std::vector<ModelListing> entries;
  if (list.kind != YamlNode::Kind::list) {
    const std::string what =
        list.kind == YamlNode::Kind::null ? "has no value" : fmt::format("is {}", name_of(list.kind));
    complaints.add(list.at, "models", fmt::format("models {}; it must be a list of locations", what));
    return entries;
  }
  if (list.values.empty()) complaints.add(list.at, "models", "models names nothing: the list is empty");
  for (std::size_t i = 0; i < list.values.size(); ++i) {
    entries.push_back(read_entry(list.values[i], fmt::format("models[{}]", i), anchors, complaints));
  }
  return entries;
}

bool is_model_id(std::string_view text) {
  const auto alphanumeric = [](char c) { return c > 0 && std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return !text.empty() && text.size() <= 128 && alphanumeric(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '+' || c == '-'; });
}

std::string read_input_path(const YamlNode& node, const std::string& path, const PathAnchors& anchors,
                            Complaints& complaints, Locates what) {
  const auto text = read_text(node, path, complaints);
  if (!text) return "";
  if (text->size() > text_limit) {
    complaints.add(node.at, path, fmt::format("{} has more than {} bytes", path, text_limit));
    return "";
  }
  const std::string directory = anchors.directory_for(node.at);
  const ExpandedPath expanded =
      what == Locates::model ? model_location(*text, directory, anchors.environment)
                             : input_path(*text, directory, anchors.environment, what == Locates::glob);
  if (!expanded.problem.empty()) {
    const bool says_where = expanded.problem.starts_with("hf:");
    complaints.add(node.at, path,
                   says_where ? expanded.problem : fmt::format("{}: {}", path, expanded.problem));
    return "";
  }
  std::error_code error;
  if (node.comment_follows && what != Locates::glob && !std::filesystem::exists(expanded.path, error)) {
    complaints.add(node.at, path,
                   fmt::format("{} does not exist, and what follows # in this line is a comment. Quote the "
                               "path if # belongs to it",
                               shown(*text)));
    return "";
  }
  return expanded.path;
}

}  // namespace stemma
