// From JSON events to entries. Rules hold for the whole header one after the other, so the earliest rule that
// any entry violates wins, however late that entry comes.
#include "io/formats/safetensors_draft.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "io/formats/limits.hpp"
#include "io/formats/strict_json.hpp"

namespace stemma {
namespace {

/// In the order of validation.
enum class Rule : std::uint8_t { not_object, metadata, entry, dtype, numbers, name };

class HeaderHandler final : public JsonHandler {
 public:
  explicit HeaderHandler(const std::string& file_name) : file_name_(file_name) {}

  SafetensorsDraft take() {
    if (violation_) throw InvalidInput(std::move(*violation_));
    if (unknown_fields_ > 0) {
      draft_.findings.push_back(
          {.severity = Severity::warning,
           .rule = "safetensors.unknown_field",
           .file = file_name_,
           .tensor = first_unknown_tensor_,
           .found = fmt::format("\"{}\"", printable(first_unknown_field_)),
           .hint = fmt::format("{} members that the format does not know", unknown_fields_)});
    }
    return std::move(draft_);
  }

  bool root_is_no_object() const { return violation_ && violated_ == Rule::not_object; }

  void begin_object() override {
    if (scopes_.empty()) return open(Scope::root);
    if (top() == Scope::root && key_ == "__metadata__") return open(Scope::metadata);
    if (top() == Scope::root) {
      entry_ = {};
      entry_.tensor.name = key_;
      return open(Scope::entry);
    }
    refuse_value("an object");
    open(Scope::ignored);
  }
  void begin_array() override {
    if (!scopes_.empty() && top() == Scope::entry && key_ == "shape") {
      entry_.has_shape = true;
      return open(Scope::shape);
    }
    if (!scopes_.empty() && top() == Scope::entry && key_ == "data_offsets") {
      entry_.has_offsets = true;
      return open(Scope::offsets);
    }
    refuse_value("an array");
    open(Scope::ignored);
  }
  void end_object() override {
    if (top() == Scope::entry) finish_entry();
    scopes_.pop_back();
  }
  void end_array() override { scopes_.pop_back(); }

  void key(std::string_view text) override {
    key_ = text;
    const bool known = text == "dtype" || text == "shape" || text == "data_offsets";
    if (top() != Scope::entry || known) return;
    if (unknown_fields_++ == 0) {
      first_unknown_tensor_ = bounded(entry_.tensor.name);
      first_unknown_field_ = bounded(text);
    }
  }
  void string(std::string_view text) override {
    if (!scopes_.empty() && top() == Scope::metadata) {
      draft_.metadata.emplace(key_, text);
    } else if (!scopes_.empty() && top() == Scope::entry && key_ == "dtype") {
      entry_.has_dtype = true;
      entry_.dtype_name = bounded(text);
    } else {
      refuse_value("a string");
    }
  }
  void integer(std::uint64_t value) override {
    if (!scopes_.empty() && top() == Scope::shape) {
      if (++entry_.rank <= limits::tensor_rank) entry_.tensor.shape.push_back(value);
    } else if (!scopes_.empty() && top() == Scope::offsets) {
      ++entry_.offsets;
      (entry_.offsets == 1 ? entry_.tensor.begin : entry_.tensor.end) = value;
    } else {
      refuse_value("a number");
    }
  }
  void null() override {
    if (!scopes_.empty() && top() == Scope::root && key_ == "__metadata__") return;
    refuse_value("null");
  }
  void other(std::string_view literal) override { refuse_value(literal); }

 private:
  enum class Scope : std::uint8_t { root, metadata, entry, shape, offsets, ignored };

  struct Entry {
    DraftTensor tensor;
    std::string dtype_name;
    bool has_dtype = false, has_shape = false, has_offsets = false;
    std::size_t rank = 0, offsets = 0;
  };

  Scope top() const { return scopes_.back(); }
  void open(Scope scope) { scopes_.push_back(scope); }
  static std::string bounded(std::string_view text) {
    return std::string(text.substr(0, limits::tensor_name_bytes));
  }

  /// A value that must not stand where it stands.
  void refuse_value(std::string_view found) {
    if (scopes_.empty()) {
      return violate(Rule::not_object, "header_not_object", "", found, "a header is one JSON object",
                     "an object");
    }
    switch (top()) {
      case Scope::root:
        if (key_ == "__metadata__") {
          return violate(Rule::metadata, "metadata_not_strings", "", found,
                         "__metadata__ must be an object of strings or null");
        }
        return violate(Rule::entry, "entry_malformed", key_, found,
                       "every entry is an object with dtype, shape and data_offsets", "an object");
      case Scope::metadata:
        return violate(Rule::metadata, "metadata_not_strings", "", found,
                       fmt::format("the value of \"{}\" in __metadata__ must be a string", printable(key_)));
      case Scope::entry:
        if (key_ == "dtype" || key_ == "shape" || key_ == "data_offsets") {
          violate(Rule::entry, "entry_malformed", entry_.tensor.name, fmt::format("{} is {}", key_, found),
                  "", key_ == "dtype" ? "a string" : "an array");
        }
        return;
      case Scope::shape:
      case Scope::offsets:
        return violate(Rule::numbers, "not_an_unsigned_integer", entry_.tensor.name, found,
                       fmt::format("{} takes integers below 2^64 in plain digits",
                                   top() == Scope::shape ? "shape" : "data_offsets"));
      case Scope::ignored:
        return;
    }
  }

