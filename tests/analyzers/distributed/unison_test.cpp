// Do all ranks fail together, with the same fields, whoever is the culprit?
#include "analyzers/distributed/unison.hpp"

#include <gtest/gtest.h>

#include "io/config/problems.hpp"
#include "io/model/finding.hpp"
#include "tests/harness/teams.hpp"

namespace stemma {
namespace {

using test::all_ranks;

Finding sample(int rank) {
  return {.severity = Severity::error,
          .rule = "file.short_read",
          .file = "model-00002-of-00003.safetensors",
          .tensor = "layers.17",
          .byte_offset = 1000U + static_cast<unsigned>(rank),
          .expected = "1,048,576 bytes",
          .found = "512",
          .hint = "download it again"};
}

TEST(Unison, ReturnsTheResultWhenNobodyFails) {
  EXPECT_EQ(in_unison(all_ranks(), "counting", [] { return 42; }), 42);
  in_unison(all_ranks(), "nothing", [] {});
}

TEST(Unison, EveryCulpritGivesEveryRankTheSameFinding) {
  for (int culprit = 0; culprit < all_ranks().size(); ++culprit) {
    bool thrown = false;
    try {
      in_unison(all_ranks(), "reading", [&] {
        if (all_ranks().rank() == culprit) throw InvalidInput(sample(culprit));
      });
    } catch (const InvalidInput& error) {
      thrown = true;
      EXPECT_EQ(error.finding(), sample(culprit));
    }
    EXPECT_TRUE(thrown) << "culprit " << culprit;
    // The team is still in step: the next collective works.
    EXPECT_EQ(all_ranks().all_reduce_min(all_ranks().rank()), 0);
  }
}

TEST(Unison, TheFirstOfSeveralCulpritsSpeaks) {
  try {
    in_unison(all_ranks(), "reading", [&] { throw InvalidInput(sample(all_ranks().rank())); });
    FAIL();
  } catch (const InvalidInput& error) {
    if (all_ranks().rank() == 0) {
      EXPECT_EQ(error.finding(), sample(0));
    }
  }
}

TEST(Unison, ConfigurationProblemsArriveWhole) {
  const std::vector<Problem> problems{{"a.yaml", 3, 5, "models", "models is empty", ""},
                                      {"a.yaml", 9, 1, "x", "no", ""}};
  for (int culprit = 0; culprit < all_ranks().size(); ++culprit) {
    try {
      in_unison(all_ranks(), "configuring", [&] {
        if (all_ranks().rank() == culprit) throw ConfigProblems(problems);
      });
      FAIL();
    } catch (const ConfigProblems& error) {
      ASSERT_EQ(error.problems().size(), 2U);
      EXPECT_EQ(error.problems()[1].line, 9);
      EXPECT_EQ(error.problems()[0].message, "models is empty");
    }
  }
}

TEST(Unison, OtherExceptionsBecomeOneSentenceWithTheRank) {
  for (int culprit = 0; culprit < all_ranks().size(); ++culprit) {
    try {
      in_unison(all_ranks(), "packing", [&] {
        if (all_ranks().rank() == culprit) throw std::length_error("too long");
      });
      FAIL();
    } catch (const FailedElsewhere& error) {
      EXPECT_NE(all_ranks().rank(), culprit);
      EXPECT_EQ(error.rank(), culprit);
      EXPECT_NE(std::string(error.what()).find("packing failed on rank " + std::to_string(culprit)),
                std::string::npos);
    } catch (const std::length_error&) {
      EXPECT_EQ(all_ranks().rank(), culprit);
    }
  }
}

TEST(Unison, TeamsOfUnequalSizeDoNotDisturbEachOther) {
  const test::Team team(all_ranks(), test::uneven_color(all_ranks().rank(), all_ranks().size()));
  // Only one team fails; the others have their result.
  const bool fails = all_ranks().rank() < 2;
  bool thrown = false;
  try {
    in_unison(team.ranks(), "splitting", [&] {
      if (fails && team.ranks().rank() == team.ranks().size() - 1) throw InvalidInput(sample(7));
    });
  } catch (const InvalidInput& error) {
    thrown = true;
    EXPECT_EQ(error.finding(), sample(7));
  }
  EXPECT_EQ(thrown, fails);
}

TEST(Communicator, BroadcastReachesEveryGridShapeAndRoot) {
  for (const test::GridShape& shape : test::grid_shapes(all_ranks().size())) {
    // Rows of the grid are teams; each root sends its own bytes along its row.
    const test::Team row(all_ranks(), all_ranks().rank() / shape.cols);
    for (int root = 0; root < row.ranks().size(); ++root) {
      std::vector<std::byte> bytes;
      if (row.ranks().rank() == root) bytes.assign(1000, static_cast<std::byte>(root + 1));
      row.ranks().broadcast(bytes, root);
      EXPECT_EQ(bytes, std::vector<std::byte>(1000, static_cast<std::byte>(root + 1))) << shape.name();
    }
  }
}

TEST(Communicator, GatherKeepsTheOrderOfRanks) {
  const auto texts =
      all_ranks().gather("rank " + std::string(static_cast<std::size_t>(all_ranks().rank()), '*'));
  if (!all_ranks().leads()) {
    EXPECT_TRUE(texts.empty());
    return;
  }
  ASSERT_EQ(texts.size(), static_cast<std::size_t>(all_ranks().size()));
  for (std::size_t r = 0; r < texts.size(); ++r) EXPECT_EQ(texts[r], "rank " + std::string(r, '*'));
}

}  // namespace
}  // namespace stemma
