// What is told of one pair?
#pragma once
#include "io/report/page/content.hpp"
#include "io/report/page/markup.hpp"

namespace stemma {

/// Verdict, tests with their nulls, neurons block by block, and singular values of differences.
void write_dossier(Markup& page, const PageContent& content, const Dossier& dossier);

}  // namespace stemma
