// The control goes through the very same steps.
#include "analyzers/tensorguard_groups.hpp"

#include <algorithm>
#include <set>

#include "analyzers/tensorguard_families.hpp"
#include "analyzers/thresholds.hpp"

namespace stemma {

namespace {

constexpr std::size_t fewest_bases = 2, fewest_models = 3;

std::vector<std::uint32_t> bases_among(std::span<const Fingerprint* const> models) {
  std::vector<std::uint32_t> references, declared;
  std::set<std::string> named;
  for (const Fingerprint* model : models)
    for (const Claim& claim : model->declared) named.insert(claim.base);
  for (std::uint32_t i = 0; i < models.size(); ++i) {
    if (models[i]->use == Use::reference) references.push_back(i);
    if (named.contains(models[i]->id)) declared.push_back(i);
  }
  return references.empty() ? declared : references;
}

/// Families of standardised vectors, one place for each model.
struct Placed {
  std::vector<GuardPlace> places;
  double silhouette = 0;
};

Placed place(const std::vector<GuardVector>& vectors, std::span<const std::uint32_t> bases,
             const std::vector<std::string>& names) {
  const GuardScaler scaler(vectors);
  std::vector<GuardVector> scaled;
  for (const GuardVector& v : vectors) scaled.push_back(scaler(v));
  std::vector<GuardVector> centres;
  for (const std::uint32_t b : bases) centres.push_back(scaled[b]);
  const GuardFamilies families = guard_families(scaled, bases);
  Placed out{.places = {}, .silhouette = families.silhouette};
  for (std::size_t i = 0; i < scaled.size(); ++i) {
    const NearestBase nearest = nearest_base(scaled[i], centres);
    out.places.push_back({names[families.family[i]], names[nearest.base], nearest.distance,
                          nearest.distance > thresholds::guard_unknown});
  }
  return out;
}

}  // namespace

std::optional<GuardGroups> guard_groups(std::span<const Fingerprint> models) {
  std::vector<const Fingerprint*> known;
  for (const Fingerprint& model : models)
    if (model.guard) known.push_back(&model);
  const std::vector<std::uint32_t> bases = bases_among(known);
  if (bases.size() < fewest_bases || known.size() < fewest_models) return std::nullopt;
  GuardGroups out;
  for (const std::uint32_t b : bases) out.bases.push_back(known[b]->id);
  std::vector<GuardVector> values, controls;
  for (const Fingerprint* model : known) {
    values.push_back(model->guard->value);
    controls.push_back(model->guard->control);
  }
  const Placed weights = place(values, bases, out.bases), control = place(controls, bases, out.bases);
  out.silhouette = weights.silhouette;
  out.control_silhouette = control.silhouette;
  for (std::size_t i = 0; i < known.size(); ++i) {
    GuardMember& member = out.members.emplace_back();
    member.id = known[i]->id;
    member.is_base = std::ranges::find(bases, i) != bases.end();
    member.weights = weights.places[i];
    member.control = control.places[i];
    for (const Claim& claim : known[i]->declared)
      if (std::ranges::find(out.bases, claim.base) != out.bases.end()) member.declared = claim.base;
    if (member.is_base || member.declared.empty()) continue;
    ++out.declared;
    out.agreeing += member.weights.family == member.declared;
    out.control_agreeing += member.control.family == member.declared;
  }
  return out;
}

}  // namespace stemma
