// write_page MODELS FILE [NAMES]
//
// A page of a made-up corpus, for tests in a browser: families of very different sizes, all classes, some
// models whose declarations are wrong, some that failed. The same arguments give the same bytes. NAMES is a
// JSON array of texts; with it, every text that a stranger could have written is one of them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "analyzers/trees/linkage.hpp"
#include "analyzers/trees/midpoint_root.hpp"
#include "analyzers/trees/neighbour_joining.hpp"
#include "io/report/page/relation_mark.hpp"
#include "io/report/page/sections.hpp"

namespace stemma {
namespace {

class Corpus {
 public:
  Corpus(std::size_t models, std::vector<std::string> names) : n_(models), names_(std::move(names)) {}

  PageContent content() {
    add_words();
    add_models();
    add_pairs();
    add_verdicts();
    add_trees();
    add_dossiers();
    add_curves();
    add_nulls();
    add_problems();
    return std::move(c_);
  }

 private:
  /// What a stranger wrote: one of the names where there are any.
  std::string word(std::string text) {
    if (names_.empty()) return text;
    const std::size_t k = said_++;
    return names_[k % names_.size()] + (k < names_.size() ? "" : fmt::format(" {}", k));
  }
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  std::size_t below(std::size_t limit) {
    return static_cast<std::size_t>(uniform() * static_cast<double>(limit));
  }

  void add_words() {
    c_.title = word("made-up corpus");
    c_.subtitle = names_.empty() ? "" : word("");
    c_.description = word("Families of very different sizes; no weight stands behind any of it");
    c_.contact = word("audit@example.org");
    c_.archive_name = word("corpus.h5");
    c_.archive_hash = std::string(64, '7');
    c_.version = "0.0.0";
    c_.created = "2026-01-01T00:00:00Z";
    c_.configuration = word("schema_version: 1") + "\nname: corpus\nmodels:\n  - sheet: models.tsv\n";
    c_.bibtex = "@misc{corpus,\n  title = {" + word("A made-up corpus") + "}\n}\n";
    for (const char* name : {"Archive", "Made by", "Machine", "Plan", "argv"})
      c_.provenance.emplace_back(name, word(fmt::format("{} of the corpus", name)));
  }

  void add_models() {
    std::vector<std::uint32_t> founders;
    for (std::uint32_t m = 0; m < n_; ++m) {
      const bool founds = m == 0 || uniform() < 0.22;
      const std::uint32_t parent = founds ? m : below_of_family(founders);
      parent_.push_back(parent);
      family_.push_back(founds ? m : family_[parent]);
      if (founds) founders.push_back(m);
      PageModel model;
      model.id = word(fmt::format("maker-{}/model-{:04}", family_[m] % 90, m));
      if (m % 7 == 3 || !names_.empty())
        model.label = word(fmt::format("Model {} of family {}", m, family_[m]));
      model.family = word("llama");
      model.layers = 24 + 4 * static_cast<int>(family_[m] % 5) - (m % 13 == 5 ? 2 : 0);
      model.parameters = 1'000'000'000ULL + 37ULL * m;
      model.bytes = 2 * model.parameters;
      model.path = word(fmt::format("/models/family-{}/model-{:04}", family_[m], m));
      model.revision = word(fmt::format("{:040x}", 0x9e3779b97f4aULL * (m + 1)));
      model.format = "safetensors";
      if (m % 37 == 36) model.status = Status::failed;
      if (parent != m)
        model.declared.push_back({.base = m % 11 == 10 ? c_.models[m / 2].id : c_.models[parent].id,
                                  .relation = "finetune",
                                  .source = ""});
      else if (m % 17 == 16)
        model.declared.push_back({.base = word("maker-x/not-here"), .relation = "finetune", .source = ""});
      c_.models.push_back(std::move(model));
    }
  }

  /// A model of a family, of the first one in a third of all cases.
  std::uint32_t below_of_family(const std::vector<std::uint32_t>& founders) {
    const std::uint32_t founder = uniform() < 0.33 ? 0 : founders[below(founders.size())];
    std::vector<std::uint32_t> members;
    for (std::uint32_t m = 0; m < family_.size(); ++m)
      if (family_[m] == founder) members.push_back(m);
    return members[below(members.size())];
  }

