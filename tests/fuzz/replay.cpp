// Does a parser survive its seeds and some thousands of their mutations? The same ones in every run.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_target.hpp"

namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t longest_seed = std::size_t{1} << 16, longest = std::size_t{1} << 17;
constexpr int most_mutations = 20'000;
constexpr auto budget = std::chrono::seconds(8);

void load(const fs::path& directory, std::vector<Bytes>& seeds) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file() && entry.file_size() <= longest_seed) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    std::ifstream stream(file, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
}

class Mutator {
 public:
  explicit Mutator(const std::vector<Bytes>& seeds) : seeds_(seeds) {}

  Bytes next() {
    Bytes bytes = seeds_[below(seeds_.size())];
    for (std::size_t n = 1 + below(4); n > 0; --n) mutate(bytes);
    if (bytes.size() > longest) bytes.resize(longest);
    return bytes;
  }

 private:
  std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }

  void mutate(Bytes& bytes) {
    const std::size_t at = below(bytes.size() + 1),
                      length = below(std::min<std::size_t>(bytes.size() - at, 64) + 1);
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (below(7)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << below(8)));
        return;
      case 1:
        if (at < bytes.size()) bytes[at] = static_cast<std::uint8_t>(random_());
        return;
      case 2:
        bytes.erase(place, place + static_cast<std::ptrdiff_t>(length));
        return;
      case 3: {
        const Bytes copy(place, place + static_cast<std::ptrdiff_t>(length));
        bytes.insert(place, copy.begin(), copy.end());
        return;
      }
      case 4: {  // numbers at the edges of their types
        constexpr std::uint64_t edges[] = {0,          1,          0x7F,       0xFF, 0x7FFFFFFF,
                                           0xFFFFFFFF, 1ULL << 62, 1ULL << 63, ~0ULL};
        const std::uint64_t edge = edges[below(std::size(edges))];
        std::memcpy(bytes.data() + at, &edge, std::min<std::size_t>(sizeof(edge), bytes.size() - at));
        return;
      }
      case 5: {  // the same in decimal digits
        constexpr const char* edges[] = {
            "18446744073709551615", "9223372036854775808", "4294967296", "-1", "1e9", "0"};
        const std::string edge = edges[below(std::size(edges))];
        bytes.insert(place, edge.begin(), edge.end());
        return;
      }
      default: {
        const Bytes& other = seeds_[below(seeds_.size())];
        const std::size_t from = below(other.size() + 1);
        bytes.resize(at);
        bytes.insert(bytes.end(), other.begin() + static_cast<std::ptrdiff_t>(from), other.end());
      }
    }
  }

  const std::vector<Bytes>& seeds_;
  std::mt19937_64 random_{1};
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<Bytes> seeds;
  const char* const data = std::getenv("STEMMA_TEST_DATA");
  for (int i = 1; i < argc; ++i) {
    const fs::path named = argv[i];
    const fs::path directory = named.is_absolute() ? named : fs::path(data != nullptr ? data : "") / named;
    if (fs::is_directory(directory))
      load(directory, seeds);
    else
      std::cout << named << " is absent: its seeds are left out\n";
  }
  if (seeds.empty()) {
    std::cerr << "no seeds\n";
    return EXIT_FAILURE;
  }
  for (const Bytes& seed : seeds) LLVMFuzzerTestOneInput(seed.data(), seed.size());
  Mutator mutator(seeds);
  const auto end = std::chrono::steady_clock::now() + budget;
  int done = 0;
  for (; done < most_mutations && std::chrono::steady_clock::now() < end; ++done) {
    const Bytes bytes = mutator.next();
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::cout << seeds.size() << " seeds and " << done << " mutations\n";
  return EXIT_SUCCESS;
}
