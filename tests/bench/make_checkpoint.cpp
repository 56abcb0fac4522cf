// Which checkpoint has the shapes of a real language model, without anybody having to download one?
// make_checkpoint SHAPE DIRECTORY [--layers N] [--scale 1] [--shards N] [--seed 1]
//
// SHAPE is tinyllama, llama3-8b or mixtral: names, shapes and shards of the original, bf16 weights drawn from
// a normal distribution by a counter (seed, name of the tensor, position), so that a tensor has the same
// bytes however the files are cut. --layers takes the first N layers, --scale divides hidden size,
// feed-forward size and vocabulary. Memory stays below 50 MB whatever the size.
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "analyzers/numerics/philox.hpp"

namespace stemma {
namespace {

using Json = nlohmann::ordered_json;
using Shape = std::vector<std::uint64_t>;

struct Dimensions {
  std::uint64_t layers, hidden, heads, kv_heads, feed_forward, vocabulary, experts, shards;
};

const std::map<std::string, Dimensions> originals = {
    {"tinyllama", {22, 2048, 32, 4, 5632, 32000, 0, 1}},
    {"llama3-8b", {32, 4096, 32, 8, 14336, 128256, 0, 4}},
    {"mixtral", {32, 4096, 32, 8, 14336, 32000, 8, 19}},
};

struct Tensor {
  std::string name;
  Shape shape;
  double mean, spread;

  std::uint64_t elements() const {
    std::uint64_t n = 1;
    for (const std::uint64_t d : shape) n *= d;
    return n;
  }
};

std::vector<Tensor> tensors_of(const Dimensions& d) {
  std::vector<Tensor> tensors;
  const double spread = 1 / std::sqrt(static_cast<double>(d.hidden));
  const auto matrix = [&](std::string name, std::uint64_t rows, std::uint64_t cols) {
    tensors.push_back({std::move(name), {rows, cols}, 0, spread});
  };
  const auto gain = [&](std::string name) { tensors.push_back({std::move(name), {d.hidden}, 1, 0.1}); };
  matrix("model.embed_tokens.weight", d.vocabulary, d.hidden);
  const std::uint64_t kv = d.hidden / d.heads * d.kv_heads;
  for (std::uint64_t layer = 0; layer < d.layers; ++layer) {
    const std::string at = fmt::format("model.layers.{}.", layer);
    gain(at + "input_layernorm.weight");
    matrix(at + "self_attn.q_proj.weight", d.hidden, d.hidden);
    matrix(at + "self_attn.k_proj.weight", kv, d.hidden);
    matrix(at + "self_attn.v_proj.weight", kv, d.hidden);
    matrix(at + "self_attn.o_proj.weight", d.hidden, d.hidden);
    gain(at + "post_attention_layernorm.weight");
    if (d.experts == 0) {
      matrix(at + "mlp.gate_proj.weight", d.feed_forward, d.hidden);
      matrix(at + "mlp.up_proj.weight", d.feed_forward, d.hidden);
      matrix(at + "mlp.down_proj.weight", d.hidden, d.feed_forward);
      continue;
    }
    matrix(at + "block_sparse_moe.gate.weight", d.experts, d.hidden);
    for (std::uint64_t expert = 0; expert < d.experts; ++expert) {
      const std::string of = fmt::format("{}block_sparse_moe.experts.{}.", at, expert);
      matrix(of + "w1.weight", d.feed_forward, d.hidden);
      matrix(of + "w2.weight", d.hidden, d.feed_forward);
      matrix(of + "w3.weight", d.feed_forward, d.hidden);
    }
  }
  gain("model.norm.weight");
  matrix("lm_head.weight", d.vocabulary, d.hidden);
  return tensors;
}

Json config_of(const Dimensions& d) {
  const bool mixture = d.experts != 0;
  Json config{{"architectures", {mixture ? "MixtralForCausalLM" : "LlamaForCausalLM"}},
              {"model_type", mixture ? "mixtral" : "llama"},
              {"hidden_act", "silu"},
              {"hidden_size", d.hidden},
              {"intermediate_size", d.feed_forward},
              {"num_hidden_layers", d.layers},
              {"num_attention_heads", d.heads},
              {"num_key_value_heads", d.kv_heads},
              {"vocab_size", d.vocabulary},
              {"tie_word_embeddings", false},
              {"torch_dtype", "bfloat16"}};
  if (mixture) config["num_local_experts"] = d.experts;
  return config;
}

/// The 65,536 quantiles of the standard normal distribution at (i + 1/2) / 65,536.
std::vector<double> normal_quantiles() {
  constexpr std::size_t n = 65536;
  std::vector<double> quantiles(n);
  double low = 0;  // they ascend: each search begins at the last one
  for (std::size_t i = n / 2; i < n; ++i) {
    const double beyond = 2 * (1 - (static_cast<double>(i) + 0.5) / n);  // both tails
    double left = low, right = 6;
    while (right - left > 1e-12) {
      const double middle = (left + right) / 2;
      (std::erfc(middle / std::sqrt(2.0)) > beyond ? left : right) = middle;
    }
    low = left;
    quantiles[i] = left;
    quantiles[n - 1 - i] = -left;
  }
  return quantiles;
}

std::uint16_t nearest_bf16(double value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16U & 1U)) >> 16U);
}

std::uint32_t fnv1a(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
  return hash;
}

/// Draws tensors and appends them to files.
class Weights {
 public:
  explicit Weights(std::uint32_t seed) : seed_(seed) {}

