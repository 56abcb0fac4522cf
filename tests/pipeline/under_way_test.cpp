// Does whoever looks see what each rank does, and since when, whatever order messages come in?
#include "pipeline/under_way.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace stemma {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::IsEmpty;

class Looking : public testing::Test {
 protected:
  double now_ = 0;
  UnderWay under_way_{[this] { return now_; }};
};

TEST_F(Looking, ARankDoesOneItemAfterTheOther) {
  EXPECT_THAT(under_way_.items(), IsEmpty());
  under_way_.send(3, std::array<std::uint32_t, 3>{7, 8, 9});
  now_ = 5;
  EXPECT_THAT(under_way_.items(), ElementsAre(FieldsAre(7U, 3, 1, 5.0)));
  under_way_.end(3, 7);
  now_ = 6;
  EXPECT_THAT(under_way_.items(), ElementsAre(FieldsAre(8U, 3, 1, 1.0)));
  under_way_.end(3, 8);
  under_way_.end(3, 9);
  under_way_.end_batch(3);
  EXPECT_THAT(under_way_.items(), IsEmpty());
}

TEST_F(Looking, TheNextBatchWaitsUntilTheFirstIsThrough) {
  under_way_.send(0, std::array<std::uint32_t, 2>{1, 2});
  now_ = 1;
  under_way_.send(0, std::array<std::uint32_t, 1>{3});
  under_way_.end(0, 1);
  now_ = 2;
  EXPECT_THAT(under_way_.items(), ElementsAre(FieldsAre(2U, 0, 1, 1.0)));
  under_way_.end_batch(0);  // item 2 was given up: no result came
  now_ = 4;
  EXPECT_THAT(under_way_.items(), ElementsAre(FieldsAre(3U, 0, 1, 2.0)));
}

TEST_F(Looking, ATeamIsOneAndItsLeaderHasTheResult) {
  under_way_.send_to_team(std::array{4, 5, 6}, 11);
  under_way_.send(7, std::array<std::uint32_t, 1>{12});
  now_ = 3;
  EXPECT_THAT(under_way_.items(), ElementsAre(FieldsAre(11U, 4, 3, 3.0), FieldsAre(12U, 7, 1, 3.0)));
  under_way_.end(4, 11);
  for (const int rank : {6, 4, 5}) under_way_.end_batch(rank);
  EXPECT_THAT(under_way_.items(), ElementsAre(FieldsAre(12U, 7, 1, 3.0)));
}

TEST_F(Looking, WhatIsKnownIsNotDone) {
  under_way_.leave_out(2);
  under_way_.leave_out(4);
  under_way_.send(0, std::array<std::uint32_t, 3>{2, 3, 4});
  EXPECT_THAT(under_way_.items(), ElementsAre(FieldsAre(3U, 0, 1, 0.0)));
  under_way_.end(0, 3);
  EXPECT_THAT(under_way_.items(), IsEmpty());
  under_way_.end_batch(0);
  under_way_.send(0, std::array<std::uint32_t, 1>{2});  // by now it has to be done after all
  EXPECT_THAT(under_way_.items(), ElementsAre(FieldsAre(2U, 0, 1, 0.0)));
  under_way_.forget_all();
  EXPECT_THAT(under_way_.items(), IsEmpty());
}

TEST_F(Looking, NewsOfStrangersChangeNothing) {
  under_way_.end(9, 1);
  under_way_.end_batch(9);
  EXPECT_THAT(under_way_.items(), IsEmpty());
}

TEST(UnderWay, IsLookedAtWhileItChanges) {
  UnderWay under_way;
  std::thread looks([&] {
    for (int i = 0; i < 1000; ++i)
      for (const OngoingItem& one : under_way.items()) EXPECT_LT(one.item, 1000U);
  });
  for (std::uint32_t i = 0; i < 1000; ++i) {
    under_way.send(static_cast<int>(i % 7), std::array<std::uint32_t, 1>{i});
    under_way.end(static_cast<int>(i % 7), i);
    under_way.end_batch(static_cast<int>(i % 7));
  }
  looks.join();
  EXPECT_THAT(under_way.items(), IsEmpty());
}

}  // namespace
}  // namespace stemma
