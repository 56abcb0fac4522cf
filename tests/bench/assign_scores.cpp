// assign_scores FILE ROWS COLUMNS [ROUNDS]
//
// Assigns rows of float32 scores (row-major, the file holds nothing else) to columns. Prints JSON: the least
// seconds of all rounds, the total, and the column of each row, -1 for none.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "analyzers/numerics/assignment.hpp"
#include "analyzers/numerics/mutual_best.hpp"

namespace stemma {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int run(const char* file, std::size_t rows, std::size_t columns, int rounds) {
  std::vector<float> scores(rows * columns);
  std::ifstream in(file, std::ios::binary);
  in.read(reinterpret_cast<char*>(scores.data()),
          static_cast<std::streamsize>(scores.size() * sizeof(float)));
  if (!in) return 1;
  const ScoreView view{scores, rows, columns, columns};
  Assignment found;
  std::vector<std::int32_t> mutual;
  double seconds = INFINITY, mutual_seconds = INFINITY;
  for (int round = 0; round < rounds; ++round) {
    const double begun = now();
    found = best_assignment(view);
    const double matched = now();
    mutual = mutual_best(view);
    seconds = std::min(seconds, matched - begun);
    mutual_seconds = std::min(mutual_seconds, now() - matched);
  }
  fmt::print(
      "{{\"seconds\": {}, \"mutual_seconds\": {}, \"total\": {}, \"column_of_row\": [{}], \"mutual\": "
      "[{}]}}\n",
      seconds, mutual_seconds, found.total, fmt::join(found.column_of_row, ", "), fmt::join(mutual, ", "));
  return 0;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  return stemma::run(argv[1], std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10),
                     argc > 4 ? std::atoi(argv[4]) : 1);
}
