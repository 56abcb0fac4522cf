// What occurs in more than one family of documents?
#pragma once
#include "pipeline/documents/document.hpp"

namespace stemma::documents {

Shape relation();  ///< a class of the rules of evidence
Shape grade();     ///< how a p-value was obtained
Shape claims();    ///< what a model's files say of where it comes from
Shape log10_p();   ///< null where there is none
/// What "canonical_exact" and "canonical_all" mean.
Key canonical_exact();
Key canonical_all();
/// Where two archives differ.
Shape difference();
/// By dotted key of a configuration, what a point of a sweep sets.
Shape settings();

}  // namespace stemma::documents
