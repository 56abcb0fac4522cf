// Which tensor of the base each pair of factors changes, and which way round.
#include "io/formats/merged_adapter.hpp"

#include <fmt/format.h>

#include <bit>
#include <set>

#include "io/formats/descriptor.hpp"
#include "io/model/finding.hpp"

namespace stemma {
namespace {

EncodedPart part_of(const SourceFile& file, const StoredTensor& tensor) {
  return {.file = source_of(file, tensor),
          .dtype = tensor.dtype,
          .shape = tensor.shape,
          .offset = tensor.offset,
          .bytes = tensor.bytes};
}

class Merging {
 public:
  Merging(const Adapter& adapter, Checkpoint& base)
      : adapter_(adapter), base_(base), file_(file_name_of(adapter.file.path)) {}

  void merge() {
    adapter_file_ = static_cast<std::uint32_t>(base_.files.size());
    base_.files.push_back(adapter_.file);
    for (const LoraPair& pair : adapter_.pairs) update(pair);
    for (const StoredTensor& whole : adapter_.others) replace(whole);
    if (!adapter_.config.base.empty())
      base_.claims.push_back({adapter_.config.base, "adapter", "adapter_config.json"});
    note_changed_base();
  }

 private:
  [[noreturn]] void refuse(std::string rule, const std::string& tensor, std::string found,
                           std::string hint) const {
    throw InvalidInput({.rule = std::move(rule),
                        .file = file_,
                        .tensor = tensor,
                        .found = std::move(found),
                        .hint = std::move(hint)});
  }

  void update(const LoraPair& pair) {
    const auto index = tensor_of_module(base_.tensors, pair.module);
    if (!index)
      refuse("adapter.module_not_in_base", pair.a.name,
             fmt::format("no weight {}", printable(pair.module + ".weight")),
             "the base has no such module: name the base that the adapter was made for");
    if (!changed_.insert(*index).second)
      refuse("adapter.module_twice", pair.a.name, printable(base_.tensors[*index].name),
             "two modules of the adapter mean one weight of the base: save the adapter again");
    StoredTensor& weight = base_.tensors[*index];
    if (weight.shape.size() != 2 || !is_real(weight.dtype))
      refuse("adapter.unsupported_weight", pair.a.name,
             fmt::format("a {} weight ({})", name_of(weight.dtype), fmt::join(weight.shape, ", ")),
             "only matrices of real numbers can be updated");
    auto decoding = std::make_shared<Decoding>();
    decoding->codec = "merged_adapter";
    decoding->parts = {part_of(base_.files[weight.file], weight), part_of(adapter_.file, pair.a),
                       part_of(adapter_.file, pair.b)};
    if (adapter_.config.dora) decoding->parts.push_back(magnitudes(pair));
    decoding->numbers = {is_turned(pair, weight) ? 1 : 0, std::bit_cast<std::int64_t>(pair.scale)};
    weight.dtype = Dtype::f32;
    weight.offset = 0;
    weight.bytes = 4 * weight.elements();
    weight.decoding = std::move(decoding);
  }

  /// Whether the weight is stored as the transpose of B A. A square one does not show it: then the adapter's
  /// own word counts.
  bool is_turned(const LoraPair& pair, const StoredTensor& weight) const {
    const std::uint64_t out = pair.b.shape[0], in = pair.a.shape[1];
    const bool straight = weight.shape[0] == out && weight.shape[1] == in,
               turned = weight.shape[0] == in && weight.shape[1] == out;
    if (straight && turned) return pair.embedding || adapter_.config.fan_in_fan_out;
    if (straight && !pair.embedding) return false;
    if (turned) return true;
    throw InvalidInput({.rule = "adapter.shape_mismatch",
                        .file = file_,
                        .tensor = pair.b.name,
                        .expected = fmt::format("{} x {}, as the base has {}", weight.shape[0],
                                                weight.shape[1], printable(weight.name)),
                        .found = fmt::format("an update of {} x {}", out, in),
                        .hint = "the adapter was made for a base of other shapes: name that base"});
  }

  EncodedPart magnitudes(const LoraPair& pair) const {
    const std::uint64_t out = pair.b.shape[0];
    if (!pair.magnitude || pair.magnitude->elements() != out || pair.embedding)
      refuse("adapter.magnitude_missing", pair.b.name,
             pair.magnitude ? fmt::format("({})", fmt::join(pair.magnitude->shape, ", ")) : "none",
             fmt::format("a DoRA adapter has {} magnitudes for this module: save the adapter again", out));
    return part_of(adapter_.file, *pair.magnitude);
  }

  /// modules_to_save and trained biases: base_model.model.NAME stands for NAME.
  void replace(const StoredTensor& whole) {
    if (!whole.name.starts_with(adapter_prefix)) return ignore(whole);
    const std::string name = whole.name.substr(adapter_prefix.size());
    const auto index = tensor_of_module(base_.tensors, name, "");
    if (!index) return ignore(whole);
    StoredTensor& weight = base_.tensors[*index];
    if (weight.shape != whole.shape)
      throw InvalidInput({.rule = "adapter.shape_mismatch",
                          .file = file_,
                          .tensor = whole.name,
                          .expected = fmt::format("({}), as in the base", fmt::join(weight.shape, ", ")),
                          .found = fmt::format("({})", fmt::join(whole.shape, ", ")),
                          .hint = "the adapter was made for a base of other shapes: name that base"});
    StoredTensor changed = whole;
    changed.name = weight.name;
    changed.file = adapter_file_;
    weight = std::move(changed);
  }

  void ignore(const StoredTensor& whole) {
    base_.findings.push_back({.severity = Severity::warning,
                              .rule = "adapter.unused_tensor",
                              .file = file_,
                              .tensor = whole.name,
                              .hint = "neither a factor nor a tensor of the base; not used"});
  }

  void note_changed_base() {
    if (!adapter_.config.changes_base()) return;
    base_.findings.push_back(
        {.severity = Severity::warning,
         .rule = "adapter_changes_base",
         .file = "adapter_config.json",
         .found = "init_lora_weights = " + printable(adapter_.config.initialisation, 60),
         .hint = "this way of beginning changes the base as well: merged into the published base, the "
                 "factors do not make the model that was trained"});
  }

  const Adapter& adapter_;
  Checkpoint& base_;
  std::string file_;
  std::uint32_t adapter_file_ = 0;
  std::set<std::uint32_t> changed_;
};

}  // namespace

void merge_adapter(const Adapter& adapter, Checkpoint& base) { Merging(adapter, base).merge(); }

}  // namespace stemma
