// How do numbers and whole documents become JSON for scripts?
#pragma once
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

namespace stemma {

/// JSON knows no NaN and no infinity: null.
inline nlohmann::ordered_json json_number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

/// Names come from strangers: invalid UTF-8 is replaced, not thrown at the reader.
inline std::string json_text(const nlohmann::ordered_json& document) {
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace stemma
