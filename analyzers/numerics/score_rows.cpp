// What do matchings ask of one row of scores? Compiled for every instruction set, chosen when it runs.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "analyzers/numerics/score_rows.cpp"
#include <hwy/foreach_target.h>
// What follows is read once for every instruction set.
#include <hwy/highway.h>

#include <algorithm>
#include <limits>

#include "analyzers/numerics/score_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace stemma::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using Floats = hn::ScalableTag<float>;
using FewFloats = hn::Rebind<float, Doubles>;
using Longs = hn::RebindToSigned<Doubles>;
using Ints = hn::RebindToSigned<Floats>;

// Minima and maxima are the same in every order, and whoever is named is the first: so the bits depend on no
// instruction set.

TwoBest two_best(std::span<const float> scores, std::span<const double> price) {
  const Doubles doubles;
  const FewFloats floats;
  const std::size_t lanes = hn::Lanes(doubles), n = scores.size(), whole = n / lanes * lanes;
  auto best = hn::Set(doubles, -infinity), second = best, where = hn::Zero(doubles);
  auto here = hn::Iota(doubles, 0);
  const auto step = hn::Set(doubles, static_cast<double>(lanes));
  for (std::size_t j = 0; j < whole; j += lanes) {
    const auto x = hn::Sub(hn::PromoteTo(doubles, hn::LoadU(floats, scores.data() + j)),
                           hn::LoadU(doubles, price.data() + j));
    const auto better = hn::Gt(x, best);
    second = hn::Max(second, hn::Min(best, x));
    best = hn::Max(best, x);
    where = hn::IfThenElse(better, here, where);
    here = hn::Add(here, step);
  }
  TwoBest found{-infinity, -infinity, 0};
  const auto take = [&](double x, std::size_t column) {
    if (x > found.best) {
      found.second = found.best;
      found.best = x;
      found.column = column;
    } else {
      found.second = std::max(found.second, x);
      if (x == found.best) found.column = std::min(found.column, column);
    }
  };
  HWY_ALIGN double bests[hn::MaxLanes(doubles)], seconds[hn::MaxLanes(doubles)],
      columns[hn::MaxLanes(doubles)];
  hn::Store(best, doubles, bests);
  hn::Store(second, doubles, seconds);
  hn::Store(where, doubles, columns);
  for (std::size_t lane = 0; whole > 0 && lane < lanes; ++lane)
    take(bests[lane], static_cast<std::size_t>(columns[lane]));
  for (std::size_t lane = 0; whole > 0 && lane < lanes; ++lane)
    found.second = std::max(found.second, seconds[lane]);
  for (std::size_t j = whole; j < n; ++j) take(static_cast<double>(scores[j]) - price[j], j);
  return found;
}

void collect_above(std::span<const float> scores, std::span<const double> price, double threshold,
                   std::vector<std::int32_t>& columns) {
  const Doubles doubles;
  const FewFloats floats;
  const std::size_t lanes = hn::Lanes(doubles), n = scores.size(), whole = n / lanes * lanes;
  const auto limit = hn::Set(doubles, threshold);
  columns.clear();
  const auto take = [&](std::size_t j) {
    if (static_cast<double>(scores[j]) - price[j] > threshold)
      columns.push_back(static_cast<std::int32_t>(j));
  };
  for (std::size_t j = 0; j < whole; j += lanes) {
    const auto x = hn::Sub(hn::PromoteTo(doubles, hn::LoadU(floats, scores.data() + j)),
                           hn::LoadU(doubles, price.data() + j));
    if (hn::AllFalse(doubles, hn::Gt(x, limit))) continue;
    for (std::size_t lane = 0; lane < lanes; ++lane) take(j + lane);
  }
  for (std::size_t j = whole; j < n; ++j) take(j);
}

// Improvements are rare once a few rows are in, so most blocks are only compared.
void relax(std::span<const float> scores, double base, std::int64_t row, const Frontier& frontier) {
  const Doubles doubles;
  const FewFloats floats;
  const Longs longs;
  const std::size_t lanes = hn::Lanes(doubles), n = scores.size();
  const auto all_base = hn::Set(doubles, base), far = hn::Set(doubles, infinity), visited = hn::Neg(far);
  const auto all_row = hn::Set(longs, row);
  const auto through = [&](std::size_t j) HWY_ATTR {
    return hn::Sub(all_base, hn::PromoteTo(doubles, hn::LoadU(floats, scores.data() + j)));
  };
  double* const gap = frontier.gap.data();
  std::int64_t* const previous = frontier.previous.data();
  for (std::size_t begin = 0; begin < n; begin += block_columns) {
    const std::size_t end = std::min(begin + block_columns, n), whole = begin + (end - begin) / lanes * lanes;
    auto shorter = hn::Lt(far, far);
    for (std::size_t j = begin; j < whole; j += lanes)
      shorter = hn::Or(shorter, hn::Lt(through(j), hn::LoadU(doubles, gap + j)));
    bool changed = !hn::AllFalse(doubles, shorter);
    for (std::size_t j = whole; j < end; ++j)
      changed = changed || base - static_cast<double>(scores[j]) < gap[j];
    if (!changed) continue;
    auto least = far;
    for (std::size_t j = begin; j < whole; j += lanes) {
      const auto known = hn::LoadU(doubles, gap + j), found = through(j), now = hn::Min(found, known);
      const auto better = hn::RebindMask(longs, hn::Lt(found, known));
      hn::StoreU(now, doubles, gap + j);
      hn::StoreU(hn::IfThenElse(better, all_row, hn::LoadU(longs, previous + j)), longs, previous + j);
      const auto distance = hn::Add(now, hn::LoadU(doubles, frontier.price.data() + j));
      least = hn::Min(least, hn::IfThenElse(hn::Eq(now, visited), far, distance));
    }
    double out = hn::GetLane(hn::MinOfLanes(doubles, least));
    for (std::size_t j = whole; j < end; ++j) {
      const double found = base - static_cast<double>(scores[j]);
      if (found < gap[j]) {
        gap[j] = found;
        previous[j] = row;
      }
      if (gap[j] != -infinity) out = std::min(out, gap[j] + frontier.price[j]);
    }
    frontier.least[begin / block_columns] = out;
  }
}

