// How does a spectrum become a row of /spectra, and a row the features that it was?
#include <algorithm>

#include "io/archive/fingerprint_reader.hpp"
#include "io/archive/model_rows.hpp"
#include "io/archive/spectrum_columns.hpp"

namespace stemma {

void write_spectrum(TableWriter& table, std::uint32_t tensor, const std::optional<Features>& spectrum) {
  if (!spectrum) return;
  const auto values = spectrum->reals.find("value");
  if (values == spectrum->reals.end()) return;  // failed, skipped or not finite: the status says so
  table.put("spectra/tensor_index", tensor);
  table.put("spectra/kind", 0);
  table.put("spectra/row_start", table.rows("spectra/value"));
  table.put("spectra/row_count", values->second.size());
  table.put_all("spectra/value", values->second);
  for (const char* name : spectrum_counts)
    table.put(std::string("spectra/") + name, spectrum->counts.at(name));
  for (const char* name : spectrum_numbers)
    table.put(std::string("spectra/") + name, spectrum->numbers.at(name));
}

Features read_spectrum(const TableReader& t, std::uint64_t row) {
  Features f;
  f.analyzer = "spectrum";
  const auto start = t.one<std::uint64_t>("spectra/row_start", row);
  auto& values = f.reals["value"];
  values = t.read<double>("spectra/value", start, t.one<std::uint32_t>("spectra/row_count", row));
  f.numbers["s1"] = values.empty() ? 0 : values.front();
  for (const char* name : spectrum_numbers)
    f.numbers[name] = t.one<double>(std::string("spectra/") + name, row);
  for (const char* name : {"rows", "cols"})
    f.counts[name] = t.one<std::uint64_t>(std::string("spectra/") + name, row);
  f.counts["count_below_tau"] = t.one<std::uint32_t>("spectra/count_below_tau", row);
  for (const char* name : {"error_model", "method", "exact_products", "attempts"})
    f.counts[name] = t.one<std::uint8_t>(std::string("spectra/") + name, row);
  for (const char* name : {"grid_rows", "grid_cols"})
    f.counts[name] = t.one<std::uint16_t>(std::string("spectra/") + name, row);
  return f;
}

}  // namespace stemma
