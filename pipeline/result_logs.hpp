// Where do results outlive the process that computed them, and who else may use them?
#pragma once
#include <cstdint>
#include <filesystem>
#include <list>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "io/archive/fingerprint.hpp"
#include "io/archive/record_log.hpp"
#include "pipeline/clock.hpp"

namespace stemma {

/// What becomes of a log when its run is over.
enum class Leftovers : std::uint8_t { removed, kept };

/// What a run makes of results that lay there when it began: it uses them; or it reads their weights again,
/// and uses them where the bytes turn out to be the same (find_content).
enum class EarlierResults : std::uint8_t { used, checked };

/// Where one record lies.
struct RecordPlace {
  std::uint32_t log = 0;
  std::uint64_t offset = 0;
};

/// What a record is about.
struct RecordName {
  enum class Kind : std::uint64_t {
    result,   ///< with a payload
    failure,  ///< with one that says why; nobody uses it again
    same,     ///< as the result with this content
    claim     ///< no result: the payload is keys on which whoever wrote this log works
  };
  Hash128 key;      ///< of the work: which bytes of which file, and what was asked (work_key)
  Hash128 content;  ///< the same with the bytes themselves instead of their place (content_key); or nothing
  Kind kind = Kind::result;
};

/// A directory of record logs. Every run appends to one of its own and reads all the others, of runs that
/// ended, were killed or go on at the same time: nothing is ever written by two, and nothing that is written
/// changes. A log that came to its end is read-only and has an index. Results are found by what they depend
/// on, so runs over different models, of different users, on any number of ranks may share a directory.
/// Not thread-safe.
class ResultLogs {
 public:
  /// Enters `directory`, which is made, with a log of its own. With Leftovers::removed nobody else is looked
  /// at, and the log goes with this object. Throws StorageError, and InvalidInput for a directory of a newer
  /// version.
  ResultLogs(std::filesystem::path directory, Leftovers leftovers,
             EarlierResults earlier = EarlierResults::used);
  ~ResultLogs();
  ResultLogs(const ResultLogs&) = delete;
  ResultLogs& operator=(const ResultLogs&) = delete;

  /// Appends a record. What is appended outlives this process at once, and its machine after a minute or
  /// 256 MB. Throws StorageError.
  RecordPlace append(const RecordName& name, std::span<const std::byte> payload);
  /// Tells others that this run works on these keys now, also those who will begin while it does.
  void claim(std::span<const Hash128> keys);
  /// Returns when everything is on the disk.
  void sync();
  /// The same, where something waits for a minute, or much does.
  void sync_if_due();
  /// Syncs, adds the index and makes the log read-only: nothing can be appended any more. One without any
  /// result is removed.
  void seal();

  /// The result of this work; of another run, or of this one. What is damaged is as if it were not there.
  std::optional<RecordPlace> find(const Hash128& key);
  /// Whether somebody wrote one, which may turn out to be damaged: nothing is read.
  bool promises(const Hash128& key) const;
  /// The result of work on these bytes, wherever they lie.
  std::optional<RecordPlace> find_content(const Hash128& content);
  /// Payload of a record. Throws InvalidInput(record.damaged), StorageError.
  std::vector<std::byte> read(const RecordPlace& place) const;

  /// Whether nobody who shares this directory has asked for this name before.
  bool is_first(const std::string& name) const;

  /// Looks at what other runs have written since it looked last.
  void look_at_all();
  /// The same, at most once a second, and only where logs are shared.
  void look_again();
  /// Whether another run was at work in the ten minutes before a look: may somebody share?
  bool has_company() const { return company_; }
  /// Whether another run that is at work said that it does this.
  bool claimed(const Hash128& key) const;

  bool kept() const { return leftovers_ == Leftovers::kept; }
  const std::filesystem::path& directory() const { return directory_; }
  /// Results of others that could be read.
  std::size_t known() const { return by_key_.size(); }
  double longest_sync() const { return longest_sync_; }

 private:
  struct KeyHash {
    std::size_t operator()(const Hash128& key) const { return key.hi; }  // it is a hash already
  };
  struct Log {
    std::filesystem::path path;
    bool sealed = false;
    bool works = false;       ///< somebody wrote lately
    std::uint64_t bytes = 0;  ///< when it was looked at
    std::uint64_t seen = 0;   ///< behind the last whole record
    std::unordered_set<Hash128, KeyHash> claims;
  };
  using Places = std::unordered_multimap<Hash128, RecordPlace, KeyHash>;
  void enter_directory() const;
  void look_at(std::uint32_t number);
  void take(const RecordName& name, const RecordPlace& place);
  std::optional<RecordPlace> proven(Places& places, const Hash128& key) const;
  const RecordLog& opened(const RecordPlace& place) const;

  std::filesystem::path directory_;
  Leftovers leftovers_;
  bool by_content_only_ = false;  ///< what is taken now is known by its bytes, not by its place
  std::optional<RecordLog> own_;
  std::vector<RecordName> own_names_;                       ///< for the index
  std::vector<std::uint64_t> own_offsets_;                  ///< parallel to own_names_
  std::vector<Log> logs_;                                   ///< the own one first
  std::unordered_map<std::string, std::uint32_t> numbers_;  ///< of logs_, by path
  Places by_key_, by_content_;
  std::unordered_map<Hash128, Hash128, KeyHash> same_;  ///< key to content
  bool company_ = false;
  std::uint64_t unsynced_ = 0;  ///< bytes
  double longest_sync_ = 0;
  Stopwatch since_sync_, since_look_;
  mutable std::list<std::pair<std::uint32_t, RecordLog>> open_;  ///< others, most recent first
};

}  // namespace stemma
