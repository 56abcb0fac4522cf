// A fault in a side file loses that file, not the model.
#include "io/formats/companions.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/config/yaml.hpp"
#include "io/formats/directory_names.hpp"
#include "io/formats/limits.hpp"
#include "io/formats/mergekit.hpp"
#include "io/formats/small_file.hpp"
#include "io/formats/strict_json.hpp"

namespace stemma {
namespace {

constexpr std::string_view config_name = "config.json", meta_config_name = "params.json",
                           readme_name = "README.md", vocabulary_name = "tokenizer.json",
                           recipe_name = "mergekit_config.yml";

/// Remembers the root's kind only.
class RootKind final : public JsonHandler {
 public:
  bool object() const { return object_; }
  void begin_object() override {
    object_ = object_ || !seen_;
    seen_ = true;
  }
  void begin_array() override { seen_ = true; }
  void end_object() override {}
  void end_array() override {}
  void key(std::string_view) override {}
  void string(std::string_view) override {}
  void integer(std::uint64_t) override {}
  void null() override {}
  void other(std::string_view) override {}

 private:
  bool seen_ = false;
  bool object_ = false;
};

std::optional<Claim> config_claim(const std::string& config) {
  const auto root = nlohmann::json::parse(config);
  const auto base = root.find("_name_or_path");
  if (base == root.end() || !base->is_string()) return std::nullopt;
  const auto& text = base->get_ref<const std::string&>();
  if (text.empty() || text == "." || text == "./" || text.size() > limits::claim_bytes) return std::nullopt;
  return Claim{text, "", std::string(config_name)};
}

void read_config(const std::string& directory, std::string_view name, Checkpoint& checkpoint) {
  try {
    const std::string text = read_whole(beside(directory, name), limits::config_bytes);
    checkpoint.config_json = strict_config(text, std::string(name));
    if (auto claim = config_claim(checkpoint.config_json)) checkpoint.claims.push_back(std::move(*claim));
  } catch (const InvalidInput& refused) {
    const Finding& why = refused.finding();
    checkpoint.findings.push_back({.severity = Severity::warning,
                                   .rule = "config.ignored",
                                   .file = std::string(name),
                                   .byte_offset = why.byte_offset,
                                   .found = why.rule,
                                   .hint = why.hint});
  }
}

/// A merge recipe of at most 1 MiB, the limit of the reader of YAML.
void read_recipe(const std::string& directory, Checkpoint& checkpoint) {
  try {
    const std::string text = read_whole(beside(directory, recipe_name), YamlLimits{}.bytes);
    std::ranges::move(mergekit_claims(text, std::string(recipe_name)), std::back_inserter(checkpoint.claims));
  } catch (const InvalidInput& refused) {
    Finding finding = refused.finding();
    finding.severity = Severity::warning;
    checkpoint.findings.push_back(std::move(finding));
  }
}

void read_readme(const std::string& directory, Checkpoint& checkpoint) {
  constexpr std::size_t markers = 16;  // the two lines around the front matter
  try {
    const std::string head = read_head(beside(directory, readme_name), limits::front_matter_bytes + markers);
    for (Claim& claim : front_matter_claims(head, std::string(readme_name))) {
      checkpoint.claims.push_back(std::move(claim));
    }
  } catch (const InvalidInput& refused) {
    Finding finding = refused.finding();
    finding.severity = Severity::warning;
    checkpoint.findings.push_back(std::move(finding));
  }
}

}  // namespace

std::string strict_config(std::string_view text, const std::string& file_name) {
  std::string strict = without_non_finite_literals(text);
  RootKind root;
  if (const auto problem = scan_json(strict, {}, root)) {
    throw InvalidInput({.rule = std::string(rule_of(problem->fault)),
                        .file = file_name,
                        .byte_offset = problem->byte,
                        .hint = printable(problem->detail)});
  }
  if (!root.object()) {
    throw InvalidInput({.rule = "json.syntax", .file = file_name, .hint = "the text is no JSON object"});
  }
  return strict;
}

void read_companions(const std::string& directory, const std::vector<std::string>& listing,
                     Checkpoint& checkpoint) {
  const auto present = [&](std::string_view name) {
    return std::binary_search(listing.begin(), listing.end(), name);
  };
  // What a weight file says about itself stands before what lies beside it.
  if (present(config_name) && checkpoint.config_json.empty())
    read_config(directory, config_name, checkpoint);
  else if (present(meta_config_name) && checkpoint.config_json.empty())
    read_config(directory, meta_config_name, checkpoint);
  if (present(readme_name)) read_readme(directory, checkpoint);
  if (present(recipe_name)) read_recipe(directory, checkpoint);
  if (present(vocabulary_name) && checkpoint.vocabulary.empty())
    checkpoint.vocabulary = beside(directory, vocabulary_name);
}

}  // namespace stemma
