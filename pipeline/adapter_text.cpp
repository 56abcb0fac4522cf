// What the adapter states stands beside what its factors are.
#include "pipeline/adapter_text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "io/report/columns.hpp"
#include "pipeline/json_document.hpp"
#include "pipeline/pair_view.hpp"
#include "pipeline/version.hpp"
#include "pipeline/wording.hpp"

namespace stemma {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const AdapterRow& row) {
  return {{"role", row.role},
          {"module", row.module},
          {"rank_nominal", row.nominal},
          {"rank_stored", row.stored},
          {"rank", row.rank},
          {"alpha", row.alpha},
          {"scale", row.scale},
          {"largest", json_number(row.values.empty() ? missing : row.values.front())},
          {"noise_edge", json_number(row.noise_edge)},
          {"norm", json_number(row.norm)},
          {"weight_norm", json_number(row.weight_norm)},
          {"update", json_number(row.update)},
          {"singular_values", row.values},
          {"remarks", row.remarks}};
}

Json json_of(const AdapterTrace& trace) {
  std::set<std::uint64_t> nominal;
  Json modules = Json::array();
  for (const AdapterRow& row : trace.rows) {
    nominal.insert(row.nominal);
    modules.push_back(json_of(row));
  }
  return {{"declared_base", trace.declared_base},
          {"ranks_nominal", nominal},
          {"use_rslora", trace.rank_stabilised},
          {"null", "rounding of the stored factors"},
          {"other_tensors", trace.others},
          {"remarks", trace.remarks},
          {"modules", modules}};
}

/// The smallest value that counts, "-" where none does.
std::string smallest(const AdapterRow& row) {
  return row.rank == 0 ? "-" : three_digits(row.values[row.rank - 1]);
}

}  // namespace

std::string adapter_summary(const Pair& pair, const AdapterTrace& trace) {
  std::string text = fmt::format("{} and {}: {}\n  {}\n", printable(trace.base), printable(trace.adapter),
                                 relation_words(pair), printable(pair.sentence, 2000));
  text += trace.declared_base.empty()
              ? "  it names no base\n"
              : fmt::format("  it names {} as its base\n", printable(trace.declared_base));
  std::vector<std::vector<std::string>> rows{
      {"where", "stated rank", "rank", "scale", "largest", "smallest", "rounding null", "update"}};
  for (const AdapterRow& row : trace.rows)
    rows.push_back({printable(row.role, 60), fmt::format("{}", row.nominal), fmt::format("{}", row.rank),
                    three_digits(row.scale), three_digits(row.values.front()), smallest(row),
                    three_digits(row.noise_edge), three_digits(row.update)});
  text += aligned(rows);
  for (const std::string& remark : trace.remarks) text += fmt::format("  {}\n", printable(remark, 1000));
  for (const AdapterRow& row : trace.rows)
    for (const std::string& remark : row.remarks)
      text += fmt::format("  {}: {}\n", printable(row.role, 60), printable(remark));
  return text + fmt::format(
                    "  \"update\" is the size of the update over that of the base's weight; a rank counts "
                    "singular values above twice the rounding null.\n"
                    "  That the shapes fit says nothing about who the adapter was trained on.\n"
                    "  {} read in {}\n",
                    bytes_words(static_cast<double>(trace.bytes_read)), duration_words(trace.seconds));
}

std::string adapter_json(const Pair& pair, const AdapterTrace& trace) {
  const Json entry{{"base", trace.base},
                   {"candidate", trace.adapter},
                   {"relation", name_of(pair.relation)},
                   {"abstain_reason", pair.reason},
                   {"sentence", pair.sentence},
                   {"direction", pair.direction},
                   {"adapter", json_of(trace)}};
  const Json document{{"schema", "stemma.trace/1"},         {"stemma", version_text},
                      {"weight_bytes", trace.weight_bytes}, {"bytes_read", trace.bytes_read},
                      {"seconds", trace.seconds},           {"failures", trace.failures.size()},
                      {"pairs", Json::array({entry})}};
  return json_text(document);
}

}  // namespace stemma
