// What is left out of a page so that it is no larger than its reader can take?
#pragma once
#include <string>

#include "io/report/page/content.hpp"

namespace stemma {

/// The page (page_of), with at most content.most_bytes bytes where that can be had. As much stays as fits,
/// and what goes, goes in this order: pairs told in full, the last (weakest) first; spectra; curves; of both,
/// those of models that belong to none of the pairs told in full go first, the last model first. The page
/// says of every figure what it lacks. Sizes are measured on the page itself, so equal contents give equal
/// bytes. What is never thinned, such as tables, may make it larger.
std::string fitting_page(const PageContent& content);

}  // namespace stemma
