// Two matchings that know nothing of each other must agree, and neurons that were never moved stand where
// they stood (matched_neurons.hpp says why). Where partners are searched, every block pays for its choice
// (Bonferroni), and blocks are combined by Fisher's rule.
#include "analyzers/neuron_agreement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "analyzers/block_scores.hpp"
#include "analyzers/numerics/combined_tests.hpp"
#include "analyzers/numerics/median.hpp"
#include "analyzers/partner_search.hpp"
#include "analyzers/thresholds.hpp"
#include "io/model/anchor_tokens.hpp"

namespace stemma {
namespace {

/// The blocks of one model at the shared anchors, made when they are asked for.
class AllAnswers {
 public:
  AllAnswers(const NeuronSketch& sketch, std::span<const std::uint32_t> columns)
      : sketch_(sketch), columns_(columns) {}

  const NeuronAnswers& of(std::size_t block) {
    if (answers_.empty()) answers_.resize(sketch_.blocks.size());
    if (!answers_[block])
      answers_[block] = answers_of(sketch_.blocks[block], sketch_.keys.size(), columns_, most_rows);
    return *answers_[block];
  }

 private:
  static constexpr std::size_t most_rows = std::numeric_limits<std::size_t>::max();

  const NeuronSketch& sketch_;
  std::span<const std::uint32_t> columns_;
  std::vector<std::optional<NeuronAnswers>> answers_;
};

bool same_structure(const NeuronSketch& a, const NeuronSketch& b) {
  return std::ranges::equal(a.blocks, b.blocks, [](const NeuronBlock& x, const NeuronBlock& y) {
    return x.layer == y.layer && x.expert == y.expert;
  });
}

BlockAgreement agreement_of(const NeuronBlock& a, const NeuronBlock& b, const BlockScores& scores) {
  const TwoMatchings pair(scores.first(), scores.second());
  BlockAgreement out;
  out.kept = std::min(a.size(), b.size());
  out.units = std::max(a.units, b.units);
  const Agreement both = pair.agreement();
  out.matched = both.both;
  out.agreeing = both.same;
  out.likeness = pair.likeness();
  out.sorted = std::max(a.order, b.order) > thresholds::sorted_neurons;
  const std::vector<std::int32_t> partners = scores.by_both();
  for (std::size_t i = 0; i < partners.size(); ++i) {
    if (partners[i] == unmatched) continue;
    ++out.labelled;
    out.fixed += a.unit[i] == b.unit[static_cast<std::size_t>(partners[i])];
  }
  return out;
}

/// Everything that follows from the partners as if they had been given beforehand. Blocks agree from `share`
/// on.
void sum_up(NeuronAgreement& found, double share) {
  std::vector<double> shares, likenesses;
  std::set<std::uint32_t> agreeing;  // of b, which has fewer
  NeuronTally tally;
  for (const BlockAgreement& block : found.blocks) {
    tally.add(block);
    shares.push_back(block.share());
    likenesses.push_back(block.likeness);
    if (block.share() >= share) agreeing.insert(block.b);
  }
  static_cast<NeuronTests&>(found) = tally.tests();
  found.partners = found.blocks.size();
  found.agreeing_blocks = agreeing.size();
  found.share = median(std::move(shares));
  found.likeness = median(std::move(likenesses));
}

/// p-values of every pair of blocks alone, its partner chosen among `candidates`.
void weigh_each(NeuronAgreement& found, std::size_t candidates) {
  const auto pay = [&](double log_p) { return log_best_of(log_p, std::max<std::size_t>(candidates, 1)); };
  for (BlockAgreement& block : found.blocks) {
    const NeuronTests tests = tests_of(block);
    block.log_p_places = pay(tests.log_p_places);
    block.log_p_robust = pay(tests.log_p_robust);
    block.log_p_nominal = pay(tests.log_p_nominal);
  }
}

/// p-values of all partners, each of which was chosen, for `rows` blocks of which some found none.
void weigh_chosen(NeuronAgreement& found, std::size_t rows) {
  std::vector<double> places(rows), robust(rows), nominal(rows);
  for (std::size_t i = 0; i < found.blocks.size(); ++i) {
    places[i] = found.blocks[i].log_p_places;
    robust[i] = found.blocks[i].log_p_robust;
    nominal[i] = found.blocks[i].log_p_nominal;
  }
  found.log_p_places = log_fisher(places);
  found.log_p_robust = log_fisher(robust);
  found.log_p_nominal = log_fisher(nominal);
}

/// Whether two blocks agree in more neurons than strangers do, after the choice of the one for the other
/// among `candidates`. Few kept neurons make one fixed point rare, and of many blocks some have one: the test
/// of places pays for all `blocks` besides.
bool matches(const BlockAgreement& block, std::size_t candidates, std::size_t blocks) {
  const NeuronTests tests = tests_of(block);
  const std::size_t ways = 2 * std::max<std::size_t>(candidates, 1);
  return std::min(log_best_of(tests.log_p_robust, ways), log_best_of(tests.log_p_places, ways * blocks)) <=
         std::log(thresholds::block_match);
}

std::vector<std::size_t> numbers_up_to(std::size_t count) {
  std::vector<std::size_t> out(count);
  std::iota(out.begin(), out.end(), std::size_t{0});
  return out;
}

/// Compares two sketches of which `a` has at least as many blocks.
class Comparer {
 public:
  Comparer(const NeuronSketch& a, const NeuronSketch& b, const SharedAnchors& shared, double share)
      : a_(a),
        b_(b),
        shared_(shared),
        share_(share),
        turned_{shared.of_b, shared.of_a, shared.by_row},
        answers_a_(a, shared.of_a),
        answers_b_(b, shared.of_b) {}