double least_of(std::span<const double> values) {
  const Doubles doubles;
  const std::size_t lanes = hn::Lanes(doubles), n = values.size(), whole = n / lanes * lanes;
  auto least = hn::Set(doubles, infinity);
  for (std::size_t j = 0; j < whole; j += lanes)
    least = hn::Min(least, hn::LoadU(doubles, values.data() + j));
  double out = hn::GetLane(hn::MinOfLanes(doubles, least));
  for (std::size_t j = whole; j < n; ++j) out = std::min(out, values[j]);
  return out;
}

bool raise_columns(std::span<const float> scores, std::int32_t row, std::span<float> best,
                   std::span<std::int32_t> owner) {
  const Floats floats;
  const Ints ints;
  const std::size_t lanes = hn::Lanes(floats), n = scores.size(), whole = n / lanes * lanes;
  const auto this_row = hn::Set(ints, row), no_row = hn::Set(ints, unmatched);
  auto nothing = hn::Zero(floats);  // NaN once a score is infinite or NaN
  for (std::size_t j = 0; j < whole; j += lanes) {
    const auto x = hn::LoadU(floats, scores.data() + j);
    const auto known = hn::LoadU(floats, best.data() + j);
    nothing = hn::Add(nothing, hn::Sub(x, x));
    const auto same = hn::RebindMask(ints, hn::Eq(x, known));
    const auto better = hn::RebindMask(ints, hn::Gt(x, known));
    const auto kept = hn::IfThenElse(same, no_row, hn::LoadU(ints, owner.data() + j));
    hn::StoreU(hn::IfThenElse(better, this_row, kept), ints, owner.data() + j);
    hn::StoreU(hn::Max(x, known), floats, best.data() + j);
  }
  bool finite = hn::AllTrue(floats, hn::Eq(nothing, hn::Zero(floats)));
  for (std::size_t j = whole; j < n; ++j) {
    const float x = scores[j];
    finite = finite && x - x == 0;
    if (x == best[j]) owner[j] = unmatched;
    if (x > best[j]) owner[j] = row;
    best[j] = std::max(best[j], x);
  }
  return finite;
}

RowBest row_best(std::span<const float> scores) {
  const Floats floats;
  const std::size_t lanes = hn::Lanes(floats), n = scores.size(), whole = n / lanes * lanes;
  auto best = hn::Set(floats, -std::numeric_limits<float>::infinity());
  for (std::size_t j = 0; j < whole; j += lanes) best = hn::Max(best, hn::LoadU(floats, scores.data() + j));
  RowBest found{hn::GetLane(hn::MaxOfLanes(floats, best)), unmatched};
  for (std::size_t j = whole; j < n; ++j) found.best = std::max(found.best, scores[j]);
  const auto wanted = hn::Set(floats, found.best);
  std::size_t count = 0;
  const auto take = [&](std::size_t j) {
    if (count++ == 0) found.column = static_cast<std::int32_t>(j);
  };
  for (std::size_t j = 0; j < whole; j += lanes)
    if (!hn::AllFalse(floats, hn::Eq(hn::LoadU(floats, scores.data() + j), wanted)))
      for (std::size_t lane = 0; lane < lanes; ++lane)
        if (scores[j + lane] == found.best) take(j + lane);
  for (std::size_t j = whole; j < n; ++j)
    if (scores[j] == found.best) take(j);
  if (count != 1) found.column = unmatched;
  return found;
}

}  // namespace
}  // namespace stemma::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace stemma {
namespace {
HWY_EXPORT(two_best);
HWY_EXPORT(collect_above);
HWY_EXPORT(relax);
HWY_EXPORT(least_of);
HWY_EXPORT(raise_columns);
HWY_EXPORT(row_best);
}  // namespace

TwoBest two_best(std::span<const float> scores, std::span<const double> price) {
  return HWY_DYNAMIC_DISPATCH(two_best)(scores, price);
}

void collect_above(std::span<const float> scores, std::span<const double> price, double threshold,
                   std::vector<std::int32_t>& columns) {
  HWY_DYNAMIC_DISPATCH(collect_above)(scores, price, threshold, columns);
}

void relax(std::span<const float> scores, double base, std::int64_t row, const Frontier& frontier) {
  HWY_DYNAMIC_DISPATCH(relax)(scores, base, row, frontier);
}

void visit(std::size_t column, const Frontier& frontier) {
  frontier.gap[column] = -infinity;
  const std::size_t block = column / block_columns, begin = block * block_columns;
  double least = infinity;
  for (std::size_t j = begin; j < std::min(begin + block_columns, frontier.gap.size()); ++j)
    if (frontier.gap[j] != -infinity) least = std::min(least, frontier.gap[j] + frontier.price[j]);
  frontier.least[block] = least;
}

double least_of(std::span<const double> values) { return HWY_DYNAMIC_DISPATCH(least_of)(values); }

bool raise_columns(std::span<const float> scores, std::int32_t row, std::span<float> best,
                   std::span<std::int32_t> owner) {
  return HWY_DYNAMIC_DISPATCH(raise_columns)(scores, row, best, owner);
}

RowBest row_best(std::span<const float> scores) { return HWY_DYNAMIC_DISPATCH(row_best)(scores); }

}  // namespace stemma
#endif
