// Thompson's construction: one step for each sign, and sets of steps instead of going back.
#include "io/formats/module_pattern.hpp"

#include <utility>

namespace stemma {

namespace {

constexpr std::size_t longest = 512, deepest = 32;

std::bitset<256> range(unsigned char from, unsigned char to) {
  std::bitset<256> set;
  for (unsigned c = from; c <= to; ++c) set.set(c);
  return set;
}
std::bitset<256> one(char c) { return range(static_cast<unsigned char>(c), static_cast<unsigned char>(c)); }
std::bitset<256> word() { return range('a', 'z') | range('A', 'Z') | range('0', '9') | one('_'); }
bool is_alnum(char c) { return word().test(static_cast<unsigned char>(c)) && c != '_'; }

}  // namespace

/// Recursive descent; every function gives nothing where the text is no expression that is known here.
class PatternParser {
 public:
  explicit PatternParser(std::string_view text) : text_(text) {}

  std::optional<ModulePattern> parse() {
    const auto whole = alternatives(0);
    if (!whole || at_ != text_.size()) return std::nullopt;
    const auto done = add({.kind = Kind::done});
    patch(*whole, done);
    pattern_.first_ = whole->first;
    return std::move(pattern_);
  }

 private:
  using Kind = ModulePattern::Kind;
  using Step = ModulePattern::Step;
  /// A part of the net whose ways out lead nowhere yet: (step, is it `other`?).
  struct Part {
    std::uint32_t first = 0;
    std::vector<std::pair<std::uint32_t, bool>> out;
  };

  bool more() const { return at_ < text_.size(); }
  bool take(char c) {
    if (!more() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::uint32_t add(const Step& step) {
    pattern_.steps_.push_back(step);
    return static_cast<std::uint32_t>(pattern_.steps_.size() - 1);
  }
  Part single(const Step& step) {
    const std::uint32_t i = add(step);
    return {i, {{i, false}}};
  }
  void patch(const Part& part, std::uint32_t to) {
    for (const auto& [step, other] : part.out)
      (other ? pattern_.steps_[step].other : pattern_.steps_[step].next) = to;
  }

  std::optional<Part> alternatives(std::size_t depth) {
    if (depth > deepest) return std::nullopt;
    auto left = sequence(depth);
    while (left && take('|')) {
      auto right = sequence(depth);
      if (!right) return std::nullopt;
      left->first = add({.kind = Kind::fork, .next = left->first, .other = right->first});
      left->out.insert(left->out.end(), right->out.begin(), right->out.end());
    }
    return left;
  }

  std::optional<Part> sequence(std::size_t depth) {
    std::optional<Part> all;
    while (more() && text_[at_] != '|' && text_[at_] != ')') {
      auto next = repeated(depth);
      if (!next) return std::nullopt;
      if (!all) {
        all = std::move(next);
        continue;
      }
      patch(*all, next->first);
      all->out = std::move(next->out);
    }
    if (all) return all;
    const std::uint32_t empty = add({.kind = Kind::fork});  // both ways lead on
    return Part{empty, {{empty, false}, {empty, true}}};
  }

  std::optional<Part> repeated(std::size_t depth) {
    auto part = atom(depth);
    if (!part || !more()) return part;
    const char sign = text_[at_];
    if (sign != '*' && sign != '+' && sign != '?') return part;
    ++at_;
    const std::uint32_t fork = add({.kind = Kind::fork, .next = part->first});
    if (sign == '?') {
      part->out.emplace_back(fork, true);
      part->first = fork;
      return part;
    }
    patch(*part, fork);
    return Part{sign == '*' ? fork : part->first, {{fork, true}}};
  }

  std::optional<Part> atom(std::size_t depth) {
    const char c = text_[at_++];
    switch (c) {
      case '(': {
        if (take('?') && !take(':')) return std::nullopt;
        auto inner = alternatives(depth + 1);
        return take(')') ? std::move(inner) : std::nullopt;
      }
      case '[':
        return set();
      case '^':
        return single({.kind = Kind::at_begin});
      case '$':
        return single({.kind = Kind::at_end});
      case '.':
        return single({.bytes = ~one('\n')});
      case '\\': {
        const auto bytes = escaped();
        if (!bytes) return std::nullopt;
        return single({.bytes = *bytes});
      }
      case '*':
      case '+':
      case '?':
      case '{':
      case '}':
      case ']':
        return std::nullopt;
      default:
        return single({.bytes = one(c)});
    }
  }

  std::optional<std::bitset<256>> escaped() {
    if (!more()) return std::nullopt;
    const char c = text_[at_++];
    if (c == 'd') return range('0', '9');
    if (c == 'w') return word();
    if (is_alnum(c)) return std::nullopt;
    return one(c);
  }

  std::optional<Part> set() {
    std::bitset<256> bytes;
    const bool negated = take('^');
    for (bool first = true; first || !take(']'); first = false) {
      if (!more() || text_[at_] == '[') return std::nullopt;
      const char from = text_[at_++];
      if (from == '\\') {
        const auto more_bytes = escaped();
        if (!more_bytes) return std::nullopt;
        bytes |= *more_bytes;
        continue;
      }
      if (at_ + 1 < text_.size() && text_[at_] == '-' && text_[at_ + 1] != ']') {
        const char to = text_[at_ + 1];
        if (to == '\\' || static_cast<unsigned char>(to) < static_cast<unsigned char>(from))
          return std::nullopt;
        bytes |= range(static_cast<unsigned char>(from), static_cast<unsigned char>(to));
        at_ += 2;
        continue;
      }
      bytes |= one(from);
    }
    return single({.bytes = negated ? ~bytes : bytes});
  }

  std::string_view text_;
  std::size_t at_ = 0;
  ModulePattern pattern_;
};

std::optional<ModulePattern> ModulePattern::parse(std::string_view text) {
  if (text.size() > longest) return std::nullopt;
  return PatternParser(text).parse();
}

bool ModulePattern::matches(std::string_view module) const {
  std::vector<std::size_t> seen(steps_.size(), 0);  // the position, counted from 1, of the last visit
  std::vector<std::uint32_t> here, next, open;
  bool done = false;
  const auto visit = [&](std::uint32_t start, std::size_t position, std::vector<std::uint32_t>& into) {
    open.assign(1, start);
    while (!open.empty()) {
      const std::uint32_t i = open.back();
      open.pop_back();
      if (seen[i] == position + 1) continue;
      seen[i] = position + 1;
      const Step& step = steps_[i];
      if (step.kind == Kind::take) into.push_back(i);
      if (step.kind == Kind::done) done = done || position == module.size();
      if (step.kind == Kind::fork) open.insert(open.end(), {step.next, step.other});
      if ((step.kind == Kind::at_begin && position == 0) ||
          (step.kind == Kind::at_end && position == module.size()))
        open.push_back(step.next);
    }
  };
  for (std::size_t position = 0; position <= module.size(); ++position) {
    if (position == 0 || module[position - 1] == '.') visit(first_, position, here);  // (.*\.)?
    if (position == module.size()) break;
    next.clear();
    for (const std::uint32_t i : here)
      if (steps_[i].bytes.test(static_cast<unsigned char>(module[position])))
        visit(steps_[i].next, position + 1, next);
    here.swap(next);
  }
  return done;
}

}  // namespace stemma
