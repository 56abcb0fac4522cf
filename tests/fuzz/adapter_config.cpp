// Is an adapter's configuration refused, or does it give every module a rank and a finite scale in bounded
// time?
#include "io/formats/adapter_config.hpp"

#include <cmath>

#include "tests/fuzz/fuzz_target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stemma;
  fuzz::refuse_or([&] {
    const AdapterConfig config = parse_adapter_config(fuzz::text_of(data, size), "fuzz");
    for (const char* module : {"model.layers.0.self_attn.q_proj", "a", ""}) {
      fuzz::require(config.rank_of(module) > 0, "ranks are positive");
      fuzz::require(std::isfinite(config.scale_of(module)), "scales are finite");
    }
  });
  return 0;
}
