// How are models, pairs and verdicts of an archive put on a page?
#include "pipeline/page_content.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "analyzers/thresholds.hpp"
#include "analyzers/verdict.hpp"
#include "io/config/yaml.hpp"
#include "io/config/yaml_values.hpp"
#include "io/report/page/relation_mark.hpp"
#include "pipeline/comparison.hpp"
#include "pipeline/page_parts.hpp"
#include "pipeline/pair_view.hpp"
#include "pipeline/redacted.hpp"

namespace stemma {
namespace {

/// Pairs that are told in full: each takes some 13 kB of the page.
constexpr std::size_t most_dossiers = 60;
/// Spectra are drawn of so many models: of more, of those of pairs that are told in full.
constexpr std::size_t most_spectra = 60;

/// Numbers of the methods, by pair.
class Headlines {
 public:
  explicit Headlines(const ArchiveReader& archive) : by_method_(archive.headlines()) {}
  Headline of(const char* method, std::size_t pair) const {
    const auto found = by_method_.find(method);
    return found == by_method_.end() ? Headline{} : found->second[pair];
  }

 private:
  std::map<std::string, std::vector<Headline>> by_method_;
};

PagePair page_pair(const std::vector<Fingerprint>& models, const Pair& pair, const Headlines& headlines,
                   std::size_t index, double agreeing) {
  Headline neurons = headlines.of("neuron_match", index);
  // Without a token in common only the weights tell of neurons.
  if (std::isnan(neurons.score) && std::isnan(neurons.log10_p))
    neurons = headlines.of("aligned_neurons", index);
  const Headline curves = headlines.of("intrinsic_fingerprint", index),
                 guard = headlines.of("tensorguard", index);
  PagePair p{.a = pair.a, .b = pair.b, .relation = pair.relation};
  p.declared = declares(models[pair.a], models[pair.b]) || declares(models[pair.b], models[pair.a]);
  // Blocks were searched and none found a partner: nothing agrees.
  p.share =
      std::isfinite(neurons.score) || std::isnan(neurons.log10_p) ? static_cast<float>(neurons.score) : 0;
  p.percentile = static_cast<float>(curves.background_percentile);
  p.curve_score = static_cast<float>(curves.score);
  p.curve_twin = static_cast<float>(curves.control);
  p.guard = static_cast<float>(guard.score);
  p.guard_control = static_cast<float>(guard.control);
  p.log10_p = static_cast<float>(pair.log10_p_corrected);
  p.borderline = std::abs(p.share - agreeing) <= 0.1 * agreeing;
  return p;
}

PageModel page_model(const ModelRow& row, const ModelVerdict& verdict) {
  return {.id = row.id,
          .label = row.label,
          .family = row.family,
          .use = row.use,
          .status = row.status,
          .layers = row.layers,
          .parameters = row.parameters,
          .bytes = row.bytes,
          .path = row.path,
          .revision = row.revision,
          .format = row.format,
          .declared = row.declared,
          .relation = verdict.relation,
          .reason = verdict.reason,
          .relative = {},
          .pair = {},
          .direction = verdict.direction,
          .declaration = std::string(name_of(verdict.declaration)),
          .declaration_reason = verdict.declaration_reason,
          .nearest_by_curve = verdict.nearest_by_curve};
}

/// Makes places of pairs findable by their models, whatever the order in which an archive holds them.
class PairIndex {
 public:
  explicit PairIndex(const std::vector<PagePair>& pairs) {
    for (std::size_t i = 0; i < pairs.size(); ++i) places_.push_back({{pairs[i].a, pairs[i].b}, i});
    std::sort(places_.begin(), places_.end());
  }
  std::optional<std::size_t> of(std::uint32_t a, std::uint32_t b) const {
    const std::pair wanted = std::minmax({a, b});
    const auto found = std::ranges::lower_bound(places_, wanted, {}, &Indexed::first);
    if (found == places_.end() || found->first != wanted) return std::nullopt;
    return found->second;
  }

