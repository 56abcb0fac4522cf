// Is a tokenizer refused, or is its vocabulary in the order of its rows?
#include "io/formats/vocabulary.hpp"

#include "tests/fuzz/fuzz_target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stemma;
  fuzz::refuse_or([&] {
    const std::vector<Token> tokens = parse_vocabulary(fuzz::text_of(data, size), "fuzz");
    for (std::size_t i = 1; i < tokens.size(); ++i)
      fuzz::require(tokens[i - 1].row <= tokens[i].row, "rows ascend");
  });
  return 0;
}
