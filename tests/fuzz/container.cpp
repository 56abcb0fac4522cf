// Is a weight file refused, whatever its format, or can every tensor that it promises be read?
#include "io/formats/container.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "io/formats/file_reader.hpp"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

/// A file that lives in memory.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size) : descriptor_(memfd_create("fuzz", 0)) {
    stemma::fuzz::require(descriptor_ >= 0 && write(descriptor_, data, size) == static_cast<ssize_t>(size),
                          "a file in memory");
  }
  ~MemoryFile() { close(descriptor_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stemma;
  const MemoryFile memory(data, size);
  FileReader reader;
  fuzz::refuse_or([&] {
    const SourceFile file = stat_source(memory.path());
    const Container container = open_container(file, reader);
    std::vector<std::byte> some;
    for (const StoredTensor& tensor : container.tensors) {
      fuzz::require(tensor.stored_bytes() <= size, "a tensor is no longer than its file");
      some.resize(std::min<std::uint64_t>(tensor.bytes, 4096));
      fuzz::refuse_or([&] { reader.read(source_of(file, tensor), tensor.offset, some); });
      fuzz::refuse_or(
          [&] { reader.read(source_of(file, tensor), tensor.offset + tensor.bytes - some.size(), some); });
    }
  });
  return 0;
}
