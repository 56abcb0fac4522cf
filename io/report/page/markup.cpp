// How is every piece of text escaped for the place where it stands?
#include "io/report/page/markup.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "io/model/finding.hpp"
#include "io/model/utf8.hpp"

namespace stemma {
namespace {

constexpr std::size_t longest_text = std::size_t{64} << 10;  // a sheet's cell

/// For text between tags and for values in double quotes alike.
std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  return out;
}

/// Where characters of UTF-8 begin, and the end.
std::vector<std::size_t> starts_of(std::string_view text) {
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at < text.size();
       at += std::max<std::size_t>(first_character(text.substr(at)).length, 1))
    starts.push_back(at);
  starts.push_back(text.size());
  return starts;
}

}  // namespace

std::string shortened(std::string_view stranger, std::size_t most) {
  std::string text = printable(stranger, longest_text);
  const std::vector<std::size_t> starts = starts_of(text);
  const std::size_t characters = starts.size() - 1;
  if (characters <= most) return text;
  const std::size_t head = most / 2, tail = most - head - 1;
  return text.substr(0, starts[head]) + "\u2026" + text.substr(starts[characters - tail]);
}

std::string coordinate(double value) {
  if (!std::isfinite(value)) return "0";
  const double rounded = std::round(value * 100) / 100;
  return fmt::format("{}", rounded == 0 ? 0.0 : rounded);
}

std::string json_for_script(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view rest = json.substr(i);
    if (json[i] == '<' || json[i] == '>' || json[i] == '&') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(json[i]));
    } else if (rest.starts_with("\u2028") || rest.starts_with("\u2029")) {
      out += rest.starts_with("\u2028") ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += json[i];
    }
  }
  return out;
}

void Markup::tag(std::string_view element, Attributes attributes) {
  out_ += '<';
  out_ += element;
  for (const Attribute& a : attributes)
    fmt::format_to(std::back_inserter(out_), " {}=\"{}\"", a.name, escaped(a.value));
}

Markup& Markup::open(std::string_view element, Attributes attributes) {
  tag(element, attributes);
  out_ += '>';
  open_.emplace_back(element);
  return *this;
}

Markup& Markup::close(std::string_view element) {
  if (open_.empty() || open_.back() != element)
    throw std::logic_error(
        fmt::format("{} is closed, {} is open", element, open_.empty() ? "nothing" : open_.back()));
  open_.pop_back();
  fmt::format_to(std::back_inserter(out_), "</{}>", element);
  return *this;
}

Markup& Markup::leaf(std::string_view element, Attributes attributes) {
  tag(element, attributes);
  out_ += "/>";
  return *this;
}

Markup& Markup::text(std::string_view words) {
  out_ += escaped(words);
  return *this;
}

Markup& Markup::element(std::string_view element, Attributes attributes, std::string_view words) {
  return open(element, attributes).text(words).close(element);
}

Markup& Markup::name(std::string_view stranger, std::size_t most) {
  const std::string whole = printable(stranger, longest_text), seen = shortened(stranger, most);
  if (seen == whole) return element("bdi", whole);
  return element("bdi", {{"title", whole}}, seen);
}

Markup& Markup::named(std::string_view element, Attributes attributes, std::string_view stranger,
                      std::size_t most) {
  const std::string whole = printable(stranger, longest_text), seen = shortened(stranger, most);
  tag(element, attributes);
  out_ += " dir=\"auto\"";
  if (seen != whole) fmt::format_to(std::back_inserter(out_), " title=\"{}\"", escaped(whole));
  fmt::format_to(std::back_inserter(out_), ">{}</{}>", escaped(seen), element);
  return *this;
}

Markup& Markup::add(const Markup& other) {
  out_ += other.str();
  return *this;
}

Markup& Markup::raw(std::string_view content) {
  if (content.find("</") != std::string_view::npos || content.find("<!--") != std::string_view::npos)
    throw std::logic_error("a script or style element would end in the middle");
  out_ += content;
  return *this;
}

const std::string& Markup::str() const {
  if (!open_.empty()) throw std::logic_error(fmt::format("{} is still open", open_.back()));
  return out_;
}

}  // namespace stemma
