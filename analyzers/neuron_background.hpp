// How many neurons do separately trained models share by chance?
#pragma once
#include <span>
#include <string_view>

#include "analyzers/background.hpp"
#include "analyzers/neuron_agreement.hpp"

namespace stemma {

/// Shares of agreeing neurons of a table as neuron_background.tsv, of all its pairs: one stratum for each
/// place of a layer (layer / (layers - 1), as the table writes it), and "median" for the score of a pair.
/// Throws std::invalid_argument for a table with other columns or what is no number.
Background neuron_background_in(std::string_view table);

/// The table that travels with the program.
const Background& neuron_background();

/// Fills background, background_n, background_percentile and, into detail_json, percentile_basis of the rows
/// of neuron_match in the pair: of its headline, and of MLPs that stand at the same place in both models, by
/// the nearest place of the table. Experts have no background. It changes no grade and no class: the table is
/// of small models of one recipe.
void rank_in_neuron_background(const NeuronAgreement& found, std::span<const Fingerprint> models, Pair& pair);

}  // namespace stemma
