// Which stored tensors together make one quantised weight?
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/model/checkpoint.hpp"

namespace stemma {

/// The tensors whose names begin alike and end as parts of a quantised weight do.
class QuantisedModule {
 public:
  QuantisedModule(const Checkpoint& checkpoint, std::string name)
      : checkpoint_(&checkpoint), name_(std::move(name)) {}

  const std::string& name() const { return name_; }  ///< "model.layers.0.mlp.up_proj"
  /// Parts by how their names end, without what separates it: "qweight", "weight.absmax"; indices of tensors.
  const std::map<std::string_view, std::uint32_t>& parts() const { return parts_; }
  void add(std::string_view part, std::uint32_t tensor) { parts_.emplace(part, tensor); }

  /// Null where the module has no such part.
  const StoredTensor* find(std::string_view part) const;
  bool has(std::string_view part) const { return find(part) != nullptr; }
  /// Throws InvalidInput (quant.missing_part), at the module's first tensor.
  const StoredTensor& require(std::string_view part) const;
  /// Throws InvalidInput (quant.shape) where the part's type is none of `dtypes`, its rank is not `rank`, or
  /// it is empty.
  const StoredTensor& require(std::string_view part, std::initializer_list<Dtype> dtypes,
                              std::size_t rank) const;

  EncodedPart encoded(const StoredTensor& tensor) const;
  /// A weight of F32 that `decoding` makes, whose first part are the `codes`. Throws InvalidInput
  /// (quant.shape) for a shape without elements or with too many.
  StoredTensor weight(std::string name, std::vector<std::uint64_t> shape, Decoding decoding,
                      const StoredTensor& codes) const;

  /// Throws InvalidInput at the part, or at the module's first one where it has none of that name.
  [[noreturn]] void refuse(std::string rule, std::string_view part, std::string expected,
                           std::string hint) const;

 private:
  const Checkpoint* checkpoint_;
  std::string name_;
  std::map<std::string_view, std::uint32_t> parts_;
};

/// "I32 [3, 4]".
std::string layout_words(const StoredTensor& tensor);

/// All modules that have a part besides a plain weight, or a weight of 8 bits; in the order of their names.
/// `checkpoint` must outlive them.
std::vector<QuantisedModule> quantised_modules(const Checkpoint& checkpoint);

/// Scales and zero points of activations and caches: they say nothing about weights.
bool is_activation_part(std::string_view part);

/// Columns under one scale where `groups` lie side by side over `cols`: the stated size where it makes so
/// many groups, else the size that divides evenly. None where no size does.
std::optional<std::uint64_t> group_size(std::uint64_t cols, std::uint64_t groups,
                                        std::optional<std::int64_t> stated);

inline std::uint64_t rounded_up_quotient(std::uint64_t a, std::uint64_t b) {
  return a / b + (a % b != 0 ? 1 : 0);
}

}  // namespace stemma
