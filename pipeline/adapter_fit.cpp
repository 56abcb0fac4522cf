// Shapes decide, not flags: a base of another width fits nowhere.
#include "pipeline/adapter_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "io/formats/descriptor.hpp"

namespace stemma {
namespace {

class Fitting {
 public:
  Fitting(const Adapter& adapter, const Model& base)
      : adapter_(adapter), base_(base), file_(file_name_of(adapter.file.path)) {
    for (std::uint32_t i = 0; i < base.matrices.size(); ++i)
      if (base.matrices[i].role.part != Part::buffer) views_[base.matrices[i].tensor].push_back(i);
  }

  std::vector<FittedPair> fit() {
    std::vector<FittedPair> out;
    std::map<std::uint32_t, std::string> taken;
    bool transposed = false;
    for (const LoraPair& pair : adapter_.pairs) {
      FittedPair fitted = place(pair);
      const auto [first, is_new] = taken.emplace(fitted.tensor, pair.module);
      if (!is_new)
        refuse("adapter.module_twice", pair.a.name, fmt::format("also {}", printable(first->second)),
               "both names mean one weight of the base: save the adapter again");
      check(fitted);
      transposed = transposed || base_.matrices[fitted.matrices.front()].transposed || pair.embedding;
      out.push_back(std::move(fitted));
    }
    if (adapter_.config.fan_in_fan_out && !transposed)
      throw InvalidInput({.rule = "adapter.fan_in_fan_out",
                          .file = "adapter_config.json",
                          .found = "fan_in_fan_out = true",
                          .hint = "the adapter was made for weights stored (in, out), and this base stores "
                                  "all of those that it updates as (out, in): name the base that it belongs "
                                  "to, or set the key to false if it was set by mistake"});
    return out;
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

  FittedPair place(const LoraPair& pair) const {
    const auto tensor = tensor_of_module(base_.checkpoint.tensors, pair.module);
    const auto views = tensor ? views_.find(*tensor) : views_.end();
    if (views == views_.end())
      refuse("adapter.module_not_in_base", pair.a.name,
             fmt::format("no weight {}", printable(pair.module + ".weight")),
             base_.tied_head && pair.module == "lm_head"
                 ? "the base has no head of its own, its embedding serves as one: merge the adapter into its "
                   "base and trace the merged model"
                 : "the base has no such module: name the base that the adapter was made for");
    return {&pair, *tensor, views->second};
  }

  void check(const FittedPair& fitted) const {
    const Matrix& first = base_.matrices[fitted.matrices.front()];
    const StoredTensor& tensor = base_.checkpoint.tensors[fitted.tensor];
    if (tensor.shape.size() != 2 || first.vector)
      refuse("adapter.unsupported_weight", fitted.pair->a.name,
             fmt::format("a weight ({})", fmt::join(tensor.shape, ", ")),
             "only matrices have updates that are read here: merge the adapter into its base and trace the "
             "merged model");
    if (first.stored_rows == fitted.rows() && first.cols == fitted.cols()) return;
    const bool inputs = first.cols != fitted.cols();
    const auto hidden = base_.dim("hidden");
    const bool width = hidden && std::cmp_equal(*hidden, inputs ? first.cols : first.stored_rows);
    throw InvalidInput(
        {.rule = "adapter.shape_mismatch",
         .file = file_,
         .tensor = inputs == fitted.pair->embedding ? fitted.pair->b.name : fitted.pair->a.name,
         .expected = fmt::format("{} x {}, as the base has {}", first.stored_rows, first.cols,
                                 printable(tensor.name)),
         .found = fmt::format("an update of {} x {}", fitted.rows(), fitted.cols()),
         .hint = fmt::format("the adapter was made for a base of {}: name that base",
                             width ? "another width" : "other shapes")});
  }

  const Adapter& adapter_;
  const Model& base_;
  std::string file_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> views_;  ///< matrices of each stored tensor
};

}  // namespace

std::vector<FittedPair> fit_adapter(const Adapter& adapter, const Model& base) {
  return Fitting(adapter, base).fit();
}

}  // namespace stemma
