// Is there memory for taking a message apart?
#pragma once
#include <cstddef>

namespace stemma {

/// Throws std::bad_alloc unless a document of that many bytes of CBOR can be taken apart. The parser's
/// destructors allocate, and what fails in them ends the program: so room is made sure of beforehand. A map
/// entry of 3 bytes becomes about 150, twice, because the parser copies what it has made.
inline void assure_parsing_room(std::size_t bytes) {
  constexpr std::size_t of_each_byte = 128, reserve = std::size_t{4} << 20U;
  std::byte* volatile room = new std::byte[of_each_byte * bytes + reserve];  // volatile: not left out
  delete[] room;
}

}  // namespace stemma
