// Offset, sizes and strides are claims; all sums and products of them are checked against the storage.
#include "io/formats/torch_tensor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "io/formats/descriptor.hpp"
#include "io/formats/limits.hpp"

namespace stemma {
namespace {

constexpr std::size_t most_tensor_findings = 100;

/// A tensor as the pickle states it, in elements of its storage.
struct View {
  std::uint64_t offset = 0;
  std::vector<std::uint64_t> shape, strides;
  std::uint64_t elements = 1;
  std::uint64_t extent = 0;  ///< elements from the first to the last, both included

  bool is_contiguous() const {
    std::uint64_t expected = 1;
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (shape[axis] != 1 && strides[axis] != expected) return false;
      expected *= shape[axis];
    }
    return true;
  }

  /// Whether two elements may be one: an axis steps by less than the shorter steps together reach.
  bool may_overlap() const {
    std::vector<std::size_t> axes;
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
      if (shape[axis] > 1) axes.push_back(axis);
    std::ranges::sort(axes, {}, [&](std::size_t axis) { return strides[axis]; });
    std::uint64_t reach = 1;
    for (const std::size_t axis : axes) {
      if (strides[axis] < reach) return true;
      reach += (shape[axis] - 1) * strides[axis];
    }
    return false;
  }
};

/// What is wrong with one tensor, thrown with its name.
class Complaint {
 public:
  Complaint(std::string file, std::string tensor) : file_(std::move(file)), tensor_(std::move(tensor)) {}
  [[noreturn]] void refuse(std::string_view rule, std::string found, std::string expected = "",
                           std::string hint = "") const {
    throw InvalidInput({.rule = fmt::format("pickle.{}", rule),
                        .file = file_,
                        .tensor = tensor_,
                        .expected = std::move(expected),
                        .found = std::move(found),
                        .hint = std::move(hint)});
  }

 private:
  std::string file_, tensor_;
};

std::string in_brackets(const std::vector<std::uint64_t>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ", "));
}

std::vector<std::uint64_t> sizes_of(const PickleGraph& graph, PickleRef tuple, const Complaint& complain) {
  if (graph.kind(tuple) != PickleKind::tuple) complain.refuse("tensor_malformed", "sizes that are no tuple");
  std::vector<std::uint64_t> out;
  if (graph.size(tuple) > limits::tensor_rank)
    complain.refuse("rank_too_large", fmt::format("{}", graph.size(tuple)),
                    fmt::format("at most {}", limits::tensor_rank));
  for (const PickleRef item : graph.tuple(tuple)) {
    const auto number = graph.integer(item);
    if (!number || *number < 0)
      complain.refuse("tensor_malformed", "a size or stride that is no whole number from 0 to 2^63 - 1");
    out.push_back(static_cast<std::uint64_t>(*number));
  }
  return out;
}

View view_of(const PickleGraph& graph, std::span<const PickleRef> arguments, const Complaint& complain) {
  const auto offset = graph.integer(arguments[1]);
  if (!offset || *offset < 0)
    complain.refuse("tensor_malformed", "an offset that is no whole number from 0 on");
  View view{.offset = static_cast<std::uint64_t>(*offset),
            .shape = sizes_of(graph, arguments[2], complain),
            .strides = sizes_of(graph, arguments[3], complain)};
  if (view.shape.size() != view.strides.size())
    complain.refuse("tensor_malformed",
                    fmt::format("{} sizes and {} strides", view.shape.size(), view.strides.size()),
                    "as many of both");
  for (const std::uint64_t size : view.shape)
    if (__builtin_mul_overflow(view.elements, size, &view.elements) || view.elements >= limits::elements)
      complain.refuse("shape_overflow", in_brackets(view.shape), "fewer than 2^62 elements");
  return view;
}

/// All elements lie inside the storage; fills the extent.
void require_inside(View& view, std::uint64_t elements, const Complaint& complain) {
  if (view.elements == 0) return;
  std::uint64_t last = 0;
  bool overflow = false;
  for (std::size_t axis = 0; axis < view.shape.size(); ++axis) {
    std::uint64_t step = 0;
    overflow = overflow || __builtin_mul_overflow(view.shape[axis] - 1, view.strides[axis], &step) ||
               __builtin_add_overflow(last, step, &last);
  }
  std::uint64_t end = 0;
  if (overflow || __builtin_add_overflow(view.offset, last, &end) || end >= elements)
    complain.refuse("tensor_bounds",
                    fmt::format("offset {}, shape {}, strides {}", view.offset, in_brackets(view.shape),
                                in_brackets(view.strides)),
                    fmt::format("all elements inside a storage of {}", elements));
  view.extent = last + 1;
}

std::shared_ptr<const Decoding> decoding_of(const View& view, Dtype dtype, const SourceFile& file,
                                            std::uint64_t begin) {
  const std::uint64_t bytes = view.extent * bits_of(dtype) / 8;
  Decoding decoding{.codec = "strided", .dtype = dtype};
  decoding.parts.push_back(
      {.file = file, .dtype = dtype, .shape = {view.extent}, .offset = begin, .bytes = bytes});
  decoding.numbers.push_back(0);
  for (std::size_t axis = 0; axis < view.shape.size(); ++axis) {
    decoding.numbers.push_back(static_cast<std::int64_t>(view.shape[axis]));
    decoding.numbers.push_back(static_cast<std::int64_t>(view.strides[axis]));
  }
  return std::make_shared<const Decoding>(std::move(decoding));
}

}  // namespace

TorchTensors::TorchTensors(const PickleGraph& graph, const ZipDirectory& zip, const SourceFile& file)
    : graph_(graph), zip_(zip), file_(file), file_name_(file_name_of(file.path)) {}

