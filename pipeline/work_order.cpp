// An order carries copies of what it needs, renumbered, as CBOR.
#include "pipeline/work_order.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "analyzers/catalogue.hpp"
#include "analyzers/content_hash.hpp"
#include "io/formats/quantised.hpp"

namespace stemma {

// One-letter keys: an order is read once, by this program, and there are many of them.
using SortedJson = nlohmann::json;

static void to_json(SortedJson& j, const SourceFile& f) {
  j = SortedJson{{"p", f.path},  {"b", f.bytes},        {"m", f.mtime_ns},  {"d", f.device},
                 {"i", f.inode}, {"h", f.header_bytes}, {"f", f.filesystem}};
  if (!f.content.empty()) j["c"] = f.content;
}
static void from_json(const SortedJson& j, SourceFile& f) {
  j.at("p").get_to(f.path), j.at("b").get_to(f.bytes), j.at("m").get_to(f.mtime_ns),
      j.at("d").get_to(f.device);
  j.at("i").get_to(f.inode), j.at("h").get_to(f.header_bytes), j.at("f").get_to(f.filesystem);
  if (j.contains("c")) j.at("c").get_to(f.content);
}
static void to_json(SortedJson& j, const Decoding& d);
static void from_json(const SortedJson& j, Decoding& d);

static void to_json(SortedJson& j, const EncodedPart& p) {
  j = SortedJson{
      {"f", p.file}, {"d", static_cast<int>(p.dtype)}, {"s", p.shape}, {"o", p.offset}, {"b", p.bytes}};
  if (p.file.decoding) j["e"] = *p.file.decoding;
}
static void from_json(const SortedJson& j, EncodedPart& p) {
  j.at("f").get_to(p.file), p.dtype = static_cast<Dtype>(j.at("d").get<int>()), j.at("s").get_to(p.shape);
  j.at("o").get_to(p.offset), j.at("b").get_to(p.bytes);
  if (j.contains("e")) p.file.decoding = std::make_shared<const Decoding>(j.at("e").get<Decoding>());
}
static void to_json(SortedJson& j, const Decoding& d) {
  j = SortedJson{{"c", d.codec},
                 {"d", static_cast<int>(d.dtype)},
                 {"h", d.half_distances},
                 {"p", d.parts},
                 {"n", d.numbers}};
}
static void from_json(const SortedJson& j, Decoding& d) {
  j.at("c").get_to(d.codec), d.dtype = static_cast<Dtype>(j.at("d").get<int>());
  j.at("h").get_to(d.half_distances), j.at("p").get_to(d.parts), j.at("n").get_to(d.numbers);
}
static void to_json(SortedJson& j, const StoredTensor& t) {
  j = SortedJson{{"n", t.name},   {"d", static_cast<int>(t.dtype)},
                 {"s", t.shape},  {"f", t.file},
                 {"o", t.offset}, {"b", t.bytes}};
  if (t.decoding) j["e"] = *t.decoding;
}
static void from_json(const SortedJson& j, StoredTensor& t) {
  j.at("n").get_to(t.name), t.dtype = static_cast<Dtype>(j.at("d").get<int>()), j.at("s").get_to(t.shape);
  j.at("f").get_to(t.file), j.at("o").get_to(t.offset), j.at("b").get_to(t.bytes);
  if (j.contains("e")) t.decoding = std::make_shared<const Decoding>(j.at("e").get<Decoding>());
}
static void to_json(SortedJson& j, const Matrix& m) {
  const Role& r = m.role;
  j = SortedJson{
      {"r",
       {static_cast<int>(r.stack), r.layer, static_cast<int>(r.part), r.expert, static_cast<int>(r.kind)}},
      {"t", m.tensor},
      {"m", m.rows},
      {"n", m.cols},
      {"v", m.vector},
      {"e", m.first_element},
      {"o", m.stored_rows},
      {"s", {m.slice.count, m.slice.stride, m.slice.offset, m.slice.length, m.slice.head}},
      {"x", m.transposed},
      {"g", m.gain_offset},
      {"a", m.steps}};
}
static void from_json(const SortedJson& j, Matrix& m) {
  const SortedJson& r = j.at("r");
  m.role = {static_cast<Stack>(r[0].get<int>()), r[1].get<int>(), static_cast<Part>(r[2].get<int>()),
            r[3].get<int>(), static_cast<Kind>(r[4].get<int>())};
  j.at("t").get_to(m.tensor), j.at("m").get_to(m.rows), j.at("n").get_to(m.cols), j.at("v").get_to(m.vector);
  j.at("e").get_to(m.first_element), j.at("o").get_to(m.stored_rows);
  const SortedJson& s = j.at("s");
  m.slice = {s[0].get<std::uint64_t>(), s[1].get<std::uint64_t>(), s[2].get<std::uint64_t>(),
             s[3].get<std::uint64_t>(), s[4].get<std::uint64_t>()};
  j.at("x").get_to(m.transposed), j.at("g").get_to(m.gain_offset), j.at("a").get_to(m.steps);
}
static void to_json(SortedJson& j, const Subject& s) {
  j = SortedJson{
      {"a", s.analyzer}, {"p", s.path}, {"m", s.matrices}, {"c", s.companions}, {"o", s.parameters}};
  if (!s.stored.empty()) j["s"] = s.stored;
  if (s.file) j["f"] = *s.file;
  if (!s.anchored.empty()) j["h"] = s.anchored;
  if (s.half_distances) j["d"] = true;
}
static void from_json(const SortedJson& j, Subject& s) {
  j.at("a").get_to(s.analyzer), j.at("p").get_to(s.path), j.at("m").get_to(s.matrices);
  j.at("c").get_to(s.companions), j.at("o").get_to(s.parameters);
  if (j.contains("s")) j.at("s").get_to(s.stored);
  if (j.contains("f")) s.file = j.at("f").get<std::uint32_t>();
  if (j.contains("h")) j.at("h").get_to(s.anchored);
  s.half_distances = j.contains("d");
}
static void to_json(SortedJson& j, const WorkOrder& o) {
  j = SortedJson{{"i", o.item},     {"m", o.model},    {"f", o.files},   {"t", o.tensors},
                 {"x", o.matrices}, {"s", o.subjects}, {"n", o.streamed}};
  if (o.asks) j["a"] = true;
  if (!o.anchors.empty()) j["h"] = o.anchors;
  if (o.width != 0) j["d"] = o.width, j["l"] = o.arithmetic;
  if (!o.members.empty()) j["b"] = o.block, j["w"] = o.members;
}
static void from_json(const SortedJson& j, WorkOrder& o) {
  j.at("i").get_to(o.item), j.at("m").get_to(o.model), j.at("f").get_to(o.files), j.at("t").get_to(o.tensors);
  j.at("x").get_to(o.matrices), j.at("s").get_to(o.subjects), j.at("n").get_to(o.streamed);
  o.asks = j.contains("a");
  if (j.contains("h")) j.at("h").get_to(o.anchors);
  if (j.contains("d")) j.at("d").get_to(o.width), j.at("l").get_to(o.arithmetic);
  if (j.contains("w")) j.at("b").get_to(o.block), j.at("w").get_to(o.members);
}

std::vector<std::byte> encode(std::span<const WorkOrder> orders) {
  const auto cbor = SortedJson::to_cbor(SortedJson(std::vector<WorkOrder>(orders.begin(), orders.end())));
  const auto bytes = std::as_bytes(std::span(cbor));
  return {bytes.begin(), bytes.end()};
}

std::vector<WorkOrder> decode_orders(std::span<const std::byte> bytes) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return SortedJson::from_cbor(first, first + bytes.size()).get<std::vector<WorkOrder>>();
}

