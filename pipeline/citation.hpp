// How are Stemma and the methods that it carries out cited?
#pragma once
#include <string>
#include <string_view>

namespace stemma {

/// BibTeX of a file in the Citation File Format 1.2.0: the work itself, then its references. Throws
/// std::runtime_error when the text is no such file.
std::string bibtex_of(std::string_view citation);

}  // namespace stemma
