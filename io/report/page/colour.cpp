// How do magnitudes become colours, and pixels a picture within a page?
#include "io/report/page/colour.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <png.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace stemma {
namespace {

// The published table at 33 even places; in between it is straight to within 5 of 255.
constexpr std::array<Colour, 33> places = {
    {{0, 34, 78},     {0, 40, 91},     {0, 46, 106},    {5, 51, 113},    {26, 56, 111},   {39, 62, 110},
     {50, 67, 109},   {59, 73, 108},   {67, 78, 108},   {75, 84, 108},   {83, 90, 109},   {90, 95, 110},
     {97, 101, 111},  {104, 106, 113}, {111, 112, 115}, {118, 118, 118}, {125, 124, 120}, {132, 130, 121},
     {140, 136, 120}, {147, 142, 120}, {155, 148, 118}, {163, 154, 116}, {171, 160, 114}, {180, 167, 111},
     {188, 174, 108}, {196, 180, 104}, {205, 187, 99},  {213, 194, 94},  {222, 201, 88},  {231, 209, 80},
     {240, 216, 70},  {249, 224, 58},  {254, 232, 56}}};

}  // namespace

Colour cividis(double share) {
  const double at = std::clamp(share, 0.0, 1.0) * (places.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(at), places.size() - 2);
  Colour colour{};
  for (std::size_t c = 0; c < colour.size(); ++c)
    colour[c] = static_cast<std::uint8_t>(
        std::lround(std::lerp(places[below][c], places[below + 1][c], at - static_cast<double>(below))));
  return colour;
}

std::string hex(const Colour& colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", colour[0], colour[1], colour[2]);
}

std::string base64(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > std::size_t{1} << 30) throw std::length_error("too much for a page");
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string png_url(std::span<const std::uint8_t> pixels, std::uint32_t width, std::uint32_t height,
                    const std::vector<Colour>& palette) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = PNG_FORMAT_RGB_COLORMAP;
  image.colormap_entries = static_cast<png_uint_32>(palette.size());
  std::vector<std::uint8_t> colours;
  for (const Colour& colour : palette) colours.insert(colours.end(), colour.begin(), colour.end());
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::vector<std::uint8_t> file(size);
  if (png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, colours.data()) == 0)
    throw std::runtime_error(fmt::format("a picture cannot be packed: {}", image.message));
  return "data:image/png;base64," + base64(std::span(file).first(size));
}

}  // namespace stemma
