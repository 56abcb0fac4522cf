// What are the statistics of one part of one layer, its experts taken together?
#pragma once
#include <string>
#include <vector>

#include "io/archive/features.hpp"
#include "io/archive/fingerprint.hpp"
#include "io/model/model.hpp"

namespace stemma {

/// Weights that make up one column of layer_parts in one layer (-1: embed, head): the matrix itself or, when
/// the layer has none, its routed experts in order.
std::vector<const Matrix*> matrices_of(const Model& model, int layer, const std::string& part);

/// Fills fingerprint.table from histogram features, once; later calls keep it. Experts are pooled exactly:
/// counts of 16- and 8-bit types are added, other types are merged from (n, mean, M2, M3, M4).
void fill_layer_table(const Model& model, const FeatureSource& features, Fingerprint& fingerprint);

/// Fills the columns of fingerprint.table that come from spectra; experts have no spectrum in common and no
/// entry.
void fill_spectra(const Model& model, const FeatureSource& features, Fingerprint& fingerprint);

}  // namespace stemma