namespace {

/// A file as it was surveyed, whichever machine sees it; or its bytes, where they are known.
SortedJson identity(const SourceFile& file) {
  if (!file.content.empty()) return {{"c", file.content}};
  return {{"p", file.path}, {"b", file.bytes}, {"m", file.mtime_ns}, {"i", file.inode}};
}
SortedJson identity(const Decoding& decoding) {
  SortedJson j = decoding;
  for (std::size_t i = 0; i < decoding.parts.size(); ++i) {
    const SourceFile& file = decoding.parts[i].file;
    j["p"][i]["f"] = identity(file);
    if (file.decoding) j["p"][i]["e"] = identity(*file.decoding);
  }
  return j;
}
SortedJson identity(const StoredTensor& tensor, const WorkOrder& order) {
  SortedJson j = tensor;
  j["f"] = identity(order.files[tensor.file]);
  if (tensor.decoding) j["e"] = identity(*tensor.decoding);
  return j;
}
SortedJson identity(const Matrix& matrix, const WorkOrder& order) {
  SortedJson j = matrix;
  j["t"] = identity(order.tensors[matrix.tensor], order);
  return j;
}

SortedJson question_of(const WorkOrder& order, const Subject& subject) {
  const Method* method = method_named(subject.analyzer);
  SortedJson j{{"analyzer", subject.analyzer},
               {"version", method ? method->version() : 0},
               {"parameters", subject.parameters}};
  if (order.width != 0) j["width"] = order.width, j["arithmetic"] = order.arithmetic;
  return j;
}

Hash128 key_of(const SortedJson& json) {
  const std::vector<std::uint8_t> cbor = SortedJson::to_cbor(json);  // members in the order of their names
  return hash_of(std::as_bytes(std::span(cbor)));
}

}  // namespace

Hash128 work_key(const WorkOrder& order, const Subject& subject) {
  SortedJson j = question_of(order, subject);
  j["stemma-work"] = 2;
  j["subject"] = subject.path;
  for (const std::uint32_t m : subject.matrices) j["matrices"].push_back(identity(order.matrices[m], order));
  for (const std::uint32_t m : subject.companions)
    j["companions"].push_back(identity(order.matrices[m], order));
  for (const std::uint32_t m : subject.anchored) j["anchored"].push_back(identity(order.matrices[m], order));
  if (!subject.anchored.empty()) j["anchors"] = order.anchors;
  for (const std::uint32_t t : subject.stored) j["stored"].push_back(identity(order.tensors[t], order));
  if (subject.file) j["file"] = identity(order.files[*subject.file]);
  return key_of(j);
}

