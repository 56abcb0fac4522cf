// One main for tests that several ranks run together: a failure on any rank is a failure of all of them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "tests/harness/mpi_world.hpp"

namespace stemma::test {
namespace {

/// Collects what fails on this rank; the texts go to rank 0 at the end.
class Collector final : public testing::EmptyTestEventListener {
 public:
  void OnTestPartResult(const testing::TestPartResult& part) override {
    if (part.failed())
      text += fmt::format("{}:{}: {}\n", part.file_name() ? part.file_name() : "?", part.line_number(),
                          part.message());
  }
  std::string text;
};

int run_all(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const World world(launch_from_environment());
  set_world(world);
  auto* collector = new Collector;  // the listeners own it
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  listeners.Append(collector);
  if (!world.all().leads()) delete listeners.Release(listeners.default_result_printer());
  const bool ran = testing::UnitTest::GetInstance()->total_test_count() > 0;
  const int failed_here = RUN_ALL_TESTS() != 0 || !ran ? 1 : 0;
  const auto texts = world.all().gather(collector->text);
  for (std::size_t rank = 1; rank < texts.size(); ++rank)
    if (!texts[rank].empty()) fmt::print("failures on rank {}:\n{}", rank, texts[rank]);
  if (world.all().leads() && !ran) fmt::print("no test was run\n");
  return -world.all().all_reduce_min(-failed_here);
}

}  // namespace
}  // namespace stemma::test

int main(int argc, char** argv) { return stemma::test::run_all(argc, argv); }
