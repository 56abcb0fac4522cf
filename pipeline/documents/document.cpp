// Few words, so that a table of keys reads like a table.
#include "pipeline/documents/document.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace stemma::documents {
namespace {

Shape of_kind(Shape::Kind kind) {
  Shape shape;
  shape.kind = kind;
  return shape;
}

Shape with_unit(Shape::Kind kind, std::string_view unit) {
  Shape shape = of_kind(kind);
  shape.unit = unit;
  return shape;
}

Shape with_pattern(std::string_view pattern) {
  Shape shape = text();
  shape.pattern = pattern;
  return shape;
}

Shape made_of(Shape::Kind kind, std::vector<Shape> of) {
  Shape shape = of_kind(kind);
  shape.of = std::move(of);
  return shape;
}

}  // namespace

Shape Shape::or_null() const {
  Shape shape = *this;
  shape.nullable = true;
  return shape;
}

Shape Shape::if_any() const {
  Shape shape = *this;
  shape.optional = true;
  return shape;
}

Shape text() { return of_kind(Shape::Kind::text); }
Shape flag() { return of_kind(Shape::Kind::flag); }
Shape integer() { return of_kind(Shape::Kind::integer); }
Shape count() { return of_kind(Shape::Kind::count); }
Shape bytes() { return with_unit(Shape::Kind::count, "bytes"); }
Shape number(std::string_view unit) { return with_unit(Shape::Kind::number, unit); }
Shape seconds() { return number("seconds"); }
Shape moment() { return with_pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"); }
Shape hash() { return with_pattern("^([0-9a-f]{8,})?$"); }
Shape list(Shape element) { return made_of(Shape::Kind::list, {std::move(element)}); }
Shape map(Shape value) { return made_of(Shape::Kind::map, {std::move(value)}); }
Shape either(std::vector<Shape> of) { return made_of(Shape::Kind::either, std::move(of)); }
Shape anything() { return of_kind(Shape::Kind::anything); }

Shape text_of(std::vector<std::string> words) {
  Shape shape = text();
  shape.words = std::move(words);
  return shape;
}

Shape object(std::vector<Key> keys) {
  Shape shape = of_kind(Shape::Kind::object);
  shape.keys = std::move(keys);
  return shape;
}

Key version() { return {"stemma", text(), "version of the program that wrote this"}; }

std::span<const Document> all_documents() {
  static const std::vector<Document> all = [] {
    std::vector<Document> documents;
    for (const auto& family : {run_documents, plan_documents, pair_documents, target_documents,
                               machine_documents, architecture_table})
      std::ranges::move(family(), std::back_inserter(documents));
    return documents;
  }();
  return all;
}

const Document* document_named(std::string_view name) {
  const auto found = std::ranges::find(all_documents(), name, &Document::name);
  return found == all_documents().end() ? nullptr : &*found;
}

}  // namespace stemma::documents
