// What does a JSON document of this program hold, key by key?
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stemma::documents {

struct Key;

/// What a value may be.
struct Shape {
  enum class Kind : std::uint8_t { text, flag, integer, count, number, list, map, object, either, anything };

  Kind kind = Kind::anything;
  std::string unit;                ///< of a number: "bytes", "seconds"
  std::string pattern;             ///< of a text
  std::vector<std::string> words;  ///< the only ones that a text may be; any, where there are none
  std::vector<Shape> of;           ///< what a list or a map holds; of these an either is one
  std::vector<Key> keys;           ///< of an object
  bool nullable = false, optional = false;

  /// Null where nothing is known.
  Shape or_null() const;
  /// The key may be absent.
  Shape if_any() const;
};

struct Key {
  std::string_view name;
  Shape value;
  std::string_view meaning;
};

struct Document {
  std::string_view name;     ///< as asked for: "verdicts"
  std::string_view place;    ///< what writes it, or where it lies
  std::string_view meaning;  ///< one sentence
  std::vector<Key> keys;
  /// Begins with "schema": "stemma.NAME/1", by which readers know it.
  bool says_what_it_is = true;
  /// Readers take keys that they do not know. Not so in what people write: there a stranger is a mistake.
  bool open = true;
};

/// All of them, by family.
std::span<const Document> all_documents();
/// nullptr where none is called so.
const Document* document_named(std::string_view name);
/// JSON Schema, draft 07. Units stand beside the type as "unit".
std::string json_schema_of(const Document& document);

// The words in which documents are described.

Shape text();
Shape text_of(std::vector<std::string> words);
Shape flag();
Shape integer();
Shape count();  ///< an integer, at least 0
Shape bytes();
Shape number(std::string_view unit = "");
Shape seconds();
Shape moment();  ///< "2026-11-21T10:02:11Z"
Shape hash();    ///< in hexadecimal digits, "" where there is none
Shape list(Shape element);
Shape map(Shape value);  ///< an object whose keys are names of things
Shape object(std::vector<Key> keys);
Shape either(std::vector<Shape> of);
Shape anything();
/// "stemma": the version that wrote the document.
Key version();

/// The names of an enumeration whose last value is this one; "" is left out.
template <class Enum>
std::vector<std::string> names_up_to(Enum last) {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(last); ++i)
    if (const std::string_view name = name_of(static_cast<Enum>(i)); !name.empty()) names.emplace_back(name);
  return names;
}

// The families, one file each.

std::vector<Document> run_documents();       ///< what a run leaves behind
std::vector<Document> plan_documents();      ///< what is known before a run, and what it measured
std::vector<Document> pair_documents();      ///< what two models have to do with each other
std::vector<Document> target_documents();    ///< what models, archives and pages are
std::vector<Document> machine_documents();   ///< where the program is, and what went wrong
std::vector<Document> architecture_table();  ///< how families of models are described to it

}  // namespace stemma::documents
