// Which models does a page paint in one colour?
#include <gmock/gmock.h>

#include "io/report/page/sections.hpp"

namespace stemma {
namespace {

using ::testing::ElementsAre;

/// Six models: 0 and 4 join at 0.1, 1, 2 and 5 below 0.5, 3 stays alone; all meet at 1.
PageContent six() {
  PageContent content;
  content.models.resize(6);
  content.limits.threshold = 0.9;
  content.dendrogram = {
      .n = 6,
      .merges = {{0, 4, 0.1, 2}, {1, 5, 0.2, 2}, {7, 2, 0.5, 3}, {6, 8, 0.95, 5}, {9, 3, 1, 6}},
      .order = {0, 4, 1, 5, 2, 3}};
  return content;
}

TEST(Families, AreBranchesBelowTheLimit) {
  const Families families = families_of(six());
  EXPECT_THAT(families.members, ElementsAre(ElementsAre(1, 5, 2), ElementsAre(0, 4)));
  EXPECT_THAT(families.of, ElementsAre(1, 0, 0, Families::none, 1, 0));
  EXPECT_EQ(family_style(families, 2), "k0");
  EXPECT_EQ(family_style(families, 4), "k1");
  EXPECT_EQ(family_style(families, 3), "kx");
}

TEST(Families, WithoutALimitOnlyTheDistanceOfStrangersParts) {
  PageContent content = six();
  content.limits.threshold = missing;
  EXPECT_EQ(families_of(content).members.size(), 1U);
  EXPECT_TRUE(families_of(PageContent{}).members.empty());
}

TEST(Families, BeyondTheSeventhShareAStyle) {
  PageContent content;
  content.models.resize(18);
  content.dendrogram.n = 18;
  content.limits.threshold = 0.9;
  for (std::uint32_t k = 0; k < 9; ++k) content.dendrogram.merges.push_back({2 * k, 2 * k + 1, 0.1, 2});
  for (std::uint32_t m = 0; m < 18; ++m) content.dendrogram.order.push_back(m);
  const Families families = families_of(content);
  EXPECT_EQ(families.members.size(), 9U);
  EXPECT_EQ(family_style(families, 12), "k6");
  EXPECT_EQ(family_style(families, 14), "kx");
}

}  // namespace
}  // namespace stemma
