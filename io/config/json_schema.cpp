// How is the table of keys said in JSON Schema, draft 07?
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "io/config/key_advice.hpp"
#include "io/config/key_table.hpp"
#include "io/config/model_entries.hpp"
#include "io/config/moment.hpp"
#include "io/config/schema.hpp"
#include "io/config/sheet.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view draft = "http://json-schema.org/draft-07/schema#";
constexpr std::string_view size_pattern = R"(^(0|[1-9][0-9]*)(\.[0-9]{1,6})?([KMGT]i?B|B)$)";
constexpr std::string_view size_or_auto_pattern = R"(^(auto|(0|[1-9][0-9]*)(\.[0-9]{1,6})?([KMGT]i?B|B))$)";
constexpr std::string_view duration_pattern = R"(^(0|[1-9][0-9]*)(\.[0-9]{1,6})?(s|min|h|d)$)";

Json text(std::string_view description) { return {{"type", "string"}, {"description", description}}; }
Json path(std::string_view description) {
  return {{"type", "string"}, {"minLength", 1}, {"description", description}};
}

Json bounded_integer(const Key& key) {
  return {{"type", "integer"}, {"minimum", key.lowest}, {"maximum", key.highest}};
}

Json model_schema() {
  Json id = text("Name of the model in every result; made from the path when left out.");
  id["pattern"] = model_id_pattern;
  const Json bare_id = {{"type", "string"}, {"pattern", model_id_pattern}};
  Json base = {{"description", "Declared parents, as ids."},
               {"anyOf", Json::array({bare_id, Json{{"type", "array"}, {"items", bare_id}}})}};
  Json use = {
      {"enum", use_names()},
      {"default", "subject"},
      {"description", "A subject is judged, a reference is not, a background model only feeds the null."}};
  Json properties = {
      {"path", path("Directory, file or index of one model.")},
      {"glob", path("Models by * ? and [..], sorted bytewise.")},
      {"sheet", path("TSV with one model per row.")},
      {"hf", text("org/name or org/name@revision in the local Hugging Face cache; never the network.")},
      {"adapter", path("Directory of a LoRA adapter, read merged into the model that `on` names.")},
      {"on", text("Id of the base of an adapter.")},
      {"id", std::move(id)},
      {"label", text("Free text, shown instead of the id.")},
      {"base", std::move(base)},
      {"relation", text("Declared relation: finetune, adapter, merge, quantized, or other words.")},
      {"family", text("Free text.")},
      {"use", std::move(use)},
      {"revision", text("Free text, kept with the results.")},
      {"variant", text("Variant of the file names: model.VARIANT.safetensors.")},
      {"architecture", text("Forces an architecture table.")}};
  Json one_of = Json::array();
  for (const std::string& kind : model_kinds()) one_of.push_back({{"required", {kind}}});
  one_of.push_back({{"required", {"hf"}}});
  const Json mapping = {{"type", "object"},
                        {"properties", std::move(properties)},
                        {"additionalProperties", false},
                        {"oneOf", std::move(one_of)}};
  return {{"anyOf", Json::array({path("Directory, file or index of one model."), mapping})}};
}

Json section_schema(std::string_view section);
Json axes_schema();

Json value_schema(const Key& key) {
  switch (key.type) {
    case KeyType::section:
    case KeyType::question: {
      Json schema = section_schema(key.path);
      schema["type"] = {"object", "null"};
      return schema;
    }
    case KeyType::questions: {
      Json schema = section_schema(key.path);
      schema["minProperties"] = 1;
      return schema;
    }
    case KeyType::text:
      return {{"type", "string"}};
    case KeyType::identifier:
      return {{"type", "string"}, {"pattern", identifier_pattern}};
    case KeyType::integer:
      return bounded_integer(key);
    case KeyType::real:
      return {{"type", "number"}, {"minimum", key.lowest_real}, {"maximum", key.highest_real}};
    case KeyType::boolean:
      return {{"type", "boolean"}};
    case KeyType::choice:
      return {{"enum", key.choices}};
    case KeyType::size:
    case KeyType::size_or_auto: {
      const auto pattern = key.type == KeyType::size ? size_pattern : size_or_auto_pattern;
      return {{"anyOf", Json::array({Json{{"type", "string"}, {"pattern", pattern}}, bounded_integer(key)})}};
    }
    case KeyType::duration:
      return {{"type", "string"}, {"pattern", duration_pattern}};
    case KeyType::moment:
      return {{"type", "string"}, {"pattern", moment_pattern}};
    case KeyType::output_path:
    case KeyType::input_path:
      return {{"type", "string"}, {"minLength", 1}};
    case KeyType::word_or_path:
      return {
          {"anyOf", Json::array({Json{{"enum", key.choices}}, Json{{"type", "string"}, {"minLength", 1}}})}};
    case KeyType::texts:
    case KeyType::input_paths: {
      const Json one = {{"type", "string"}, {"minLength", 1}};
      return {{"anyOf", Json::array({one, Json{{"type", "array"}, {"items", one}}})}};
    }
    case KeyType::models:
      return {{"type", "array"}, {"minItems", 1}, {"items", model_schema()}};
    case KeyType::axes:
      return axes_schema();
  }
  return Json::object();
}

Json axes_schema() {
  Json properties = Json::object();
  for (const Key& key : key_table())
    if (may_vary(key))
      properties[key.path] = {{"type", "array"}, {"minItems", 1}, {"items", value_schema(key)}};
  return {{"type", "object"},
          {"minProperties", 1},
          {"properties", std::move(properties)},
          {"additionalProperties", false}};
}

Json default_of(const Key& key) {
  const KeyValue value = key.value(RunConfig{});
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* words = std::get_if<std::string>(&value)) return *words;
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) return *texts;
  if (key.type == KeyType::integer) return std::get<std::int64_t>(value);
  if (key.type == KeyType::real) return std::get<double>(value);
  return printed(key, value);
}

Json section_schema(std::string_view section) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Key* key : keys_below(section)) {
    Json schema = value_schema(*key);
    schema["description"] = key->meaning;
    if (!printed_default(*key).empty()) schema["default"] = default_of(*key);
    const std::string name(last_step(key->path));
    if (key->required) required.push_back(name);
    properties[name] = std::move(schema);
  }
  Json schema = {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

}  // namespace

std::string json_schema() {
  Json schema = {
      {"$schema", draft},
      {"title", "Stemma run configuration"},
      {"description", "Which models are read, what is measured, and how the results are compared."}};
  schema.update(section_schema(""));
  return schema.dump(2) + "\n";
}

std::string sheet_json_schema() {
  Json properties = Json::object();
  for (const SheetColumn& column : sheet_columns())
    properties[std::string(column.name)] = text(column.meaning);
  properties["id"]["pattern"] = model_id_pattern;
  properties["path"]["minLength"] = 1;
  properties["use"]["enum"] = use_names();
  const Json schema = {{"$schema", draft},
                       {"title", "Stemma sheet: one row"},
                       {"description",
                        "Cells of a TSV with a header line; absent where empty. Other columns are kept "
                        "as text."},
                       {"type", "object"},
                       {"properties", std::move(properties)},
                       {"required", {"path"}}};
  return schema.dump(2) + "\n";
}

}  // namespace stemma