  void add_pairs() {
    constexpr std::array<double, 9> shares = {1, 0.999, 0.99, 0.97, 0.8, 0.45, 0.3, 0.02, missing};
    for (std::uint32_t a = 0; a < n_; ++a)
      for (std::uint32_t b = a + 1; b < n_; ++b) {
        PagePair p{.a = a, .b = b, .relation = Relation::no_evidence};
        if (family_[a] == family_[b])
          p.relation = parent_[b] == a ? static_cast<Relation>(b % 7) : Relation::same_lineage;
        else if (a % 29 == 28 || b % 29 == 28)
          p.relation = Relation::abstain;
        const double share = shares.at(static_cast<std::size_t>(p.relation));
        p.share = static_cast<float>(share < 0.99 ? share * (0.85 + 0.15 * uniform()) : share);
        if (uniform() < 0.003) p.share = 0.1F;
        p.borderline = std::abs(p.share - 0.1F) <= 0.01F;
        p.curve_score = static_cast<float>(joins(p.relation) ? 0.9 + 0.1 * uniform() : 0.2 + 0.8 * uniform());
        p.curve_twin = static_cast<float>(p.curve_score - 0.05 * uniform());
        p.percentile = static_cast<float>(joins(p.relation) ? 90 + 10 * uniform() : 100 * uniform());
        p.guard = static_cast<float>(uniform());
        p.guard_control = static_cast<float>(uniform());
        p.log10_p = p.relation <= Relation::shared_init ? static_cast<float>(-1000 * share * uniform() - 3)
                    : p.relation == Relation::abstain   ? std::nanf("")
                                                        : 0.0F;
        p.declared = declares(a, b) || declares(b, a);
        c_.pairs.push_back(p);
      }
  }

  bool declares(std::uint32_t child, std::uint32_t parent) const {
    const auto& claims = c_.models[child].declared;
    return std::any_of(claims.begin(), claims.end(),
                       [&](const Claim& claim) { return claim.base == c_.models[parent].id; });
  }

  void add_verdicts() {
    for (std::size_t i = 0; i < c_.pairs.size(); ++i) {
      const PagePair& p = c_.pairs[i];
      for (const std::uint32_t m : {p.a, p.b}) {
        PageModel& model = c_.models[m];
        if (model.pair && c_.pairs[*model.pair].relation <= p.relation) continue;
        model.pair = i;
        model.relation = p.relation;
        if (joins(p.relation)) model.relative = m == p.a ? p.b : p.a;
      }
    }
    for (std::uint32_t m = 0; m < n_; ++m) {
      PageModel& model = c_.models[m];
      if (model.relation == Relation::abstain) model.reason = word("too_few_layers");
      if (joins(model.relation)) model.direction = static_cast<int>(m % 3) - 1;
      if (joins(model.relation)) model.grade = m % 2 == 0 ? "G" : "C";
      constexpr std::array<const char*, 5> answers = {"supported", "not_supported", "other_found",
                                                      "undeclared", "untestable"};
      if (!model.declared.empty()) model.declaration = m % 11 == 10 ? answers.at(1 + m % 4) : answers[0];
      if (!model.declaration.empty()) model.declaration_reason = word("said by the sheet");
      if (model.pair && std::isfinite(c_.pairs[*model.pair].share))
        for (int layer = 0; layer < model.layers; ++layer)
          model.layer_shares.push_back(c_.pairs[*model.pair].share *
                                       static_cast<float>(0.8 + 0.2 * uniform()));
    }
  }

  void add_trees() {
    Distances distances(n_);
    for (const PagePair& p : c_.pairs) distances.at(p.a, p.b) = std::isfinite(p.share) ? 1 - p.share : 1;
    c_.dendrogram = average_linkage(distances);
    c_.limits = {.threshold = 0.9, .detection = 0.01, .background = 0.95};
    c_.strangers = 0.1;
    if (n_ < 2) return;
    c_.tree = rooted_at_midpoint(neighbour_joining(distances));
    if (n_ <= most_lines)
      for (std::size_t i = 1; i < c_.tree.nodes.size(); ++i)
        if (c_.tree.nodes[i].leaf == FamilyTree::none) c_.tree.nodes[i].support = std::floor(101 * uniform());
    c_.left_out_of_tree = n_ / 100;
  }

