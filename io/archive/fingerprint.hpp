// What does Stemma keep of one model for comparisons?
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "io/archive/features.hpp"
#include "io/archive/neuron_sketch.hpp"
#include "io/model/checkpoint.hpp"
#include "io/model/role.hpp"

namespace stemma {

/// 128-bit XXH3 in canonical (big-endian) order: hi is the first eight bytes of the printed form.
struct Hash128 {
  std::uint64_t hi = 0;
  std::uint64_t lo = 0;
  auto operator<=>(const Hash128&) const = default;
};
std::string hex(const Hash128& hash);

/// What is known of one canonical tensor. Two tensors are equal in content when hash, dtype and shape agree.
struct TensorMark {
  std::string role;  ///< path_of(role)
  Hash128 content;
  Hash128
      histogram;  ///< of the exact histogram (codes and counts); equal with unequal content: a permutation
  std::uint8_t dtype = 0;
  std::uint64_t rows = 0;
  std::uint64_t cols = 0;
  std::uint64_t bytes = 0;
  std::uint64_t distinct = 0;  ///< distinct finite values; 1 for a constant tensor
  bool known = false;          ///< false: not measured (failed, skipped), the hashes mean nothing
};

/// Columns of /layers and /methods/intrinsic_fingerprint; the order is that of the archive.
inline constexpr std::array<const char*, 12> layer_parts = {
    "q", "k", "v", "o", "gate", "up", "down", "router", "norm_attn", "norm_mlp", "embed", "head"};
inline constexpr std::array<const char*, 4> qkvo_parts = {"q", "k", "v", "o"};
inline constexpr std::array<const char*, 4> twin_parts = {"qk", "ov", "ud", "g"};

/// One row per decoder layer, one column per part; NaN where a layer has no such part. Experts are pooled.
/// embed and head stand in the row of layer -1.
struct LayerTable {
  std::vector<int> layer;
  std::map<std::string, std::vector<double>> std_unbiased;  ///< by part name of layer_parts
  std::map<std::string, std::vector<double>> log_frobenius;
  std::map<std::string, std::vector<double>> kurtosis_excess;
  std::map<std::string, std::vector<std::uint64_t>> n_elements;
  std::map<std::string, std::vector<double>> s1;  ///< of spectra; NaN or absent without
  std::map<std::string, std::vector<double>> stable_rank;
  std::map<std::string, std::vector<double>> effective_rank;
};

/// Curves of intrinsic_fingerprint, one value per decoder layer in ascending order (methods:
/// analyzers/README.md).
struct IntrinsicCurves {
  std::vector<int> layer;
  std::array<std::vector<double>, 4> curve;  ///< std of q, k, v, o as stored
  std::array<std::vector<double>, 4> twin;   ///< qk, ov, ud, g: gauge-invariant
  std::array<std::vector<double>, 4> edge;   ///< lower bound of s1 / (std (sqrt m + sqrt n)) of q, k, v, o
  std::map<std::string, std::vector<double>>
      further;  ///< "bias.q", "norm_attn", "gate", "experts.up.mean", ...
  bool random_init = false;
  std::string random_init_reason;
};

/// Columns of /methods/tensorguard, as arXiv 2506.01631 names and orders them.
inline constexpr std::array<const char*, 15> guard_features = {
    "global_mean",    "global_std",     "global_norm",    "global_skewness", "global_kurtosis",
    "attention_mean", "attention_std",  "attention_norm", "ffn_mean",        "ffn_std",
    "ffn_norm",       "embedding_mean", "embedding_std",  "embedding_norm",  "num_layers"};
using GuardVector = std::array<double, guard_features.size()>;

/// Gradient responses of tensorguard, and those of Gaussian weights of the same shapes and names.
struct GuardResponse {
  GuardVector value{};
  GuardVector control{};
  bool operator==(const GuardResponse&) const = default;
};

/// Projections of a layer whose responses tensorguard repairs; the order is that of the archive.
inline constexpr std::array<const char*, 7> projection_parts = {"q", "k", "v", "o", "gate", "up", "down"};

/// Repaired responses of tensorguard, one value per decoder layer in ascending order; NaN where a layer has
/// no such projection or no response. Of experts: the mean of kurtoses, the root mean square of skewnesses.
struct RepairedCurves {
  using Curves = std::array<std::vector<double>, projection_parts.size()>;
  std::vector<int> layer;
  Curves kurtosis, skewness;
  /// The same of Gaussian weights: mean and standard deviation of the kurtosis, root mean square of the
  /// skewness.
  Curves kurtosis_control, kurtosis_spread, skewness_control;
};

/// Each curve with its name in archives and tables.
struct RepairedColumn {
  const char* name;
  RepairedCurves::Curves RepairedCurves::*curves;
};
inline constexpr std::array<RepairedColumn, 5> repaired_columns = {
    {{"repaired_kurtosis", &RepairedCurves::kurtosis},
     {"repaired_skewness", &RepairedCurves::skewness},
     {"control_repaired_kurtosis", &RepairedCurves::kurtosis_control},
     {"spread_repaired_kurtosis", &RepairedCurves::kurtosis_spread},
     {"control_repaired_skewness", &RepairedCurves::skewness_control}}};

enum class Use : std::uint8_t { subject, reference, background };
std::string_view name_of(Use use);

/// All features of one model that comparisons read. Made from fresh results or from an archive: the same
/// value.
struct Fingerprint {
  std::string id;
  std::string label;
  std::string family;
  Use use = Use::subject;
  Status status = Status::ok;
  int layers = 0;
  std::uint64_t parameters = 0;
  std::vector<Claim> declared;  ///< bases as ids
  std::vector<TensorMark> tensors;
  std::vector<std::uint32_t> by_content;    ///< tensors, by index, in ascending order of content_key
  std::vector<std::uint32_t> by_histogram;  ///< the same, of histogram_key
  LayerTable table;
  std::optional<IntrinsicCurves> intrinsic;
  std::optional<GuardResponse> guard;
  std::optional<RepairedCurves> repaired;
  std::optional<NeuronSketch> neurons;
};

/// Equal keys: the same values in the same order.
using TensorKey = std::tuple<Hash128, std::uint8_t, std::uint64_t, std::uint64_t>;
TensorKey content_key(const TensorMark& mark);
/// Equal keys: the same values, each as often, in any order.
TensorKey histogram_key(const TensorMark& mark);

/// Fills by_content and by_histogram, so that two models are merged in linear time. Called once by everything
/// that makes fingerprints, after the last mark is known.
void order_marks(Fingerprint& fingerprint);

}  // namespace stemma
