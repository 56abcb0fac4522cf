// Models whose runs measured and compared alike form a group; only pairs within a group mean something.
#include "pipeline/commands/merged_pairs.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "io/archive/archive_reader.hpp"
#include "io/config/run_config.hpp"
#include "pipeline/commands/operands.hpp"
#include "pipeline/commands/request.hpp"
#include "pipeline/gather.hpp"

namespace stemma {
namespace {

using Models = std::pair<std::uint32_t, std::uint32_t>;  // merged indexes, a < b

/// How the run of a model measured and compared.
struct Way {
  std::string methods;
  RunConfig::Compare compare;
  RunConfig::Verdicts verdicts;
  bool known = false;  ///< the configuration could be read and chooses pairs by a rule

  bool operator==(const Way&) const = default;
};

Way way_of(const MergeSource& source, std::uint64_t model) {
  Way way;
  way.methods = source.methods_of(model);
  const std::uint32_t run = source.run_of(model);
  if (run == no_row) return way;
  try {
    std::vector<std::string> notes;
    const RunConfig config =
        parse_run_config(source.run_text("resolved_yaml", run), source.path().string(), {}, notes);
    way.compare = config.compare;
    way.verdicts = config.verdicts;
    way.compare.against.clear();  // whatever else these models were compared with
    way.verdicts.tree = {};       // of the page alone, as the next
    way.verdicts.tree_support = {};
    way.known = config.compare.pairs != Pairs::listed;
  } catch (const ConfigProblems&) {
    way.known = false;  // of another version, or its files are gone: nothing is compared as it says
  }
  return way;
}

class Across {
 public:
  Across(const std::vector<MergeSource>& sources, const MergePlan& plan) : sources_(sources), plan_(plan) {
    for (const MergeSource& source : sources) index_.emplace_back(source.ids().size());
    for (std::uint32_t m = 0; m < plan.models.size(); ++m)
      for (const auto& [source, row] : plan.models[m].holders) index_[source][row] = m;
    for (const MergeSource& source : sources) readers_.emplace_back(source.path(), SealCheck::trust);
  }

  PairsAcross compare() {
    PairsAcross result;
    result.asked = std::ranges::any_of(
        sources_, [](const MergeSource& source) { return source.rows().extent("pair") > 0; });
    if (!result.asked) return result;
    const std::vector<std::vector<std::uint32_t>> groups = group();
    std::set<Models> wanted = pairs_across();
    for (const auto& members : groups) {
      const Way way = way_of_model(members.front());
      if (members.size() < 2 || !way.known) continue;
      compare_group(members, way, wanted, result.compared);
    }
    std::ranges::sort(result.compared.pairs, {}, [](const Pair& p) { return Models(p.a, p.b); });
    result.left_out = wanted.size();
    return result;
  }

 private:
  Way way_of_model(std::uint32_t m) const {
    return way_of(sources_[plan_.models[m].source], plan_.models[m].row);
  }

  std::vector<std::vector<std::uint32_t>> group() const {
    std::vector<std::pair<Way, std::vector<std::uint32_t>>> groups;
    std::map<std::pair<std::size_t, std::uint32_t>, std::size_t> of_run;  // source, run -> group
    for (std::uint32_t m = 0; m < plan_.models.size(); ++m) {
      const MergedModel& model = plan_.models[m];
      const std::pair run(model.source, sources_[model.source].run_of(model.row));
      if (const auto known = of_run.find(run); known != of_run.end()) {
        groups[known->second].second.push_back(m);
        continue;
      }
      const Way way = way_of_model(m);
      auto same = std::ranges::find(groups, way, &decltype(groups)::value_type::first);
      if (same == groups.end()) same = groups.insert(groups.end(), {way, {}});
      of_run.emplace(run, static_cast<std::size_t>(same - groups.begin()));
      same->second.push_back(m);
    }
    std::vector<std::vector<std::uint32_t>> members;
    for (auto& [way, models] : groups) members.push_back(std::move(models));
    return members;
  }

