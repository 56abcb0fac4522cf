// One opcode after the other, over a stack of references; every operand and every target is checked.
#include "io/formats/pickle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "io/formats/limits.hpp"
#include "io/formats/pickle_calls.hpp"
#include "io/formats/pickle_memo.hpp"
#include "io/formats/pickle_report.hpp"
#include "io/model/utf8.hpp"

namespace stemma {
namespace {

enum class Opcode : std::uint8_t {
  mark = '(',
  empty_tuple = ')',
  stop = '.',
  pop = '0',
  pop_mark = '1',
  binbytes = 'B',
  short_binbytes = 'C',
  binfloat = 'G',
  binint = 'J',
  binint1 = 'K',
  binint2 = 'M',
  none = 'N',
  binpersid = 'Q',
  reduce = 'R',
  short_binstring = 'U',
  binunicode = 'X',
  empty_list = ']',
  append = 'a',
  build = 'b',
  global = 'c',
  appends = 'e',
  binget = 'h',
  long_binget = 'j',
  binput = 'q',
  long_binput = 'r',
  setitem = 's',
  tuple = 't',
  setitems = 'u',
  empty_dict = '}',
  proto = 0x80,
  newobj = 0x81,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  newtrue = 0x88,
  newfalse = 0x89,
  long1 = 0x8A,
  short_binunicode = 0x8C,
  binunicode8 = 0x8D,
  empty_set = 0x8F,
  additems = 0x90,
  stack_global = 0x93,
  memoize = 0x94,
  frame = 0x95,
};

class Machine {
 public:
  Machine(std::vector<char> stream, std::uint64_t begin, const std::string& file_name)
      : pickle_{.graph = PickleGraph(std::move(stream)), .findings = {}},
        rest_(pickle_.graph.stream()),
        report_(begin, file_name) {}

