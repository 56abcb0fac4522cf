// Do a README and a config.json of strangers give bounded claims, or a refusal?
#include "io/formats/companions.hpp"

#include "tests/fuzz/fuzz_target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stemma;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::refuse_or([&] {
    for (const Claim& claim : front_matter_claims(text, "fuzz"))
      fuzz::require(claim.base.size() <= 1024 && claim.relation.size() <= 1024, "claims are short");
  });
  fuzz::refuse_or([&] { strict_config(text, "fuzz"); });
  return 0;
}
