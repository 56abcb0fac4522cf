// Do predicted times follow the formula, and do rates survive the way through a file?
#include "pipeline/cost_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "io/config/problems.hpp"
#include "pipeline/calibration.hpp"

namespace stemma {
namespace {

Decomposition square(std::uint64_t k) { return {{.dtype = Dtype::bf16, .rows = k, .cols = k}}; }

TEST(CostModel, OneRankTakesWorkOverRates) {
  const CostModel model{.product_rate = 2e9,
                        .eigen_rates = {{100, 1e9}},
                        .read_rate = 1e6,
                        .scan_rate = 1e7,
                        .flop_rate = 1e8,
                        .item_seconds = 0.5};
  const double k = 4096, m = 8192;
  const ItemCost cost{.read_bytes = 3e6,
                      .scanned_bytes = 2e6,
                      .flops = 4e8,
                      .decompositions = {{{.dtype = Dtype::bf16, .rows = 8192, .cols = 4096}}}};
  const double shared = m * k * k / 2e9 + 4.0 / 3 * k * k * k / 1e9 + 10 * m * k / 1e8;
  EXPECT_NEAR(model.seconds(cost, 1), 3 + 0.2 + 4 + 0.5 + shared, 1e-9 * shared);
  // Eight ranks: reading and decomposition are shared, with 0.7 of eight; 25 us for each of k steps, times 3.
  EXPECT_NEAR(model.seconds(cost, 8), 3.0 / 8 + 0.2 + 4 + 0.5 + shared / 5.6 + k * 25e-6 * 3, 1e-9 * shared);
}

TEST(CostModel, ADecompositionIsSharedByAsManyAsCanTakePart) {
  const CostModel model;
  const ItemCost small{.decompositions = {square(64)}}, middle{.decompositions = {square(1024)}};
  EXPECT_EQ(small.widest(), 1);
  EXPECT_EQ(model.seconds(small, 1), model.seconds(small, 64));
  EXPECT_EQ(middle.widest(), square(1024).widest());
  EXPECT_EQ(model.seconds(middle, middle.widest()), model.seconds(middle, 4 * middle.widest()));
}

TEST(CostModel, EigenvalueRatesAreLinearInTheLogarithmAndConstantBeyond) {
  const CostModel model{.eigen_rates = {{256, 2e9}, {1024, 6e9}}};
  EXPECT_DOUBLE_EQ(model.eigen_rate(16), 2e9);
  EXPECT_DOUBLE_EQ(model.eigen_rate(256), 2e9);
  EXPECT_DOUBLE_EQ(model.eigen_rate(512), 4e9);
  EXPECT_DOUBLE_EQ(model.eigen_rate(1024), 6e9);
  EXPECT_DOUBLE_EQ(model.eigen_rate(1e6), 6e9);
}

TEST(CostModel, OnlyTheLargestDecompositionCountsForMemory) {
  const ItemCost cost{.memory = 1000, .decompositions = {square(2048), square(512)}};
  EXPECT_EQ(cost.memory_on(1), 1000 + square(2048).memory(1));
  EXPECT_EQ(cost.memory_on(16), 1000 + std::max(square(2048).memory(16), square(512).memory(4)));
}

TEST(CostModel, RatesComeBackFromJson) {
  CostModel model{.name = "a \"quoted\" machine", .eigen_rates = {{64, 1.5e9}, {2048, 1e9 / 3}}};
  EXPECT_EQ(cost_model_of(to_json(model)), model);
}

TEST(CostModel, WhatIsNoCalibrationIsRefusedWithAReason) {
  const std::string good = to_json(CostModel{});
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& bad :
       {std::string("{}"), std::string("no json"), std::string("[1]"), with("45000000000.0", "-1"),
        with("45000000000.0", "\"fast\""), with("loop_flops", "lop_flops"), with("0.7", "1.2"),
        with("eigenvalue_rates", "other"), with("1024", "0")})
    EXPECT_THROW(cost_model_of(bad), std::runtime_error) << bad;
  EXPECT_THROW(read_cost_model("/nowhere/calibration.json"), ConfigProblems);
}

TEST(Calibration, MeasuresPositiveRatesOfAllSizes) {
  const CostModel model = measure_rates();
  EXPECT_EQ(cost_model_of(to_json(model)), model);  // all positive and ascending by k
  EXPECT_GE(model.eigen_rates.size(), 6U);
  EXPECT_GT(model.product_rate, model.flop_rate) << "BLAS beats plain loops";
  EXPECT_GT(model.eigen_rates.back().rate, model.eigen_rates.front().rate) << "large solves use caches";
}

TEST(Calibration, MediansStandForManyRanks) {
  std::vector<CostModel> ranks(3);
  for (std::size_t i = 0; i < 3; ++i) {
    ranks[i].product_rate = 10.0 - static_cast<double>(i);
    ranks[i].eigen_rates = {{64, 1.0 + static_cast<double>(i)}};
  }
  EXPECT_EQ(median_of(ranks).product_rate, 9);
  EXPECT_EQ(median_of(ranks).eigen_rates.front().rate, 2);
}

TEST(Calibration, ReadingIsMeasuredOnLargeFilesOnly) {
  const auto path = std::filesystem::temp_directory_path() / "stemma-calibration-test";
  {
    std::ofstream out(path, std::ios::binary);
    out << std::string(4 << 20, 'x');
  }
  const SourceFile file{.path = path.string(), .bytes = 4 << 20};
  EXPECT_FALSE(measure_reading(file, 0, 8)) << "half a megabyte for each says nothing";
  EXPECT_FALSE(measure_reading({.path = "/nowhere", .bytes = 4 << 20}, 0, 1));
  std::filesystem::remove(path);
}

TEST(Calibration, OneRankAloneCalibrates) {
  const CostModel model = calibrate(Communicator(), nullptr);
  EXPECT_EQ(model.read_rate, CostModel{}.read_rate) << "not measured";
  EXPECT_NE(model.name, CostModel{}.name);
}

}  // namespace
}  // namespace stemma
