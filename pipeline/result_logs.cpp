// One log of its own to write, any number of others to read.
#include "pipeline/result_logs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/archive/storage_error.hpp"
#include "io/model/finding.hpp"
#include "io/report/tsv.hpp"
#include "pipeline/machine.hpp"

namespace stemma {
namespace {

constexpr const char* extension = ".rec";
constexpr const char* label = "STORE.json";
constexpr int format = 2;
constexpr double seconds_between_syncs = 60, seconds_between_looks = 1;
constexpr std::uint64_t bytes_between_syncs = 256'000'000;
constexpr std::chrono::minutes at_work{10};  // whoever wrote nothing for longer is not waited for
constexpr std::size_t most_open = 64;

/// A name as it stands before every payload and in the index: no padding, little-endian as everything here.
struct NameBytes {
  std::uint64_t key_hi = 0, key_lo = 0, content_hi = 0, content_lo = 0;
  RecordName::Kind kind = RecordName::Kind::result;
};
static_assert(sizeof(NameBytes) == 40);

struct IndexEntry {
  NameBytes name;
  std::uint64_t offset = 0;
};
static_assert(sizeof(IndexEntry) == 48);

NameBytes bytes_of(const RecordName& name) {
  return {name.key.hi, name.key.lo, name.content.hi, name.content.lo, name.kind};
}

RecordName name_from(const NameBytes& bytes) {
  return {{bytes.key_hi, bytes.key_lo}, {bytes.content_hi, bytes.content_lo}, bytes.kind};
}

bool lately(const std::filesystem::path& path) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error);
  return !error && std::filesystem::file_time_type::clock::now() - written < at_work;
}

}  // namespace

ResultLogs::ResultLogs(std::filesystem::path directory, Leftovers leftovers)
    : directory_(std::move(directory)), leftovers_(leftovers) {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error) throw StorageError(directory_.string(), "", "create", error.value());
  if (leftovers_ == Leftovers::kept) enter_directory();
  const auto path = directory_ / fmt::format("{}{}", new_uuid(), extension);
  logs_.push_back({.path = path, .sealed = true});
  numbers_.emplace(path.string(), 0);
  if (leftovers_ == Leftovers::kept) look_at_all();
  own_.emplace(RecordLog::create(path));
}

ResultLogs::~ResultLogs() {
  if (leftovers_ == Leftovers::kept && !own_names_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(own_->path(), ignored);
}

void ResultLogs::enter_directory() const {
  const auto path = directory_ / label;
  std::ifstream file(path);
  if (!file) {
    const nlohmann::ordered_json words{{"schema", "stemma.store/1"}, {"format", format}};
    return write_whole(path, words.dump(2) + "\n");
  }
  const auto words = nlohmann::json::parse(file, nullptr, false);
  const auto found = words.is_object() ? words.find("format") : words.end();
  if (found != words.end() && found->is_number_unsigned() && *found <= format) return;
  const bool newer = found != words.end() && found->is_number_unsigned();
  throw InvalidInput({.rule = "store.format",
                      .file = path.string(),
                      .expected = fmt::format("\"format\": {} or less", format),
                      .found = newer ? found->dump() : "something else",
                      .hint = newer ? "a newer version of Stemma wrote here. Use that, or another --store"
                                    : "this is no store of Stemma. Use another --store, or an empty one"});
}

RecordPlace ResultLogs::append(const RecordName& name, std::span<const std::byte> payload) {
  const NameBytes prefix = bytes_of(name);
  std::vector<std::byte> record(sizeof prefix + payload.size());
  std::memcpy(record.data(), &prefix, sizeof prefix);
  std::ranges::copy(payload, record.begin() + sizeof prefix);
  const RecordPlace place{0, own_->append(record)};
  own_names_.push_back(name);
  own_offsets_.push_back(place.offset);
  take(name, place);
  unsynced_ += record.size();
  if (leftovers_ == Leftovers::kept &&
      (unsynced_ > bytes_between_syncs || since_sync_.seconds() > seconds_between_syncs))
    sync();
  return place;
}

void ResultLogs::claim(std::span<const Hash128> keys) {
  if (leftovers_ == Leftovers::removed) return;
  for (const Hash128& key : keys) {
    const NameBytes name = bytes_of({.key = key, .content = {}, .kind = RecordName::Kind::claim});
    own_->append(std::as_bytes(std::span(&name, 1)));
  }
}

void ResultLogs::sync() {
  const Stopwatch watch;
  own_->sync();
  longest_sync_ = std::max(longest_sync_, watch.seconds());
  unsynced_ = 0;
  since_sync_ = Stopwatch();
}

void ResultLogs::seal() {
  if (own_names_.empty()) {
    std::error_code ignored;
    std::filesystem::remove(own_->path(), ignored);
    return;
  }
  std::vector<IndexEntry> index;
  index.reserve(own_names_.size());
  for (std::size_t i = 0; i < own_names_.size(); ++i)
    index.push_back({bytes_of(own_names_[i]), own_offsets_[i]});
  own_->seal(std::as_bytes(std::span(index)));
}

void ResultLogs::look_at_all() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory_))
    if (entry.path().extension() == extension && entry.is_regular_file()) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  at_work_.clear();
  for (const auto& path : paths) {
    const auto [at, fresh] = numbers_.try_emplace(path.string(), static_cast<std::uint32_t>(logs_.size()));
    if (fresh) logs_.push_back({.path = path});
    if (!logs_[at->second].sealed) look_at(at->second);
  }
}