  std::vector<Evidence> evidence_of(const PagePair& p) {
    std::vector<Evidence> rows;
    const auto row = [&](const char* method, const char* statistic, double score, Grade grade) -> Evidence& {
      rows.push_back({.method = method,
                      .statistic = word(statistic),
                      .null = word("independent random initialisations"),
                      .score = score,
                      .background_percentile = p.percentile,
                      .background_n = 4000,
                      .background = word("unrelated pairs of this archive"),
                      .control = score / 2,
                      .log10_p = grade == Grade::N ? missing : static_cast<double>(p.log10_p),
                      .grade = grade});
      return rows.back();
    };
    row("content", "equal tensors", p.relation == Relation::exact_copy ? 291 : 3, Grade::G);
    row("neuron_match", "median share of agreeing neurons", p.share, Grade::C);
    row("intrinsic_fingerprint", "mean Pearson r of four curves", p.curve_score, Grade::N);
    row("tensorguard", "distance of gradient responses", p.guard, Grade::N).abstain = word("layouts_differ");
    const int layers = std::min(c_.models[p.a].layers, c_.models[p.b].layers);
    for (int layer = 0; layer < layers; ++layer) {
      const bool moved = c_.models[p.a].layers != c_.models[p.b].layers && layer > 3;
      Evidence& e =
          row("neuron_match", "share of agreeing neurons", p.share * (0.8 + 0.2 * uniform()), Grade::C);
      e.role =
          moved ? fmt::format("layers/{} and layers/{}", layer, layer - 1) : fmt::format("layers/{}", layer);
    }
    return rows;
  }

  std::vector<OriginReading> readings_of(const PagePair& p) {
    std::vector<OriginReading> readings;
    if (p.relation > Relation::low_rank_related || p.relation < Relation::reencoded_copy) return readings;
    for (int layer = 0; layer < c_.models[p.a].layers; ++layer)
      for (const char* role : {"circuit", "attn.q", "attn.v", "mlp.down"}) {
        OriginReading r;
        r.subject =
            fmt::format("layers/{}/{}", layer, role == std::string_view("circuit") ? role : word(role));
        r.reading = role == std::string_view("circuit") ? "operator" : "tensor";
        r.layer = layer;
        r.label = layer % 5 == 4 ? "IDENTICAL" : layer % 7 == 6 ? word("CHANGED") : "LOW_RANK";
        r.rank = 8;
        r.noise_edge = 0.01;
        r.ratio = 90;
        for (int k = 0; k < 16; ++k)
          r.values.push_back((k < 8 ? 2.0 : 0.008) * std::exp(-0.1 * k - 0.02 * layer));
        readings.push_back(std::move(r));
      }
    return readings;
  }

  void add_dossiers() {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < c_.pairs.size(); ++i)
      if (joins(c_.pairs[i].relation) || c_.pairs[i].declared) order.push_back(i);
    std::stable_sort(order.begin(), order.end(),
                     [&](auto x, auto y) { return c_.pairs[x].relation < c_.pairs[y].relation; });
    c_.dossiers_possible = order.size();
    order.resize(std::min<std::size_t>(order.size(), 60));  // as page_content() does
    for (const std::size_t i : order) {
      const PagePair& p = c_.pairs[i];
      Dossier d{.pair = i, .found = {.a = p.a, .b = p.b, .relation = p.relation}, .readings = readings_of(p)};
      d.found.sentence =
          word(fmt::format("In half of the MLPs at least {:.2f} of the neurons agree.", p.share));
      d.found.evidence = evidence_of(p);
      c_.dossiers.push_back(std::move(d));
    }
  }

  CurveLine curve_of(std::uint32_t m, double wave) {
    CurveLine line{.model = m, .points = {}};
    const int layers = c_.models[m].layers;
    for (int i = 0; i < layers; ++i) {
      const double x = i / (layers - 1.0);
      line.points.emplace_back(x, 1 + 0.2 * std::sin((3 + wave) * x + family_[m]) + 0.01 * uniform());
    }
    return line;
  }

