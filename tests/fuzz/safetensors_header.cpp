// Is a header refused, or do its tensors tile the data exactly?
#include "io/formats/safetensors.hpp"

#include <cstring>

#include "tests/fuzz/fuzz_target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stemma;
  if (size < 2) return 0;
  std::uint16_t body = 0;  // the file has so many bytes behind the header
  std::memcpy(&body, data, sizeof(body));
  const std::string_view json = fuzz::text_of(data + 2, size - 2);
  fuzz::refuse_or([&] {
    const SafetensorsHeader header = validate_safetensors_header(json, 8 + json.size() + body, "fuzz");
    std::uint64_t at = header.header_bytes;
    for (const StoredTensor& tensor : header.tensors) {
      fuzz::require(tensor.offset == at, "no hole and no overlap");
      fuzz::require(tensor.bytes * 8 == tensor.elements() * bits_of(tensor.dtype),
                    "as many bytes as the shape says");
      at += tensor.bytes;
    }
    fuzz::require(at == 8 + json.size() + body, "every byte of the file is accounted for");
  });
  return 0;
}
