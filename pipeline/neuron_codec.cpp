// As CBOR; NaN has no literal in JSON but does in CBOR.
#include "pipeline/neuron_codec.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>

namespace stemma {

using SortedJson = nlohmann::json;

namespace {

SortedJson binary(std::span<const std::int8_t> bytes) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return SortedJson::binary(std::vector<std::uint8_t>(first, first + bytes.size()));
}
std::vector<std::int8_t> bytes_of(const SortedJson& j) {
  const std::vector<std::uint8_t>& bytes = j.get_binary();
  return {reinterpret_cast<const std::int8_t*>(bytes.data()),
          reinterpret_cast<const std::int8_t*>(bytes.data()) + bytes.size()};
}

}  // namespace

static void to_json(SortedJson& j, const NeuronBlock& b) {
  j = SortedJson{b.layer, b.expert,     b.units,        b.gated,         b.order,
                 b.unit,  b.norm_first, b.norm_product, binary(b.first), binary(b.second)};
}
static void from_json(const SortedJson& j, NeuronBlock& b) {
  j[0].get_to(b.layer), j[1].get_to(b.expert), j[2].get_to(b.units), j[3].get_to(b.gated);
  j[4].get_to(b.order), j[5].get_to(b.unit), j[6].get_to(b.norm_first), j[7].get_to(b.norm_product);
  b.first = bytes_of(j[8]), b.second = bytes_of(j[9]);
}
static void to_json(SortedJson& j, const AttentionBlock& a) { j = SortedJson{a.layer, binary(a.reading)}; }
static void from_json(const SortedJson& j, AttentionBlock& a) {
  j[0].get_to(a.layer), a.reading = bytes_of(j[1]);
}
static void to_json(SortedJson& j, const NeuronSketch& s) {
  j = SortedJson{s.keys, s.by_string, s.vocabulary, s.blocks, s.attention};
}
static void from_json(const SortedJson& j, NeuronSketch& s) {
  j[0].get_to(s.keys), j[1].get_to(s.by_string), j[2].get_to(s.vocabulary), j[3].get_to(s.blocks),
      j[4].get_to(s.attention);
}
static void to_json(SortedJson& j, const BlockAgreement& b) {
  j = SortedJson{b.a,     b.b,        b.kept,   b.matched,      b.agreeing,     b.labelled,     b.fixed,
                 b.units, b.likeness, b.sorted, b.log_p_places, b.log_p_robust, b.log_p_nominal};
}
static void from_json(const SortedJson& j, BlockAgreement& b) {
  j[0].get_to(b.a), j[1].get_to(b.b), j[2].get_to(b.kept), j[3].get_to(b.matched), j[4].get_to(b.agreeing);
  j[5].get_to(b.labelled), j[6].get_to(b.fixed), j[7].get_to(b.units), j[8].get_to(b.likeness),
      j[9].get_to(b.sorted);
  j[10].get_to(b.log_p_places), j[11].get_to(b.log_p_robust), j[12].get_to(b.log_p_nominal);
}
static void to_json(SortedJson& j, const BlockPlace& p) { j = SortedJson{p.layer, p.expert, p.units}; }
static void from_json(const SortedJson& j, BlockPlace& p) {
  j[0].get_to(p.layer), j[1].get_to(p.expert), j[2].get_to(p.units);
}
static void to_json(SortedJson& j, const BlockMatch& m) { j = SortedJson{m.a, m.b}; }
static void from_json(const SortedJson& j, BlockMatch& m) { j[0].get_to(m.a), j[1].get_to(m.b); }
static void to_json(SortedJson& j, const SignOfOrder& s) { j = SortedJson{s.sign, s.b_is_later}; }
static void from_json(const SortedJson& j, SignOfOrder& s) { j[0].get_to(s.sign), j[1].get_to(s.b_is_later); }
static void to_json(SortedJson& j, const BlockMap& m) {
  j = SortedJson{m.matches, m.only_a, m.only_b, m.signs};
}
static void from_json(const SortedJson& j, BlockMap& m) {
  j[0].get_to(m.matches), j[1].get_to(m.only_a), j[2].get_to(m.only_b), j[3].get_to(m.signs);
}
static void to_json(SortedJson& j, const PlacedAgreement& p) {
  const NeuronAgreement& f = p.found;
  j = SortedJson{p.pair,         f.abstain,      f.anchors,       f.by_row,          f.mapped,    f.blocks_a,
                 f.blocks_b,     f.blocks,       f.partners,      f.agreeing_blocks, f.telling,   f.share,
                 f.control,      f.fixed,        f.labelled,      f.sorted,          f.attention, f.likeness,
                 f.log_p_places, f.log_p_robust, f.log_p_nominal, f.compared_blocks, f.map};
}
static void from_json(const SortedJson& j, PlacedAgreement& p) {
  NeuronAgreement& f = p.found;
  std::size_t at = 0;
  const auto next = [&](auto& field) { j[at++].get_to(field); };
  next(p.pair), next(f.abstain), next(f.anchors), next(f.by_row), next(f.mapped), next(f.blocks_a);
  next(f.blocks_b), next(f.blocks), next(f.partners), next(f.agreeing_blocks), next(f.telling), next(f.share);
  next(f.control), next(f.fixed), next(f.labelled), next(f.sorted), next(f.attention), next(f.likeness);
  next(f.log_p_places), next(f.log_p_robust), next(f.log_p_nominal), next(f.compared_blocks);
  next(f.map);
}

std::size_t travelling_bytes(const NeuronSketch& sketch) {
  std::size_t bytes = 9 * sketch.keys.size();
  for (const NeuronBlock& block : sketch.blocks)
    bytes += block.first.size() + block.second.size() + 24 * block.size() + 64;
  for (const AttentionBlock& block : sketch.attention) bytes += block.reading.size() + 16;
  return bytes;
}

std::vector<std::byte> encode_sketches(std::span<const NeuronSketch* const> sketches) {
  SortedJson list = SortedJson::array();
  for (const NeuronSketch* sketch : sketches) list.push_back(*sketch);
  const auto cbor = SortedJson::to_cbor(list);
  const auto bytes = std::as_bytes(std::span(cbor));
  return {bytes.begin(), bytes.end()};
}

std::vector<NeuronSketch> decode_sketches(std::span<const std::byte> bytes) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return SortedJson::from_cbor(first, first + bytes.size()).get<std::vector<NeuronSketch>>();
}

std::string encode_agreements(std::span<const PlacedAgreement> agreements) {
  std::string bytes;
  SortedJson::to_cbor(SortedJson(std::vector<PlacedAgreement>(agreements.begin(), agreements.end())), bytes);
  return bytes;
}

std::vector<PlacedAgreement> decode_agreements(const std::string& bytes) {
  return SortedJson::from_cbor(bytes).get<std::vector<PlacedAgreement>>();
}

}  // namespace stemma
