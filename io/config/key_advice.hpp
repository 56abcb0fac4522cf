// What was probably meant by a key that nobody knows?
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace stemma {

/// A sentence about an unknown key: it belongs to a later version, to another section, or goes by another
/// name.
/// "" when there is nothing better than the nearest known key.
std::string advice_for(const std::string& path);

/// Keys and values of a model entry, for the reader and the schema.
const std::vector<std::string>& model_kinds();   ///< path, glob, sheet, adapter
const std::vector<std::string>& model_traits();  ///< id, label, base, ...
const std::vector<std::string>& use_names();     ///< in the order of ModelUse

/// Is this a key of a model that a later version will know?
bool is_later_model_key(std::string_view key);

}  // namespace stemma