  void append(const Tensor& tensor, std::ofstream& out) {
    for (std::size_t i = 0; i < codes_.size(); ++i)
      codes_[i] = nearest_bf16(tensor.mean + tensor.spread * quantiles_[i]);
    const std::array<std::uint32_t, 2> key{seed_, fnv1a(tensor.name)};
    const std::uint64_t elements = tensor.elements();
    for (std::uint64_t at = 0; at < elements; at += block_.size()) {
      const std::size_t count = std::min<std::uint64_t>(block_.size(), elements - at);
      for (std::size_t i = 0; i < count; i += 8) {
        const std::uint64_t counter = (at + i) / 8;
        const auto words = philox(
            {static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32U), 0, 0}, key);
        for (std::size_t w = 0; w < 4; ++w) {
          block_[i + 2 * w] = codes_[words[w] & 0xFFFFU];
          block_[i + 2 * w + 1] = codes_[words[w] >> 16U];
        }
      }
      out.write(reinterpret_cast<const char*>(block_.data()), static_cast<std::streamsize>(2 * count));
    }
  }

 private:
  std::uint32_t seed_;
  std::vector<double> quantiles_ = normal_quantiles();
  std::vector<std::uint16_t> codes_ = std::vector<std::uint16_t>(quantiles_.size());
  std::vector<std::uint16_t> block_ = std::vector<std::uint16_t>(std::size_t{4} << 20);  // a multiple of 8
};

void write_file(const std::filesystem::path& path, std::span<const Tensor> tensors, Weights& weights) {
  Json header{{"__metadata__", {{"format", "pt"}}}};
  std::uint64_t end = 0;
  for (const Tensor& tensor : tensors) {
    const std::uint64_t begin = end;
    end += 2 * tensor.elements();
    header[tensor.name] = {{"dtype", "BF16"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&length), sizeof length);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  for (const Tensor& tensor : tensors) weights.append(tensor, out);
  out.close();
  if (!out) throw std::runtime_error(fmt::format("{} could not be written", path.string()));
}

/// Consecutive tensors, with as many bytes in each shard as can be.
std::vector<std::span<const Tensor>> sharded(const std::vector<Tensor>& tensors, std::uint64_t shards) {
  std::uint64_t total = 0, seen = 0;
  for (const Tensor& tensor : tensors) total += tensor.elements();
  std::vector<std::span<const Tensor>> parts;
  std::size_t first = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    seen += tensors[i].elements();
    const bool last = i + 1 == tensors.size();
    if (!last && (parts.size() + 1 == shards || seen * shards < total * (parts.size() + 1))) continue;
    parts.push_back(std::span(tensors).subspan(first, i + 1 - first));
    first = i + 1;
  }
  return parts;
}

void make(Dimensions d, std::uint32_t seed, const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "config.json") << config_of(d).dump(2) << '\n';
  const std::vector<Tensor> tensors = tensors_of(d);
  Weights weights(seed);
  std::uint64_t bytes = 0;
  for (const Tensor& tensor : tensors) bytes += 2 * tensor.elements();
  const auto parts = sharded(tensors, d.shards);
  Json index{{"metadata", {{"total_size", bytes}}}, {"weight_map", Json::object()}};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string name = parts.size() == 1
                                 ? "model.safetensors"
                                 : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, parts.size());
    write_file(directory / name, parts[i], weights);
    for (const Tensor& tensor : parts[i]) index["weight_map"][tensor.name] = name;
  }
  if (parts.size() > 1) std::ofstream(directory / "model.safetensors.index.json") << index.dump(2) << '\n';
  fmt::print("{{\"tensors\": {}, \"bytes\": {}, \"files\": {}}}\n", tensors.size(), bytes, parts.size());
}

/// `size` divided by `scale`; the rest of the model needs a whole number.
std::uint64_t divided(std::uint64_t size, std::uint64_t scale) {
  if (size % scale != 0) throw std::runtime_error(fmt::format("{} cannot be divided by {}", size, scale));
  return size / scale;
}

int run(int argc, char** argv) {
  const auto known = argc > 2 ? originals.find(argv[1]) : originals.end();
  if (known == originals.end() || argc % 2 == 0) {
    fmt::print(stderr,
               "make_checkpoint tinyllama|llama3-8b|mixtral DIRECTORY [--layers N] [--scale N] "
               "[--shards N] [--seed N]\n");
    return 2;
  }
  Dimensions d = known->second;
  std::uint64_t scale = 1, seed = 1;
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
    std::uint64_t* const target = option == "--layers"   ? &d.layers
                                  : option == "--scale"  ? &scale
                                  : option == "--shards" ? &d.shards
                                  : option == "--seed"   ? &seed
                                                         : nullptr;
    if (target == nullptr || value == 0) throw std::runtime_error(fmt::format("{} {}?", option, argv[i + 1]));
    *target = value;
  }
  d.hidden = divided(d.hidden, scale);
  d.feed_forward = divided(d.feed_forward, scale);
  d.vocabulary = divided(d.vocabulary, scale);
  divided(d.hidden, 2 * d.heads);  // rotary positions turn pairs
  make(d, static_cast<std::uint32_t>(seed), argv[2]);
  return 0;
}

}  // namespace
}  // namespace stemma

int main(int argc, char** argv) {
  try {
    return stemma::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "make_checkpoint: {}\n", error.what());
    return 1;
  }
}
