// A log on disk and one offset in memory for each result.
#include "pipeline/result_store.hpp"

#include <fmt/format.h>

namespace stemma {
namespace {

std::string key_of(std::string_view analyzer, std::string_view subject) {
  return fmt::format("{} {}", analyzer, subject);
}

}  // namespace

ResultStore::ResultStore(const std::filesystem::path& log, std::size_t models)
    : log_(RecordLog::create(log)), offsets_(models), failed_(models) {}

ResultStore::~ResultStore() {
  std::error_code ignored;
  std::filesystem::remove(log_.path(), ignored);
}

void ResultStore::add(std::uint32_t model, const ItemResult& result) {
  for (std::size_t i = 0; i < result.features.size(); ++i) {
    const Features& features = result.features[i];
    const std::string key = key_of(features.analyzer, features.subject);
    if (features.status == Status::failed)
      failed_[model].push_back({.subject = key,
                                .rule = features.rule,
                                .problem = features.problem,
                                .suggestion = features.suggestion,
                                .rank = result.rank,
                                .seconds = result.spent[i],
                                .when = result.ended});
    offsets_[model][key] = log_.append(encode(features));
  }
}

FeatureSource ResultStore::of_model(std::uint32_t model) const {
  return [this, model](std::string_view analyzer, std::string_view subject) -> std::optional<Features> {
    const auto at = offsets_[model].find(key_of(analyzer, subject));
    if (at == offsets_[model].end()) return std::nullopt;
    return decode_features(log_.read(at->second));
  };
}

}  // namespace stemma