  /// Block by block.
  NeuronAgreement in_place() {
    NeuronAgreement found = frame();
    found.compared_blocks = a_.blocks.size();
    for (std::size_t i = 0; i < a_.blocks.size(); ++i) found.blocks.push_back(compare(i, i));
    found.control = control(found);
    found.attention = attention(found);
    sum_up(found, share_);
    weigh_each(found, 1);
    return found;
  }

  /// Every block of a with the block of b that agrees best with it in its largest neurons.
  NeuronAgreement searched() {
    NeuronAgreement found = frame();
    found.mapped = true;
    const PartnerSearch search(a_, b_, shared_);
    const std::vector<Partner> partners = search.partners(numbers_up_to(a_.blocks.size()));
    held_.resize(partners.size());
    std::size_t compared_of_a = 0;
    for (std::size_t i = 0; i < partners.size(); ++i) {
      held_[i] = partners[i].held;
      compared_of_a += held_[i] > 0;
      if (partners[i].agreeing >= thresholds::partner_neurons)
        found.blocks.push_back(compare(i, partners[i].block));
    }
    found.compared_blocks = std::min(compared_of_a, search.candidates());
    found.control = control(found);
    found.attention = attention(found);
    sum_up(found, share_);
    weigh_each(found, search.candidates());
    weigh_chosen(found, a_.blocks.size());
    return found;
  }

  /// Fills found.map. Blocks that the agreement leaves without a partner are searched for on both sides.
  void draw_map(NeuronAgreement& found) {
    MapSources sources;
    for (const BlockAgreement& block : found.blocks)
      if (matches(block, found.mapped ? held_[block.a] : 1, a_.blocks.size()))
        sources.matches.emplace_back(block.a, block.b);
    if (sources.matches.empty()) return;
    if (!found.mapped) add_matches_of(false, sources);
    add_matches_of(true, sources);
    sources.a = places_of(a_);
    sources.b = places_of(b_);
    sources.alike = [&](int side, std::size_t i, std::size_t j) { return alike(side == 0, i, j); };
    sources.twins = [&](int side, std::size_t block) { return has_twins(side == 0, block); };
    found.map = map_of(sources);
  }

 private:
  NeuronAgreement frame() const {
    NeuronAgreement found;
    found.anchors = shared_.size();
    found.by_row = shared_.by_row;
    found.blocks_a = a_.blocks.size();
    found.blocks_b = b_.blocks.size();
    // Equal numbers are equal tokens only where vocabularies are of one size.
    found.telling = telling_blocks(a_) >= thresholds::telling_blocks &&
                    telling_blocks(b_) >= thresholds::telling_blocks &&
                    (!shared_.by_row || a_.vocabulary == b_.vocabulary);
    return found;
  }

