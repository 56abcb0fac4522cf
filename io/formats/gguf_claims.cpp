// Models are named as the hub names them, where an address or an organisation allows it.
#include "io/formats/gguf_claims.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace stemma {
namespace {

constexpr std::uint64_t most_bases = 64;  // merges have a few

/// "org/name" of an address on the hub, any other address as it is.
std::string hub_name(std::string_view address) {
  constexpr std::string_view hub = "https://huggingface.co/";
  if (address.starts_with(hub)) address.remove_prefix(hub.size());
  while (address.ends_with('/')) address.remove_suffix(1);
  return std::string(address);
}

}  // namespace

std::vector<Claim> gguf_claims(const GgufMetadata& metadata, const std::string& file_name) {
  std::vector<Claim> claims;
  const auto text = [&](const std::string& key) { return metadata.text(key).value_or(""); };
  const auto claim = [&](std::string base, std::string relation, const std::string& key) {
    if (!base.empty()) claims.push_back({std::move(base), std::move(relation), file_name + ": " + key});
  };
  const std::uint64_t bases = std::min(metadata.count("general.base_model.count").value_or(0), most_bases);
  for (std::uint64_t i = 0; i < bases; ++i) {
    const std::string key = fmt::format("general.base_model.{}", i);
    const std::string address = text(key + ".repo_url"), name = text(key + ".name");
    const std::string organisation = text(key + ".organization");
    if (!address.empty())
      claim(hub_name(address), "", key);
    else if (!name.empty())
      claim(organisation.empty() ? name : organisation + "/" + name, "", key);
    else
      claim(text(key + ".url"), "", key);
  }
  for (const char* key :
       {"general.source.repo_url", "general.source.huggingface.repository", "general.source.url"}) {
    if (text(key).empty()) continue;
    claim(hub_name(text(key)), "converted", key);
    break;
  }
  if (!text("general.finetune").empty()) claim(text("general.basename"), "finetune", "general.basename");
  return claims;
}

}  // namespace stemma
