// The words of a file in configs/architectures, for editors that check what people write.
#include "io/model/role.hpp"
#include "pipeline/documents/document.hpp"

namespace stemma::documents {
namespace {

Shape pattern() { return text(); }
/// Integers, dimensions, + - * / and parentheses.
Shape expression() { return either({integer(), text()}); }
Shape paired_heads() { return expression().if_any(); }
Shape one_or_more(const Shape& shape) { return either({shape, list(shape)}); }

Shape role() {
  std::vector<std::string> roles;
  for (std::uint8_t i = 0; i < part_count; ++i)
    if (const auto part = static_cast<Part>(i); part != Part::buffer && part != Part::unknown)
      roles.emplace_back(name_of(part));
  return text_of(roles);
}

/// Values that keys of config.json must have.
Shape conditions() { return map(anything()); }

Shape match() {
  const Shape rows = object({{"of", pattern(), "one tensor"},
                             {"equal", pattern().if_any(), "another that has as many rows"},
                             {"unequal", pattern().if_any(), "another that has not; instead of equal"}});
  return object({{"model_type", one_or_more(text()).if_any(), "what config.json may claim"},
                 {"architectures", one_or_more(text()).if_any(), "what config.json may claim"},
                 {"gguf", one_or_more(text()).if_any(), "what a GGUF file may claim"},
                 {"needs", list(pattern()), "names that every checkpoint of the family has"},
                 {"refuses", list(pattern()).if_any(), "names that none of them has"},
                 {"rows", list(rows).if_any(), "what tells families of equal names apart"},
                 {"claimed", flag().if_any(), "only config.json tells the family from another"}});
}

Shape dimension() {
  const Shape shape = object({{"of", pattern(), "tensor from which it is read"},
                              {"axis", count(), "of that tensor, from 0"},
                              {"div", expression().if_any(), "by which its size is divided"}});
  const Shape one = object({{"when", conditions(), "what config.json must say"},
                            {"value", expression(), "what the size is then"}});
  return object({{"cases", list(one).if_any(), "the first that holds goes before keys"},
                 {"keys", one_or_more(text()).if_any(), "of config.json, the first that is there"},
                 {"per_layer", flag().if_any(), "every layer has a size of its own"},
                 {"shape", shape.if_any(), "overrules config.json"},
                 {"default", expression().if_any(), "where nothing else says it"}});
}

Shape split() {
  const Shape piece = object({{"role", role(), "of these rows"},
                              {"size", expression(), "number of rows"},
                              {"paired_heads", paired_heads(), "so many heads are stored pair by pair"}});
  const Shape range = object({{"role", role(), "of this range"},
                              {"from", expression(), "where it begins in the factor"},
                              {"to", expression(), "where it ends"},
                              {"paired_heads", paired_heads(), "so many heads are stored pair by pair"}});
  return object({{"concat", list(piece).if_any(), "parts one after another along the output axis"},
                 {"view", list(expression()).if_any(), "factors of the output axis; instead of concat"},
                 {"axis", count().if_any(), "which of these factors is cut"},
                 {"parts", list(range).if_any(), "ranges of that factor"}});
}

Shape entry() {
  return object(
      {{"name", pattern().if_any(), "of the tensor; {layer} and {expert} stand for numbers"},
       {"names", list(pattern()).if_any(), "of which a checkpoint has one; instead of name"},
       {"role", role().if_any(), "what the tensor does"},
       {"split", split().if_any(), "what its parts do; instead of role"},
       {"shape", list(expression()).if_any(), "after the layout was applied"},
       {"paired_heads", paired_heads(), "so many heads have their rows stored pair by pair"},
       {"layout", text_of({"out_in", "in_out", "e_out_in", "e_in_out"}).if_any(), "how it is stored"},
       {"bias", text_of({"none", "optional", "required"}).if_any(), "whether one belongs to the weight"},
       {"optional", flag().if_any(), "it may be absent"},
       {"layers", text_of({"all", "some"}).if_any(), "which layers have it"},
       {"tied_to", text_of({"embed"}).if_any(), "what serves instead when it is absent"},
       {"variant", text().if_any(), "the layout on disk to which it belongs"},
       {"offset", integer().if_any(), "what is added to a stored gain, 0 or 1"},
       {"when", conditions().if_any(), "values that keys of config.json must have"},
       {"flat", flag().if_any(), "experts and their rows are one axis of the stored tensor"},
       {"padded", flag().if_any(), "it may have some more rows"},
       {"stack", text_of({"decoder", "encoder", "vision", "audio", "mtp"}).if_any(), "of which it is part"},
       {"kind", text_of({"param", "conv"}).if_any(), "a matrix, or a convolution"}});
}

}  // namespace

std::vector<Document> architecture_table() {
  const Shape norm = object({{"kind", text_of({"rms", "layer"}), "how it normalises"},
                             {"offset", integer().if_any(), "what is added to a stored gain, 0 or 1"}});
  return {
      {.name = "architecture",
       .place = "configs/architectures/FAMILY.yaml; --architectures",
       .meaning = "Which tensors a family of models has, and what they do.",
       .keys = {{"family", text(), "identifier, equal to the name of the file"},
                {"title", text().if_any(), "free text"},
                {"match", match(), "which checkpoints are of the family"},
                {"replaces", text().if_any(), "family of an earlier directory that this stands for"},
                {"extends", text().if_any(), "family of which this is a variation"},
                {"drop", list(role()).if_any(), "roles of it that are left out"},
                {"nested", one_or_more(text()).if_any(), "objects of config.json searched first"},
                {"prefixes", one_or_more(text()).if_any(), "that may stand before every name"},
                {"dims", map(dimension()).if_any(), "sizes by name"},
                {"rope", text_of({"half", "interleaved", "none", "mixed"}).if_any(), "how pairs lie"},
                {"rotary_percent", count().if_any(), "share of a head that is turned"},
                {"norm", norm.if_any(), "of all layers"},
                {"variants", one_or_more(text()).if_any(), "alternative layouts on disk"},
                {"tensors", list(entry()).if_any(), "every tensor, or what differs from extends"},
                {"others", list(pattern()).if_any(), "names that are known and not compared; * is any text"},
                {"ignore", list(pattern()).if_any(), "names that are no weights; * is any text"},
                {"gguf", map(anything()).if_any(), "how GGUF files of the family differ"}},
       .open = false}};
}

}  // namespace stemma::documents
