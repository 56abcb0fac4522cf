// Comparisons from archives, and what weights say when they are read again.
#include "io/archive/evidence.hpp"
#include "pipeline/documents/shared_shapes.hpp"

namespace stemma::documents {
namespace {

Shape real() { return number().or_null(); }
Shape direction() { return integer(); }
constexpr std::string_view of_direction = "1: from a (the base) to b (the candidate), -1: back, 0: unknown";

Document compare() {
  const Shape evidence =
      object({{"method", text(), "that was asked"},
              {"statistic", text(), "what its score is"},
              {"role", text(), "part of the model, \"\" for the whole"},
              {"score", real(), "of the two models"},
              {"control", real(), "the same of something that cannot be related"},
              {"null", text(), "the null hypothesis in words"},
              {"background", text(), "which pairs are known to be unrelated"},
              {"background_n", count(), "how many they are"},
              {"background_percentile", number("percent").or_null(), "of the score among them"},
              {"log10_p", log10_p(), "under the null hypothesis"},
              {"grade", grade(), "how that p-value was obtained"},
              {"abstains", text(), "why the method says nothing, \"\" where it does"},
              {"detail", map(anything()), "figures of the method, under its own names"}});
  const Shape pair = object({{"a", text(), "id of a model"},
                             {"b", text(), "id of the other, later in the order of ids"},
                             {"relation", relation(), "class of the pair"},
                             {"abstain_reason", text(), "why nothing can be said, \"\" where something is"},
                             {"direction", direction(), of_direction},
                             {"sentence", text(), "the class in words"},
                             {"evidence", list(evidence), "all that speaks for it or against it"}});
  return {.name = "compare",
          .place = "stemma compare --json",
          .meaning = "What archives say about pairs of models.",
          .keys = {version(),
                   {"caveat", text(), "what a curve score is worth"},
                   {"pairs", list(pair), "every pair that was compared"}}};
}

Shape origin_reading() {
  return object({{"subject", text(), "place: layers/3/circuit, layers/3/attn.v, control"},
                 {"reading", text(), "operator, tensor, row_space or control"},
                 {"layer", integer(), "-1 for what belongs to none"},
                 {"label", text(), "LOW_RANK, IDENTICAL, ...; \"\" where it was not read"},
                 {"rank", count(), "of the difference"},
                 {"rank_limit", count(), "no larger rank can be read"},
                 {"ratio", real(), "of the singular values on both sides of that rank"},
                 {"largest", real(), "singular value of the difference"},
                 {"behind", real(), "the first singular value behind the rank"},
                 {"noise_edge", real(), "largest singular value of rounding alone"},
                 {"above_noise", count(), "singular values above that"},
                 {"delta", real(), "size of the difference over that of both"},
                 {"update", real(), "size of the difference over that of the base"},
                 {"cosine", real(), "between both"},
                 {"singular_values", list(number()), "the largest ones, descending"},
                 {"problem", text(), "why it was not read, \"\" where it was"}});
}

Shape origin_tracer() {
  return object({{"not_applicable", text(), "why the method cannot be used, \"\" where it can"},
                 {"abstains", text(), "why it says nothing, \"\" where it does"},
                 {"label", text(), "what most layers are"},
                 {"layers", count(), "that were read"},
                 {"agreeing", count(), "layers with that label"},
                 {"ranks", list(count()), "of the layers whose difference has a low rank"},
                 {"median", real(), "of these ranks"},
                 {"minimum", count(), "of these ranks, 0 where there are none"},
                 {"mode", count(), "of these ranks, 0 where there are none"},
                 {"stream", text(), "how the candidate's coordinates become those of the base"},
                 {"stream_scale", real(), "of that map"},
                 {"stream_residual", real(), "what it leaves of the embeddings"},
                 {"tokens", count(), "rows of the embeddings that were compared"},
                 {"weights_equal_by_hash", count(), "weights that did not have to be read"},
                 {"weights_unchanged", count(), "weights that are the same"},
                 {"weights_changed", count(), "weights that are not"},
                 {"weights_low_rank", count(), "of these, weights whose difference has a low rank"},
                 {"ranks_by_role", map(list(count())), "those ranks"},
                 {"null", text(), "what a reading is held against"},
                 {"readings", list(origin_reading()), "every place"}});
}

Shape function_reading() {
  return object({{"subject", text(), "part of both models"},
                 {"agrees", flag(), "answers differ by no more than twice what rounding makes"},
                 {"largest", real(), "singular value of the difference of all answers"},
                 {"noise_edge", real(), "the same of the difference that rounding makes"},
                 {"delta", real(), "size of the difference over that of both"},
                 {"blur", real(), "that rounding over the largest singular value of the answers"},
                 {"problem", text(), "why it says nothing, \"\" where it does"}});
}

Shape same_function() {
  return object({{"not_applicable", text(), "why functions cannot be compared, \"\" where they can"},
                 {"agreeing", count(), "parts that agree"},
                 {"null", text(), "what a reading is held against"},
                 {"readings", list(function_reading()), "every part"},
                 {"control", function_reading().or_null(), "unlike layers of the two models"}});
}

/// Neurons of two MLPs, or groups of heads of two layers, and how many find each other.
std::vector<Key> counts_of(std::string_view first_name, std::string_view first_meaning) {
  return {{"subject", text(), "the layer"},
          {first_name, count(), first_meaning},
          {"units", count(), "of the larger of both"},
          {"matched", count(), "that both kinds of scores match"},
          {"agreeing", count(), "that both match with the same one"},
          {"labelled", count(), "that the sum of both scores matches"},
          {"fixed", count(), "of these, at the same place in both"},
          {"sorted", flag(), "somebody ordered one of them, so places say nothing"}};
}

Shape with(std::vector<Key> keys, std::vector<Key> more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return object(std::move(keys));
}

Shape neuron_layer() {
  const Shape weight = object({{"cosine", real(), "of all values"},
                               {"spikes", real(), "of the large values"},
                               {"bulk", real(), "of the others"},
                               {"shuffled_spikes", real(), "of the large values of neurons paired at random"},
                               {"shuffled_bulk", real(), "of their others"},
                               {"spikes_of_base", count(), "large values"},
                               {"spikes_of_candidate", count(), "large values"}});
  return with(counts_of("kept", "neurons that were compared"),
              {{"weights", map(weight), "what matched neurons share, by gate, up and down"},
               {"assigned", count().or_null(), "neurons of which two optimal assignments say the same"},
               {"problem", text(), "why it was not read, \"\" where it was"}});
}

Shape aligned_neurons() {
  return object({{"not_applicable", text(), "why neurons cannot be compared, \"\" where they can"},
                 {"null", text(), "the null hypothesis in words"},
                 {"coordinates", text(), "what brought both models into the same ones"},
                 {"pairs_asked_together", count(), "for which p-values are corrected"},
                 {"layers_read", count(), "layers without a problem"},
                 {"agreeing_layers", count(), "layers in which verdicts.min_share of the neurons agrees"},
                 {"share", real(), "of agreeing neurons, median of the layers"},
                 {"fixed", count(), "neurons at the same place"},
                 {"labelled", count(), "neurons that were matched"},
                 {"sorted", flag(), "somebody ordered the neurons, so places say nothing"},
                 {"log10_p_places", log10_p(), "of so many at the same place"},
                 {"log10_p_robust", log10_p(), "of two matchings that agree so often, whatever depends"},
                 {"log10_p_nominal", log10_p(), "the same, as if neurons were independent"},
                 {"cosine", real(), "of matched neurons"},
                 {"spikes", real(), "of their large values"},
                 {"bulk", real(), "of their other values"},
                 {"kappa", real(), "spikes over bulk"},
                 {"kappa_of_shuffled", real(), "the same of neurons paired at random"},
                 {"kappa_calibration", text(), "where kappa is known to mean something"},
                 {"layers", list(neuron_layer()), "every layer"},
                 {"control", neuron_layer().or_null(), "unlike layers of the two models"}});
}

Shape aligned_heads() {
  const Shape layer =
      with(counts_of("groups", "groups of heads that were compared"),
           {{"heads", count(), "heads in agreeing groups"},
            {"agreeing_heads", count(), "heads that both kinds of circuits match with the same one"},
            {"query_key", real(), "cosine of how agreeing groups choose"},
            {"value_output", real(), "cosine of how they answer"},
            {"problem", text(), "why it was not read, \"\" where it was"}});
  return object({{"null", text(), "the null hypothesis in words"},
                 {"layers_read", count(), "layers without a problem"},
                 {"share", real(), "of agreeing groups, median of the layers"},
                 {"log10_p_places", log10_p(), "of so many at the same place"},
                 {"log10_p_robust", log10_p(), "of two matchings that agree so often, whatever depends"},
                 {"log10_p_nominal", log10_p(), "the same, as if groups were independent"},
                 {"layers", list(layer), "every layer"},
                 {"control", layer.or_null(), "unlike layers of the two models"}});
}

Shape adapter() {
  const Shape module = object({{"role", text(), "of the weight that it changes"},
                               {"module", text(), "as the adapter names it"},
                               {"rank_nominal", count(), "that its configuration states"},
                               {"rank_stored", count(), "rows of its first factor"},
                               {"rank", count(), "singular values above the rounding of the factors"},
                               {"alpha", number(), "as its configuration states"},
                               {"scale", number(), "of the product of both factors"},
                               {"largest", real(), "singular value of the update"},
                               {"noise_edge", real(), "largest singular value of rounding alone"},
                               {"norm", real(), "of the update"},
                               {"weight_norm", real(), "of the base's weight"},
                               {"update", real(), "one over the other"},
                               {"singular_values", list(number()), "of the update, descending"},
                               {"remarks", list(text()), "what is odd about it"}});
  return object({{"declared_base", text(), "that the adapter names, \"\" where it names none"},
                 {"ranks_nominal", list(count()), "that its configuration states, ascending"},
                 {"use_rslora", flag(), "scaled by the root of the rank"},
                 {"null", text(), "what a rank is held against"},
                 {"other_tensors", list(text()), "tensors that are no factors and were not read"},
                 {"remarks", list(text()), "what is odd about it"},
                 {"modules", list(module), "every weight that it changes"}});
}

Document trace() {
  const std::vector<Key> pair = {
      {"base", text(), "id"},
      {"candidate", text(), "id"},
      {"relation", relation(), "class of the pair"},
      {"abstain_reason", text(), "why nothing can be said, \"\" where something is"},
      {"sentence", text(), "the class in words"},
      {"direction", direction(), of_direction}};
  const Shape content =
      object({{"weights", count(), "of either model"},
              {"equal", count(), "bit for bit"},
              {"rounded", count(), "equal after one side is rounded"},
              {"quantised", count(), "as near as rounding to codes leaves them"},
              {"only_in_one", count(), "without a counterpart"},
              {"failed", count(), "that could not be read"},
              {"coarser", text(), "type or scheme of the rounded side, \"\" where there is none"}});
  const Shape models =
      with(pair, {{"content", content, "are they the same weights?"},
                  {"origin_tracer", origin_tracer(), "what has the difference of the weights for a rank?"},
                  {"same_function", same_function().or_null(), "do they answer alike? null: not asked"},
                  {"aligned_neurons", aligned_neurons().or_null(), "are their neurons the same?"},
                  {"aligned_heads", aligned_heads().or_null(), "are their heads the same?"}});
  const Shape of_adapter = with(pair, {{"adapter", adapter(), "what it does to each weight of its base"}});
  const Shape unread = object({{"base", text(), "id"},
                               {"candidate", text(), "id"},
                               {"rule", text(), "name of the rule that its files break"},
                               {"sentence", text(), "place, problem, and what to do"}});
  return {.name = "trace",
          .place = "stemma trace --json",
          .meaning = "What the weights of pairs say when they are read again.",
          .keys = {version(),
                   {"weight_bytes", bytes(), "of all weights of the pairs"},
                   {"bytes_read", bytes(), "for this"},
                   {"seconds", seconds(), "that it took"},
                   {"failures", count(), "places that could not be read"},
                   {"pairs", list(either({models, of_adapter})), "two models, or an adapter and its base"},
                   {"unread", list(unread).if_any(), "pairs whose weights cannot be read"}}};
}

Document grey_box() {
  const Shape layer =
      object({{"layer", count(), "its number, from 0"},
              {"seconds", seconds(), "that it took"},
              {"rank", count().or_null().if_any(), "null where too few probes could be used"},
              {"ratio", number().or_null().if_any(), "of the singular values on both sides of that rank"},
              {"delta", number().or_null().if_any(), "size of the difference over that of both"},
              {"probes", count().if_any(), "tokens that were asked"},
              {"accepted", count().if_any(), "of these, tokens whose answer could be inverted"},
              {"worst_error", number().or_null().if_any(), "of an inversion that was accepted"},
              {"passes", count().if_any(), "of a token through an MLP"},
              {"flops", number().if_any(), "floating point operations"},
              {"singular_values", list(number()).if_any(), "of the difference, descending"}});
  return {.name = "grey_box",
          .place = "stemma trace --grey-box --json",
          .meaning = "What the published form of origin_tracer reads, layer after layer.",
          .keys = {version(),
                   {"base", text(), "id"},
                   {"candidate", text(), "id"},
                   {"minimum", count(), "of the ranks, 0 where none was read"},
                   {"median", number(), "of the ranks, 0 where none was read"},
                   {"mode", count(), "of the ranks, 0 where none was read"},
                   {"representative_layers", list(count()), "the tenth with the clearest ranks"},
                   {"passes", count(), "of a token through an MLP"},
                   {"flops", number(), "floating point operations"},
                   {"bytes_read", bytes(), "of both models"},
                   {"seconds", seconds(), "that it took"},
                   {"layers", list(layer), "one by one; one with a number that is not finite is not read"}}};
}

}  // namespace

std::vector<Document> pair_documents() { return {compare(), trace(), grey_box()}; }

}  // namespace stemma::documents
