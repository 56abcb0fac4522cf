// Two matchings that know nothing of each other must agree, and neurons that were never moved stand where
// they stood (matched_neurons.hpp says why). Where partners are searched, every block pays for its choice
// (Bonferroni), and blocks are combined by Fisher's rule.
#include "analyzers/neuron_agreement.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "analyzers/neuron_scores.hpp"
#include "analyzers/numerics/combined_tests.hpp"
#include "analyzers/numerics/median.hpp"
#include "analyzers/numerics/mutual_best.hpp"
#include "analyzers/thresholds.hpp"
#include "io/model/anchor_tokens.hpp"

namespace stemma {
namespace {

/// Answers of one block at the shared anchors.
struct Answers {
  AnswerRows first, second;
};

/// The blocks of one model at the shared anchors: all kept neurons, or the largest `most` of them.
std::vector<Answers> answers_of(const NeuronSketch& sketch, std::span<const std::uint32_t> columns,
                                std::size_t most) {
  std::vector<Answers> out;
  for (const NeuronBlock& block : sketch.blocks)
    out.push_back({AnswerRows(block.first, sketch.keys.size(), columns, most),
                   AnswerRows(block.second, sketch.keys.size(), columns, most)});
  return out;
}

/// Matches one pair of blocks.
class BlockPair {
 public:
  BlockPair(const Answers& a, const Answers& b, bool gated)
      : rows_(a.first.rows()),
        columns_(b.first.rows()),
        first_(correlations(a.first, b.first, false)),
        second_(correlations(a.second, b.second, gated)),
        by_first_(mutual_best(view(first_))),
        by_second_(mutual_best(view(second_))) {}

  Agreement agreement() const { return stemma::agreement(by_first_, by_second_); }
  /// Mean correlation of the first answers of neurons that both matchings agree on.
  double likeness() const {
    double sum = 0, n = 0;
    for (std::size_t i = 0; i < rows_; ++i) {
      if (by_first_[i] == unmatched || by_first_[i] != by_second_[i]) continue;
      sum += static_cast<double>(first_[i * columns_ + static_cast<std::size_t>(by_first_[i])]);
      ++n;
    }
    return n > 0 ? sum / n : missing;
  }
  /// The matching by both kinds of answers together.
  std::vector<std::int32_t> by_both() const {
    std::vector<float> sum(first_);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += second_[i];
    return mutual_best(view(sum));
  }

 private:
  ScoreView view(const std::vector<float>& scores) const { return {scores, rows_, columns_, columns_}; }

  std::size_t rows_, columns_;
  std::vector<float> first_, second_;
  std::vector<std::int32_t> by_first_, by_second_;
};

bool same_structure(const NeuronSketch& a, const NeuronSketch& b) {
  return std::ranges::equal(a.blocks, b.blocks, [](const NeuronBlock& x, const NeuronBlock& y) {
    return x.layer == y.layer && x.expert == y.expert;
  });
}

BlockAgreement agreement_of(const NeuronBlock& a, const NeuronBlock& b, const BlockPair& pair) {
  BlockAgreement out;
  out.kept = std::min(a.size(), b.size());
  out.units = std::max(a.units, b.units);
  const Agreement both = pair.agreement();
  out.matched = both.both;
  out.agreeing = both.same;
  out.likeness = pair.likeness();
  out.sorted = std::max(a.order, b.order) > thresholds::sorted_neurons;
  const std::vector<std::int32_t> partners = pair.by_both();
  for (std::size_t i = 0; i < partners.size(); ++i) {
    if (partners[i] == unmatched) continue;
    ++out.labelled;
    out.fixed += a.unit[i] == b.unit[static_cast<std::size_t>(partners[i])];
  }
  return out;
}

/// Everything that follows from the partners as if they had been given beforehand.
void sum_up(NeuronAgreement& found) {
  std::vector<double> shares, likenesses;
  std::set<std::uint32_t> agreeing;  // of b, which has fewer
  NeuronTally tally;
  for (const BlockAgreement& block : found.blocks) {
    tally.add(block);
    shares.push_back(block.share());
    likenesses.push_back(block.likeness);
    if (block.share() >= thresholds::universal_neurons) agreeing.insert(block.b);
  }
  static_cast<NeuronTests&>(found) = tally.tests();
  found.partners = found.blocks.size();
  found.agreeing_blocks = agreeing.size();
  found.share = median(std::move(shares));
  found.likeness = median(std::move(likenesses));
}

/// p-values of partners that were chosen among `candidates` for each of `rows` blocks, of which some found
/// none.
void weigh_chosen(NeuronAgreement& found, std::size_t rows, std::size_t candidates) {
  std::vector<double> places(rows), robust(rows), nominal(rows);
  const auto pay = [&](double log_p) { return log_best_of(log_p, std::max<std::size_t>(candidates, 1)); };
  for (std::size_t i = 0; i < found.blocks.size(); ++i) {
    NeuronTally alone;
    alone.add(found.blocks[i]);
    const NeuronTests tests = alone.tests();
    places[i] = pay(tests.log_p_places);
    robust[i] = pay(tests.log_p_robust);
    nominal[i] = pay(tests.log_p_nominal);
  }
  found.log_p_places = log_fisher(places);
  found.log_p_robust = log_fisher(robust);
  found.log_p_nominal = log_fisher(nominal);
}

/// Compares two sketches of which `a` has at least as many blocks.
class Comparer {
 public:
  Comparer(const NeuronSketch& a, const NeuronSketch& b, const SharedAnchors& shared)
      : a_(a), b_(b), shared_(shared) {}

