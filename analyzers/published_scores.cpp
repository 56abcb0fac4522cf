// Numbers that travel with the program, so that a score has a background where nobody brought one.
#include "analyzers/published_scores.hpp"

#include <array>

namespace stemma {
namespace {

using Quantile = PublishedScores::Quantile;

/// TensorLock/TensorLock, pdf_similarity.csv: all pairs of 137 public models, language models and others, of
/// which 618 are related and 8,698 are not. The same score, of models of all depths together; lower quantiles
/// than these were not kept.
constexpr std::array all_depths = {Quantile{25, 0.240}, Quantile{50, 0.438}, Quantile{75, 0.737},
                                   Quantile{95, 0.878}, Quantile{99, 0.912}, Quantile{100, 0.9278}};

/// PaddlePaddle/GraphNet (MIT), samples/*/weight_meta.py at commit 1dcbd6690d80: standard deviations, to
/// three decimals, of q, k, v and o in six layers of 84 translators (opus-mt-tc-big), trained separately by
/// one recipe. The quantiles of their 3,486 scores were computed here, between neighbours where none is
/// exact; a test computes them again.
constexpr std::array six_layers = {Quantile{0, -0.1176}, Quantile{1, 0.1695},  Quantile{5, 0.4807},
                                   Quantile{10, 0.5668}, Quantile{25, 0.7226}, Quantile{50, 0.8451},
                                   Quantile{75, 0.9163}, Quantile{90, 0.9529}, Quantile{95, 0.9653},
                                   Quantile{99, 0.9794}, Quantile{100, 0.9928}};

constexpr PublishedScores of_all_depths = {
    "8,698 unrelated pairs of 137 public models, all depths (TensorLock)", 8698, all_depths};
constexpr PublishedScores of_six_layers = {
    "3,486 pairs of 84 separately trained translators of one recipe, 6 layers (GraphNet)", 3486, six_layers};

}  // namespace

const PublishedScores& published_scores(std::string_view stratum) {
  return stratum == "<8" ? of_six_layers : of_all_depths;
}

}  // namespace stemma