 private:
  using Indexed = std::pair<std::pair<std::uint32_t, std::uint32_t>, std::size_t>;
  std::vector<Indexed> places_;
};

std::optional<std::uint32_t> index_of(const std::vector<Fingerprint>& models, const std::string& id) {
  const auto at = std::ranges::lower_bound(models, id, {}, &Fingerprint::id);
  if (at == models.end() || at->id != id) return std::nullopt;
  return static_cast<std::uint32_t>(at - models.begin());
}

std::uint32_t asked_model(const std::vector<Fingerprint>& models, const std::string& id) {
  if (const auto model = index_of(models, id)) return *model;
  throw NoSuchPair(
      fmt::format("the archive holds no model {}. stemma inspect lists those that it holds", printable(id)));
}

/// The pair of a row of the table: with the relative, else with the first declared base that is there, else
/// with the nearest by curves.
void link_row(PageModel& model, std::uint32_t index, const std::vector<Fingerprint>& models,
              const std::string& relative, const PairIndex& pairs) {
  model.relative = index_of(models, relative);
  std::vector<std::string> wanted = {relative};
  for (const Claim& claim : model.declared) wanted.push_back(claim.base);
  wanted.push_back(model.nearest_by_curve);
  for (const std::string& id : wanted) {
    const auto other = index_of(models, id);
    if (other && *other != index) model.pair = pairs.of(index, *other);
    if (model.pair) return;
  }
}

/// Places of the pairs that `wanted` accepts.
template <class Wanted>
std::vector<std::size_t> places_of(const PageContent& content, const Wanted& wanted) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < content.pairs.size(); ++i)
    if (wanted(content.pairs[i])) places.push_back(i);
  return places;
}

/// Pairs that are worth telling in full, the first first.
std::vector<std::size_t> telling_pairs(const PageContent& content) {
  std::vector<std::size_t> order =
      places_of(content, [](const PagePair& p) { return joins(p.relation) || p.declared; });
  const auto rank = [&](std::size_t i) {
    const PagePair& p = content.pairs[i];
    return std::tuple(!p.declared, p.relation, std::isfinite(p.log10_p) ? p.log10_p : 0.0F, i);
  };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  return order;
}

void add_dossiers(PageContent& content, const ArchiveReader& archive, std::vector<Pair>& pairs,
                  std::vector<std::size_t> order) {
  content.dossiers_possible = order.size();
  order.resize(std::min(order.size(), most_dossiers));
  auto evidence = archive.evidence(order);
  auto readings = archive.origin_readings(order);
  for (std::size_t k = 0; k < order.size(); ++k) {
    content.dossiers.push_back(
        {.pair = order[k], .found = std::move(pairs[order[k]]), .readings = std::move(readings[k])});
    content.dossiers.back().found.evidence = std::move(evidence[k]);
  }
}

std::vector<std::uint32_t> models_with_spectra(const PageContent& content, bool of_dossiers) {
  std::set<std::uint32_t> chosen;
  if (!of_dossiers)
    for (std::uint32_t m = 0; m < content.models.size(); ++m) chosen.insert(m);
  for (const Dossier& dossier : content.dossiers) {
    chosen.insert(content.pairs[dossier.pair].a);
    chosen.insert(content.pairs[dossier.pair].b);
  }
  return {chosen.begin(), chosen.end()};
}

/// What the configuration decides about the page beside its words.
struct Settings {
  TreeWishes tree;
  bool redact = false;
  double agreeing = LineageRule{}.share;  ///< of its neurons from which on an MLP agrees
};

/// A scalar of the configuration, "" where it is not there.
std::string setting(const YamlNode& root, std::initializer_list<std::string_view> path) {
  const YamlNode* node = &root;
  for (const std::string_view key : path)
    if (node) node = node->find(key);
  return node && node->kind == YamlNode::Kind::scalar ? node->text : "";
}

/// Words of the configuration that the archive keeps; an archive of several runs has none. They are looked up
/// one by one: the models that it names may be gone, and the page does without them.
void add_words(PageContent& content, const ArchiveReader& archive, const PageWishes& wishes,
               Settings& settings) {
  Complaints complaints("the configuration");
  const auto redacts = [](const std::optional<YamlNode>& told) {
    return told && setting(*told, {"report", "redact_paths"}) == "true";
  };
  const std::optional<YamlNode> root = parse_yaml(archive.config().resolved_yaml, complaints);
  // Of several runs with different words, one that was told is enough.
  settings.redact =
      redacts(root) || std::ranges::any_of(archive.of_runs("resolved_yaml"), [&](const auto& run) {
        return redacts(parse_yaml(run, complaints));
      });
  if (root) {
    content.title = setting(*root, {"report", "title"});
    if (content.title.empty()) content.title = setting(*root, {"name"});
    content.subtitle = setting(*root, {"report", "subtitle"});
    content.description = setting(*root, {"description"});
    content.contact = setting(*root, {"contact"});
    content.claims_checked = setting(*root, {"verdicts", "declared"}) != "ignore";
    if (const auto most = size_from(setting(*root, {"report", "max_size"}))) content.most_bytes = *most;
    const std::string tree = setting(*root, {"verdicts", "tree"});
    if (tree == "average") settings.tree.method = TreeMethod::average;
    if (tree == "none") settings.tree.method = TreeMethod::none;
    const std::string draws = setting(*root, {"verdicts", "tree_support"});
    std::from_chars(draws.data(), draws.data() + draws.size(), settings.tree.resamplings);
    const std::string share = setting(*root, {"verdicts", "min_share"});
    std::from_chars(share.data(), share.data() + share.size(), settings.agreeing);
  }
  if (content.title.empty()) content.title = content.archive_name;
  if (!wishes.title.empty()) content.title = wishes.title;
}

