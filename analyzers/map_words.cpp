// Layers are told by number, experts by how many: a reader wants no list of thousands.
#include "analyzers/map_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace stemma {
namespace {

constexpr std::size_t most_groups = 4;  ///< of doubled layers that a sentence names

bool follows(const BlockPlace& x, const BlockPlace& y) {
  if (x.expert < 0 || y.expert < 0) return x.expert == y.expert && y.layer == x.layer + 1;
  return x.layer == y.layer && y.expert == x.expert + 1;
}

/// "3", "3-5", "3.0" or "3.0-7".
std::string run_words(const BlockPlace& first, const BlockPlace& last) {
  if (first.expert < 0)
    return first.layer == last.layer ? std::to_string(first.layer)
                                     : fmt::format("{}-{}", first.layer, last.layer);
  const std::string one = fmt::format("{}.{}", first.layer, first.expert);
  return first.expert == last.expert ? one : fmt::format("{}-{}", one, last.expert);
}

bool same_block(const BlockPlace& x, const BlockPlace& y) {
  return x.layer == y.layer && x.expert == y.expert;
}

/// "0-2, 4 and 6": runs of three and more are put together.
std::string list_words(const std::vector<int>& numbers) {
  std::vector<std::string> parts;
  for (std::size_t i = 0, end = 0; i < numbers.size(); i = end) {
    end = i + 1;
    while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
    if (end - i < 3) end = i + 1;
    parts.push_back(end - i == 1 ? std::to_string(numbers[i])
                                 : fmt::format("{}-{}", numbers[i], numbers[end - 1]));
  }
  if (parts.size() < 2) return parts.empty() ? "" : parts.front();
  const std::string last = std::move(parts.back());
  parts.pop_back();
  return fmt::format("{} and {}", fmt::join(parts, ", "), last);
}

std::string layers_word(const std::vector<int>& numbers) { return numbers.size() == 1 ? "layer" : "layers"; }

using LayerPairs = std::map<int, std::set<int>>;

/// The map layer by layer, between x and y.
struct LayerWords {
  LayerPairs of_x, of_y;  ///< those that each is
  std::set<int> alone_x, alone_y;

  bool one_to_one(int x) const {
    const auto& ys = of_x.at(x);
    return ys.size() == 1 && of_y.at(*ys.begin()).size() == 1;
  }
};

LayerWords layers_of(const BlockMap& map) {
  LayerWords out;
  for (const BlockMatch& match : map.matches) {
    out.of_x[match.a.layer].insert(match.b.layer);
    out.of_y[match.b.layer].insert(match.a.layer);
  }
  for (const BlockPlace& block : map.only_a)
    if (!out.of_x.contains(block.layer)) out.alone_x.insert(block.layer);
  for (const BlockPlace& block : map.only_b)
    if (!out.of_y.contains(block.layer)) out.alone_y.insert(block.layer);
  return out;
}

/// "layers 0-3 of x are 0, 1, 3 and 5 of y".
void tell_moved(const LayerWords& layers, const std::string& x, const std::string& y,
                std::vector<std::string>& out) {
  std::vector<int> from, to;
  bool moved = !layers.alone_x.empty() || !layers.alone_y.empty();
  for (const auto& [layer, others] : layers.of_x) {
    if (!layers.one_to_one(layer)) {
      moved = true;
      continue;
    }
    from.push_back(layer);
    to.push_back(*others.begin());
    moved |= from.back() != to.back();
  }
  if (moved && !from.empty())
    out.push_back(fmt::format("{} {} of {} {} {} of {}", layers_word(from), list_words(from), x,
                              from.size() == 1 ? "is" : "are", list_words(to), y));
}

/// "layers 1 and 3 of x both match 1 of y".
void tell_doubled(const LayerPairs& of_y, const std::string& x, const std::string& y,
                  std::vector<std::string>& out) {
  std::size_t groups = 0;
  for (const auto& [layer, several] : of_y) {
    if (several.size() < 2 || ++groups > most_groups) continue;
    const std::vector<int> numbers(several.begin(), several.end());
    out.push_back(fmt::format("layers {} of {} {} match {} of {}", list_words(numbers), x,
                              several.size() == 2 ? "both" : "all", layer, y));
  }
  if (groups > most_groups)
    out.push_back(fmt::format("{} more such groups of layers match one each", groups - most_groups));
}

void tell_alone(const std::set<int>& alone, const std::string& x, const std::string& y,
                std::vector<std::string>& out) {
  const std::vector<int> numbers(alone.begin(), alone.end());
  if (!numbers.empty())
    out.push_back(fmt::format("{} {} of {} {} nothing of {}", layers_word(numbers), list_words(numbers), x,
                              numbers.size() == 1 ? "matches" : "match", y));
}

/// Experts of x, within layers that match.
void tell_experts(const BlockMap& map, const LayerWords& layers, bool of_a, const std::string& x,
                  const std::string& y, std::vector<std::string>& out) {
  std::map<std::pair<int, int>, std::set<std::pair<int, int>>> xs_of_y;  // by layer and expert
  std::set<int> another_order;
  for (const BlockMatch& match : map.matches) {
    const BlockPlace &i = of_a ? match.a : match.b, &j = of_a ? match.b : match.a;
    if (i.expert < 0) continue;
    xs_of_y[{j.layer, j.expert}].insert({i.layer, i.expert});
    if (of_a && j.expert >= 0 && j.expert != i.expert) another_order.insert(i.layer);
  }
  std::set<int> shared;
  for (const auto& [block, experts] : xs_of_y)
    for (auto one = experts.begin(); one != experts.end() && std::next(one) != experts.end(); ++one)
      if (one->first == std::next(one)->first) shared.insert(one->first);
  if (!shared.empty())
    out.push_back(
        fmt::format("several experts of {} match one MLP of {} in {} of its layers", x, y, shared.size()));
  else if (!another_order.empty())
    out.push_back(fmt::format("experts stand in another order in {} {}", another_order.size(),
                              another_order.size() == 1 ? "layer" : "layers"));
  const auto alone = std::ranges::count_if(of_a ? map.only_a : map.only_b, [&](const BlockPlace& block) {
    return block.expert >= 0 && !(of_a ? layers.alone_x : layers.alone_y).contains(block.layer);
  });
  if (alone > 0)
    out.push_back(fmt::format("{} {} of {} {} nothing of {}", alone, alone == 1 ? "expert" : "experts", x,
                              alone == 1 ? "matches" : "match", y));
}

std::string sign_words(OrderSign sign, const std::string& later, const std::string& earlier) {
  switch (sign) {
    case OrderSign::lacks_layers:
      return fmt::format("{} lacks layers of {}", later, earlier);
    case OrderSign::lacks_experts:
      return fmt::format("{} lacks experts of {}", later, earlier);
    case OrderSign::lacks_neurons:
      return fmt::format("the MLPs of {} lack neurons of {}", later, earlier);
    case OrderSign::grown_layers:
      return fmt::format("several layers of {} are alike and are one of {}", later, earlier);
    case OrderSign::grown_experts:
      return fmt::format("several experts of {} are alike and are one MLP of {}", later, earlier);
  }
  return "";
}

}  // namespace

