// Which style and script travel with every page? They are files of their own, page.css and page.js.
#pragma once
#include <string_view>

namespace stemma {

std::string_view page_style();
std::string_view page_script();

}  // namespace stemma
