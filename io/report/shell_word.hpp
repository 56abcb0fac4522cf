// How is a word written so that a shell takes it as one?
#pragma once
#include <string>
#include <string_view>

namespace stemma {

/// Quoted where it holds more than letters, digits and signs that shells leave alone; shown whole, or it
/// would name another file. Control characters are escaped as printable() does it.
std::string shell_word(std::string_view text);

}  // namespace stemma
