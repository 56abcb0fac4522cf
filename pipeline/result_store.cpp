// Names of subjects for places in logs.
#include "pipeline/result_store.hpp"

#include <fmt/format.h>

#include <utility>

namespace stemma {
namespace {

std::string name_of(std::string_view analyzer, std::string_view subject) {
  return fmt::format("{} {}", analyzer, subject);
}

}  // namespace

void ResultStore::add(std::uint32_t model, const ItemResult& result) {
  for (std::size_t i = 0; i < result.features.size(); ++i) {
    const Features& features = result.features[i];
    const std::string name = name_of(features.analyzer, features.subject);
    const Hash128 content = i < result.contents.size() ? result.contents[i] : Hash128{};
    if (i < result.same.size() && result.same[i] != 0) {
      logs_.append({result.keys[i], content, RecordName::Kind::same}, {});
      if (const auto place = logs_.find_content(content)) {
        places_[model][name] = *place;
        ++linked_;
      } else {
        open_links_.push_back({model, result.item, name, content});
      }
      continue;
    }
    const bool failed = features.status == Status::failed;
    if (failed)
      failed_[model].push_back({.subject = name,
                                .rule = features.rule,
                                .problem = features.problem,
                                .suggestion = features.suggestion,
                                .rank = result.rank,
                                .seconds = result.spent[i],
                                .when = result.ended,
                                .attempts = failed_before_[model].contains(name) ? 2 : 1});
    places_[model][name] =
        logs_.append({.key = result.keys[i],
                      .content = content,
                      .kind = failed ? RecordName::Kind::failure : RecordName::Kind::result},
                     encode(features));
  }
}

bool ResultStore::recall(const WorkOrder& order) {
  std::vector<RecordPlace> found;
  for (const Subject& subject : order.subjects) {
    const auto place = logs_.find(work_key(order, subject));
    if (!place) return false;
    found.push_back(*place);
  }
  for (std::size_t i = 0; i < found.size(); ++i)
    places_[order.model][name_of(order.subjects[i].analyzer, order.subjects[i].path)] = found[i];
  return !found.empty();
}

std::size_t ResultStore::forget(std::uint32_t model, std::span<const Subject> subjects) {
  std::size_t failures = 0;
  for (const Subject& subject : subjects) {
    const std::string name = name_of(subject.analyzer, subject.path);
    const auto of_subject =
        std::erase_if(failed_[model], [&](const auto& failed) { return failed.subject == name; });
    if (of_subject > 0) failed_before_[model].insert(name);
    failures += of_subject;
    places_[model].erase(name);
  }
  return failures;
}

std::vector<std::uint32_t> ResultStore::settle() {
  std::vector<std::uint32_t> without;
  for (Link& link : std::exchange(open_links_, {})) {
    if (const auto place = logs_.find_content(link.content)) {
      places_[link.model][link.name] = *place;
      ++linked_;
    } else if (without.empty() || without.back() != link.item) {
      without.push_back(link.item);
    }
  }
  return without;
}

FeatureSource ResultStore::of_model(std::uint32_t model) const {
  return [this, model](std::string_view analyzer, std::string_view subject) -> std::optional<Features> {
    const auto at = places_[model].find(name_of(analyzer, subject));
    if (at == places_[model].end()) return std::nullopt;
    Features features = decode_features(logs_.read(at->second));
    features.subject = subject;  // equal tensors of another name may have been measured
    return features;
  };
}

}  // namespace stemma
