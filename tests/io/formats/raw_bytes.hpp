// The bytes of a number as files hold them.
#pragma once
#include <cstring>
#include <string>

namespace stemma::fixtures {

/// Little-endian, as this machine is.
template <class Number>
std::string raw(Number number) {
  std::string bytes(sizeof number, '\0');
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

}  // namespace stemma::fixtures
