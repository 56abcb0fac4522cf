// Does a row of a failure say where, when and after how long it happened?
#include "pipeline/gather.hpp"

#include <gtest/gtest.h>

#include "tests/io/formats/fixtures.hpp"
#include "tests/pipeline/fake_models.hpp"

namespace stemma {
namespace {

ItemResult failed_at(std::uint32_t item, int rank, double spent, const std::string& ended,
                     const std::string& subject, const std::string& problem) {
  Features features;
  features.analyzer = "content";
  features.subject = subject;
  features.status = Status::failed;
  features.rule = "file.short_read";
  features.problem = problem;
  ItemResult result;
  result.item = item;
  result.rank = rank;
  result.seconds = 100;
  result.ended = ended;
  result.features = {features};
  result.spent = {spent};
  result.keys = {{}};
  return result;
}

/// Rows for results that arrive in this order.
std::vector<Failure> rows(const std::vector<ItemResult>& results) {
  const fixtures::TemporaryDirectory directory;
  const std::vector<SurveyedModel> models{test::fake_model("m", 1, 32)};
  const std::vector<std::string> hosts{"node1", "node1", "node2", "node3"};
  ResultLogs logs(directory.path("store"), Leftovers::removed);
  ResultStore store(logs, models.size());
  for (const ItemResult& result : results) store.add(0, result);
  std::vector<Failure> failures;
  collect_failures(models, Plan{}, store, hosts, failures);
  return failures;
}

TEST(Failures, SayWhereWhenAndAfterHowLong) {
  const auto found = rows({failed_at(0, 2, 0.25, "2026-11-21T10:02:11Z", "a", "f1: too short"),
                           failed_at(1, 3, 0.5, "2026-11-21T10:02:12Z", "b", "f2: too short")});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].rank, 2U);
  EXPECT_EQ(found[0].node, "node2");
  EXPECT_EQ(found[0].seconds, 0.25);
  EXPECT_EQ(found[0].when, "2026-11-21T10:02:11Z");
  EXPECT_EQ(found[1].rank, 3U);
  EXPECT_EQ(found[1].node, "node3");
  EXPECT_EQ(found[1].seconds, 0.5);
  EXPECT_EQ(found[1].when, "2026-11-21T10:02:12Z");
}

TEST(Failures, OfOneReasonAreOneRowWhateverTheOrderOfArrival) {
  const ItemResult a = failed_at(0, 1, 0.25, "2026-11-21T10:02:11Z", "a", "f1: too short at 5");
  const ItemResult b = failed_at(1, 3, 0.5, "2026-11-21T10:02:10Z", "b", "f1: too short at 9");
  const auto one = rows({a, b}), other = rows({b, a});
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one, other);
  EXPECT_EQ(one[0].item, "content a and 1 more");
  EXPECT_EQ(one[0].rank, 1U);
}

}  // namespace
}  // namespace stemma
