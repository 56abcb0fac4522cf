// Is there memory for taking a message apart?
#pragma once
#include <cstddef>

namespace stemma {

/// Throws std::bad_alloc unless a document of that many bytes of CBOR can be taken apart. The parser's
/// destructors allocate, and what fails in them ends the program: so room is made sure of beforehand.
inline void assure_parsing_room(std::size_t bytes) {
  constexpr std::size_t values_of_a_byte = 24, reserve = std::size_t{1} << 20U;
  std::byte* volatile room = new std::byte[values_of_a_byte * bytes + reserve];  // volatile: not left out
  delete[] room;
}

}  // namespace stemma
