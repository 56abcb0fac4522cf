// What does a page of results show? Everything on it, as values; nothing here is laid out yet.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/archive/fingerprint.hpp"
#include "io/archive/origin_trace.hpp"
#include "io/archive/records.hpp"
#include "io/report/family_tree.hpp"

namespace stemma {

/// A model as the verdict table shows it.
struct PageModel {
  std::string id, label, family;
  Use use = Use::subject;
  Status status = Status::ok;
  int layers = 0;
  std::uint64_t parameters = 0, bytes = 0;
  std::string path, revision, format;
  std::vector<Claim> declared;
  Relation relation = Relation::abstain;
  std::string grade;                      ///< of its p-value
  std::string reason;                     ///< why ABSTAIN
  std::optional<std::uint32_t> relative;  ///< index of a model
  std::optional<std::size_t> pair;        ///< with the relative, else with the declared base; index of a pair
  int direction = 0;                      ///< 1: it comes from the relative, -1: the relative from it
  std::string declaration, declaration_reason;
  std::vector<float> layer_shares;  ///< of agreeing neurons, by MLP of that pair
  std::string nearest_by_curve;     ///< id; a ranking, not a verdict
};

/// The numbers of a pair that figures and tables show. Models by index, a < b.
struct PagePair {
  std::uint32_t a = 0, b = 0;
  Relation relation = Relation::abstain;
  bool declared = false;               ///< one of both names the other as its base
  bool borderline = false;             ///< its share lies near the limit
  float share = 0;                     ///< of agreeing neurons; NaN when not compared
  float percentile = 0;                ///< of its curve score among unrelated pairs; NaN when not known
  float curve_score = 0;               ///< intrinsic_fingerprint; NaN likewise
  float curve_twin = 0;                ///< its control, from products that no re-parameterisation moves
  float guard = 0, guard_control = 0;  ///< tensorguard: distances of weights and of random ones
  float log10_p = 0;                   ///< corrected; NaN when there is none
};

/// A pair with all that is known of it.
struct Dossier {
  std::size_t pair = 0;  ///< index of PageContent::pairs
  Pair found;            ///< with sentence and evidence
  std::vector<OriginReading> readings;
};

/// One curve of one model: points from left to right.
struct CurveLine {
  std::uint32_t model = 0;
  std::vector<std::pair<double, double>> points;
};

/// Curves of many models in one frame.
struct CurvePanel {
  std::string title;
  std::vector<CurveLine> lines;
};

/// Frames of one kind. Axes are shared in kind, not in range.
struct CurveFigure {
  std::string id, title, caption, x_axis, y_axis, file;
  bool log_x = false, log_y = false;
  double reference = missing;  ///< a level to compare with, or NaN
  std::string reference_name;
  std::size_t left_out = 0;  ///< models that were not asked: of many, those of no pair that is told in full
  std::optional<std::size_t> thinned_to;  ///< so many models are left, because the page was too large
  std::vector<CurvePanel> panels;
};

/// Scores of unrelated pairs, and marks of those that the page tells of: related ones, or the one it was
/// asked of.
struct NullFigure {
  struct Mark {
    std::size_t pair = 0;
    double score = 0;
  };
  std::string id, title, population, caption, axis, file;
  std::vector<double> scores;
  std::vector<Mark> marks;
  double limit = missing;                   ///< where a decision is taken, NaN where none is
  std::string counted = "unrelated pairs";  ///< what the bars count
  std::size_t marked = 0;                   ///< pairs to mark that have a score; marks may be fewer
};

/// Distances 1 - share of agreeing neurons at which something changes; NaN where not known.
struct DistanceLimits {
  double threshold = missing;   ///< of the robust test: below this share MLPs do not agree
  double detection = missing;   ///< of a model to its copy in another format, else the largest background
  double background = missing;  ///< of the nearest pair of which tests found nothing
};

struct PageContent {
  std::string title, subtitle, description, contact;
  std::string archive_name, archive_hash, version, created;
  std::vector<PageModel> models;  ///< as in the archive, by id
  std::vector<PagePair> pairs;    ///< by (a, b)
  std::vector<Dossier> dossiers;  ///< declared ones first, then by class
  std::size_t dossiers_possible = 0;
  bool dossiers_thinned = false;  ///< because the page was too large
  bool headlines_only = false;    ///< of so many pairs the archive keeps the headline of each test
  bool claims_checked = true;     ///< declarations were held against the evidence
  double strangers = missing;     ///< share of neurons in which separately trained models may agree
  double noise_multiple = 1;      ///< of the rounding null, from which on a singular value is signal
  Dendrogram dendrogram;          ///< over models
  DistanceLimits limits;
  FamilyTree tree;  ///< over models that have distances to all others
  bool tree_wanted = true;
  bool tree_by_joining = true;  ///< else it is the dendrogram
  bool tree_has_support = false;
  std::size_t left_out_of_tree = 0;
  std::vector<CurveFigure> curves;
  std::vector<NullFigure> nulls;
  std::vector<ModelFinding> findings;
  std::vector<Failure> failures;
  std::vector<std::pair<std::string, std::string>> provenance;  ///< name, value
  std::string configuration;                                    ///< as the user wrote it, many lines
  std::string bibtex;
  std::string theme = "auto";
  std::uint64_t most_bytes = 10'000'000;  ///< of the page, where thinning can have it so
  std::string tables = "report_data";     ///< directory of the tables, beside the page
};

}  // namespace stemma
