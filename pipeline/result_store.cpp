// A log on disk and one place in memory for each result. A record is a key, whether it failed, and the
// features.
#include "pipeline/result_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "pipeline/machine.hpp"

namespace stemma {
namespace {

/// Before the features in every record: no padding, little-endian as everything here.
struct Prefix {
  std::uint64_t hi = 0, lo = 0;
  std::uint64_t failed = 0;
};
static_assert(sizeof(Prefix) == 24);

constexpr double seconds_between_syncs = 60;
constexpr const char* extension = ".rec";

std::string name_of(std::string_view analyzer, std::string_view subject) {
  return fmt::format("{} {}", analyzer, subject);
}

RecordLog fresh_log(const std::filesystem::path& directory, const std::string& round) {
  std::filesystem::create_directories(directory);
  return RecordLog::create(directory / fmt::format("{}.{}{}", new_uuid(), round, extension));
}

std::vector<std::byte> record_of(const Hash128& key, const Features& features) {
  const Prefix prefix{key.hi, key.lo, features.status == Status::failed ? 1U : 0U};
  const std::vector<std::byte> bytes = encode(features);
  std::vector<std::byte> record(sizeof prefix + bytes.size());
  std::memcpy(record.data(), &prefix, sizeof prefix);
  std::ranges::copy(bytes, record.begin() + sizeof prefix);
  return record;
}

}  // namespace

ResultStore::ResultStore(const std::filesystem::path& directory, const std::string& round, std::size_t models,
                         Leftovers leftovers)
    : leftovers_(leftovers), places_(models), failed_(models) {
  logs_.push_back(fresh_log(directory, round));
  if (leftovers_ == Leftovers::kept) look_at_leftovers(directory, round);
}

ResultStore::~ResultStore() {
  if (leftovers_ == Leftovers::kept) return;
  std::error_code ignored;
  std::filesystem::remove(logs_.front().path(), ignored);
}

void ResultStore::look_at_leftovers(const std::filesystem::path& directory, const std::string& round) {
  const std::string ending = fmt::format(".{}{}", round, extension);
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(ending) || entry.path().string() == logs_.front().path() || !entry.is_regular_file())
      continue;
    RecordLog log = RecordLog::open(entry.path());
    log.scan([&](std::uint64_t offset, std::span<const std::byte> payload) {
      Prefix prefix;
      if (payload.size() < sizeof prefix) return;
      std::memcpy(&prefix, payload.data(), sizeof prefix);
      if (prefix.failed == 0) left_[{prefix.hi, prefix.lo}] = {logs_.size(), offset};
    });
    logs_.push_back(std::move(log));
  }
}

void ResultStore::add(std::uint32_t model, const ItemResult& result) {
  for (std::size_t i = 0; i < result.features.size(); ++i) {
    const Features& features = result.features[i];
    const std::string name = name_of(features.analyzer, features.subject);
    if (features.status == Status::failed)
      failed_[model].push_back({.subject = name,
                                .rule = features.rule,
                                .problem = features.problem,
                                .suggestion = features.suggestion,
                                .rank = result.rank,
                                .seconds = result.spent[i],
                                .when = result.ended});
    places_[model][name] = {0, logs_.front().append(record_of(result.keys[i], features))};
  }
  if (leftovers_ == Leftovers::removed || since_sync_.seconds() < seconds_between_syncs) return;
  logs_.front().sync();
  since_sync_ = Stopwatch();
}

bool ResultStore::recall(std::uint32_t model, std::span<const Subject> subjects,
                         std::span<const Hash128> keys) {
  if (subjects.empty()) return false;
  for (const Hash128& key : keys)
    if (!left_.contains(key)) return false;
  for (std::size_t i = 0; i < subjects.size(); ++i)
    places_[model][name_of(subjects[i].analyzer, subjects[i].path)] = left_.at(keys[i]);
  return true;
}

FeatureSource ResultStore::of_model(std::uint32_t model) const {
  return [this, model](std::string_view analyzer, std::string_view subject) -> std::optional<Features> {
    const auto at = places_[model].find(name_of(analyzer, subject));
    if (at == places_[model].end()) return std::nullopt;
    const std::vector<std::byte> record = logs_[at->second.log].read(at->second.offset);
    return decode_features(std::span(record).subspan(sizeof(Prefix)));
  };
}

void remove_leftovers(const std::filesystem::path& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    // A map that was being written when its run was killed still has a temporary name.
    if (name.ends_with(extension) || name.ends_with(".map") || name.find(".map.tmp.") != std::string::npos)
      std::filesystem::remove(entry.path(), ignored);
  }
}

}  // namespace stemma