std::string exact_words(const std::vector<BlockMatch>& matches) {
  std::vector<std::string> parts;
  for (std::size_t i = 0, end = 0; i < matches.size(); i = end) {
    // Both sides go on by one, or one of them stays where it is, all through the run.
    end = i + 1;
    const bool a_stays = end < matches.size() && same_block(matches[i].a, matches[end].a),
               b_stays = end < matches.size() && same_block(matches[i].b, matches[end].b);
    const auto goes_on = [](bool stays, const BlockPlace& last, const BlockPlace& next) {
      return stays ? same_block(last, next) : follows(last, next);
    };
    while (end < matches.size() && goes_on(a_stays, matches[end - 1].a, matches[end].a) &&
           goes_on(b_stays, matches[end - 1].b, matches[end].b))
      ++end;
    parts.push_back(run_words(matches[i].a, matches[end - 1].a) + ":" +
                    run_words(matches[i].b, matches[end - 1].b));
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

std::string exact_words(const std::vector<BlockPlace>& places) {
  std::vector<std::string> parts;
  for (std::size_t i = 0, end = 0; i < places.size(); i = end) {
    end = i + 1;
    while (end < places.size() && follows(places[end - 1], places[end])) ++end;
    parts.push_back(run_words(places[i], places[end - 1]));
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

std::string map_words(const BlockMap& map, const std::string& a, const std::string& b) {
  if (map.matches.empty()) return "";
  const LayerWords layers = layers_of(map);
  std::vector<std::string> parts;
  // The smaller model's layers are named first: every one of them has a place in the larger one.
  if (layers.of_x.size() + layers.alone_x.size() > layers.of_y.size() + layers.alone_y.size())
    tell_moved({layers.of_y, layers.of_x, layers.alone_y, layers.alone_x}, b, a, parts);
  else
    tell_moved(layers, a, b, parts);
  tell_doubled(layers.of_y, a, b, parts);
  tell_doubled(layers.of_x, b, a, parts);
  tell_alone(layers.alone_x, a, b, parts);
  tell_alone(layers.alone_y, b, a, parts);
  tell_experts(map, layers, true, a, b, parts);
  tell_experts(map, layers, false, b, a, parts);
  if (parts.empty()) return "";
  std::string text = fmt::format("{}.", fmt::join(parts, "; "));
  text[0] = text[0] == 'l' ? 'L' : text[0] == 's' ? 'S' : text[0] == 'e' ? 'E' : text[0];
  return text;
}

std::string order_words(const BlockMap& map, const std::string& a, const std::string& b) {
  if (map.signs.empty())
    return "Which came first does not show: neither has lost or doubled layers, experts or neurons of the "
           "other.";
  const auto words = [&](const SignOfOrder& sign) {
    return sign.b_is_later ? sign_words(sign.sign, b, a) : sign_words(sign.sign, a, b);
  };
  std::vector<std::string> parts;
  for (const SignOfOrder& sign : map.signs) parts.push_back(words(sign));
  std::string text = fmt::format("{}", fmt::join(parts, ", and "));
  if (map.direction() == 0) return fmt::format("Which came first is open, because signs disagree: {}.", text);
  const std::string &later = map.direction() > 0 ? b : a, &earlier = map.direction() > 0 ? a : b;
  return fmt::format("As {}, {} comes from {} or from a relative that is like it in this.", text, later,
                     earlier);
}

}  // namespace stemma
