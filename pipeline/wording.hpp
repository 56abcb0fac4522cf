// How are sizes, times and counts said to people?
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace stemma {

/// Memory is counted in these.
inline constexpr std::uint64_t mib = std::uint64_t{1} << 20U;

/// "12,345"
std::string with_commas(std::uint64_t n);
/// "1 model", "12,345 models"; words whose plural is more than an s bring it along.
std::string counted(std::uint64_t n, std::string_view one, std::string_view many = "");
/// File sizes in powers of ten: "1.9 GB", "340 kB".
std::string bytes_words(double bytes);
/// Memory in powers of two: "3.0 GiB".
std::string memory_words(double bytes);
/// "00:06:10" from one hour on, else "06:10"; below a minute "4.2 s".
std::string duration_words(double seconds);
/// Always with hours, for what is counted down: "00:06:10".
std::string clock_words(double seconds);
/// "0.0123"; "-" for what is not finite.
std::string three_digits(double value);

}  // namespace stemma