TorchTensors::Storage TorchTensors::storage_of(PickleRef storage) const {
  const std::span<const PickleRef> id = graph_.tuple(graph_.arguments(storage));
  const std::string key = "data/" + std::string(*graph_.text(id[2]));
  const Complaint complain(file_name_, "");
  Storage out{zip_.find(key), graph_.meaning(id[1]).dtype,
              static_cast<std::uint64_t>(*graph_.integer(id[4]))};
  if (out.entry == nullptr)
    complain.refuse("persistent_id", fmt::format("\"{}\", which is not in the archive", printable(key, 100)),
                    "an entry for every storage");
  if (graph_.meaning(id[1]).kind == GlobalKind::other_storage) return out;  // of elements of unknown width
  std::uint64_t bytes = 0;
  const unsigned width = out.dtype ? bits_of(*out.dtype) / 8 : 1;
  if (__builtin_mul_overflow(out.elements, width, &bytes) || bytes != out.entry->bytes)
    complain.refuse("storage_size", fmt::format("{} bytes in \"{}\"", out.entry->bytes, printable(key, 100)),
                    fmt::format("{} elements of {} bytes", out.elements, width),
                    "the file was damaged: fetch it again");
  return out;
}

void TorchTensors::require_storages() const {
  for (PickleRef ref = 0; ref < graph_.node_count(); ++ref)
    if (graph_.kind(ref) == PickleKind::storage) storage_of(ref);
}

std::optional<StoredTensor> TorchTensors::place(const std::string& name, PickleRef tensor) {
  const Complaint complain(file_name_, name);
  const std::span<const PickleRef> arguments = graph_.tuple(graph_.arguments(tensor));
  const bool states_type = graph_.rebuilder(tensor).kind == GlobalKind::rebuild_tensor_v3;
  constexpr std::size_t type_at = 6;
  if (arguments.size() < (states_type ? type_at + 1 : 4) || graph_.kind(arguments[0]) != PickleKind::storage)
    complain.refuse("tensor_malformed", "a call without storage, offset, sizes and strides");
  View view = view_of(graph_, arguments, complain);
  const Storage storage = storage_of(arguments[0]);
  std::optional<Dtype> dtype = storage.dtype;
  std::string type = graph_.name(graph_.tuple(graph_.arguments(arguments[0]))[1]);
  if (states_type) {
    const bool named = graph_.kind(arguments[type_at]) == PickleKind::global;
    if (!named || graph_.meaning(arguments[type_at]).kind != GlobalKind::dtype)
      complain.refuse("tensor_malformed", "a call without a type");
    dtype = graph_.meaning(arguments[type_at]).dtype;
    type = graph_.name(arguments[type_at]);
  }
  if (!dtype) {
    add({.severity = Severity::warning,
         .rule = "pickle.dtype",
         .file = file_name_,
         .tensor = name,
         .found = printable(type, 100),
         .hint = "a type that is not read; the tensor is left out"});
    return std::nullopt;
  }
  const std::uint64_t width = bits_of(*dtype) / 8;
  require_inside(view, storage.entry->bytes / width, complain);
  if (view.elements > 0 && view.may_overlap()) {
    Finding overlap{
        .severity = Severity::warning,
        .rule = "pickle.overlapping_strides",
        .file = file_name_,
        .tensor = name,
        .found = fmt::format("shape {}, strides {}", in_brackets(view.shape), in_brackets(view.strides)),
        .hint = "one value of the storage stands for several of the tensor"};
    if (view.elements > file_.bytes / width) {
      overlap.severity = Severity::error;
      overlap.expected = "no more values than the file has room for";
      throw InvalidInput(std::move(overlap));
    }
    add(std::move(overlap));
  }
  uses_.push_back({storage.entry->offset, name});
  StoredTensor out{.name = name, .dtype = *dtype, .shape = view.shape, .file = 0};
  out.bytes = view.elements * width;
  const std::uint64_t begin = storage.entry->offset + (view.elements == 0 ? 0 : view.offset * width);
  if (view.elements == 0 || view.is_contiguous())
    out.offset = begin;
  else
    out.decoding = decoding_of(view, *dtype, file_, begin);
  return out;
}

std::vector<Finding> TorchTensors::finish() {
  add_shared();
  if (left_out_ > 0)
    findings_.push_back({.severity = Severity::note,
                         .rule = "pickle.more_findings",
                         .file = file_name_,
                         .found = fmt::format("{}", left_out_)});
  return std::move(findings_);
}

void TorchTensors::add(Finding finding) {
  if (findings_.size() < most_tensor_findings)
    findings_.push_back(std::move(finding));
  else
    ++left_out_;
}

void TorchTensors::add_shared() {
  constexpr std::size_t most_names = 5;
  std::ranges::stable_sort(uses_, {}, &Use::storage);
  for (std::size_t begin = 0; begin < uses_.size();) {
    std::size_t end = begin + 1;
    while (end < uses_.size() && uses_[end].storage == uses_[begin].storage) ++end;
    if (end - begin > 1) {
      std::string names;
      for (std::size_t i = begin; i < std::min(end, begin + most_names); ++i)
        names += fmt::format("{}{}", i == begin ? "" : ", ", printable(uses_[i].tensor, 60));
      if (end - begin > most_names) names += fmt::format(" and {} more", end - begin - most_names);
      add({.severity = Severity::note,
           .rule = "shared_storage",
           .file = file_name_,
           .byte_offset = uses_[begin].storage,
           .found = names,
           .hint = "tensors that lie in one storage: ties, or views of one tensor"});
    }
    begin = end;
  }
}

}  // namespace stemma
