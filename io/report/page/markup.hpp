// How does text become HTML and SVG in which no stranger's words can act?
#pragma once
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

/// Text of a stranger as a reader may see it (printable), at most `most` characters long: the middle of
/// longer text gives way to an ellipsis.
std::string shortened(std::string_view stranger, std::size_t most = 80);

/// A number in few characters, for coordinates: two decimals, no trailing zeros. "0" for what is not finite.
std::string coordinate(double value);

/// A JSON document for a script element: nothing in it ends the element or starts a comment.
std::string json_for_script(std::string_view json);

struct Attribute {
  std::string_view name;
  std::string value;

  Attribute(std::string_view attribute, std::string_view text) : name(attribute), value(text) {}
  Attribute(std::string_view attribute, const char* text) : name(attribute), value(text) {}
  template <class Number>
  requires std::integral<Number> || std::floating_point<Number> Attribute(std::string_view attribute,
                                                                          Number number)
      : name(attribute), value(coordinate(static_cast<double>(number))) {}
};

/// Markup as it is written: the only place that writes an angle bracket. Text and values of attributes are
/// escaped; names of elements and attributes are ours.
class Markup {
 public:
  using Attributes = std::initializer_list<Attribute>;

  Markup& open(std::string_view element, Attributes attributes = {});
  /// Throws std::logic_error when another element is open.
  Markup& close(std::string_view element);
  /// An element without content: void in HTML, any in SVG.
  Markup& leaf(std::string_view element, Attributes attributes = {});
  Markup& text(std::string_view words);
  /// open, text, close.
  Markup& element(std::string_view element, std::string_view words) {
    return this->element(element, {}, words);
  }
  Markup& element(std::string_view element, Attributes attributes, std::string_view words);
  /// The name of a stranger: isolated in direction, shortened, with the whole in its title.
  Markup& name(std::string_view stranger, std::size_t most = 80);
  /// An element that holds a stranger's name and nothing else, isolated as by name(): of thousands of cells a
  /// browser lays out half as many boxes.
  Markup& named(std::string_view element, Attributes attributes, std::string_view stranger,
                std::size_t most = 80);
  Markup& named(std::string_view element, std::string_view stranger, std::size_t most = 80) {
    return named(element, {}, stranger, most);
  }
  /// Finished markup.
  Markup& add(const Markup& other);
  /// Content of a script or style element, which knows no escapes. Throws std::logic_error where it would end
  /// the element.
  Markup& raw(std::string_view content);

  std::size_t size() const { return out_.size(); }
  /// Throws std::logic_error when something is still open.
  const std::string& str() const;

 private:
  void tag(std::string_view element, Attributes attributes);

  std::string out_;
  std::vector<std::string> open_;
};

}  // namespace stemma
