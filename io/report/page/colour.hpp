// Which colours stand for magnitudes?
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace stemma {

using Colour = std::array<std::uint8_t, 3>;  ///< red, green, blue

/// Cividis, from dark blue at 0 to yellow at 1: even in lightness, and the same to people who see red and
/// green alike. Nunez, Anderton, Renslow: Optimizing colormaps with consideration for color vision deficiency
/// (2018). Values beyond 0 and 1 take the colours of these.
Colour cividis(double share);

/// "#00224e"
std::string hex(const Colour& colour);

/// A picture of `width` x `height` indices into `palette`, row by row from the top, as a PNG in a data: URL.
/// Throws std::runtime_error when it cannot be packed.
std::string png_url(std::span<const std::uint8_t> pixels, std::uint32_t width, std::uint32_t height,
                    const std::vector<Colour>& palette);

/// Standard base64 (RFC 4648).
std::string base64(std::span<const std::uint8_t> bytes);

}  // namespace stemma
