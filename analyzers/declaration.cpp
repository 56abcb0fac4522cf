// Do the weights bear out what a model declares about its origin?
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "analyzers/verdict.hpp"

namespace stemma {

namespace {

bool lineage(Relation relation) { return relation <= Relation::partial_lineage; }
bool same_weights(Relation relation) {
  return relation == Relation::exact_copy || relation == Relation::reencoded_copy;
}

/// A declaration's fate and why.
struct Answer {
  Declaration declaration;
  std::string reason;
};

/// All pairs of all models, looked at from each model.
class Inquiry {
 public:
  Inquiry(std::span<const Fingerprint> models, std::span<const Pair> pairs, const Background& background)
      : models_(models),
        background_(background),
        component_(declared_components(models)),
        pairs_of_(models.size()) {
    for (std::size_t i = 0; i < models.size(); ++i) index_.emplace(models[i].id, i);
    for (const Pair& pair : pairs) {
      pairs_of_[pair.a].push_back(&pair);
      pairs_of_[pair.b].push_back(&pair);
    }
  }

  std::vector<ModelVerdict> verdicts() const {
    std::vector<ModelVerdict> out;
    for (std::size_t i = 0; i < models_.size(); ++i) out.push_back(verdict(i));
    // What contradicts one model's declaration is not held against the other, which declared nothing.
    for (std::size_t i = 0; i < models_.size(); ++i) {
      if (out[i].declaration != Declaration::undeclared) continue;
      const auto relative = index_.find(out[i].relative);
      if (relative != index_.end() && out[relative->second].declaration == Declaration::other_found) {
        out[i].declaration = Declaration::none;
        out[i].declaration_reason.clear();
      }
    }
    return out;
  }

 private:
  /// 1 where the model comes from the other one of the pair, -1 where the other one comes from it, 0 where
  /// neither is known.
  static int descent(const Pair& pair, std::size_t model) {
    return pair.b == model ? pair.direction : -pair.direction;
  }

  std::string order_words(const Pair& pair, std::size_t model) const {
    const int from = descent(pair, model);
    if (from == 0) return "Which came first is not known.";
    // Neurons show the same of a source and of its relatives.
    return fmt::format("{}{} came first.", models_[from > 0 ? other(pair, model) : model].id,
                       same_weights(pair.relation) ? "" : ", or a relative that is like it,");
  }

  static std::size_t other(const Pair& pair, std::size_t model) { return pair.a == model ? pair.b : pair.a; }

  /// Strongest first: class, then corrected log10 p, then id.
  std::vector<const Pair*> ordered(std::size_t model) const {
    std::vector<const Pair*> pairs = pairs_of_[model];
    std::sort(pairs.begin(), pairs.end(), [&](const Pair* x, const Pair* y) {
      if (x->relation != y->relation) return x->relation < y->relation;
      const double px = std::isnan(x->log10_p_corrected) ? 0 : x->log10_p_corrected;
      const double py = std::isnan(y->log10_p_corrected) ? 0 : y->log10_p_corrected;
      if (px != py) return px < py;
      return models_[other(*x, model)].id < models_[other(*y, model)].id;
    });
    return pairs;
  }

  ModelVerdict verdict(std::size_t model) const {
    ModelVerdict out;
    const std::vector<const Pair*> pairs = ordered(model);
    if (pairs.empty()) {
      out.reason = "not_compared";
    } else {
      out.relation = pairs.front()->relation;
      out.reason = pairs.front()->reason;
      const auto found = [](const Pair* pair) { return pair->relation <= Relation::shared_init; };
      if (found(pairs.front())) {
        out.relative = models_[other(*pairs.front(), model)].id;
        out.direction = descent(*pairs.front(), model);
      }
      for (std::size_t i = 1; i < pairs.size() && found(pairs[i]); ++i) {
        out.others.push_back(
            fmt::format("{}:{}", models_[other(*pairs[i], model)].id, name_of(pairs[i]->relation)));
      }
    }
    rank_by_curve(model, pairs, out);
    Answer answer =
        models_[model].declared.empty() ? without_declaration(model, pairs) : with_declaration(model, pairs);
    out.declaration = answer.declaration;
    out.declaration_reason = std::move(answer.reason);
    return out;
  }

  void rank_by_curve(std::size_t model, const std::vector<const Pair*>& pairs, ModelVerdict& out) const {
    const Pair* nearest = nullptr;
    for (const Pair* pair : pairs)
      if (!std::isnan(pair->curve_score) && (nearest == nullptr || pair->curve_score > nearest->curve_score))
        nearest = pair;
    if (nearest == nullptr) return;
    out.nearest_score = nearest->curve_score;
    out.nearest_by_curve = models_[other(*nearest, model)].id;
    out.nearest_rank = rank_of(background_, models_, *nearest);
  }

