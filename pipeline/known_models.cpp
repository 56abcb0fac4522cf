// Archives are read and never written; a model keeps its id there, with the name of its archive behind it.
#include "pipeline/known_models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "io/archive/archive_reader.hpp"
#include "io/archive/merge_source.hpp"

namespace stemma {
namespace {

std::string known_id(const std::string& id, const std::string& archive) { return id + "@" + archive; }

/// Why what a method of this run found cannot be held against what it found there; "" where it can, or where
/// nobody asked it.
std::string foreignness(const Question& question, const nlohmann::json& methods) {
  const Method& method = question.method();
  const auto there = methods.find(std::string(method.name()));
  if (there == methods.end()) return "";
  if (const auto version = there->at("version").get<std::int64_t>(); version != method.version())
    return fmt::format("its version is {} there and {} here", version, method.version());
  // Other methods measure the same, more or less of it, with all parameters.
  if (method.name() == "tensorguard" && there->at("parameters") != nlohmann::json(question.options))
    return "its parameters differ";
  return "";
}

void forget(std::string_view method, Fingerprint& model) {
  if (method == "neuron_match") model.neurons.reset();
  if (method == "intrinsic_fingerprint") model.intrinsic.reset();
  if (method != "tensorguard") return;
  model.guard.reset();
  model.repaired.reset();
}

SurveyedModel as_reference(Fingerprint found, const std::string& archive, const std::string& path) {
  found.id = known_id(found.id, archive);
  found.use = Use::reference;
  for (Claim& claim : found.declared) claim.base = known_id(claim.base, archive);
  SurveyedModel model;
  model.request.id = found.id;
  model.request.label = found.label;
  model.request.path = path;
  model.request.use = found.use;
  model.request.declared = found.declared;
  model.known = std::make_shared<const Fingerprint>(std::move(found));
  return model;
}

}  // namespace

std::vector<SurveyedModel> known_models(const std::vector<std::filesystem::path>& archives,
                                        std::span<const Question> questions,
                                        std::vector<std::string>& notes) {
  std::vector<MergeSource> sources;
  for (const std::filesystem::path& archive : archives) sources.emplace_back(archive);
  const std::vector<std::string> names = names_of(sources);
  std::vector<SurveyedModel> known;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::string path = sources[i].path().string();
    const ArchiveReader archive(sources[i].path(), SealCheck::trust);  // MergeSource has looked at the seal
    std::set<std::string> said;
    for (std::size_t m = 0; m < archive.models().size(); ++m) {
      const ModelRow& row = archive.models()[m];
      if (row.status == Status::failed || row.format == format_of_known)
        continue;  // has no numbers, or others'
      Fingerprint found = archive.fingerprint(m);
      const auto methods = nlohmann::json::parse(sources[i].methods_of(m));
      for (const Question& question : questions) {
        const std::string why = foreignness(question, methods);
        if (why.empty()) continue;
        said.insert(fmt::format("{}: what {} found is not compared, because {}", printable(path),
                                question.method().name(), why));
        forget(question.method().name(), found);
      }
      known.push_back(as_reference(std::move(found), names[i], path));
    }
    std::ranges::copy(said, std::back_inserter(notes));
  }
  std::ranges::sort(known, {}, [](const SurveyedModel& m) { return m.request.id; });
  return known;
}

void add_known(std::vector<SurveyedModel>& models, std::span<const SurveyedModel> known) {
  std::set<std::string> own;
  for (const SurveyedModel& model : models) own.insert(model.request.id);
  std::map<std::string, std::vector<std::string>> bearers;  // by the id in an archive
  for (const SurveyedModel& model : known)
    bearers[model.request.id.substr(0, model.request.id.rfind('@'))].push_back(model.request.id);
  for (SurveyedModel& model : models)
    for (Claim& claim : model.request.declared)
      if (const auto found = bearers.find(claim.base);
          found != bearers.end() && found->second.size() == 1 && !own.contains(claim.base))
        claim.base = found->second.front();
  std::ranges::copy(known, std::back_inserter(models));
  std::ranges::sort(models, {}, [](const SurveyedModel& m) { return m.request.id; });
}

}  // namespace stemma
