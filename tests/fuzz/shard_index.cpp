// Is an index refused, or are all its names such that a file of that name may be opened?
#include "io/formats/shard_index.hpp"

#include "tests/fuzz/fuzz_target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stemma;
  fuzz::refuse_or([&] {
    const ShardIndex index = parse_shard_index(fuzz::text_of(data, size), "fuzz");
    for (const std::string& file : index.files) fuzz::require(!danger_of(file), "names are safe");
    for (const auto& entry : index.entries)
      fuzz::require(entry.file < index.files.size(), "entries name files");
  });
  return 0;
}
