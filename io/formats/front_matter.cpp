// YAML between two lines of three dashes, listened to event by event: nothing is expanded, so nothing can
// explode.
#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <optional>
#include <sstream>

#include "io/formats/companions.hpp"
#include "io/formats/limits.hpp"

namespace stemma {
namespace {

[[noreturn]] void fail(std::string rule, const std::string& file_name, std::string hint) {
  throw InvalidInput({.severity = Severity::warning,
                      .rule = std::move(rule),
                      .file = file_name,
                      .hint = fmt::format("{}; the declared base model is not read", hint)});
}

/// Collects base_model (a string or a list of strings) and base_model_relation of the root mapping.
class BaseModels final : public YAML::EventHandler {
 public:
  explicit BaseModels(const std::string& file_name) : file_name_(file_name) {}

  std::vector<Claim> claims() const {
    std::vector<Claim> claims;
    for (const std::string& base : bases_) claims.push_back({base, relation_, file_name_});
    return claims;
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override { scalar(""); }
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {
    fail("yaml.alias", file_name_, "front matter has no use for aliases");
  }
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string& text) override {
    scalar(text);
  }
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    enter(Inside::list);
  }
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    enter(depth_ == 0 ? Inside::root : Inside::map);
  }
  void OnSequenceEnd() override { leave(); }
  void OnMapEnd() override { leave(); }

 private:
  enum class Inside : std::uint8_t { root, list, map };

  void enter(Inside inside) {
    if (depth_ == 1) child_ = inside;
    if (depth_ == 0) root_ = inside;
    if (++depth_ > limits::front_matter_depth)
      fail("yaml.limit", file_name_, "front matter is nested too deep");
  }
  void leave() {
    if (--depth_ == 1) key_comes_ = !key_comes_;
  }
  void scalar(const std::string& text) {
    if (root_ != Inside::root) return;
    if (depth_ == 1 && key_comes_) {
      key_ = text;
    } else if (depth_ == 1 || (depth_ == 2 && child_ == Inside::list)) {
      value(text);
    }
    if (depth_ == 1) key_comes_ = !key_comes_;
  }
  void value(const std::string& text) {
    if (text.empty() || text.size() > limits::claim_bytes) return;
    if (key_ == "base_model") bases_.push_back(text);
    if (key_ == "base_model_relation") relation_ = text;
  }

  const std::string& file_name_;
  std::size_t depth_ = 0;
  std::optional<Inside> root_, child_;
  bool key_comes_ = true;
  std::string key_, relation_;
  std::vector<std::string> bases_;
};

/// The text between the first line, which is "---", and the next such line.
std::optional<std::string_view> front_matter(std::string_view text, const std::string& file_name) {
  const auto take_line = [&text] {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    return line;
  };
  if (take_line() != "---") return std::nullopt;
  const std::string_view inside = text;
  while (!text.empty()) {
    const std::size_t end = inside.size() - text.size();
    if (take_line() == "---" && end <= limits::front_matter_bytes) return inside.substr(0, end);
  }
  if (inside.size() < limits::front_matter_bytes) return std::nullopt;
  fail("yaml.limit", file_name, "front matter is longer than 64 KiB");
}

}  // namespace

std::vector<Claim> front_matter_claims(std::string_view text, const std::string& file_name) {
  const std::optional<std::string_view> yaml = front_matter(text, file_name);
  if (!yaml) return {};
  BaseModels models(file_name);
  try {
    std::istringstream stream{std::string(*yaml)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(models);
  } catch (const YAML::Exception& error) {
    fail("yaml.syntax", file_name, printable(error.what()));
  }
  return models.claims();
}

}  // namespace stemma