  /// Mean share of agreeing neurons of blocks that are no partners: the next one of another layer.
  double control(const NeuronAgreement& found) {
    NeuronCounts unlike;
    const auto hold = [&](std::size_t i, std::size_t partner) {
      for (std::size_t step = 1; step < b_.blocks.size(); ++step) {
        const std::size_t j = (partner + step) % b_.blocks.size();
        if (b_.blocks[j].layer == b_.blocks[partner].layer || a_.blocks[i].gated != b_.blocks[j].gated)
          continue;
        const BlockAgreement one = compare(i, j);
        unlike.agreeing += one.agreeing;
        unlike.kept += one.kept;
        return;
      }
    };
    const std::size_t held = found.blocks.empty() ? a_.blocks.size() : found.blocks.size();
    const std::size_t stride = std::max<std::size_t>(1, held / thresholds::control_blocks);
    for (std::size_t n = 0; n < held; n += stride)
      if (found.blocks.empty())
        hold(n, n % b_.blocks.size());
      else
        hold(found.blocks[n].a, found.blocks[n].b);
    return unlike.share();
  }

  /// Median over layers of a and the layers that most of their agreeing neurons are in: experts of one layer
  /// have one attention.
  double attention(const NeuronAgreement& found) const {
    std::map<int, std::map<int, std::uint64_t>> agreeing;
    for (const BlockAgreement& block : found.blocks)
      agreeing[a_.blocks[block.a].layer][b_.blocks[block.b].layer] += block.agreeing;
    std::vector<double> values;
    for (const auto& [layer, of_b] : agreeing) {
      const auto most =
          std::ranges::max_element(of_b, {}, [](const auto& counted) { return counted.second; });
      const AttentionBlock* x = a_.attention_of(layer);
      const AttentionBlock* y = b_.attention_of(most->first);
      if (x && y) values.push_back(attention_correlation(a_, *x, b_, *y, shared_));
    }
    return median(std::move(values));
  }

  static std::size_t telling_blocks(const NeuronSketch& sketch) {
    return static_cast<std::size_t>(std::ranges::count_if(
        sketch.blocks, [](const NeuronBlock& block) { return block.size() >= thresholds::telling_neurons; }));
  }

  BlockAgreement compare(std::size_t i, std::size_t j) {
    BlockAgreement out = agreement_of(a_.blocks[i], b_.blocks[j],
                                      BlockScores(answers_a_.of(i), answers_b_.of(j), a_.blocks[i].gated));
    out.a = static_cast<std::uint32_t>(i);
    out.b = static_cast<std::uint32_t>(j);
    return out;
  }

  /// Partners of those blocks of b, or of a, that match nothing yet.
  void add_matches_of(bool of_b, MapSources& sources) {
    const NeuronSketch& sketch = of_b ? b_ : a_;
    std::vector<bool> matched(sketch.blocks.size());
    for (const auto& [i, j] : sources.matches) matched[of_b ? j : i] = true;
    std::vector<std::size_t> open = numbers_up_to(matched.size());
    std::erase_if(open, [&](std::size_t block) { return matched[block]; });
    if (open.empty()) return;
    const PartnerSearch search(sketch, of_b ? a_ : b_, of_b ? turned_ : shared_);
    const std::vector<Partner> partners = search.partners(open);
    for (std::size_t n = 0; n < open.size(); ++n) {
      if (partners[n].agreeing < thresholds::partner_neurons) continue;
      const std::size_t i = of_b ? partners[n].block : open[n], j = of_b ? open[n] : partners[n].block;
      if (matches(compare(i, j), partners[n].held, a_.blocks.size())) sources.matches.emplace_back(i, j);
    }
  }

  static std::vector<BlockPlace> places_of(const NeuronSketch& sketch) {
    std::vector<BlockPlace> out;
    for (const NeuronBlock& block : sketch.blocks) out.push_back({block.layer, block.expert, block.units});
    return out;
  }

