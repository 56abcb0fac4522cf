// What is a fuzz target: bytes go in, and nothing but a clear refusal may come out?
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "io/model/finding.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace stemma::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// What the target's answer must be true of; ends the process where it is not.
inline void require(bool true_of_it, const char* what) {
  if (true_of_it) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

/// Parsers may refuse, by InvalidInput that names a rule; every other exception is a finding.
template <class Parse>
void refuse_or(const Parse& parse) {
  try {
    parse();
  } catch (const InvalidInput& refused) {
    require(!refused.finding().rule.empty(), "a refusal names its rule");
    require(std::string_view(refused.what()).size() < 4096, "a refusal is one sentence");
  }
}

}  // namespace stemma::fuzz
