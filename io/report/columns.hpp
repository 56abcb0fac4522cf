// How do rows of text become columns that a person reads on a screen?
#pragma once
#include <string>
#include <vector>

namespace stemma {

/// Columns padded to their widest cell, two blanks before each, header first; no blank at the end of a line.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

}  // namespace stemma
