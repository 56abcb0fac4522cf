// Which constants decide, and where does each come from?
#pragma once
#include <cstddef>

namespace stemma::thresholds {

/// A curve whose standard deviation over layers is below this share of its mean is constant: its correlation
/// with anything is rounding noise.
inline constexpr double constant_curve = 1e-12;

/// Random-initialisation flag, first rule: largest over smallest layer of every curve stays below. Trained
/// models differ by more between layers; a fixed initialiser range gives ratios near 1.
inline constexpr double flat_curve = 1.05;
/// ... which needs as many layers as to make a coincidence unlikely.
inline constexpr int flat_curve_layers = 3;

/// Random-initialisation flag, second rule: s1 <= 1.05 std (sqrt m + sqrt n) for every q, k, v, o. The edge
/// of the Marchenko-Pastur law, with 5 % for finite size; holds for any i.i.d. law and for orthogonal
/// matrices.
inline constexpr double random_edge = 1.05;
/// The search for s1 stops here: far enough beyond the edge to be seen, near enough to cost few steps.
inline constexpr double edge_enough = 1.2;

/// Below this many layers a curve score says nothing: 84 separately trained six-layer translators of one
/// recipe reach 0.993 (weight statistics published by PaddlePaddle/GraphNet).
inline constexpr int min_layers = 8;

/// A corpus with fewer unrelated pairs in a stratum is no background, and the published one takes its place.
/// A pair is not ranked against itself, so 19 are left, the fewest with which a score above all of them has a
/// conformal p of 0.05.
inline constexpr std::size_t background_pairs = 20;

/// References that a conformal p-value needs, so that 0.05 is in its reach: 1 / (1 + 19).
inline constexpr std::size_t fewest_references = 19;

/// A model further than this from every base, in standardised features, is "quantised or new": the threshold
/// of arXiv 2506.01631, which 21 of the 28 distances between its own bases exceed.
inline constexpr double guard_unknown = 7;

/// Of fewer rows the fourth moment of a response says nothing: that of Gaussian weights then varies by more
/// than 0.8 around a mean below 2.7.
inline constexpr unsigned guard_fewest_rows = 16;

/// A tensor of fewer distinct values is shared between strangers by custom: masks, fresh gains, signs. Equal
/// bytes or counts of such tensors are no evidence.
inline constexpr unsigned few_values = 16;

/// Readings of a curve score, set from 137 public models: no unrelated pair lies above 0.928, known
/// continuations lie above 0.98.
inline constexpr double score_high = 0.98;
inline constexpr double score_inconclusive = 0.93;

/// A numerical rank is looked for up to this one ...
inline constexpr unsigned origin_max_rank = 256;
/// ... and up to this share of what the shape allows: a V-only update is exactly of rank H_kv d_h, signal and
/// noise together, and its largest ratio of all sits there.
inline constexpr double origin_rank_share = 0.75;
/// Values computed beyond the largest rank looked for, so that what ends a gap is not the end of the block.
inline constexpr unsigned origin_spare_values = 16;
/// A gap is a ratio of neighbouring singular values of at least this: trained and obfuscated children
/// have 2.9 and more, full fine-tunes up to 1.3.
inline constexpr double origin_gap = 2;
/// Values above this multiple of the rounding null are signal: the first noise value of aligned children lies
/// at 1.2 to 1.6 nulls.
inline constexpr double origin_noise = 2;
/// LOW_RANK needs this share of the rank above the noise (provisional).
inline constexpr double origin_significant_share = 0.5;
/// Relative differences that part fine-tuning, long training and independence, for which theory gives the
/// root of 2 (provisional).
inline constexpr double origin_close = 0.5, origin_far = 1.2;
/// Merged updates of a smaller relative size round back to the base too often to be ranked.
inline constexpr double origin_dead_zone = 0.005;
/// A close difference with fewer values above the noise than this share of r_max may be a low rank whose tail
/// is lost: trained fine-tunes have 0.54 and more (provisional).
inline constexpr double origin_full_share = 0.5;
/// A difference whose largest singular value stays below this multiple of the edge of even noise of its size,
/// |dW|_F (1/sqrt m + 1/sqrt n), is rounding to a coarser lattice: weights in 8 and 4 bits reach 1.26,
/// trained fine-tunes have 1.58 and more (provisional).
inline constexpr double origin_even = 1.35;
/// Draws of rounding noise whose largest singular value is the null.
inline constexpr unsigned origin_draws = 3;
/// From so many elements on one draw is enough: the largest of three lies hardly above it.
inline constexpr unsigned long long origin_one_draw = 1ULL << 20;

/// A weight is another one rounded to codes where this share of its elements is no further off than that
/// leaves them, and where of other rows at most the second share is as near: copies of two small models in
/// seven schemes have 0.992 and more (Q4_0, which clips one end) and 0.02 to 0.18; strangers have the same
/// share in place as elsewhere (provisional). Of 4 bits an update of some 0.3 % of the weights' size passes.
inline constexpr double near_codes = 0.99, near_codes_control = 0.8;
/// Errors of rounding to codes have this share of the size of uniform ones: less is no rounding, but
/// something small that was added to the same codes.
inline constexpr double near_codes_spread = 0.5;
/// Two sides with codes are a copy and its copy where the finer codes are at most this far apart, beside the
/// others: 8 bits and 4 bits are, two kinds of 4 bits hide updates of a whole step.
inline constexpr double near_codes_fineness = 0.25;

/// The residual streams of two models have the same axes, or the same but for order and sign, when this share
/// of the columns of their embeddings has a cosine above the limit (provisional).
inline constexpr double origin_axes_share = 0.9, origin_axes_cosine = 0.9;
/// Embeddings that a rotation brings no closer than this, relative to their norm, are unaligned: independent
/// ones stay at 0.9 to 1.2 (provisional), normal numbers of no more tokens than axes at 0.71.
inline constexpr double origin_rotation_residual = 0.5;
/// The map of embeddings that a rotation brings no closer than that may still tell neurons apart: trained
/// from one start, small models lie at 0.52 to 0.76, from two starts at 0.76 and 0.92. Beyond this it is not
/// kept.
inline constexpr double origin_loose_residual = 0.9;
/// Where the axes are the same, embeddings whose norms differ by less were trained, not scaled with the
/// stream.
inline constexpr double origin_trained_scale = 0.05;

/// Where no circuit of attention differs by more, models may be the same in other coordinates, and all parts
/// are asked: rounding to bf16 and the map of a rotated stream move circuits by less than 1 %.
inline constexpr double same_function_circuits = 0.05;
/// Answers that rounding alone may move by more, relative to their largest direction, tell nothing about who
/// gives them: parts of the demo are moved by up to 0.5 %.
inline constexpr double same_function_blur = 0.05;
/// In the same axes a weight that differs by less was not put into other coordinates, but changed: absorbed
/// gains of 0.5 to 1.5 make 0.3 (provisional).
inline constexpr double same_function_moved = 0.2;

/// Neurons whose norms follow their places this closely were sorted by somebody: places then say nothing.
inline constexpr double sorted_neurons = 0.5;
/// Independently trained models may agree on this share of their neurons: 1 to 5 % are found in several seeds
/// of GPT-2 (arXiv 2401.12181), up to 7 % in the first layer of small models.
inline constexpr double universal_neurons = 0.10;
/// MLPs of up to so many neurons are matched by optimal assignment as well, beside the test: a second.
inline constexpr std::size_t assigned_neurons = 4096;
/// Partners of blocks are searched by so many of the largest neurons, and found where so many agree.
inline constexpr std::size_t searched_neurons = 16, partner_neurons = 3;
/// The control holds so many blocks against blocks of other layers.
inline constexpr std::size_t control_blocks = 8;
/// All blocks of both models are held against each other up to so many pairs; beyond, so many experts of a
/// layer look for the layer of the others.
inline constexpr std::size_t searched_pairs = 16'384, searched_experts = 3;
/// Two blocks are each other at this level, after the search for them has been paid for.
inline constexpr double block_match = 0.01;
/// Two neurons of one MLP that correlate like this in both kinds of answers are one neuron twice.
inline constexpr float twin_neurons = 0.95F;
/// Models of equal structure that agree this clearly, in every MLP, are not searched: ln 1e-12.
inline constexpr double log_p_in_place = -27.6;
/// A test of neurons that finds nothing has said something where it saw this many neurons in this many
/// blocks.
inline constexpr std::size_t telling_neurons = 64, telling_blocks = 2;
/// What training wrote, two models that only started alike wrote differently; what the start left they share.
/// Attention readings over the answers of agreeing neurons, of 28 small models trained for 600 steps and
/// their relatives (tests/calibration): 45 descendants and siblings have 0.92 and more, 141 pairs that were
/// started alike 0.63 and less, and 48 of which one training saw the first batches of the other, up to 0.90.
/// The upper limit was 0.9 then. Of 12 more seeds 60 descendants have 0.92 and more and 188 pairs 0.66 and
/// less, but 7 of 64 with the same first batches lay above 0.9 (up to 0.98), for they are nearly one run. At
/// 0.95 one of all 112 of these is left, and 6 of 105 descendants are undecided: rather that than the other.
/// Between both limits nothing is said. Provisional: nobody has looked at large models.
inline constexpr double kinship_of_descent = 0.95, kinship_of_shared_start = 0.65;
/// So many layers of two models are read to match their neurons.
inline constexpr std::size_t lineage_layers = 8;
/// Kappa, the cosine of what stands out of the noise of weights over that of the noise, needs this cosine of
/// the noise: below it, trained public models of one start have ratios between -33 and 8.
inline constexpr double kappa_bulk = 0.1;
/// From here on kappa speaks for descent, and up to here for a start that was shared alone. Of 12 small seeds
/// (tests/calibration) bases and descendants have 1.00 to 1.04, siblings 0.85 to 1.07, and models of one
/// start 0.32 to 0.91, also where they saw the same first batches. 0.8, set on three seeds, took some of
/// these for descendants. Models of real size are yet to be measured (provisional).
inline constexpr double kappa_descent = 0.95, kappa_shared = 0.7;
/// Level of false discoveries over all pairs of a corpus, where nobody sets another (LineageRule), as the
/// next two.
inline constexpr double false_discoveries = 0.01;
/// Two MLPs agree from this share of their neurons on: as much as strangers may share, and no less.
inline constexpr double agreeing_neurons = universal_neurons;
/// Two models are relatives as wholes where this share of their MLPs agrees.
inline constexpr double agreeing_layers = 0.5;

}  // namespace stemma::thresholds
