// From which archive does each model of a comparison come, and how is it called there?
#include "pipeline/commands/operands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "analyzers/catalogue.hpp"
#include "io/archive/archive_reader.hpp"
#include "io/config/yaml_section.hpp"
#include "pipeline/commands/command.hpp"
#include "pipeline/commands/target.hpp"

namespace stemma {
namespace {

namespace fs = std::filesystem;

struct Operand {
  fs::path archive;
  std::string id;  ///< "" for all models of the archive
};

Operand operand_of(const std::string& text) {
  const auto colon = text.rfind(':');
  std::error_code error;
  if (colon == std::string::npos || fs::exists(text, error) || !fs::exists(text.substr(0, colon), error))
    return {archive_at(text), ""};
  return {archive_at(text.substr(0, colon)), text.substr(colon + 1)};
}

/// The models taken from one archive, by the name under which the user knows it.
using Taken = std::map<fs::path, std::vector<Fingerprint>>;

void take(Taken& taken, const Operand& operand) {
  const ArchiveReader archive(operand.archive);
  // One file may be reached by several names.
  const auto same = std::find_if(taken.begin(), taken.end(), [&](const auto& other) {
    return fs::equivalent(other.first, operand.archive);
  });
  auto& models = same == taken.end() ? taken[operand.archive] : same->second;
  std::vector<std::string> ids;
  for (const ModelRow& row : archive.models()) ids.push_back(row.id);
  bool found = false;
  for (std::size_t m = 0; m < ids.size(); ++m) {
    if (!operand.id.empty() && operand.id != ids[m]) continue;
    found = true;
    if (std::any_of(models.begin(), models.end(), [&](const Fingerprint& f) { return f.id == ids[m]; }))
      throw UsageError(fmt::format("{}:{} is named twice (a model is not compared with itself). Name another",
                                   printable(operand.archive.string()), printable(ids[m])));
    models.push_back(archive.fingerprint(m));
  }
  if (found || operand.id.empty()) return;
  const auto close = nearest(operand.id, ids);
  throw UsageError(fmt::format(
      "{} holds no model {}.{}", printable(operand.archive.string()), printable(operand.id),
      close ? fmt::format(" Did you mean {}?", printable(*close)) : " stemma inspect lists its models"));
}

void tell_apart(Taken& taken) {
  std::map<std::string, int> seen;
  for (const auto& [archive, models] : taken)
    for (const Fingerprint& model : models) ++seen[model.id];
  for (auto& [archive, models] : taken) {
    const auto rename = [&seen, &name = archive](std::string& id) {
      if (const auto count = seen.find(id); count != seen.end() && count->second > 1)
        id = name.string() + ":" + id;
    };
    for (Fingerprint& model : models) {
      rename(model.id);
      for (Claim& claim : model.declared) rename(claim.base);
    }
  }
}

}  // namespace

std::vector<Fingerprint> models_of(const std::vector<std::string>& operands) {
  Taken taken;
  for (const std::string& operand : operands) take(taken, operand_of(operand));
  tell_apart(taken);
  std::vector<Fingerprint> all;
  for (auto& [archive, models] : taken) std::move(models.begin(), models.end(), std::back_inserter(all));
  std::sort(all.begin(), all.end(), [](const Fingerprint& a, const Fingerprint& b) { return a.id < b.id; });
  return all;
}

std::vector<Fingerprint> company_of(const std::vector<std::string>& operands) {
  std::set<fs::path> archives;
  bool whole = true;
  for (const std::string& text : operands) {
    const Operand operand = operand_of(text);
    archives.insert(fs::canonical(operand.archive));
    whole &= operand.id.empty();
  }
  std::vector<Fingerprint> all;
  if (whole) return all;
  for (const fs::path& file : archives) {
    const ArchiveReader archive(file, SealCheck::trust);  // models_of has looked at the seal
    std::ranges::move(archive.fingerprints(), std::back_inserter(all));
  }
  return all;
}

std::vector<WeightVerdict> weight_verdicts_in(const ArchiveReader& archive) {
  std::vector<WeightVerdict> verdicts;
  for (Pair& pair : archive.pairs()) {
    std::erase_if(pair.evidence, [](const Evidence& e) { return !pair_analyzer_named(e.method); });
    if (!pair.evidence.empty())
      verdicts.push_back({pair.a, pair.b, std::move(pair.evidence), pair.relation, pair.reason, pair.sentence,
                          pair.direction});
  }
  return verdicts;
}

std::vector<WeightVerdict> weight_verdicts_of(const std::vector<std::string>& operands,
                                              const std::vector<Fingerprint>& models) {
  std::set<fs::path> archives;
  for (const std::string& operand : operands) archives.insert(operand_of(operand).archive);
  const auto index_of = [&](const std::string& id) -> std::optional<std::uint32_t> {
    const auto at = std::ranges::lower_bound(models, id, {}, &Fingerprint::id);
    if (at == models.end() || at->id != id) return std::nullopt;
    return static_cast<std::uint32_t>(at - models.begin());
  };
  std::vector<WeightVerdict> verdicts;
  for (const fs::path& file : archives) {
    const ArchiveReader archive(file, SealCheck::trust);  // models_of has looked at the seal
    for (WeightVerdict& verdict : weight_verdicts_in(archive)) {
      const auto a = index_of(archive.models()[verdict.a].id), b = index_of(archive.models()[verdict.b].id);
      if (!a || !b) continue;
      verdict.a = *a;
      verdict.b = *b;
      verdicts.push_back(std::move(verdict));
    }
  }
  return verdicts;
}

}  // namespace stemma