  /// Block by block.
  NeuronAgreement in_place() {
    NeuronAgreement found = frame();
    found.compared_blocks = a_.blocks.size();
    for (std::size_t i = 0; i < a_.blocks.size(); ++i) found.blocks.push_back(compare(i, i));
    found.control = control(found);
    found.attention = attention(found);
    sum_up(found);
    return found;
  }

  /// Every block of a with the block of b that agrees best with it in its largest neurons.
  NeuronAgreement searched() {
    NeuronAgreement found = frame();
    found.mapped = true;
    const std::vector<Answers> a = answers_of(a_, shared_.of_a, thresholds::searched_neurons),
                               b = answers_of(b_, shared_.of_b, thresholds::searched_neurons);
    std::size_t candidates = 0, compared_of_a = 0;
    std::vector<bool> compared_of_b(b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      std::size_t most = 0, partner = 0, tried = 0;
      for (std::size_t j = 0; j < b.size(); ++j) {
        if (!could_be_partners(i, j)) continue;
        ++tried;
        compared_of_b[j] = true;
        const std::size_t agreeing = BlockPair(a[i], b[j], a_.blocks[i].gated).agreement().same;
        if (agreeing > most) most = agreeing, partner = j;
      }
      candidates = std::max(candidates, tried);
      compared_of_a += tried > 0;
      if (most >= thresholds::partner_neurons) found.blocks.push_back(compare(i, partner));
    }
    const auto of_b = static_cast<std::size_t>(std::ranges::count(compared_of_b, true));
    found.compared_blocks = std::min(compared_of_a, of_b);
    found.control = control(found);
    found.attention = attention(found);
    sum_up(found);
    weigh_chosen(found, a.size(), candidates);
    return found;
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

  /// Median over layers of partners.
  double attention(const NeuronAgreement& found) const {
    std::vector<double> values;
    int last = -1;
    for (const BlockAgreement& block : found.blocks) {
      const int layer = a_.blocks[block.a].layer;
      if (layer == last) continue;  // experts of one layer have one attention
      last = layer;
      const AttentionBlock* of_a = attention_of(a_, layer);
      const AttentionBlock* of_b = attention_of(b_, b_.blocks[block.b].layer);
      if (of_a && of_b) values.push_back(attention_correlation(a_, *of_a, b_, *of_b, shared_));
    }
    return median(std::move(values));
  }

  static const AttentionBlock* attention_of(const NeuronSketch& sketch, int layer) {
    const auto at = std::ranges::lower_bound(sketch.attention, layer, {}, &AttentionBlock::layer);
    return at == sketch.attention.end() || at->layer != layer ? nullptr : &*at;
  }

  static std::size_t telling_blocks(const NeuronSketch& sketch) {
    return static_cast<std::size_t>(std::ranges::count_if(
        sketch.blocks, [](const NeuronBlock& block) { return block.size() >= thresholds::telling_neurons; }));
  }

  BlockAgreement compare(std::size_t i, std::size_t j) {
    if (answers_a_.empty()) answers_a_ = answers_of(a_, shared_.of_a, most_rows);
    if (answers_b_.empty()) answers_b_ = answers_of(b_, shared_.of_b, most_rows);
    BlockAgreement out =
        agreement_of(a_.blocks[i], b_.blocks[j], BlockPair(answers_a_[i], answers_b_[j], a_.blocks[i].gated));
    out.a = static_cast<std::uint32_t>(i);
    out.b = static_cast<std::uint32_t>(j);
    return out;
  }

  /// Of thousands of experts only those of equal layers are held against each other, in a few layers.
  bool could_be_partners(std::size_t i, std::size_t j) const {
    if (a_.blocks[i].gated != b_.blocks[j].gated) return false;
    if (a_.blocks.size() * b_.blocks.size() <= thresholds::searched_pairs) return true;
    return a_.blocks[i].layer == b_.blocks[j].layer && a_.blocks[i].layer < thresholds::searched_layers;
  }

  static constexpr std::size_t most_rows = std::numeric_limits<std::size_t>::max();

  const NeuronSketch& a_;
  const NeuronSketch& b_;
  const SharedAnchors& shared_;
  std::vector<Answers> answers_a_, answers_b_;
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
}

}  // namespace

NeuronAgreement compare_neurons(const NeuronSketch& a, const NeuronSketch& b) {
  if (!comes_first(a, b)) {
    NeuronAgreement found = compare_neurons(b, a);
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
  Comparer comparer(a, b, shared);
  if (!same_structure(a, b)) return comparer.searched();
  found = comparer.in_place();
  const auto best_p = [](const NeuronAgreement& n) { return std::min(n.log_p_places, n.log_p_robust); };
  if (best_p(found) > thresholds::log_p_in_place) {
    NeuronAgreement searched = comparer.searched();
    if (best_p(searched) < best_p(found)) found = std::move(searched);
  }
  // There are two ways of asking, and the better one pays for having been chosen.
  for (double* log_p : {&found.log_p_places, &found.log_p_robust, &found.log_p_nominal})
    *log_p = log_best_of(*log_p, 2);
  return found;
}

}  // namespace stemma
