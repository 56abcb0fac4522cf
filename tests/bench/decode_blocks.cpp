// decode_blocks CODEC FILE OUT [RUN] [halves]
//
// Decodes quantised blocks, of which FILE holds nothing else, to little-endian F32, RUN values at a time
// (default: all at once), for tests that hold the codecs against formulas in NumPy. With "halves" half
// distances instead of values.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

#include "io/formats/block_codec.hpp"
#include "io/formats/file_reader.hpp"

namespace stemma {
namespace {

int run(const char* name, const char* file, const char* out, std::size_t run_values, bool halves) {
  const BlockCodec* codec = block_codec(name);
  if (codec == nullptr) return 1;
  SourceFile source = stat_source(file);
  const std::size_t values = source.bytes / codec->bytes * codec->values;
  const SourceFile blocks = source;
  source.decoding = std::make_shared<Decoding>(
      Decoding{.codec = name,
               .half_distances = halves,
               .parts = {{.file = blocks, .shape = {blocks.bytes}, .offset = 0, .bytes = blocks.bytes}},
               .numbers = {}});
  std::vector<std::byte> bytes(values * sizeof(float));
  FileReader reader;
  const std::size_t step = (run_values == 0 ? values : run_values) * sizeof(float);
  for (std::size_t at = 0; at < bytes.size(); at += step)
    reader.read(source, at, std::span(bytes).subspan(at, std::min(step, bytes.size() - at)));
  std::ofstream(out, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return 0;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const bool halves = std::strcmp(argv[argc - 1], "halves") == 0;
  return stemma::run(argv[1], argv[2], argv[3], argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 0, halves);
}
