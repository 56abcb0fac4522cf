// Module by module: recognise, unite, replace.
#include "io/formats/quantised.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "io/formats/block_codec.hpp"
#include "io/formats/file_reader.hpp"
#include "io/formats/quantised_schemes.hpp"
#include "io/model/architecture_pattern.hpp"
#include "io/model/finding_ledger.hpp"

namespace stemma {
namespace {

class Union {
 public:
  explicit Union(Checkpoint& checkpoint)
      : checkpoint_(checkpoint),
        ledger_(checkpoint),
        gone_(checkpoint.tensors.size(), false),
        config_(quantisation_config(checkpoint.config_json, directory())) {}

  void run() {
    for (const QuantisedModule& module : quantised_modules(checkpoint_)) unite(module);
    compare_with_config();
    for (Finding& finding : ledger_.finish()) {
      finding.file = std::filesystem::path(finding.file).filename().string();
      checkpoint_.findings.push_back(std::move(finding));
    }
    replace();
  }

 private:
  std::string directory() const {
    if (checkpoint_.files.empty()) return ".";
    return std::filesystem::path(checkpoint_.files.front().path).parent_path().string();
  }

  void unite(const QuantisedModule& module) {
    const auto is_content = [](const auto& part) {
      return part.first != "weight" && !is_activation_part(part.first);
    };
    drop_activations(module);
    const auto schemes = quantisation_schemes();
    const auto scheme =
        std::ranges::find_if(schemes, [&](const auto* each) { return each->recognises(module, config_); });
    if (scheme == schemes.end()) {
      if (config_.is_present() && std::ranges::any_of(module.parts(), is_content)) {
        tell(module, {.severity = Severity::warning,
                      .rule = "quant.unsupported",
                      .found = parts_words(module),
                      .hint = "no scheme of quantisation has these parts, so they are left out"});
        drop(module);
      }
      return;
    }
    recognised_.insert(*scheme);
    drop(module);
    std::vector<Finding> findings;
    try {
      StoredTensor weight = (*scheme)->weight(module, {config_, reader_, findings});
      united_.push_back(std::move(weight));
    } catch (const InvalidInput& refused) {
      if (!refused.finding().rule.starts_with("quant.")) throw;  // a file that cannot be read
      findings.push_back(refused.finding());
    }
    for (Finding& finding : findings) {
      finding.severity = Severity::warning;
      tell(module, std::move(finding));
    }
  }

  static std::string parts_words(const QuantisedModule& module) {
    std::vector<std::string_view> names;
    for (const auto& [part, tensor] : module.parts()) names.push_back(part);
    return fmt::format("{}", fmt::join(names, ", "));
  }

  /// Alike modules of all layers become one finding.
  void tell(const QuantisedModule& module, Finding finding) {
    if (finding.tensor.empty()) finding.tensor = module.name();
    if (finding.file.empty()) finding.file = file_of(module.parts().begin()->second);
    const std::string group = fold_numbers(finding.tensor) + finding.rule + finding.hint;
    ledger_.add(std::move(finding), group);
  }

  void drop_activations(const QuantisedModule& module) {
    for (const auto& [part, tensor] : module.parts()) {
      if (!is_activation_part(part)) continue;
      gone_[tensor] = true;
      ledger_.add({.severity = Severity::note,
                   .rule = "quant.activation_scale",
                   .hint = "about activations, not weights: left out"},
                  std::string(part), tensor);
    }
  }

  void drop(const QuantisedModule& module) {
    for (const auto& [part, tensor] : module.parts()) gone_[tensor] = true;
  }

  std::string file_of(std::uint32_t tensor) const {
    return checkpoint_.files[checkpoint_.tensors[tensor].file].path;
  }

  /// A configuration that names a method which no tensor shows, or another than they show.
  void compare_with_config() {
    if (config_.method.empty()) return;
    const bool agree =
        std::ranges::any_of(recognised_, [&](const auto* scheme) { return is_named(*scheme, config_); });
    if (agree) return;
    std::vector<std::string_view> found;
    for (const QuantisationScheme* scheme : quantisation_schemes())
      if (recognised_.contains(scheme)) found.push_back(scheme->name);
    ledger_.add(
        {.severity = Severity::warning,
         .rule = "quant_config_mismatch",
         .file = config_.file,
         .expected = printable(config_.method, 60),
         .found = found.empty() ? "no tensor of this scheme" : fmt::format("{}", fmt::join(found, ", ")),
         .hint = "the tensors decide"},
        "method");
  }

  void replace() {
    std::vector<StoredTensor> kept;
    for (std::size_t i = 0; i < gone_.size(); ++i)
      if (!gone_[i]) kept.push_back(std::move(checkpoint_.tensors[i]));
    std::ranges::move(united_, std::back_inserter(kept));
    std::ranges::sort(kept, {}, &StoredTensor::name);
    const auto twice = std::ranges::adjacent_find(kept, {}, &StoredTensor::name);
    if (twice != kept.end())
      throw InvalidInput(
          {.rule = "duplicate_tensor",
           .file = std::filesystem::path(checkpoint_.files[twice->file].path).filename().string(),
           .tensor = twice->name,
           .hint = "the weight is there as values and as codes: nobody can say which one counts"});
    checkpoint_.tensors = std::move(kept);
  }

  Checkpoint& checkpoint_;
  FindingLedger ledger_;
  std::vector<bool> gone_;  ///< by tensor: part of something
  QuantisationConfig config_;
  FileReader reader_;
  std::set<const QuantisationScheme*> recognised_;
  std::vector<StoredTensor> united_;
};

}  // namespace

void unite_quantised(Checkpoint& checkpoint) { Union(checkpoint).run(); }

std::string quantisation_words(const Decoding& decoding) {
  if (const QuantisationScheme* scheme = scheme_of_codec(decoding.codec)) return scheme->described(decoding);
  const BlockCodec* blocks = block_codec(decoding.codec);
  if (blocks == nullptr) return "";
  std::string name(blocks->name);
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return fmt::format("{}, blocks of {}", name, blocks->values);
}

namespace {

/// The decoding whose values stand for codes: this one, or that of what an adapter is merged into; null.
const Decoding* decoding_of_codes(const Decoding& decoding) {
  if (decoding.codec != "merged_adapter") return quantisation_words(decoding).empty() ? nullptr : &decoding;
  const auto& base = decoding.parts.front().file.decoding;
  return base ? decoding_of_codes(*base) : nullptr;
}

}  // namespace

std::shared_ptr<const Decoding> half_distances_of(const Decoding& decoding) {
  const Decoding* codes = decoding_of_codes(decoding);
  if (codes == nullptr) return nullptr;
  auto halves = std::make_shared<Decoding>(*codes);
  halves->half_distances = true;
  return halves;
}

void name_schemes(Checkpoint& checkpoint) {
  for (StoredTensor& tensor : checkpoint.tensors)
    if (const Decoding* codes = tensor.decoding ? decoding_of_codes(*tensor.decoding) : nullptr)
      tensor.scheme = quantisation_words(*codes);
}

std::map<std::string, std::uint64_t> quantisation_schemes_of(const Checkpoint& checkpoint) {
  std::map<std::string, std::uint64_t> tensors;
  for (const StoredTensor& tensor : checkpoint.tensors)
    if (!tensor.scheme.empty()) ++tensors[tensor.scheme];
  return tensors;
}

}  // namespace stemma
