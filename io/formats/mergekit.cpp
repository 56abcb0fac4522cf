// A recipe is walked for what it names; what its numbers do is nobody's business here.
#include "io/formats/mergekit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/config/yaml.hpp"
#include "io/formats/limits.hpp"

namespace stemma {
namespace {

std::string short_text(const YamlNode* node) {
  if (node == nullptr || node->kind != YamlNode::Kind::scalar || node->text.size() > limits::claim_bytes)
    return "";
  return node->text;
}

class Recipe {
 public:
  explicit Recipe(const std::string& file_name) : file_name_(file_name) {}

  void walk(const YamlNode& node, std::string method) {
    if (std::string stated = short_text(node.find("merge_method")); !stated.empty())
      method = std::move(stated);
    if (node.kind == YamlNode::Kind::mapping)
      for (const char* key : {"base_model", "model"})
        if (const std::string name = name_in(node.find(key)); !name.empty())
          add(name, relation(node, key, method));
    for (const YamlNode& value : node.values) walk(value, method);
  }
  std::vector<Claim> claims() { return std::move(claims_); }

 private:
  /// "org/name", or of a mapping {path: org/name, lora: ...} its path.
  static std::string name_in(const YamlNode* node) {
    if (node == nullptr || node->kind == YamlNode::Kind::scalar) return short_text(node);
    if (const YamlNode* inner = node->find("model")) return name_in(inner);
    return short_text(node->find("path"));
  }

  static std::string relation(const YamlNode& node, std::string_view key, const std::string& method) {
    std::vector<std::string> details;
    if (!method.empty()) details.push_back(method);
    if (key == "model") {
      const YamlNode* layers = node.find("layer_range");
      if (layers != nullptr && layers->values.size() == 2)
        details.push_back(fmt::format("layers {} to {}", short_text(layers->values.data()),
                                      short_text(layers->values.data() + 1)));
      if (const YamlNode* parameters = node.find("parameters"))
        if (const std::string weight = short_text(parameters->find("weight")); !weight.empty())
          details.push_back("weight " + weight);
    }
    return details.empty() ? "merge" : fmt::format("merge ({})", fmt::join(details, "; "));
  }

  void add(const std::string& name, std::string relation) {
    const bool known = std::ranges::any_of(claims_, [&](const Claim& claim) { return claim.base == name; });
    if (!known) claims_.push_back({name, std::move(relation), file_name_});
  }

  const std::string& file_name_;
  std::vector<Claim> claims_;
};

}  // namespace

std::vector<Claim> mergekit_claims(std::string_view text, const std::string& file_name) {
  Complaints complaints(file_name);
  const auto root = parse_yaml(text, complaints);
  if (!root || !complaints.problems().empty())
    throw InvalidInput(
        {.severity = Severity::warning,
         .rule = "mergekit.ignored",
         .file = file_name,
         .found = complaints.problems().empty() ? "" : printable(complaints.problems()[0].message),
         .hint = "the recipe is not plain YAML, so the models that it names are not shown"});
  Recipe recipe(file_name);
  recipe.walk(*root, "");
  return recipe.claims();
}

}  // namespace stemma