  void finish_entry() {
    DraftTensor& tensor = entry_.tensor;
    const auto refuse = [&](Rule order, std::string_view rule, std::string_view found, std::string_view hint,
                            std::string_view expected = "") {
      violate(order, rule, tensor.name, found, hint, expected);
    };
    if (!entry_.has_dtype) refuse(Rule::entry, "entry_malformed", "no dtype", "");
    if (!entry_.has_shape) refuse(Rule::entry, "entry_malformed", "no shape", "");
    if (!entry_.has_offsets) refuse(Rule::entry, "entry_malformed", "no data_offsets", "");
    const std::optional<Dtype> dtype = dtype_named(entry_.dtype_name);
    if (dtype) {
      tensor.dtype = *dtype;
    } else if (entry_.has_dtype) {
      refuse(Rule::dtype, "unknown_dtype", fmt::format("\"{}\"", printable(entry_.dtype_name)),
             "its values cannot be understood");
    }
    if (entry_.rank > limits::tensor_rank) {
      refuse(Rule::numbers, "rank_too_large", fmt::format("{} dimensions", entry_.rank), "",
             fmt::format("at most {}", limits::tensor_rank));
    }
    if (entry_.has_offsets && entry_.offsets != 2) {
      refuse(Rule::numbers, "offsets_not_a_pair", fmt::format("{} numbers", entry_.offsets), "",
             "begin and end");
    }
    if (tensor.name.empty()) refuse(Rule::name, "name_invalid", "an empty name", "");
    if (tensor.name.size() > limits::tensor_name_bytes) {
      refuse(Rule::name, "name_invalid", fmt::format("a name of {} bytes", tensor.name.size()), "",
             fmt::format("at most {}", limits::tensor_name_bytes));
    }
    if (tensor.name.find('\0') != std::string::npos) {
      refuse(Rule::name, "name_invalid", "a NUL in the name", "readers in C would see another name");
    }
    if (++entries_ == limits::tensors_per_file + 1) {
      refuse(Rule::name, "too_many_tensors", fmt::format("more than {}", limits::tensors_per_file), "");
    }
    if (!violation_) draft_.tensors.push_back(std::move(tensor));
  }

  void violate(Rule order, std::string_view rule, std::string_view tensor, std::string_view found,
               std::string_view hint, std::string_view expected = "") {
    if (violation_ && order >= violated_) return;
    violated_ = order;
    violation_ = Finding{.rule = fmt::format("safetensors.{}", rule),
                         .file = file_name_,
                         .tensor = bounded(tensor),
                         .expected = std::string(expected),
                         .found = bounded(found),
                         .hint = std::string(hint)};
    draft_.tensors.clear();
  }

  const std::string& file_name_;
  SafetensorsDraft draft_;
  std::vector<Scope> scopes_;
  std::string key_;
  Entry entry_;
  std::size_t entries_ = 0;
  std::size_t unknown_fields_ = 0;
  std::string first_unknown_tensor_, first_unknown_field_;
  std::optional<Finding> violation_;
  Rule violated_ = Rule::name;
};

std::string_view rule_for(JsonFault fault) {
  switch (fault) {
    case JsonFault::not_utf8:
      return "safetensors.header_not_utf8";
    case JsonFault::byte_order_mark:
      return "safetensors.header_bom";
    case JsonFault::syntax:
      return "safetensors.header_not_json";
    case JsonFault::too_deep:
      return "safetensors.header_too_deep";
    case JsonFault::duplicate_key:
      return "safetensors.duplicate_key";
    case JsonFault::limit:
      return "safetensors.too_many_tensors";
    case JsonFault::number_range:
      return "safetensors.not_an_unsigned_integer";
  }
  return "safetensors.header_not_json";
}

}  // namespace

SafetensorsDraft parse_safetensors_header(std::string_view json, const std::string& file_name) {
  constexpr std::size_t length_field = 8;
  HeaderHandler handler(file_name);
  const JsonLimits json_limits{.depth = limits::header_depth, .keys = limits::header_keys};
  const std::optional<JsonProblem> problem = scan_json(json, json_limits, handler);
  const bool text_is_json = !problem || problem->fault > JsonFault::syntax;
  if (text_is_json && handler.root_is_no_object()) return handler.take();
  if (problem && problem->fault == JsonFault::number_range) {
    handler.other("a number of many digits");
  } else if (problem) {
    Finding finding{
        .rule = std::string(rule_for(problem->fault)), .file = file_name, .hint = problem->detail};
    if (problem->byte) finding.byte_offset = length_field + *problem->byte;
    if (problem->fault == JsonFault::duplicate_key) {
      finding.found = fmt::format("the key \"{}\" twice", printable(problem->detail));
      finding.hint = "two readers would see two different models";
    }
    throw InvalidInput(std::move(finding));
  }
  return handler.take();
}

}  // namespace stemma