  Pickle run() {
    for (std::uint64_t opcodes = 1;; ++opcodes) {
      if (opcodes > limits::pickle_opcodes) refuse("limit", "too many opcodes");
      at_ = pickle_.graph.stream().size() - rest_.size();
      const auto opcode = static_cast<Opcode>(number<std::uint8_t>());
      if (opcode == Opcode::stop) break;
      step(opcode);
      if (pickle_.graph.node_count() > limits::pickle_nodes || pickle_.graph.work() > limits::pickle_items)
        refuse("limit", "too many values");
    }
    if (stack_.size() != 1 || !marks_.empty())
      refuse("result", fmt::format("{} values", stack_.size()), "one");
    pickle_.root = stack_.front();
    if (!rest_.empty())
      report_.add(Severity::warning, "pickle.trailing_bytes", at_ + 1, fmt::format("{} bytes", rest_.size()),
                  "they stand behind the end of the pickle; not used");
    pickle_.findings = report_.finish();
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void refuse(std::string_view rule, std::string found, std::string expected = "",
                           std::string hint = "") {
    report_.refuse(rule, at_, std::move(found), std::move(expected), std::move(hint));
  }

  // The stream.
  std::string_view take(std::uint64_t bytes) {
    if (bytes > rest_.size()) refuse("truncated", "the end of the stream inside a value");
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }
  template <class Number>
  Number number() {
    Number value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view line() {
    const std::size_t end = rest_.substr(0, limits::pickle_line_bytes + 1).find('\n');
    if (end == std::string_view::npos) refuse("global_line", "a name without an end", "at most 512 bytes");
    const std::string_view text = take(end);
    take(1);
    return text;
  }

  // The stack. Nothing below the last mark may be taken.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  void push(PickleRef ref) {
    if (stack_.size() + marks_.size() >= limits::pickle_stack) refuse("limit", "too deep a stack");
    stack_.push_back(ref);
  }
  PickleRef top() {
    if (stack_.size() <= floor()) refuse("stack_underflow", "fewer values than the opcode needs");
    return stack_.back();
  }
  PickleRef pop() {
    const PickleRef ref = top();
    stack_.pop_back();
    return ref;
  }
  /// The values above the last mark, which goes away; they stay where they are until drop().
  std::span<const PickleRef> above_mark() {
    if (marks_.empty()) refuse("mark_missing", "no mark below");
    kept_ = marks_.back();
    marks_.pop_back();
    return std::span(stack_).subspan(kept_);
  }
  void drop() { stack_.resize(kept_); }

  void push_tuple(std::size_t count) {
    if (stack_.size() < floor() + count) refuse("stack_underflow", "fewer values than the tuple needs");
    const PickleRef made = pickle_.graph.add_tuple(std::span(stack_).last(count));
    stack_.resize(stack_.size() - count);
    push(made);
  }
  void push_tuple_above_mark() {
    const PickleRef made = pickle_.graph.add_tuple(above_mark());
    drop();
    push(made);
  }

  void push_text(PickleKind kind, std::uint64_t bytes) {
    if (bytes > limits::pickle_string_bytes) refuse("limit", fmt::format("a text of {} bytes", bytes));
    const std::string_view text = take(bytes);
    if (kind == PickleKind::string) require_utf8(text);
    push(pickle_.graph.add_text(kind, text));
  }
  /// Lone surrogates are what Python writes for names that are no Unicode.
  void require_utf8(std::string_view text) {
    while (!text.empty()) {
      text.remove_prefix(first_invalid_utf8(text));
      if (text.empty()) return;
      if (!is_surrogate(text)) refuse("string_utf8", "a text that is no UTF-8");
      text.remove_prefix(3);
    }
  }
  static bool is_surrogate(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    return text.size() >= 3 && byte(0) == 0xED && byte(1) >= 0xA0 && byte(1) <= 0xBF &&
           (byte(2) & 0xC0U) == 0x80;
  }
  /// Of Python 2: text where it is UTF-8, bytes otherwise.
  void push_old_text(std::uint64_t bytes) {
    const bool is_text = bytes <= rest_.size() && first_invalid_utf8(rest_.substr(0, bytes)) == bytes;
    push_text(is_text ? PickleKind::string : PickleKind::bytes, bytes);
  }

  void push_long() {
    const std::string_view digits = take(number<std::uint8_t>());
    if (digits.size() > sizeof(std::int64_t)) return push(pickle_.graph.add_opaque("int"));
    std::uint64_t value = 0;
    std::memcpy(&value, digits.data(), digits.size());
    const std::size_t bits = 8 * digits.size();
    if (bits > 0 && bits < 64 && (value >> (bits - 1) & 1U) != 0) value |= ~std::uint64_t{0} << bits;
    push(pickle_.graph.add_integer(static_cast<std::int64_t>(value)));
  }

  void push_global(std::string_view module, std::string_view name) {
    for (const std::string_view part : {module, name})
      if (part.size() > limits::pickle_line_bytes || part.find('\r') != std::string_view::npos)
        refuse("global_line", printable(part, 80), "a name without carriage return, of at most 512 bytes",
               "line ends were converted: fetch the file again, in binary mode");
    const std::string whole = fmt::format("{}.{}", module, name);
    report_.met(whole, at_);
    push(pickle_.graph.add_global(whole));
  }
  void push_stack_global() {
    const auto name = pickle_.graph.text(pop()), module = pickle_.graph.text(pop());
    if (!name || !module) refuse("stack_global", "values that are no names", "two texts");
    push_global(*module, *name);
  }
  void push_line_global() {
    const std::string_view module = line(), name = line();
    push_global(module, name);
  }

  void push_storage() {
    const PickleRef id = pop();
    if (!is_storage_id(pickle_.graph, id))
      refuse("persistent_id", "a reference to something else than a storage",
             R"(("storage", type, key, location, number of elements))");
    push(pickle_.graph.add_storage(id));
  }

  // Containers.
  bool is(PickleRef ref, PickleKind kind) const { return pickle_.graph.kind(ref) == kind; }
  void put(PickleRef target, PickleKind kind, std::span<const PickleRef> items, std::string_view rule) {
    if (is(target, kind))
      pickle_.graph.append(target, items);
    else if (!is(target, PickleKind::opaque))
      refuse(rule, "a target of another kind");
  }
  void append() {
    const PickleRef item = pop();
    put(top(), PickleKind::list, std::span(&item, 1), "append_target");
  }
  void set_item() {
    const PickleRef value = pop(), key = pop();
    const std::array<PickleRef, 2> pair{key, value};
    put(top(), PickleKind::dict, pair, "setitem_target");
  }
  void put_above_mark(PickleKind kind, std::string_view rule) {
    const std::span<const PickleRef> items = above_mark();
    if (kind == PickleKind::dict && items.size() % 2 != 0)
      refuse("setitems_odd", fmt::format("{} values", items.size()), "keys and values by turns");
    if (kept_ <= floor()) refuse("stack_underflow", "no target below the mark");
    put(stack_[kept_ - 1], kind, items, rule);
    drop();
  }

  void call() {
    const PickleRef arguments = pop(), callable = pop();
    push(pickle_call(pickle_.graph, callable, arguments));
  }
  void make_object() {
    pop();
    push(pickle_object(pickle_.graph, pop()));
  }
  /// The state is not looked at: that of dicts is metadata, that of tensors hooks.
  void build() {
    pop();
    top();
  }

  void get(std::uint64_t slot) {
    const std::optional<PickleRef> ref = memo_.get(slot);
    if (!ref) refuse("memo_missing", fmt::format("slot {}", slot));
    push(*ref);
  }
  void remember(std::uint64_t slot) {
    memo_.put(slot, top());
    if (memo_.size() > limits::pickle_memo) refuse("limit", "too many remembered values");
  }

  void protocol() {
    const auto version = number<std::uint8_t>();
    if (version < 2 || version > 5) refuse("protocol", fmt::format("{}", version), "2 to 5");
    if (version != 2)
      report_.add(Severity::note, "pickle.protocol", at_, fmt::format("{}", version),
                  "files of torch.save have 2");
  }
  void pop_or_mark() {
    if (!marks_.empty() && stack_.size() == marks_.back())
      marks_.pop_back();
    else
      pop();
  }
  void skip_mark() {
    above_mark();
    drop();
  }
  void frame() {
    if (number<std::uint64_t>() > rest_.size()) refuse("truncated", "a frame that leaves the stream");
  }
  void set_mark() {
    if (stack_.size() + marks_.size() >= limits::pickle_stack) refuse("limit", "too deep a stack");
    marks_.push_back(stack_.size());
  }

  void step(Opcode opcode) {
    PickleGraph& graph = pickle_.graph;
    switch (opcode) {
      case Opcode::proto:
        return protocol();
      case Opcode::frame:
        return frame();
      case Opcode::mark:
        return set_mark();
      case Opcode::pop:
        return pop_or_mark();
      case Opcode::pop_mark:
        return skip_mark();
      case Opcode::none:
        return push(PickleGraph::none);
      case Opcode::newtrue:
        return push(PickleGraph::yes);
      case Opcode::newfalse:
        return push(PickleGraph::no);
      case Opcode::binint:
        return push(graph.add_integer(number<std::int32_t>()));
      case Opcode::binint1:
        return push(graph.add_integer(number<std::uint8_t>()));
      case Opcode::binint2:
        return push(graph.add_integer(number<std::uint16_t>()));
      case Opcode::long1:
        return push_long();
      case Opcode::binfloat:
        take(sizeof(double));
        return push(graph.add_real());
      case Opcode::binunicode:
        return push_text(PickleKind::string, number<std::uint32_t>());
      case Opcode::short_binunicode:
        return push_text(PickleKind::string, number<std::uint8_t>());
      case Opcode::binunicode8:
        return push_text(PickleKind::string, number<std::uint64_t>());
      case Opcode::short_binstring:
        return push_old_text(number<std::uint8_t>());
      case Opcode::binbytes:
        return push_text(PickleKind::bytes, number<std::uint32_t>());
      case Opcode::short_binbytes:
        return push_text(PickleKind::bytes, number<std::uint8_t>());
      case Opcode::empty_tuple:
        return push(PickleGraph::empty_tuple);
      case Opcode::tuple1:
        return push_tuple(1);
      case Opcode::tuple2:
        return push_tuple(2);
      case Opcode::tuple3:
        return push_tuple(3);
      case Opcode::tuple:
        return push_tuple_above_mark();
      case Opcode::empty_list:
        return push(graph.add_container(PickleKind::list));
      case Opcode::empty_dict:
        return push(graph.add_container(PickleKind::dict));
      case Opcode::empty_set:
        return push(graph.add_container(PickleKind::set));
      case Opcode::append:
        return append();
      case Opcode::appends:
        return put_above_mark(PickleKind::list, "append_target");
      case Opcode::additems:
        return put_above_mark(PickleKind::set, "append_target");
      case Opcode::setitem:
        return set_item();
      case Opcode::setitems:
        return put_above_mark(PickleKind::dict, "setitem_target");
      case Opcode::binget:
        return get(number<std::uint8_t>());
      case Opcode::long_binget:
        return get(number<std::uint32_t>());
      case Opcode::binput:
        return remember(number<std::uint8_t>());
      case Opcode::long_binput:
        return remember(number<std::uint32_t>());
      case Opcode::memoize:
        return remember(memo_.size());
      case Opcode::global:
        return push_line_global();
      case Opcode::stack_global:
        return push_stack_global();
      case Opcode::reduce:
        return call();
      case Opcode::newobj:
        return make_object();
      case Opcode::build:
        return build();
      case Opcode::binpersid:
        return push_storage();
      case Opcode::stop:
        break;
    }
    refuse("opcode", fmt::format("0x{:02X}", static_cast<unsigned>(opcode)),
           "an opcode that torch.save writes", "no file of torch.save, or a damaged one");
  }

  Pickle pickle_;
  std::string_view rest_;  ///< of the stream
  std::uint64_t at_ = 0;   ///< of the opcode
  std::size_t kept_ = 0;   ///< height of the stack below the mark that was taken last
  std::vector<PickleRef> stack_;
  std::vector<std::size_t> marks_;  ///< heights of the stack
  PickleMemo memo_;
  PickleReport report_;
};

}  // namespace

Pickle read_pickle(std::vector<char> stream, std::uint64_t begin, const std::string& file_name) {
  if (stream.size() > limits::pickle_bytes)
    throw InvalidInput({.rule = "pickle.limit",
                        .file = file_name,
                        .byte_offset = begin,
                        .expected = fmt::format("at most {} bytes", limits::pickle_bytes),
                        .found = fmt::format("{} bytes", stream.size())});
  return Machine(std::move(stream), begin, file_name).run();
}

}  // namespace stemma
