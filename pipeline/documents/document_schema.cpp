// How is a described document said in JSON Schema, draft 07?
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "pipeline/documents/document.hpp"

namespace stemma::documents {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view draft = "http://json-schema.org/draft-07/schema#";

Json schema_of(const Shape& shape, bool open);

/// properties, required and whether there may be more.
Json object_of(const std::vector<Key>& keys, bool open) {
  Json properties = Json::object(), required = Json::array();
  for (const Key& key : keys) {
    const std::string name(key.name);
    properties[name] = schema_of(key.value, open);
    properties[name]["description"] = key.meaning;
    if (!key.value.optional) required.push_back(name);
  }
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", open}};
}

Json text_schema(const Shape& shape) {
  Json schema{{"type", "string"}};
  if (!shape.pattern.empty()) schema["pattern"] = shape.pattern;
  if (!shape.words.empty()) schema["enum"] = shape.words;
  return schema;
}

Json plain_schema(const Shape& shape, bool open) {
  switch (shape.kind) {
    case Shape::Kind::text:
      return text_schema(shape);
    case Shape::Kind::flag:
      return {{"type", "boolean"}};
    case Shape::Kind::integer:
      return {{"type", "integer"}};
    case Shape::Kind::count:
      return {{"type", "integer"}, {"minimum", 0}};
    case Shape::Kind::number:
      return {{"type", "number"}};
    case Shape::Kind::list:
      return {{"type", "array"}, {"items", schema_of(shape.of.front(), open)}};
    case Shape::Kind::map:
      return {{"type", "object"}, {"additionalProperties", schema_of(shape.of.front(), open)}};
    case Shape::Kind::object:
      return object_of(shape.keys, open);
    case Shape::Kind::either: {
      Json choices = Json::array();
      for (const Shape& one : shape.of) choices.push_back(schema_of(one, open));
      return {{"anyOf", std::move(choices)}};
    }
    case Shape::Kind::anything:
      break;
  }
  return Json::object();
}

Json schema_of(const Shape& shape, bool open) {
  Json schema = plain_schema(shape, open);
  if (!shape.unit.empty()) schema["unit"] = shape.unit;
  if (!shape.nullable) return schema;
  if (schema.contains("enum")) schema["enum"].push_back(nullptr);
  if (schema.contains("anyOf"))
    schema["anyOf"].push_back({{"type", "null"}});
  else if (schema.contains("type"))
    schema["type"] = {schema["type"], "null"};
  return schema;
}

}  // namespace

std::string json_schema_of(const Document& document) {
  Json schema{{"$schema", draft},
              {"title", fmt::format("Stemma {}", document.name)},
              {"description", fmt::format("{} {}", document.meaning, document.place)}};
  schema.update(object_of(document.keys, document.open));
  if (document.says_what_it_is) {
    Json properties{{"schema",
                     {{"const", fmt::format("stemma.{}/1", document.name)},
                      {"description", "what this document is; within /1 keys are only added"}}}};
    properties.update(schema["properties"]);
    schema["properties"] = std::move(properties);
    schema["required"].insert(schema["required"].begin(), "schema");
  }
  return schema.dump(2) + "\n";
}

}  // namespace stemma::documents
