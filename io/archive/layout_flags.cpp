// What do the one-byte numbers of an archive mean?
#include <fmt/format.h>

#include <stdexcept>

#include "io/archive/evidence.hpp"
#include "io/archive/features.hpp"
#include "io/archive/fingerprint.hpp"
#include "io/archive/layout.hpp"
#include "io/archive/records.hpp"
#include "io/model/dtype.hpp"
#include "io/model/finding.hpp"
#include "io/model/role.hpp"

namespace stemma::layout {
namespace {

template <class Enum>
FlagTable spelled(std::string name, unsigned count) {
  FlagTable table{std::move(name), {}};
  for (unsigned i = 0; i < count; ++i)
    table.values.emplace_back(static_cast<std::uint8_t>(i), std::string(name_of(static_cast<Enum>(i))));
  return table;
}

FlagTable listed(std::string name, std::vector<std::string> meanings) {
  FlagTable table{std::move(name), {}};
  for (std::size_t i = 0; i < meanings.size(); ++i)
    table.values.emplace_back(static_cast<std::uint8_t>(i), std::move(meanings[i]));
  return table;
}

// Some enumerations have no value where nothing was measured or nobody knows.
FlagTable with_255(FlagTable table, std::string meaning) {
  table.values.emplace_back(std::uint8_t{255}, std::move(meaning));
  return table;
}

}  // namespace

const std::vector<FlagTable>& flag_tables() {
  static const std::vector<FlagTable> tables = {
      spelled<Dtype>("dtype", dtype_count),
      spelled<Part>("part", part_count),
      spelled<Status>("status", 6),
      spelled<Use>("use", 3),
      spelled<Relation>("relation", 9),
      spelled<Stage>("stage", 7),
      spelled<Severity>("severity", 3),
      listed("grade", {"G", "C", "M", "N", "X"}),
      with_255(listed("format", {"safetensors", "gguf", "torch_zip"}), "other"),
      listed("sha256_source", {"none", "hub", "computed"}),
      listed("histogram", {"code16", "code8", "joint_mx", "f32_top16", "f64_top16"}),
      with_255(listed("exactness", {"histogram", "f32_integer", "blocks"}), "not_measured"),
      listed("spectrum_kind", {"matrix"}),
      listed("spectrum_method", {"gram_dsyevd", "gram_dsyevd_2stage", "gram_elpa2", "gram_pdsyevr",
                                 "qr_dgesdd", "qr_dgejsv", "dgesdd", "pdgesvd", "gram_shared"}),
      listed("error_model", {"gram", "backward_stable"}),
      with_255(listed("yes_no", {"no", "yes"}), "not_measured"),
  };
  return tables;
}

const FlagTable& flag_table(std::string_view name) {
  for (const FlagTable& table : flag_tables())
    if (table.name == name) return table;
  throw std::invalid_argument(fmt::format("{} is no enumeration of archives", name));
}

}  // namespace stemma::layout
