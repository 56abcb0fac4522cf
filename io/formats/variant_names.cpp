// The variant is one word, as the libraries that write it have it.
#include "io/formats/variant_names.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace stemma {
namespace {

bool is_one_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

bool is_index_name(std::string_view name) {
  constexpr std::string_view json = ".json", index = ".index";
  if (!name.ends_with(json)) return false;
  name.remove_suffix(json.size());
  if (name.ends_with(index)) return true;
  const std::size_t dot = name.rfind('.');
  return dot != std::string_view::npos && is_one_word(name.substr(dot + 1)) &&
         name.substr(0, dot).ends_with(index);
}

bool is_model_name(std::string_view name) {
  using Names = std::pair<std::string_view, std::string_view>;
  constexpr std::array forms{Names{"model", ".safetensors"}, Names{"pytorch_model", ".bin"}};
  return std::ranges::any_of(forms, [&](const Names& form) {
    const auto& [begin, end] = form;
    if (!name.starts_with(begin) || !name.ends_with(end)) return false;
    const std::string_view variant = name.substr(begin.size(), name.size() - begin.size() - end.size());
    return variant.empty() || (variant.front() == '.' && is_one_word(variant.substr(1)));
  });
}

}  // namespace stemma
