// The keys of an entry under `tensors:`.
#include "io/model/architecture_entry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/model/architecture_values.hpp"

namespace stemma {
namespace {

std::optional<SplitPart> read_piece(const YamlNode& node, const std::string& path, bool view,
                                    Complaints& complaints) {
  Section section(node, path, complaints);
  const std::size_t before = complaints.problems().size();
  SplitPart piece;
  section.require("role");
  if (const YamlNode* role = section.find("role")) {
    piece.part = read_part(*role, section.path_of("role"), complaints).value_or(Part::unknown);
  }
  const auto expression = [&](std::string_view key, Expression& into) {
    section.require(key);
    if (auto value = read_expression(section, key)) into = std::move(*value);
  };
  if (view) {
    expression("from", piece.from);
    expression("to", piece.to);
  } else {
    expression("size", piece.size);
  }
  piece.paired_heads = read_expression(section, "paired_heads");
  section.close();
  return complaints.problems().size() == before ? std::optional(std::move(piece)) : std::nullopt;
}

std::optional<Split> read_split(Section section) {
  Complaints& complaints = section.complaints();
  const std::size_t before = complaints.problems().size();
  Split split;
  const bool view = section.has("view");
  if (view == section.has("concat")) {
    complaints.add(
        section.at(), section.path(),
        fmt::format("{} must have either concat or view (they are two ways to cut)", section.path()));
  }
  const std::string_view list = view ? "parts" : "concat";
  if (view) {
    split.view = read_expressions(section, "view");
    section.require("axis");
    section.require("parts");
    split.axis = static_cast<std::size_t>(section.integer("axis", {0, 7}).value_or(0));
    if (split.axis >= split.view.size() && !split.view.empty()) {
      section.complain("axis", fmt::format("{} is {}, but the view has {} factors (they count from 0)",
                                           section.path_of("axis"), split.axis, split.view.size()));
    }
    if (split.view.empty()) section.complain("view", fmt::format("{} is empty", section.path_of("view")));
  }
  const auto& pieces = section.list(list);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::string path = fmt::format("{}[{}]", section.path_of(list), i);
    auto piece = read_piece(pieces[i], path, view, complaints);
    if (!piece) continue;
    const bool twice = piece->part != Part::other &&
                       std::any_of(split.parts.begin(), split.parts.end(),
                                   [&](const SplitPart& other) { return other.part == piece->part; });
    if (twice)
      complaints.add(pieces[i].at, path, fmt::format("{}: {} occurs twice", path, name_of(piece->part)));
    split.parts.push_back(std::move(*piece));
  }
  if (section.has(list) && pieces.empty()) {
    section.complain(list, fmt::format("{} is empty", section.path_of(list)));
  }
  section.close();
  return complaints.problems().size() == before ? std::optional(std::move(split)) : std::nullopt;
}

void read_names(Section& section, Entry& entry) {
  if (section.has("name") == section.has("names")) {
    section.complaints().add(section.at(), section.path(),
                             fmt::format("{} must have either name or names", section.path()));
  }
  if (const YamlNode* name = section.find("name")) {
    if (auto pattern = read_pattern(*name, section.path_of("name"), section.complaints())) {
      entry.names.push_back(std::move(*pattern));
    }
  }
  for (Pattern& pattern : read_patterns(section, "names")) entry.names.push_back(std::move(pattern));
  for (const Pattern& name : entry.names) {
    if (name.has_layer() != entry.has_layer() || name.has_expert() != entry.has_expert()) {
      section.complain("names",
                       fmt::format("{}: {} and {} do not ask for the same numbers", section.path_of("names"),
                                   entry.names.front().text(), name.text()));
    }
  }
}

void read_storage(Section& section, Entry& entry) {
  const std::vector<std::string> layouts{"out_in", "in_out", "e_out_in", "e_in_out"};
  if (const auto layout = section.choice("layout", layouts)) {
    entry.layout = static_cast<Layout>(std::find(layouts.begin(), layouts.end(), *layout) - layouts.begin());
  }
  entry.shape = read_expressions(section, "shape");
  const std::size_t axes = is_stack(entry.layout)           ? 3
                           : entry.layout == Layout::in_out ? 2
                                                            : entry.shape.size();
  if (section.has("shape") && entry.shape.size() != axes) {
    section.complain("shape", fmt::format("{} has {} axes, its layout has {}", section.path_of("shape"),
                                          entry.shape.size(), axes));
  }
  if (entry.part != Part::other) section.require("shape", "Without it a wrong family would not be noticed");
  entry.flat = section.boolean("flat").value_or(false);
  if (entry.flat && (!is_stack(entry.layout) || entry.shape.size() != 3)) {
    section.complain("flat", fmt::format("{} needs a layout of stacks and its shape [experts, out, in]",
                                         section.path_of("flat")));
  }
  if (is_stack(entry.layout) && !entry.names.empty() && entry.has_expert()) {
    section.complain("layout", fmt::format("{} is a stack of experts, but the name asks for one {{expert}}",
                                           section.path_of("layout")));
  }
  const std::vector<std::string> presences{"none", "optional", "required"};
  if (const auto bias = section.choice("bias", presences)) {
    entry.bias =
        static_cast<Presence>(std::find(presences.begin(), presences.end(), *bias) - presences.begin());
  }
  for (const Pattern& name : entry.names) {
    if (entry.bias == Presence::none || bias_pattern(name)) continue;
    section.complain(
        "bias",
        fmt::format("{}: {} does not end in .weight, .gamma, _weight or _proj (the name of the bias is made "
                    "from that)",
                    section.path_of("bias"), name.text()));
  }
}

}  // namespace

std::optional<Entry> read_entry(const YamlNode& node, const std::string& path, Complaints& complaints) {
  Section section(node, path, complaints);
  Entry entry;
  entry.place = {complaints.file(), node.at};
  read_names(section, entry);
  if (section.has("role") == section.has("split")) {
    complaints.add(node.at, path, fmt::format("{} must have either role or split", path));
  }
  if (const YamlNode* role = section.find("role")) {
    entry.part = read_part(*role, section.path_of("role"), complaints);
  }
  if (auto split = section.section("split")) entry.split = read_split(std::move(*split));
  read_storage(section, entry);
  entry.optional = section.boolean("optional").value_or(false);
  entry.every_layer = section.choice("layers", {"all", "some"}).value_or("all") == "all";
  entry.tied_to_embed = section.choice("tied_to", {"embed"}).has_value();
  entry.variant = section.text("variant").value_or("");
  if (const auto offset = section.integer("offset", {0, 1, "a gain is w or 1 + w"})) {
    entry.offset = static_cast<int>(*offset);
  }
  entry.paired_heads = read_expression(section, "paired_heads");
  if (entry.paired_heads && entry.split)
    section.complain("paired_heads", fmt::format("{} belongs to the parts of the split that have heads",
                                                 section.path_of("paired_heads")));
  entry.when = read_when(section);
  entry.padded = section.boolean("padded").value_or(false);
  const std::vector<std::string> stacks{"decoder", "encoder", "vision", "audio", "mtp"};
  if (const auto stack = section.choice("stack", stacks)) entry.stack = *stack_named(*stack);
  entry.convolution = section.choice("kind", {"param", "conv"}).value_or("param") == "conv";
  section.close();
  if (entry.names.empty() || (!entry.part && !entry.split)) return std::nullopt;
  return entry;
}

}  // namespace stemma