/// Place of the pair that a page was asked of. Throws NoSuchPair.
std::optional<std::size_t> asked_pair(const PageWishes& wishes, const std::vector<Fingerprint>& models,
                                      const PairIndex& pairs, const std::string& archive) {
  if (!wishes.pair) return std::nullopt;
  const std::uint32_t a = asked_model(models, wishes.pair->first),
                      b = asked_model(models, wishes.pair->second);
  const auto place = a == b ? std::nullopt : pairs.of(a, b);
  if (!place)
    throw NoSuchPair(fmt::format("{} and {} are no pair of {}. Name two models that were compared there",
                                 printable(wishes.pair->first), printable(wishes.pair->second),
                                 printable(archive)));
  return place;
}

}  // namespace

PageContent page_content(const ArchiveReader& archive, const std::string& name, const PageWishes& wishes) {
  PageContent content;
  content.archive_name = name;
  content.archive_hash = archive.hashes().exact;
  content.version = archive.attribute("software_version");
  content.created = archive.attribute("created");
  content.theme = wishes.theme;
  Settings settings;
  add_words(content, archive, wishes, settings);
  const std::vector<Fingerprint> models = archive.fingerprints(Sketches::leave);
  std::vector<Pair> pairs = archive.pair_verdicts();
  const Headlines headlines(archive);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i].curve_score = headlines.of("intrinsic_fingerprint", i).score;
    content.pairs.push_back(page_pair(models, pairs[i], headlines, i, settings.agreeing));
  }
  const std::vector<ModelVerdict> verdicts = model_verdicts(models, pairs);
  const PairIndex index(content.pairs);
  const std::optional<std::size_t> asked = asked_pair(wishes, models, index, name);
  for (std::uint32_t m = 0; m < models.size(); ++m) {
    content.models.push_back(page_model(archive.models()[m], verdicts[m]));
    link_row(content.models[m], m, models, verdicts[m].relative, index);
    if (!content.claims_checked) content.models[m].declaration.clear();
  }
  for (const auto& [id, label] : wishes.labels)
    if (const auto m = index_of(models, id)) content.models[*m].label = label;
  content.limits = distance_limits(content.pairs, settings.agreeing);
  content.strangers = thresholds::universal_neurons;
  content.headlines_only = content.pairs.size() > most_detailed_pairs;
  content.noise_multiple = thresholds::origin_noise;
  if (asked) content.models[pairs[*asked].a].pair = content.models[pairs[*asked].b].pair = asked;
  add_dossiers(content, archive, pairs, asked ? std::vector{*asked} : telling_pairs(content));
  const std::vector<std::vector<float>> shares = archive.scores_of_places("neuron_match", "layers/");
  const std::vector<std::optional<Grade>> grades = archive.grades();
  for (PageModel& model : content.models)
    if (model.pair) {
      if (const auto grade = grades[*model.pair]) model.grade = name_of(*grade);
      model.layer_shares = shares[*model.pair];
    }
  if (!asked) add_trees(content, shares, settings.tree);
  add_curves(content, archive, models, models_with_spectra(content, asked || models.size() > most_spectra));
  add_nulls(
      content, archive.backgrounds(),
      asked ? std::vector{*asked} : places_of(content, [](const PagePair& p) { return joins(p.relation); }));
  content.findings = archive.findings();
  content.failures = archive.failures();
  add_provenance(content, archive);
  if (settings.redact || wishes.redact) redact(content);
  return asked ? only_pair(std::move(content), *asked) : content;
}

}  // namespace stemma
