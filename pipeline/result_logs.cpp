// One log of its own to write, any number of others to read.
#include "pipeline/result_logs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

ResultLogs::ResultLogs(std::filesystem::path directory, Leftovers leftovers, EarlierResults earlier)
    : directory_(std::move(directory)), leftovers_(leftovers) {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error) throw StorageError(directory_.string(), "", "create", error.value());
  if (leftovers_ == Leftovers::kept) enter_directory();
  const auto path = directory_ / fmt::format("{}{}", new_uuid(), extension);
  logs_.push_back({.path = path, .sealed = true});
  numbers_.emplace(path.string(), 0);
  by_content_only_ = earlier == EarlierResults::checked;
  if (leftovers_ == Leftovers::kept) look_at_all();
  by_content_only_ = false;
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
  sync_if_due();
  return place;
}

void ResultLogs::sync_if_due() {
  if (leftovers_ == Leftovers::removed || unsynced_ == 0) return;
  if (unsynced_ > bytes_between_syncs || since_sync_.seconds() > seconds_between_syncs) sync();
}

void ResultLogs::claim(std::span<const Hash128> keys) {
  if (leftovers_ == Leftovers::removed || keys.empty()) return;
  const NameBytes name = bytes_of({.key = {}, .content = {}, .kind = RecordName::Kind::claim});
  std::vector<std::byte> record(sizeof name + keys.size_bytes());
  std::memcpy(record.data(), &name, sizeof name);
  std::memcpy(record.data() + sizeof name, keys.data(), keys.size_bytes());
  own_->append(record);
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
  for (const auto& path : paths) {
    const auto [at, fresh] = numbers_.try_emplace(path.string(), static_cast<std::uint32_t>(logs_.size()));
    if (fresh) logs_.push_back({.path = path});
    if (logs_[at->second].sealed) continue;
    try {
      look_at(at->second);
    } catch (const StorageError&) {  // NOLINT(bugprone-empty-catch): it has gone, or is not for us to read
    }
  }
}

void ResultLogs::look_at(std::uint32_t number) {
  Log& log = logs_[number];
  log.works = false;
  const RecordLog file = RecordLog::open(log.path);
  if (const auto index = file.index()) {
    log.sealed = true;
    log.claims.clear();
    for (std::size_t at = 0; at + sizeof(IndexEntry) <= index->size(); at += sizeof(IndexEntry)) {
      IndexEntry entry;
      std::memcpy(&entry, index->data() + at, sizeof entry);
      if (entry.offset >= log.seen) take(name_from(entry.name), {number, entry.offset});
    }
    return;
  }
  log.works = lately(log.path);
  company_ = company_ || log.works;
  if (file.bytes() == log.bytes) return;
  log.bytes = file.bytes();
  log.seen = file.scan(log.seen, [&](std::uint64_t offset, std::span<const std::byte> payload) {
    NameBytes name;
    if (payload.size() < sizeof name) return;
    std::memcpy(&name, payload.data(), sizeof name);
    if (name.kind == RecordName::Kind::claim) {
      for (std::size_t at = sizeof name; at + sizeof(Hash128) <= payload.size(); at += sizeof(Hash128)) {
        Hash128 key;
        std::memcpy(&key, payload.data() + at, sizeof key);
        log.claims.insert(key);
      }
    } else {
      take(name_from(name), {number, offset});
    }
  });
}

bool ResultLogs::claimed(const Hash128& key) const {
  return std::ranges::any_of(logs_, [&](const Log& log) { return log.works && log.claims.contains(key); });
}

void ResultLogs::take(const RecordName& name, const RecordPlace& place) {
  switch (name.kind) {
    case RecordName::Kind::result:
      if (!by_content_only_) by_key_.emplace(name.key, place);
      if (name.content != Hash128{}) by_content_.emplace(name.content, place);
      break;
    case RecordName::Kind::same:
      if (!by_content_only_) same_.try_emplace(name.key, name.content);
      break;
    case RecordName::Kind::failure:
    case RecordName::Kind::claim:
      break;
  }
}

bool ResultLogs::is_first(const std::string& name) const {
  const auto path = directory_ / name;
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0 && errno != EEXIST) throw StorageError(path.string(), "", "create", errno);
  if (file >= 0) ::close(file);
  return file >= 0;
}

void ResultLogs::look_again() {
  if (leftovers_ == Leftovers::removed || since_look_.seconds() < seconds_between_looks) return;
  look_at_all();
  since_look_ = Stopwatch();
}

std::optional<RecordPlace> ResultLogs::find(const Hash128& key) {
  if (const auto place = proven(by_key_, key)) return place;
  const auto at = same_.find(key);
  return at == same_.end() ? std::nullopt : find_content(at->second);
}

bool ResultLogs::promises(const Hash128& key) const {
  if (by_key_.contains(key)) return true;
  const auto at = same_.find(key);
  return at != same_.end() && by_content_.contains(at->second);
}

std::optional<RecordPlace> ResultLogs::find_content(const Hash128& content) {
  return proven(by_content_, content);
}

/// The first of its places that can be read; others are forgotten.
std::optional<RecordPlace> ResultLogs::proven(Places& places, const Hash128& key) const {
  for (auto at = places.find(key); at != places.end(); at = places.find(key)) {
    try {
      read(at->second);
      return at->second;
    } catch (const InvalidInput&) {
      places.erase(at);
    } catch (const StorageError&) {
      places.erase(at);
    }
  }
  return std::nullopt;
}

std::vector<std::byte> ResultLogs::read(const RecordPlace& place) const {
  std::vector<std::byte> record =
      place.log == 0 ? own_->read(place.offset) : opened(place).read(place.offset);
  record.erase(record.begin(), record.begin() + sizeof(NameBytes));
  return record;
}

/// The log that holds the record: opened again where it has grown since.
const RecordLog& ResultLogs::opened(const RecordPlace& place) const {
  const auto at =
      std::find_if(open_.begin(), open_.end(), [&](const auto& o) { return o.first == place.log; });
  if (at != open_.end() && place.offset < at->second.bytes()) {
    open_.splice(open_.begin(), open_, at);
    return open_.front().second;
  }
  if (at != open_.end()) open_.erase(at);
  open_.emplace_front(place.log, RecordLog::open(logs_[place.log].path));
  if (open_.size() > most_open) open_.pop_back();
  return open_.front().second;
}

}  // namespace stemma
