// Does the layout say of every row to whom it belongs?
#include "io/archive/ownership.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace stemma::layout {
namespace {

TEST(RowKinds, OwnersComeBeforeWhatTheyOwn) {
  std::set<std::string> seen = {""};
  for (const RowKind& kind : row_kinds()) {
    EXPECT_TRUE(seen.contains(kind.owner)) << kind.dimension << " before " << kind.owner;
    EXPECT_TRUE(seen.insert(kind.dimension).second) << kind.dimension;
  }
}

TEST(RowKinds, EveryColumnOfATableIsInOne) {
  std::size_t columns = 0;
  for (const Group& group : groups())
    columns += static_cast<std::size_t>(
        std::ranges::count_if(group.columns, [](const Column& c) { return !c.dims.empty() && !c.derived; }));
  for (const RowKind& kind : row_kinds()) columns -= kind.columns.size();
  EXPECT_EQ(columns, 0U);
}

TEST(RowKinds, WhatIsMeasuredBelongsToModels) {
  for (const char* dimension : {"model", "tensor", "layer_row", "files/file", "histograms/histogram",
                                "histograms/bin", "histograms/low", "vectors/element", "spectra/sv",
                                "failures/failure", "findings/finding", "plan/item"})
    EXPECT_TRUE(belongs_to_models(row_kind(dimension))) << dimension;
  for (const char* dimension : {"pair", "evidence/evidence", "methods/origin_tracer/trace",
                                "methods/origin_tracer/sigma", "run", "host", "backgrounds/null_score"})
    EXPECT_FALSE(belongs_to_models(row_kind(dimension))) << dimension;
  EXPECT_TRUE(belongs_to(row_kind("methods/origin_tracer/sigma"), "pair"));
  EXPECT_THROW((void)row_kind("methods/content/group"), std::logic_error) << "follows from the tensors";
}

// A column of features or exact values that nobody owns would be left out of merges without a word.
TEST(RowKinds, OnlyBackgroundsRunsAndHostsBelongToNobody) {
  std::set<std::string> roots;
  for (const RowKind& kind : row_kinds())
    if (kind.owner.empty()) roots.insert(kind.dimension);
  EXPECT_EQ(roots, (std::set<std::string>{"model", "run", "host", "backgrounds/background"}));
}

}  // namespace
}  // namespace stemma::layout
