// One opcode after the other, over a stack of references; every operand and every target is checked.
#include "io/formats/pickle.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "io/formats/limits.hpp"
#include "io/formats/pickle_calls.hpp"
#include "io/formats/pickle_input.hpp"
#include "io/formats/pickle_memo.hpp"
#include "io/formats/pickle_opcode.hpp"
#include "io/formats/pickle_report.hpp"
#include "io/formats/pickle_stack.hpp"
#include "io/model/utf8.hpp"

namespace stemma {
namespace {

class Machine {
 public:
  Machine(std::vector<char> stream, std::uint64_t begin, const std::string& file_name)
      : pickle_{.graph = PickleGraph(std::move(stream)), .findings = {}},
        report_(begin, file_name),
        input_(pickle_.graph.stream(), report_),
        stack_(report_) {}

  Pickle run() {
    for (std::uint64_t opcodes = 1;; ++opcodes) {
      if (opcodes > limits::pickle_opcodes) refuse("limit", "too many opcodes");
      report_.move_to(input_.position());
      const auto opcode = static_cast<PickleOpcode>(input_.number<std::uint8_t>());
      if (opcode == PickleOpcode::stop) break;
      step(opcode);
      if (pickle_.graph.node_count() > limits::pickle_nodes || pickle_.graph.work() > limits::pickle_items)
        refuse("limit", "too many values");
    }
    pickle_.root = stack_.only();
    if (input_.left() > 0)
      report_.add(Severity::warning, "pickle.trailing_bytes", fmt::format("{} bytes", input_.left()),
                  "they stand behind the end of the pickle; not used");
    pickle_.findings = report_.finish();
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void refuse(std::string_view rule, std::string found, std::string expected = "",
                           std::string hint = "") const {
    report_.refuse(rule, std::move(found), std::move(expected), std::move(hint));
  }

  // Values. What goes onto the stack is counted there.
  void push(PickleRef ref) { stack_.push(ref); }
  void push_tuple(std::size_t count) {
    const PickleRef made = pickle_.graph.add_tuple(stack_.top(count));
    stack_.drop(count);
    push(made);
  }
  void push_tuple_above_mark() {
    const PickleRef made = pickle_.graph.add_tuple(stack_.above_mark());
    stack_.drop_above_mark();
    push(made);
  }

  void push_text(PickleKind kind, std::uint64_t bytes) {
    if (bytes > limits::pickle_string_bytes) refuse("limit", fmt::format("a text of {} bytes", bytes));
    const std::string_view text = input_.take(bytes);
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
    const bool is_text = bytes <= input_.left() && first_invalid_utf8(input_.peek(bytes)) == bytes;
    push_text(is_text ? PickleKind::string : PickleKind::bytes, bytes);
  }

  void push_long() {
    const std::string_view digits = input_.take(input_.number<std::uint8_t>());
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
    report_.met(whole);
    push(pickle_.graph.add_global(whole));
  }
  void push_stack_global() {
    const auto name = pickle_.graph.text(stack_.pop()), module = pickle_.graph.text(stack_.pop());
    if (!name || !module) refuse("stack_global", "values that are no names", "two texts");
    push_global(*module, *name);
  }
  void push_line_global() {
    const std::string_view module = input_.line(), name = input_.line();
    push_global(module, name);
  }

  void push_storage() {
    const PickleRef id = stack_.pop();
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
    const PickleRef item = stack_.pop();
    put(stack_.top(), PickleKind::list, std::span(&item, 1), "append_target");
  }
  void set_item() {
    const PickleRef value = stack_.pop(), key = stack_.pop();
    const std::array<PickleRef, 2> pair{key, value};
    put(stack_.top(), PickleKind::dict, pair, "setitem_target");
  }
  void put_above_mark(PickleKind kind, std::string_view rule) {
    const std::span<const PickleRef> items = stack_.above_mark();
    if (kind == PickleKind::dict && items.size() % 2 != 0)
      refuse("setitems_odd", fmt::format("{} values", items.size()), "keys and values by turns");
    put(stack_.below_mark(), kind, items, rule);
    stack_.drop_above_mark();
  }

  void call() {
    const PickleRef arguments = stack_.pop(), callable = stack_.pop();
    push(pickle_call(pickle_.graph, callable, arguments));
  }
  void make_object() {
    stack_.pop();
    push(pickle_object(pickle_.graph, stack_.pop()));
  }
  /// The state is not looked at: that of dicts is metadata, that of tensors hooks.
  void build() {
    stack_.pop();
    stack_.top();
  }

  void get(std::uint64_t slot) {
    const std::optional<PickleRef> ref = memo_.get(slot);
    if (!ref) refuse("memo_missing", fmt::format("slot {}", slot));
    push(*ref);
  }
  void remember(std::uint64_t slot) {
    memo_.put(slot, stack_.top());
    if (memo_.size() > limits::pickle_memo) refuse("limit", "too many remembered values");
  }

  void protocol() {
    const auto version = input_.number<std::uint8_t>();
    if (version < 2 || version > 5) refuse("protocol", fmt::format("{}", version), "2 to 5");
    if (version != 2)
      report_.add(Severity::note, "pickle.protocol", fmt::format("{}", version),
                  "files of torch.save have 2");
  }
  void frame() {
    if (input_.number<std::uint64_t>() > input_.left()) refuse("truncated", "a frame that leaves the stream");
  }

  void step(PickleOpcode opcode) {
    PickleGraph& graph = pickle_.graph;
    switch (opcode) {
      case PickleOpcode::proto:
        return protocol();
      case PickleOpcode::frame:
        return frame();
      case PickleOpcode::mark:
        return stack_.mark();
      case PickleOpcode::pop:
        return stack_.pop_or_mark();
      case PickleOpcode::pop_mark:
        stack_.above_mark();
        return stack_.drop_above_mark();
      case PickleOpcode::none:
        return push(PickleGraph::none);
      case PickleOpcode::newtrue:
        return push(PickleGraph::yes);
      case PickleOpcode::newfalse:
        return push(PickleGraph::no);
      case PickleOpcode::binint:
        return push(graph.add_integer(input_.number<std::int32_t>()));
      case PickleOpcode::binint1:
        return push(graph.add_integer(input_.number<std::uint8_t>()));
      case PickleOpcode::binint2:
        return push(graph.add_integer(input_.number<std::uint16_t>()));
      case PickleOpcode::long1:
        return push_long();
      case PickleOpcode::binfloat:
        input_.take(sizeof(double));
        return push(graph.add_real());
      case PickleOpcode::binunicode:
        return push_text(PickleKind::string, input_.number<std::uint32_t>());
      case PickleOpcode::short_binunicode:
        return push_text(PickleKind::string, input_.number<std::uint8_t>());
      case PickleOpcode::binunicode8:
        return push_text(PickleKind::string, input_.number<std::uint64_t>());
      case PickleOpcode::short_binstring:
        return push_old_text(input_.number<std::uint8_t>());
      case PickleOpcode::binbytes:
        return push_text(PickleKind::bytes, input_.number<std::uint32_t>());
      case PickleOpcode::short_binbytes:
        return push_text(PickleKind::bytes, input_.number<std::uint8_t>());
      case PickleOpcode::empty_tuple:
        return push(PickleGraph::empty_tuple);
      case PickleOpcode::tuple1:
        return push_tuple(1);
      case PickleOpcode::tuple2:
        return push_tuple(2);
      case PickleOpcode::tuple3:
        return push_tuple(3);
      case PickleOpcode::tuple:
        return push_tuple_above_mark();
      case PickleOpcode::empty_list:
        return push(graph.add_container(PickleKind::list));
      case PickleOpcode::empty_dict:
        return push(graph.add_container(PickleKind::dict));
      case PickleOpcode::empty_set:
        return push(graph.add_container(PickleKind::set));
      case PickleOpcode::append:
        return append();
      case PickleOpcode::appends:
        return put_above_mark(PickleKind::list, "append_target");
      case PickleOpcode::additems:
        return put_above_mark(PickleKind::set, "append_target");
      case PickleOpcode::setitem:
        return set_item();
      case PickleOpcode::setitems:
        return put_above_mark(PickleKind::dict, "setitem_target");
      case PickleOpcode::binget:
        return get(input_.number<std::uint8_t>());
      case PickleOpcode::long_binget:
        return get(input_.number<std::uint32_t>());
      case PickleOpcode::binput:
        return remember(input_.number<std::uint8_t>());
      case PickleOpcode::long_binput:
        return remember(input_.number<std::uint32_t>());
      case PickleOpcode::memoize:
        return remember(memo_.size());
      case PickleOpcode::global:
        return push_line_global();
      case PickleOpcode::stack_global:
        return push_stack_global();
      case PickleOpcode::reduce:
        return call();
      case PickleOpcode::newobj:
        return make_object();
      case PickleOpcode::build:
        return build();
      case PickleOpcode::binpersid:
        return push_storage();
      case PickleOpcode::stop:
        break;
    }
    refuse("opcode", fmt::format("0x{:02X}", static_cast<unsigned>(opcode)),
           "an opcode that torch.save writes", "no file of torch.save, or a damaged one");
  }

  Pickle pickle_;
  PickleReport report_;
  PickleInput input_;
  PickleStack stack_;
  PickleMemo memo_;
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
