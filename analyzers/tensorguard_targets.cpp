// Names decide, as in the original; whatever it leaves to chance follows from the sorted names.
#include "analyzers/tensorguard_targets.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <string>

#include "analyzers/numerics/random_numbers.hpp"

namespace stemma {
namespace {

constexpr std::uint32_t choice_stream = 0x746735;
constexpr std::size_t of_each_class = 3;

bool contains(std::string_view name, std::string_view part) {
  return name.find(part) != std::string_view::npos;
}

/// Whether some "layers.N" in the name has N above the limit.
bool too_deep(std::string_view name, int max_layer) {
  constexpr std::string_view mark = "layers.";
  for (std::size_t at = name.find(mark); at != std::string_view::npos; at = name.find(mark, at + 1)) {
    const std::string_view rest = name.substr(at + mark.size());
    std::uint64_t layer = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), layer);
    if (error == std::errc::result_out_of_range) return true;
    if (error == std::errc() && layer > static_cast<std::uint64_t>(max_layer)) return true;
  }
  return false;
}

/// Usable matrices, by name.
std::vector<std::uint32_t> matrices_by_name(const Checkpoint& checkpoint, int max_layer) {
  const auto& tensors = checkpoint.tensors;
  std::vector<std::uint32_t> found;
  for (std::uint32_t t = 0; t < tensors.size(); ++t)
    if (tensors[t].shape.size() == 2 && tensors[t].elements() > 0 && bits_of(tensors[t].dtype) >= 8 &&
        !too_deep(tensors[t].name, max_layer))
      found.push_back(t);
  std::sort(found.begin(), found.end(),
            [&](std::uint32_t a, std::uint32_t b) { return tensors[a].name < tensors[b].name; });
  return found;
}

/// Up to three, the first and the last among them.
std::vector<std::uint32_t> spread(const std::vector<std::uint32_t>& from) {
  const std::size_t many = std::min(of_each_class, from.size());
  std::vector<std::uint32_t> some;
  for (std::size_t i = 0; i < many; ++i)
    some.push_back(from[many == 1 ? 0 : i * (from.size() - 1) / (many - 1)]);
  return some;
}

}  // namespace

GuardClass guard_class_of(std::string_view name) {
  if (contains(name, "embed")) return GuardClass::embedding;
  if (contains(name, "attention") || contains(name, "attn")) return GuardClass::attention;
  if (contains(name, "ffn") || contains(name, "mlp")) return GuardClass::ffn;
  return GuardClass::other;
}

std::vector<GuardTarget> guard_targets(const Checkpoint& checkpoint, std::size_t most, int max_layer,
                                       std::uint64_t seed) {
  const auto& tensors = checkpoint.tensors;
  const std::vector<std::uint32_t> all = matrices_by_name(checkpoint, max_layer);
  std::vector<std::uint32_t> chosen = all;
  if (all.size() > most) {
    std::array<std::vector<std::uint32_t>, 4> classes;
    for (const std::uint32_t t : all)
      classes[static_cast<std::size_t>(guard_class_of(tensors[t].name))].push_back(t);
    chosen.clear();
    for (const auto& members : classes) {
      const auto some = spread(members);
      chosen.insert(chosen.end(), some.begin(), some.end());
    }
    if (chosen.size() > most) chosen.resize(most);
    std::vector<std::uint32_t> rest;
    for (const std::uint32_t t : all)
      if (std::find(chosen.begin(), chosen.end(), t) == chosen.end()) rest.push_back(t);
    for (std::uint32_t draw = 0; chosen.size() < most; ++draw) {
      const auto words = random_words(seed, choice_stream, draw);
      const auto at = static_cast<std::ptrdiff_t>(std::uint64_t{words[0]} * rest.size() >> 32U);
      chosen.push_back(rest[static_cast<std::size_t>(at)]);
      rest.erase(rest.begin() + at);
    }
  }
  std::sort(chosen.begin(), chosen.end(),
            [&](std::uint32_t a, std::uint32_t b) { return tensors[a].name < tensors[b].name; });
  std::vector<GuardTarget> targets;
  for (const std::uint32_t t : chosen) targets.push_back({t, guard_class_of(tensors[t].name)});
  return targets;
}

std::uint32_t guard_probe(const Checkpoint& checkpoint, std::uint64_t n, int max_layer) {
  for (const std::uint32_t t : matrices_by_name(checkpoint, max_layer))
    if (checkpoint.tensors[t].shape[1] == n) return t;
  throw std::invalid_argument("no matrix has so many columns");
}

}  // namespace stemma