  /// Two blocks of one model.
  bool alike(bool of_a, std::size_t i, std::size_t j) {
    const std::vector<NeuronBlock>& blocks = of_a ? a_.blocks : b_.blocks;
    AllAnswers& answers = of_a ? answers_a_ : answers_b_;
    if (blocks[i].gated != blocks[j].gated) return false;
    const BlockScores scores(answers.of(i), answers.of(j), blocks[i].gated);
    return matches(agreement_of(blocks[i], blocks[j], scores), 1, blocks.size());
  }

  /// A tenth of the kept neurons of a block are there twice.
  bool has_twins(bool of_a, std::size_t block) {
    const NeuronAnswers& answers = (of_a ? answers_a_ : answers_b_).of(block);
    const BlockScores scores(answers, answers, (of_a ? a_ : b_).blocks[block].gated);
    return static_cast<double>(scores.doubled(thresholds::twin_neurons)) >=
           thresholds::universal_neurons * static_cast<double>(answers.rows());
  }

  const NeuronSketch& a_;
  const NeuronSketch& b_;
  const SharedAnchors& shared_;
  const double share_;  ///< of neurons from which on blocks agree
  const SharedAnchors turned_;
  AllAnswers answers_a_, answers_b_;
  std::vector<std::size_t> held_;  ///< candidates of each block of a that was searched for
};

bool gated_alike(const NeuronSketch& a, const NeuronSketch& b) {
  const auto gated = [](const NeuronSketch& s) {
    return std::ranges::any_of(s.blocks, [](const NeuronBlock& block) { return block.gated; });
  };
  const auto plain = [](const NeuronSketch& s) {
    return std::ranges::any_of(s.blocks, [](const NeuronBlock& block) { return !block.gated; });
  };
  return (gated(a) && gated(b)) || (plain(a) && plain(b));
}

/// Partners are searched for each block of one model, so one of both must come first, whichever is named
/// first.
bool comes_first(const NeuronSketch& a, const NeuronSketch& b) {
  if (a.blocks.size() != b.blocks.size()) return a.blocks.size() > b.blocks.size();
  for (std::size_t i = 0; i < a.blocks.size(); ++i)
    if (a.blocks[i].first != b.blocks[i].first) return a.blocks[i].first < b.blocks[i].first;
  return true;
}

/// The same seen from the other side.
void turn(NeuronAgreement& found) {
  std::swap(found.blocks_a, found.blocks_b);
  for (BlockAgreement& block : found.blocks) std::swap(block.a, block.b);
  found.map.turn();
}

}  // namespace

NeuronAgreement compare_neurons(const NeuronSketch& a, const NeuronSketch& b, double share) {
  if (!comes_first(a, b)) {
    NeuronAgreement found = compare_neurons(b, a, share);
    turn(found);
    return found;
  }
  NeuronAgreement found;
  if (!gated_alike(a, b)) {
    found.abstain = "unsupported";
    return found;
  }
  const SharedAnchors shared = shared_anchors(a, b);
  if (shared.size() < fewest_anchors) {
    found.abstain = "no_anchor";
    found.anchors = shared.size();
    return found;
  }
  Comparer comparer(a, b, shared, share);
  if (!same_structure(a, b)) {
    found = comparer.searched();
    comparer.draw_map(found);
    return found;
  }
  found = comparer.in_place();
  const auto best_p = [](const NeuronAgreement& n) { return std::min(n.log_p_places, n.log_p_robust); };
  const bool all_agree = std::ranges::all_of(found.blocks, [](const BlockAgreement& block) {
    return block.share() >= thresholds::universal_neurons;
  });
  if (best_p(found) > thresholds::log_p_in_place || !all_agree) {
    NeuronAgreement searched = comparer.searched();
    if (best_p(searched) < best_p(found)) found = std::move(searched);
  }
  // There are two ways of asking, and the better one pays for having been chosen.
  for (double* log_p : {&found.log_p_places, &found.log_p_robust, &found.log_p_nominal})
    *log_p = log_best_of(*log_p, 2);
  comparer.draw_map(found);
  return found;
}

}  // namespace stemma
