// What does an archive keep besides features: who ran what where, what failed, what was planned?
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/archive/evidence.hpp"
#include "io/archive/features.hpp"
#include "io/archive/fingerprint.hpp"
#include "io/model/finding.hpp"
#include "io/model/model.hpp"

namespace stemma {

/// What is known of the bytes of one file beyond its survey.
struct FileFacts {
  enum class Source : std::uint8_t { none, hub, computed };
  std::string sha256;  ///< 64 hex digits, "" when unknown
  Source sha256_source = Source::none;
  std::uint64_t bytes_read = 0;
};

/// models/format of a model that an archive knows from another one: everything but its tensors.
inline constexpr const char* format_of_known = "stemma archive";

/// One model as it goes into an archive. `model` and `fingerprint` are only borrowed; nullptr when the model
/// could not be read.
struct ModelEntry {
  std::string id;
  std::string label;
  std::string path;
  std::string revision;
  Use use = Use::subject;
  const Model* model = nullptr;
  const Fingerprint* fingerprint = nullptr;
  Status status = Status::ok;
  std::vector<FileFacts> files;  ///< parallel to model->checkpoint.files, or empty
  std::string format = {};       ///< of a model that comes without `model`
};

/// Where a run was when something failed. The numeric values are written to archives: append only.
enum class Stage : std::uint8_t { survey, plan, read, compute, write, compare, confirm };
std::string_view name_of(Stage stage);

/// One item that could not be done.
struct Failure {
  std::string model;  ///< id; "" when no single model is concerned
  std::string item;   ///< analyzer and subject, or the file
  Stage stage = Stage::compute;
  std::string rule;  ///< dotted identifier
  std::string sentence;
  std::string suggestion;
  std::uint32_t attempts = 1;
  bool quarantined = false;
  std::uint32_t rank = 0;
  std::string node;
  double seconds = 0;
  std::string when;  ///< ISO 8601 UTC

  bool operator==(const Failure&) const = default;
};

/// A finding and the model it is about.
struct ModelFinding {
  std::string model;  ///< id
  Finding finding;

  auto operator<=>(const ModelFinding&) const = default;
};

struct Host {
  std::string name;
  std::string cpu_model;
  std::string blas_core;
  std::string blas_config;
  std::string mpi_library;
  bool selftest = false;  ///< passed
};

/// One run that contributed to the archive. Texts that do not apply are empty.
struct Provenance {
  std::string software_version;
  std::string software_commit;
  std::string machine;
  std::string uuid;
  std::string job_id;
  std::string cluster;
  std::string user;
  std::string argv;
  std::string versions_json = "{}";
  std::string environment_json = "{}";
  std::string modules;
  std::string started;  ///< ISO 8601 UTC
  std::string ended;
  std::uint32_t ranks = 1;
  std::uint32_t nodes = 1;
  std::int32_t exit_code = 0;
  double read_ratio = missing;  ///< bytes read / bytes of weights; 1 when every byte was read once
  std::vector<Host> hosts;
};

/// One planned item with what became of it.
struct PlanItem {
  std::string model;  ///< id
  std::string name;   ///< stored tensor or group
  std::uint16_t width = 1;
  double predicted_seconds = missing;
  double actual_seconds = missing;
  Status status = Status::pending;
};

/// The plan beside the achieved figures; times in seconds.
struct PlanRecord {
  std::string digest;
  double work = missing;         ///< W: summed one-rank time of all items
  double lower_bound = missing;  ///< LB
  double lambda = missing;
  double makespan_predicted = missing;
  double makespan = missing;
  double efficiency = missing;
  std::string calibration_json = "{}";
  std::vector<PlanItem> items;
};

/// Scores of a population of unrelated pairs.
struct BackgroundScores {
  std::string method;
  std::string population;
  std::vector<double> scores;
};

/// An analyzer that contributed: attributes of its group under /methods.
struct MethodRecord {
  std::string name;
  int version = 1;
  std::string paper;
  std::string parameters_json = "{}";
};

/// SHA-256 in hex over the exact columns, and over these and the features of the methods.
struct ArchiveHashes {
  std::string exact;
  std::string all;
  bool operator==(const ArchiveHashes&) const = default;
};

}  // namespace stemma