  Answer without_declaration(std::size_t model, const std::vector<const Pair*>& pairs) const {
    for (const Pair* pair : pairs) {
      const std::size_t relative = other(*pair, model);
      if (lineage(pair->relation) && component_[relative] != component_[model]) {
        return {Declaration::undeclared,
                fmt::format("{} holds with {}, and no declaration joins the two. {}", name_of(pair->relation),
                            models_[relative].id, order_words(*pair, model))};
      }
    }
    return {Declaration::none, ""};
  }

  /// The relation with one declared base, or with a model whose weights are the base's own.
  const Pair* pair_with(std::size_t model, std::size_t base) const {
    const Pair* direct = nullptr;
    for (const Pair* pair : pairs_of_[model]) {
      const std::size_t candidate = other(*pair, model);
      if (candidate == base) {
        direct = pair;
        if (lineage(pair->relation)) return pair;
      }
    }
    for (const Pair* pair : pairs_of_[model]) {
      if (!lineage(pair->relation)) continue;
      for (const Pair* copy : pairs_of_[base]) {
        if (same_weights(copy->relation) && other(*copy, base) == other(*pair, model)) return pair;
      }
    }
    return direct;
  }

  Answer one_base(std::size_t model, const Claim& claim, const std::vector<const Pair*>& pairs) const {
    const auto base = index_.find(claim.base);
    if (base == index_.end()) {
      return {Declaration::untestable,
              fmt::format("The declared base {} is not among the models.", claim.base)};
    }
    const Pair* pair = pair_with(model, base->second);
    if (pair != nullptr && lineage(pair->relation)) {
      return {Declaration::supported,
              fmt::format("{} holds with the declared base {}.", name_of(pair->relation), claim.base)};
    }
    for (const Pair* found : pairs) {
      const std::size_t relative = other(*found, model);
      // Declared ancestors, siblings and descendants do not contradict the declaration; a stranger does.
      const bool family = descends(model, relative) || descends(relative, base->second);
      if (lineage(found->relation) && !family) {
        return {Declaration::other_found,
                fmt::format("Not with the declared base {}, but with {} {} holds.", claim.base,
                            models_[relative].id, name_of(found->relation))};
      }
    }
    if (pair != nullptr && pair->relation == Relation::no_evidence) {
      return {Declaration::not_supported, pair->sentence};
    }
    const std::string reason = pair == nullptr ? "the pair was not compared" : pair->reason;
    return {Declaration::untestable,
            fmt::format("No verdict on the declared base {} ({}).", claim.base, reason)};
  }

  /// True when declarations lead from `model` up to `ancestor`, in one step or several.
  bool descends(std::size_t model, std::size_t ancestor) const {
    std::vector<std::size_t> open = {model};
    std::vector<bool> seen(models_.size(), false);
    while (!open.empty()) {
      const std::size_t at = open.back();
      open.pop_back();
      if (at == ancestor) return true;
      if (seen[at]) continue;
      seen[at] = true;
      for (const Claim& claim : models_[at].declared) {
        if (const auto base = index_.find(claim.base); base != index_.end()) open.push_back(base->second);
      }
    }
    return false;
  }

  /// With several declared bases the one that fares worst decides.
  Answer with_declaration(std::size_t model, const std::vector<const Pair*>& pairs) const {
    const auto weight = [](Declaration d) {
      switch (d) {
        case Declaration::other_found:
          return 3;
        case Declaration::not_supported:
          return 2;
        case Declaration::untestable:
          return 1;
        default:
          return 0;
      }
    };
    Answer worst{Declaration::none, ""};
    for (const Claim& claim : models_[model].declared) {
      Answer answer = one_base(model, claim, pairs);
      if (worst.declaration == Declaration::none || weight(answer.declaration) > weight(worst.declaration)) {
        worst = std::move(answer);
      }
    }
    return worst;
  }

  std::span<const Fingerprint> models_;
  const Background& background_;
  std::vector<std::size_t> component_;
  std::vector<std::vector<const Pair*>> pairs_of_;
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace

std::string_view name_of(Declaration declaration) {
  switch (declaration) {
    case Declaration::none:
      return "";
    case Declaration::supported:
      return "supported";
    case Declaration::not_supported:
      return "not_supported";
    case Declaration::other_found:
      return "other_found";
    case Declaration::undeclared:
      return "undeclared";
    case Declaration::untestable:
      return "untestable";
  }
  return "";
}

std::vector<ModelVerdict> model_verdicts(std::span<const Fingerprint> models, std::span<const Pair> pairs,
                                         const Background& background) {
  return Inquiry(models, pairs, background).verdicts();
}

}  // namespace stemma