  void add_curves() {
    for (const char* id : {"curves", "twins"}) {
      CurveFigure figure{.id = id,
                         .title = fmt::format("Curves over the layers: {}", id),
                         .caption = "Waves with a phase for each family.",
                         .x_axis = "relative depth",
                         .y_axis = "value over mean",
                         .file = "curves.tsv",
                         .panels = {}};
      for (int part = 0; part < 4 && n_ > 0; ++part) {
        CurvePanel panel{.title = fmt::format("part {}", part), .lines = {}};
        for (std::uint32_t m = 0; m < n_; ++m) panel.lines.push_back(curve_of(m, part));
        figure.panels.push_back(std::move(panel));
      }
      c_.curves.push_back(std::move(figure));
    }
    std::vector<bool> shown(n_, n_ <= 60);
    for (const Dossier& d : c_.dossiers) shown[c_.pairs[d.pair].a] = shown[c_.pairs[d.pair].b] = true;
    CurveFigure spectra{
        .id = "spectra",
        .title = "Singular values",
        .caption = "Power laws.",
        .x_axis = "rank over size",
        .y_axis = "singular value over edge",
        .file = "spectra.tsv",
        .log_x = true,
        .log_y = true,
        .reference = 1,
        .left_out = n_ - static_cast<std::size_t>(std::count(shown.begin(), shown.end(), true)),
        .panels = {}};
    for (int part = 0; part < 7 && n_ > 0; ++part) {
      CurvePanel panel{.title = fmt::format("part {}, middle layer", part), .lines = {}};
      for (std::uint32_t m = 0; m < n_; ++m) {
        if (!shown[m]) continue;
        CurveLine line{.model = m, .points = {}};
        for (int k = 0; k < 64; ++k) {
          const double rank = std::pow(10.0, -3.5 + 3.5 * k / 63);
          line.points.emplace_back(rank,
                                   0.3 * std::pow(rank, -0.3 - 0.02 * static_cast<double>(family_[m] % 9)));
        }
        panel.lines.push_back(std::move(line));
      }
      if (!panel.lines.empty()) spectra.panels.push_back(std::move(panel));
    }
    c_.curves.push_back(std::move(spectra));
  }

  void add_nulls() {
    for (const char* id : {"neurons", "curves"}) {
      NullFigure figure{.id = fmt::format("null-{}", id),
                        .title = fmt::format("Scores of {}", id),
                        .population = "pairs of this archive that are not related",
                        .caption = "Related pairs stand above them.",
                        .axis = "score",
                        .file = "backgrounds.tsv",
                        .scores = {},
                        .marks = {},
                        .limit = 0.1};
      for (std::size_t i = 0; i < c_.pairs.size(); ++i) {
        const double score = id == std::string_view("neurons") ? c_.pairs[i].share : c_.pairs[i].curve_score;
        if (!std::isfinite(score)) continue;
        if (!joins(c_.pairs[i].relation))
          figure.scores.push_back(score);
        else if (figure.marks.size() < 400)
          figure.marks.push_back({i, score});
      }
      if (!figure.scores.empty()) c_.nulls.push_back(std::move(figure));
    }
  }

  void add_problems() {
    for (std::uint32_t m = 0; m < n_; m += 2)
      c_.findings.push_back(
          {c_.models[m].id,
           {.severity = m % 4 == 0 ? Severity::warning : Severity::note,
            .rule = word("safetensors.offset_hole"),
            .file = word("model.safetensors"),
            .tensor = m % 3 == 0 ? word("model.layers.0.mlp.down_proj.weight") : "",
            .found = word("16 bytes"),
            .hint = word("Bytes between tensors belong to none; nothing depends on them.")}});
    for (std::uint32_t m = 36; m < std::max<std::size_t>(n_, names_.size() * 3); m += 37)
      c_.failures.push_back({.model = m < n_ ? c_.models[m].id : word("model"),
                             .item = word("neuron_match of layers/3"),
                             .stage = Stage::read,
                             .rule = word("read.short"),
                             .sentence = word("The file ends before its tensors do."),
                             .suggestion = word("Fetch the file again."),
                             .node = word("node-7"),
                             .when = "2026-01-01T00:00:00Z"});
  }

  std::size_t n_;
  std::vector<std::string> names_;
  std::size_t said_ = 0;
  std::mt19937_64 random_{42};
  std::vector<std::uint32_t> parent_, family_;  ///< by model; a founder is its own parent and family
  PageContent c_;
};

int run(std::size_t models, const char* file, const char* names_file) {
  std::vector<std::string> names;
  if (names_file != nullptr)
    names = nlohmann::json::parse(std::ifstream(names_file)).get<std::vector<std::string>>();
  std::ofstream out(file, std::ios::binary);
  out << page_of(Corpus(models, std::move(names)).content());
  return out ? 0 : 1;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    fmt::print(stderr, "write_page MODELS FILE [NAMES]\n");
    return 2;
  }
  return stemma::run(static_cast<std::size_t>(std::atoi(argv[1])), argv[2], argc == 4 ? argv[3] : nullptr);
}
