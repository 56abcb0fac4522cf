// What time is it, as archives and logs write it?
#pragma once
#include <string>

namespace stemma {

/// "2026-11-21T10:02:11Z"
std::string utc_now();

}  // namespace stemma
