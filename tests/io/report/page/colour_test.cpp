// Are magnitudes told apart by lightness alone, and are pictures what decoders expect?
#include "io/report/page/colour.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <png.h>

#include <cmath>

namespace stemma {
namespace {

/// Relative luminance as WCAG 2.1 defines it.
double luminance(const Colour& colour) {
  const auto linear = [](std::uint8_t c) {
    const double s = c / 255.0;
    return s <= 0.04045 ? s / 12.92 : std::pow((s + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
}

TEST(Cividis, GrowsLighterFromEndToEnd) {
  EXPECT_EQ(hex(cividis(0)), "#00224e");
  EXPECT_EQ(hex(cividis(1)), "#fee838");
  EXPECT_EQ(cividis(-3), cividis(0));
  EXPECT_EQ(cividis(7), cividis(1));
  for (int k = 4;  // nearer ones differ by their rounding to bytes
       k <= 255; ++k)
    EXPECT_GT(luminance(cividis(k / 255.0)), luminance(cividis((k - 4) / 255.0))) << k;
}

TEST(Base64, AsInTheStandard) {
  const auto of = [](std::string_view text) {
    return base64(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  };
  EXPECT_EQ(of(""), "");
  EXPECT_EQ(of("f"), "Zg==");
  EXPECT_EQ(of("fo"), "Zm8=");
  EXPECT_EQ(of("foobar"), "Zm9vYmFy");
}

TEST(PngUrl, DecodesToTheSamePixels) {
  const std::vector<Colour> palette = {{0, 0, 0}, {1, 2, 3}, {255, 128, 64}};
  const std::vector<std::uint8_t> pixels = {0, 1, 2, 2, 1, 0, 1, 1, 1, 0, 2, 0};
  const std::string url = png_url(pixels, 4, 3, palette);
  const std::string_view start = "data:image/png;base64,";
  ASSERT_TRUE(url.starts_with(start));
  const std::string text = url.substr(start.size());
  std::vector<std::uint8_t> file(text.size());
  ASSERT_GT(EVP_DecodeBlock(file.data(), reinterpret_cast<const unsigned char*>(text.data()),
                            static_cast<int>(text.size())),
            0);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  ASSERT_NE(png_image_begin_read_from_memory(&image, file.data(), file.size()), 0) << image.message;
  image.format = PNG_FORMAT_RGB;
  ASSERT_EQ(image.width, 4U);
  ASSERT_EQ(image.height, 3U);
  std::vector<std::uint8_t> seen(PNG_IMAGE_SIZE(image));
  ASSERT_NE(png_image_finish_read(&image, nullptr, seen.data(), 0, nullptr), 0) << image.message;
  for (std::size_t i = 0; i < pixels.size(); ++i)
    EXPECT_EQ((Colour{seen[3 * i], seen[3 * i + 1], seen[3 * i + 2]}), palette[pixels[i]]) << i;
}

}  // namespace
}  // namespace stemma