void ResultLogs::look_at(std::uint32_t number) {
  Log& log = logs_[number];
  const RecordLog file = RecordLog::open(log.path);
  if (const auto index = file.index()) {
    log.sealed = true;
    log.claims.clear();
    for (std::size_t at = 0; at + sizeof(IndexEntry) <= index->size(); at += sizeof(IndexEntry)) {
      IndexEntry entry;
      std::memcpy(&entry, index->data() + at, sizeof entry);
      take(name_from(entry.name), {number, entry.offset});
    }
    return;
  }
  if (lately(log.path)) at_work_.push_back(number);
  log.seen = file.scan(log.seen, [&](std::uint64_t offset, std::span<const std::byte> payload) {
    NameBytes name;
    if (payload.size() < sizeof name) return;
    std::memcpy(&name, payload.data(), sizeof name);
    if (name.kind == RecordName::Kind::claim) {
      log.claims.insert({name.key_hi, name.key_lo});
    } else {
      take(name_from(name), {number, offset});
    }
  });
}

void ResultLogs::take(const RecordName& name, const RecordPlace& place) {
  switch (name.kind) {
    case RecordName::Kind::result:
      by_key_.try_emplace(name.key, place);
      if (name.content != Hash128{}) by_content_.try_emplace(name.content, place);
      break;
    case RecordName::Kind::same:
      same_.try_emplace(name.key, name.content);
      break;
    case RecordName::Kind::failure:
    case RecordName::Kind::claim:
      break;
  }
}

void ResultLogs::look_again() {
  if (leftovers_ == Leftovers::removed || since_look_.seconds() < seconds_between_looks) return;
  look_at_all();
  since_look_ = Stopwatch();
}

bool ResultLogs::claimed(const Hash128& key) const {
  return std::ranges::any_of(at_work_, [&](std::uint32_t log) { return logs_[log].claims.contains(key); });
}

std::optional<RecordPlace> ResultLogs::find(const Hash128& key) const {
  if (const auto at = by_key_.find(key); at != by_key_.end()) return at->second;
  if (const auto at = same_.find(key); at != same_.end()) return find_content(at->second);
  return std::nullopt;
}

std::optional<RecordPlace> ResultLogs::find_content(const Hash128& content) const {
  const auto at = by_content_.find(content);
  if (at == by_content_.end()) return std::nullopt;
  return at->second;
}

bool ResultLogs::proves_itself(const RecordPlace& place) const {
  try {
    read(place);
    return true;
  } catch (const InvalidInput&) {
    return false;
  }
}

std::vector<std::byte> ResultLogs::read(const RecordPlace& place) const {
  std::vector<std::byte> record =
      place.log == 0 ? own_->read(place.offset) : opened(place.log).read(place.offset);
  record.erase(record.begin(), record.begin() + sizeof(NameBytes));
  return record;
}

const RecordLog& ResultLogs::opened(std::uint32_t log) const {
  const auto at = std::find_if(open_.begin(), open_.end(), [&](const auto& o) { return o.first == log; });
  if (at != open_.end()) {
    open_.splice(open_.begin(), open_, at);
  } else {
    open_.emplace_front(log, RecordLog::open(logs_[log].path));
    if (open_.size() > most_open) open_.pop_back();
  }
  return open_.front().second;
}

}  // namespace stemma