  /// Pairs whose models no source holds together.
  std::set<Models> pairs_across() const {
    const auto holds = [&](std::uint32_t m, std::size_t source) {
      return std::ranges::any_of(plan_.models[m].holders,
                                 [&](const auto& holder) { return holder.first == source; });
    };
    std::set<Models> pairs;
    for (std::uint32_t a = 0; a < plan_.models.size(); ++a)
      for (std::uint32_t b = a + 1; b < plan_.models.size(); ++b)
        if (std::ranges::none_of(plan_.models[a].holders,
                                 [&](const auto& holder) { return holds(b, holder.first); }))
          pairs.emplace_hint(pairs.end(), a, b);
    return pairs;
  }

  Fingerprint fingerprint(std::uint32_t m) const {
    const MergedModel& model = plan_.models[m];
    Fingerprint fingerprint = readers_[model.source].fingerprint(model.row);
    const auto& ids = sources_[model.source].ids();
    for (Claim& claim : fingerprint.declared)
      if (const auto at = std::ranges::lower_bound(ids, claim.base); at != ids.end() && *at == claim.base)
        claim.base = plan_.models[index_[model.source][static_cast<std::size_t>(at - ids.begin())]].id;
    fingerprint.id = model.id;
    return fingerprint;
  }

  /// What weights said in the sources, with models by their place among `members`.
  std::vector<WeightVerdict> weights_among(const std::vector<std::uint32_t>& members) const {
    const auto place = [&](std::uint32_t m) -> std::optional<std::uint32_t> {
      const auto at = std::ranges::lower_bound(members, m);
      if (at == members.end() || *at != m) return std::nullopt;
      return static_cast<std::uint32_t>(at - members.begin());
    };
    std::vector<WeightVerdict> verdicts;
    for (std::size_t s = 0; s < sources_.size(); ++s)
      for (WeightVerdict& verdict : weight_verdicts_in(readers_[s])) {
        const auto a = place(index_[s][verdict.a]), b = place(index_[s][verdict.b]);
        if (!a || !b || *a == *b) continue;
        if (*a > *b) verdict.direction = -verdict.direction;
        std::tie(verdict.a, verdict.b) = std::minmax(*a, *b);
        verdicts.push_back(std::move(verdict));
      }
    return verdicts;
  }

  void compare_group(const std::vector<std::uint32_t>& members, const Way& way, std::set<Models>& wanted,
                     NewPairs& out) const {
    std::vector<Fingerprint> models;
    for (const std::uint32_t m : members) models.push_back(fingerprint(m));
    RunConfig config;
    config.compare = way.compare;
    config.verdicts = way.verdicts;
    Comparison comparison(models, comparison_of(config));
    comparison.recall(weights_among(members));
    bool found = false;
    for (std::size_t i = 0; i < comparison.size(); ++i) {
      const Models key(members[comparison.pairs()[i].a], members[comparison.pairs()[i].b]);
      if (!wanted.contains(key)) continue;
      Pair pair = comparison.with_evidence(i);
      std::tie(pair.a, pair.b) = key;
      out.pairs.push_back(std::move(pair));
      found = true;
    }
    // Asked and answered, also where the rule chose other pairs.
    for (const std::uint32_t a : members)
      for (const std::uint32_t b : members) wanted.erase(Models(a, b));
    if (found) std::ranges::move(measured_backgrounds(comparison), std::back_inserter(out.backgrounds));
  }

  const std::vector<MergeSource>& sources_;
  const MergePlan& plan_;
  std::vector<std::vector<std::uint32_t>> index_;  ///< merged index by source and row
  std::vector<ArchiveReader> readers_;
};

}  // namespace

PairsAcross compare_across(const std::vector<MergeSource>& sources, const MergePlan& plan) {
  return Across(sources, plan).compare();
}

}  // namespace stemma
