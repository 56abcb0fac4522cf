// Can a person read one pair: scores side by side, then curves and layers in columns of their own?
#include "pipeline/pair_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace stemma {
namespace {

using testing::HasSubstr;
using testing::Not;

Evidence row(const char* method, const char* statistic, const char* role, double score) {
  Evidence out;
  out.method = method;
  out.statistic = statistic;
  out.role = role;
  out.score = score;
  out.null = "none valid";
  return out;
}

Evidence reading(const char* role, double rank, const char* detail) {
  Evidence out = row("origin_tracer", "rank of the difference of one weight", role, rank);
  out.detail_json = detail;
  return out;
}

Rank rank(double percentile, std::uint64_t n, const char* basis) {
  return {.percentile = percentile, .n = n, .population = "pairs", .basis = basis};
}

TEST(Standing, Words) {
  EXPECT_EQ(standing_words(rank(62.58, 8698, "between quantiles")), "62.5 % of 8,698");
  EXPECT_EQ(standing_words(rank(99.99, 8698, "between quantiles")), "99.9 % of 8,698") << "not all of them";
  EXPECT_EQ(standing_words(rank(100, 22, "counted")), "100.0 % of 22");
  EXPECT_EQ(standing_words(rank(NAN, 8698, "below 25 %")), "below 25 % of 8,698");
  EXPECT_EQ(standing_words({}), "-");
}

TEST(PairText, MethodsStandSideBySideAndLayersInColumns) {
  Fingerprint a, b;
  a.id = "a";
  b.id = "b";
  Pair pair;
  pair.relation = Relation::low_rank_related;
  pair.sentence = "Differs.";
  Evidence curves = row("intrinsic_fingerprint", "mean Pearson r of four curves", "", 0.95);
  curves.control = 0.5;
  curves.background = "9 pairs of strangers";
  curves.background_n = 9;
  curves.background_percentile = 100;
  curves.detail_json = R"({"percentile_basis":"counted"})";
  Evidence guard = row("tensorguard", "distance of standardised gradient responses", "", 3.25);
  guard.control = 4.5;
  Evidence origin = row("origin_tracer", "median rank of the difference of attention circuits", "", 16);
  origin.control = 3;
  pair.evidence = {
      curves,
      row("intrinsic_fingerprint", "Pearson r of one curve", "q", 0.91),
      row("intrinsic_fingerprint", "Pearson r of one curve", "k", 0.92),
      guard,
      origin,
      reading("control", 3, R"({"label":"UNRELATED_HERE"})"),
      reading("layers/0/attn.q", 8, R"({"label":"LOW_RANK"})"),
      reading("layers/0/circuit", 16,
              R"({"label":"LOW_RANK","ratio":5.5,"behind":0.25,"noise_edge":0.125,"delta":0.375})"),
      reading("layers/10/attn.q", 7, R"({"label":"FULL_RANK_CLOSE"})"),
      reading("layers/10/circuit", 7, R"json({"label":"ABSTAIN(dead_zone)","ratio":null})json"),
      reading("layers/2/attn.q", missing, R"({"label":""})")};
  const std::string text = pair_summary(a, b, pair);
  EXPECT_THAT(text, HasSubstr("a and b: LOW_RANK_RELATED\n  Differs.\n"
                              "  test                   score   control  percentile    abstains  null\n"
                              "  intrinsic_fingerprint  0.9500  0.5000   100.0 % of 9  -         none valid\n"
                              "  tensorguard            3.2500  4.5000   -             -         none valid\n"
                              "  origin_tracer          16      3        -             -         none valid\n"
                              "  Percentile: how many of the 9 pairs of strangers have a lower "
                              "intrinsic_fingerprint; counted.\n"));
  EXPECT_THAT(text, HasSubstr("  intrinsic_fingerprint: mean Pearson r of four curves\n"
                              "    Pearson r of one curve  q 0.9100  k 0.9200\n"
                              "  tensorguard: distance of standardised gradient responses\n"));
  EXPECT_THAT(text, HasSubstr("control 3, UNRELATED_HERE\n"
                              "    layer  circuit  ratio  behind  rounding null  delta  attn.q\n"
                              "    0      16       5.5    0.25    0.125          0.375  8\n"
                              "    2      -        -      -       -              -      -\n"
                              "    10     ?        -      -       -              -      full\n"));
  pair.evidence = {guard};
  EXPECT_THAT(pair_summary(a, b, pair), Not(HasSubstr("layer")));
}

}  // namespace
}  // namespace stemma
