// Is a configuration refused with the places of its faults, or does it read back to itself from its resolved
// form?
#include "io/config/run_config.hpp"

#include "io/config/problems.hpp"
#include "tests/fuzz/fuzz_target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stemma;
  try {
    std::vector<std::string> notes;
    const RunConfig config = parse_run_config(fuzz::text_of(data, size), "fuzz.yaml", {}, notes);
    const std::string resolved = resolved_yaml(config);
    fuzz::require(resolved_yaml(parse_run_config(resolved, "fuzz.yaml", {}, notes)) == resolved,
                  "the resolved form reads back to itself");
  } catch (const ConfigProblems& refused) {
    fuzz::require(!refused.problems().empty(), "a refusal says why");
  }
  return 0;
}