Hash128 content_key(const WorkOrder& order, const Subject& subject, std::span<const Hash128> contents) {
  SortedJson j = question_of(order, subject);
  j["stemma-content"] = 1;
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const Matrix& matrix = order.matrices[subject.matrices[i]];
    j["matrices"].push_back({{"dtype", static_cast<int>(order.tensors[matrix.tensor].dtype)},
                             {"rows", matrix.rows},
                             {"cols", matrix.cols},
                             {"content", hex(contents[i])}});
  }
  return key_of(j);
}

std::vector<Hash128> work_keys(const WorkOrder& order) {
  std::vector<Hash128> keys;
  for (const Subject& subject : order.subjects) keys.push_back(work_key(order, subject));
  return keys;
}

namespace {

constexpr std::size_t models_remembered = 8;

/// Copies what an order needs out of a model, each thing once, and tells its new index.
class Packer {
 public:
  Packer(WorkOrder& order, const Model& model) : order_(order), model_(model) {}

  std::uint32_t tensor(std::uint32_t index) {
    const auto [at, fresh] = tensors_.try_emplace(index, static_cast<std::uint32_t>(order_.tensors.size()));
    if (fresh) {
      StoredTensor copy = model_.checkpoint.tensors[index];
      copy.file = file(copy.file);
      order_.tensors.push_back(std::move(copy));
    }
    return at->second;
  }
  /// Also when it is there already: it is read once for each place that it has.
  void once_more(std::uint32_t index) {
    const bool known = tensors_.contains(index);
    const std::uint32_t first = tensor(index);
    if (!known) return;
    StoredTensor copy = order_.tensors[first];
    order_.tensors.push_back(std::move(copy));
  }
  std::uint32_t matrix(std::uint32_t index) {
    const auto [at, fresh] = matrices_.try_emplace(index, static_cast<std::uint32_t>(order_.matrices.size()));
    if (fresh) {
      Matrix copy = model_.matrices[index];
      copy.tensor = tensor(copy.tensor);
      order_.matrices.push_back(std::move(copy));
    }
    return at->second;
  }
  std::uint32_t file(std::uint32_t index) {
    const auto [at, fresh] = files_.try_emplace(index, static_cast<std::uint32_t>(order_.files.size()));
    if (fresh) order_.files.push_back(model_.checkpoint.files[index]);
    return at->second;
  }

 private:
  WorkOrder& order_;
  const Model& model_;
  std::map<std::uint32_t, std::uint32_t> files_, tensors_, matrices_;
};

}  // namespace

const std::vector<Subject>& OrderBook::subjects(std::uint32_t model) {
  const auto known =
      std::find_if(recent_.begin(), recent_.end(), [&](const auto& r) { return r.first == model; });
  if (known != recent_.end()) {
    recent_.splice(recent_.begin(), recent_, known);
  } else {
    recent_.emplace_front(model, subjects_of(models_[model], questions_));
    if (recent_.size() > models_remembered) recent_.pop_back();
  }
  return recent_.front().second;
}

WorkOrder OrderBook::order(std::uint32_t index, const Item& item) {
  const Model& model = *models_[item.model].model;
  WorkOrder order{.item = index, .model = item.model};
  order.asks = item.asks;
  if (rule_ == WidthRule::by_size) {
    order.width = item.width;
    order.arithmetic = arithmetic_;
  }
  Packer pack(order, model);
  for (const std::uint32_t t : item.tensors) pack.once_more(t);
  if (item.portion == Portion::half_distances)
    for (StoredTensor& tensor : order.tensors) tensor.decoding = half_distances_of(*tensor.decoding);
  order.streamed = static_cast<std::uint32_t>(order.tensors.size());
  for (const Subject& subject : subjects(item.model)) {
    if (subject.file || item.file) {
      if (subject.file != item.file) continue;
      order.subjects.push_back(subject);
      order.subjects.back().file = pack.file(*subject.file);
      continue;
    }
    if (!serves(item, subject, model, questions_)) continue;
    Subject copy = subject;
    for (std::uint32_t& m : copy.matrices) m = pack.matrix(m);
    for (std::uint32_t& m : copy.companions) m = pack.matrix(m);
    for (std::uint32_t& m : copy.anchored) m = pack.matrix(m);
    if (!copy.anchored.empty()) order.anchors = model.anchors.rows;
    for (std::uint32_t i = 0; i < copy.stored.size(); ++i)
      copy.stored[i] = copy.apart ? i : pack.tensor(copy.stored[i]);
    order.subjects.push_back(std::move(copy));
  }
  return order;
}

WorkOrder OrderBook::team_order(std::uint32_t index, const Item& item, int block,
                                std::span<const int> members) {
  WorkOrder team = order(index, item);
  team.block = block;
  team.members.assign(members.begin(), members.end());
  return team;
}

}  // namespace stemma
