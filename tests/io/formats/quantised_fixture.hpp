// What do tests of quantised checkpoints need: parts of all types made on the spot, values, and what was
// said?
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "io/formats/file_reader.hpp"
#include "io/formats/open_checkpoint.hpp"
#include "io/model/small_float.hpp"
#include "tests/io/formats/fixtures.hpp"

namespace stemma::fixtures {

struct StoredPart {
  std::string name, dtype;
  std::vector<std::uint64_t> shape;
  std::string bytes;
};

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// One checkpoint of one file, written when it is opened.
struct Forge {
  std::vector<StoredPart> parts;
  std::string config = R"({"model_type":"llama"})";

  template <class T>
  void put(std::string name, std::string dtype, std::vector<std::uint64_t> shape,
           const std::vector<T>& values) {
    parts.push_back({std::move(name), std::move(dtype), std::move(shape), bytes_of(values)});
  }
  StoredPart& part(const std::string& name) { return *std::ranges::find(parts, name, &StoredPart::name); }
  void remove(const std::string& name) {
    std::erase_if(parts, [&](const StoredPart& part) { return part.name == name; });
  }

  /// Parts lie as they come, so notes on their alignment are left out.
  Checkpoint open(const TemporaryDirectory& directory) const {
    std::string header = "{", data;
    for (const StoredPart& p : parts) {
      header += fmt::format(R"({}"{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})",
                            header == "{" ? "" : ",", p.name, p.dtype, fmt::join(p.shape, ","), data.size(),
                            data.size() + p.bytes.size());
      data += p.bytes;
    }
    directory.write("model.safetensors", safetensors(header + "}", data));
    directory.write("config.json", config);
    Checkpoint checkpoint = open_checkpoint(directory.path());
    std::erase_if(checkpoint.findings,
                  [](const Finding& finding) { return finding.rule == "safetensors.misaligned_data"; });
    return checkpoint;
  }
};

inline const StoredTensor* tensor_named(const Checkpoint& checkpoint, const std::string& name) {
  const auto found = std::ranges::find(checkpoint.tensors, name, &StoredTensor::name);
  return found == checkpoint.tensors.end() ? nullptr : &*found;
}

/// All values of a tensor of F32; half distances instead where asked for.
inline std::vector<float> values_of(const Checkpoint& checkpoint, const StoredTensor& tensor,
                                    bool half = false) {
  StoredTensor wanted = tensor;
  if (half) {
    auto decoding = std::make_shared<Decoding>(*tensor.decoding);
    decoding->half_distances = true;
    wanted.decoding = decoding;
  }
  std::vector<float> values(tensor.elements());
  FileReader reader;
  reader.read(source_of(checkpoint.files[wanted.file], wanted), wanted.offset,
              std::as_writable_bytes(std::span(values)));
  return values;
}

/// Values [first, first + count), read alone.
inline std::vector<float> run_of(const Checkpoint& checkpoint, const StoredTensor& tensor,
                                 std::uint64_t first, std::size_t count) {
  std::vector<float> values(count);
  FileReader reader;
  reader.read(source_of(checkpoint.files[tensor.file], tensor), first * sizeof(float),
              std::as_writable_bytes(std::span(values)));
  return values;
}

inline std::set<std::string> rules_of(const Checkpoint& checkpoint) {
  std::set<std::string> rules;
  for (const Finding& finding : checkpoint.findings) rules.insert(finding.rule);
  return rules;
}

/// Sets `bits` bits of a dense string, lowest first, one after the other.
inline void put_bits(std::string& string, std::uint64_t at, unsigned bits, unsigned code) {
  for (unsigned i = 0; i < bits; ++i)
    if ((code >> i & 1U) != 0) {
      const std::uint64_t bit = at + i;
      string[bit / 8] = static_cast<char>(static_cast<unsigned char>(string[bit / 8]) | 1U << bit % 8);
    }
}

/// Random codes below 2^bits; the first ones are the extremes.
inline std::vector<unsigned> random_codes(std::mt19937& random, std::size_t count, unsigned bits) {
  std::vector<unsigned> codes(count);
  for (unsigned& code : codes) code = static_cast<unsigned>(random() % (1U << bits));
  if (count > 1) codes[0] = 0, codes[1] = (1U << bits) - 1;
  return codes;
}

/// Codes of F16 numbers above 0, subnormal ones among them.
inline std::vector<std::uint16_t> random_halves(std::mt19937& random, std::size_t count) {
  std::vector<std::uint16_t> codes(count);
  for (std::uint16_t& code : codes) code = static_cast<std::uint16_t>(1 + random() % 0x4000);
  return codes;
}

inline float half_value(std::uint16_t code) { return static_cast<float>(decode(f16_format, code)); }

/// What removing, stretching, deepening and renaming the type of every part of `forge` leads to: no weight of
/// that name, and a finding with one of the rules.
inline std::string faults_that_pass(const Forge& forge, const std::string& weight,
                                    const std::set<std::string>& optional,
                                    const std::set<std::string>& free_shapes) {
  const TemporaryDirectory directory;
  std::string passed;
  const auto look = [&](const std::string& what, const Forge& broken, const std::set<std::string>& rules) {
    const Checkpoint checkpoint = broken.open(directory);
    const std::set<std::string> found = rules_of(checkpoint);
    const bool told =
        std::ranges::any_of(rules, [&](const std::string& rule) { return found.contains(rule); });
    const StoredTensor* tensor = tensor_named(checkpoint, weight);
    if (!told || (tensor != nullptr && tensor->decoding)) passed += what + "\n";
  };
  for (const StoredPart& part : forge.parts) {
    if (!optional.contains(part.name)) {
      Forge broken = forge;
      broken.remove(part.name);
      look("without " + part.name, broken, {"quant.missing_part"});
    }
    if (!free_shapes.contains(part.name) && !part.shape.empty()) {
      Forge broken = forge;
      StoredPart& longer = broken.part(part.name);
      longer.bytes += longer.bytes.substr(0, longer.bytes.size() / longer.shape[0]);
      ++longer.shape[0];
      look("longer " + part.name, broken, {"quant.shape", "quant.state_json"});
    }
    if (!free_shapes.contains(part.name)) {
      Forge deeper = forge;
      deeper.part(part.name).shape.insert(deeper.part(part.name).shape.begin(), {1, 1, 1});
      look("deeper " + part.name, deeper, {"quant.shape"});
    }
    Forge other = forge;
    StoredPart& retyped = other.part(part.name);
    const std::size_t width = retyped.dtype == "I64" || retyped.dtype == "F64"   ? 8
                              : retyped.dtype == "I32" || retyped.dtype == "F32" ? 4
                              : retyped.dtype == "F16" || retyped.dtype == "BF16" || retyped.dtype == "I16"
                                  ? 2
                                  : 1;
    retyped.dtype = width == 8 ? "F64" : width == 4 ? "U32" : width == 2 ? "U16" : "BOOL";
    look("retyped " + part.name, other, {"quant.shape", "quant.unsupported", "quant.missing_part"});
  }
  return passed;
}

}  // namespace stemma::fixtures
