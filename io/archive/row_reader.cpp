// How are measurements, failures and findings read back?
#include <limits>

#include "io/archive/fingerprint_reader.hpp"
#include "io/archive/measurement.hpp"

namespace stemma {
namespace {

std::string id_of(const std::vector<ModelRow>& models, std::uint32_t row) {
  return row == std::numeric_limits<std::uint32_t>::max() ? std::string() : models.at(row).id;
}

}  // namespace

Features read_moments(const TableReader& t, std::uint64_t tensor) {
  Features f;
  f.analyzer = "histogram";
  for (const char* name : moment_counts) {
    const auto value = t.one<std::uint64_t>(std::string("moments/") + name, tensor);
    if (value != none64) f.counts[name] = value;
  }
  if (f.counts.empty()) return f;
  for (const char* name : moment_numbers)
    f.numbers[name] = t.one<double>(std::string("moments/") + name, tensor);
  f.reals["quantile"] = t.read<double>("moments/quantile", tensor, 1);
  f.counts["exactness"] = t.one<std::uint8_t>("moments/exactness", tensor);
  f.subject = t.text("tensors/role", tensor, 1).front();
  f.status = static_cast<Status>(t.one<std::uint8_t>("tensors/status", tensor));
  return f;
}

void read_histogram(const TableReader& t, std::uint64_t row, Features& f) {
  const auto start = t.one<std::uint64_t>("histograms/row_start", row);
  const auto count = t.one<std::uint32_t>("histograms/row_count", row);
  const auto low = t.one<std::uint64_t>("histograms/low_start", row);
  f.counts["kind"] = t.one<std::uint8_t>("histograms/kind", row);
  f.counts["digest_hi"] = t.one<std::uint64_t>("histograms/digest_hi", row);
  f.counts["digest_lo"] = t.one<std::uint64_t>("histograms/digest_lo", row);
  const auto codes = t.read<std::uint16_t>("histograms/code", start, count);
  f.integers["code"].assign(codes.begin(), codes.end());
  f.integers["count"] = t.read<std::uint64_t>("histograms/count", start, count);
  if (low == none64) return;
  f.integers["low_sum"] = t.read<std::uint64_t>("histograms/low_sum", low, count);
  f.integers["low_square_sum"] = t.read<std::uint64_t>("histograms/low_square_sum", low, count);
}

std::vector<Failure> read_failures(const TableReader& t, const std::vector<ModelRow>& models) {
  std::vector<Failure> rows(t.rows("failures/item"));
  const auto text = [&](const char* name, std::string Failure::*field) {
    auto values = t.text(std::string("failures/") + name);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].*field = std::move(values.at(i));
  };
  text("item", &Failure::item);
  text("rule", &Failure::rule);
  text("problem", &Failure::sentence);
  text("suggestion", &Failure::suggestion);
  text("node", &Failure::node);
  text("when", &Failure::when);
  const auto model = t.read<std::uint32_t>("failures/model_index");
  const auto stage = t.read<std::uint8_t>("failures/stage");
  const auto attempts = t.read<std::uint32_t>("failures/attempts");
  const auto quarantined = t.read<std::uint8_t>("failures/quarantined");
  const auto rank = t.read<std::uint32_t>("failures/rank");
  const auto seconds = t.read<double>("failures/seconds");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].model = id_of(models, model.at(i));
    rows[i].stage = static_cast<Stage>(stage.at(i));
    rows[i].attempts = attempts.at(i);
    rows[i].quarantined = quarantined.at(i) == 1;
    rows[i].rank = rank.at(i);
    rows[i].seconds = seconds.at(i);
  }
  return rows;
}

std::vector<ModelFinding> read_findings(const TableReader& t, const std::vector<ModelRow>& models) {
  std::vector<ModelFinding> rows(t.rows("findings/rule"));
  const auto text = [&](const char* name, std::string Finding::*field) {
    auto values = t.text(std::string("findings/") + name);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].finding.*field = std::move(values.at(i));
  };
  text("rule", &Finding::rule);
  text("file", &Finding::file);
  text("tensor", &Finding::tensor);
  text("expected", &Finding::expected);
  text("found", &Finding::found);
  text("hint", &Finding::hint);
  const auto model = t.read<std::uint32_t>("findings/model_index");
  const auto severity = t.read<std::uint8_t>("findings/severity");
  const auto offset = t.read<std::uint64_t>("findings/byte_offset");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].model = id_of(models, model.at(i));
    rows[i].finding.severity = static_cast<Severity>(severity.at(i));
    if (offset.at(i) != none64) rows[i].finding.byte_offset = offset.at(i);
  }
  return rows;
}

}  // namespace stemma
