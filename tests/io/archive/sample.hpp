// A small corpus made by hand: what analyzers would have found in three models, one of them unreadable.
#pragma once
#include <xxhash.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "io/archive/archive_writer.hpp"
#include "io/model/dtype.hpp"

namespace stemma::sample {

/// A directory that is gone when the test is.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "stemma_archive_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

using FeatureMap = std::map<std::pair<std::string, std::string>, Features>;

inline FeatureSource source_of(const FeatureMap& map) {
  return [&map](std::string_view analyzer, std::string_view subject) -> std::optional<Features> {
    const auto found = map.find({std::string(analyzer), std::string(subject)});
    return found == map.end() ? std::nullopt : std::optional(found->second);
  };
}

inline Features content_features(const std::string& subject, const std::string& bytes_name) {
  Features f{.analyzer = "content", .subject = subject};
  const XXH128_hash_t hash = XXH3_128bits(bytes_name.data(), bytes_name.size());
  f.counts = {{"hash_hi", hash.high64}, {"hash_lo", hash.low64}, {"bytes", 1}};
  return f;
}

/// `elements` values over `bins` codes; half of them positive, one NaN, one zero of each sign.
inline Features histogram_features(const std::string& subject, std::uint64_t elements, std::uint64_t bins,
                                   bool wide) {
  Features f{.analyzer = "histogram", .subject = subject};
  std::vector<std::uint64_t> codes(bins);
  std::vector<std::uint64_t> counts(bins, elements / bins);
  for (std::uint64_t i = 0; i < bins; ++i) codes[i] = 7 * i + subject.size();
  counts.back() += elements % bins;
  if (wide) {
    f.integers["low_sum"] = counts;
    f.integers["low_square_sum"] = codes;
  }
  f.integers["code"] = std::move(codes);
  f.integers["count"] = std::move(counts);
  f.counts = {{"n", elements},
              {"n_nan", 1},
              {"n_pos_inf", 0},
              {"n_neg_inf", 0},
              {"n_pos_zero", 1},
              {"n_neg_zero", 1},
              {"n_subnormal", 0},
              {"n_positive", (elements - 3) / 2},
              {"n_negative", elements - 3 - (elements - 3) / 2},
              {"n_distinct", bins},
              {"kind", wide ? 3U : 0U},
              {"exactness", wide ? 1U : 0U},
              {"digest_hi", elements * 3},
              {"digest_lo", elements * 5}};
  double value = static_cast<double>(subject.size());
  for (const char* name : {"mean", "variance", "std_unbiased", "skewness", "kurtosis_excess", "frobenius_sq",
                           "l1", "min", "max", "abs_max", "abs_min_nonzero", "entropy_bits"})
    f.numbers[name] = value = std::sqrt(value + 1.25);
  f.reals["quantile"].resize(13);
  std::iota(f.reals["quantile"].begin(), f.reals["quantile"].end(), -6.0);
  return f;
}

/// k values in geometric descent whose squares add up to `frobenius_sq`; the last one is below tau.
inline Features spectrum_features(const std::string& subject, std::uint64_t rows, std::uint64_t cols,
                                  double frobenius_sq) {
  Features f{.analyzer = "spectrum", .subject = subject};
  auto& values = f.reals["value"];
  values.resize(std::min(rows, cols));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::pow(0.5, static_cast<double>(i));
  values.back() = 1e-12;
  const double squares = std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
  for (double& s : values) s *= std::sqrt(frobenius_sq / squares);
  const double e = 16 * std::sqrt(static_cast<double>(values.size())) * 0x1p-53 * values[0] * values[0];
  double other = static_cast<double>(subject.size());
  for (const char* name : {"stable_rank", "effective_rank", "entropy", "energy_rank", "participation_ratio",
                           "tail_exponent", "condition", "trace_gap", "square_gap", "probe_gap", "norm_gap",
                           "min_eigenvalue", "crosscheck_gap", "e_bound"})
    f.numbers[name] = other = std::sqrt(other + 1.25);
  f.numbers["s1"] = values[0];
  f.numbers["e_estimate"] = e;
  f.numbers["tau"] = std::sqrt(e);
  f.numbers["frobenius_sq"] = frobenius_sq;
  f.counts = {{"rows", rows},         {"cols", cols},   {"error_model", 0},
              {"count_below_tau", 1}, {"method", 6},    {"attempts", 2},
              {"exact_products", 1},  {"grid_rows", 2}, {"grid_cols", 4}};
  return f;
}

/// A model with as-stored matrices, a vector, a transposed fused tensor with three views, and a buffer.
inline Model model_of(const std::string& id) {
  Model m;
  m.family = "llama";
  m.checkpoint.location = "/models/" + id;
  m.checkpoint.format = "safetensors";
  m.checkpoint.config_json = R"({"name": ")" + id + R"("})";
  m.checkpoint.claims = {{"alpha", "finetune", "README.md"}};
  m.checkpoint.files = {{.path = "/models/" + id + "/model.safetensors",
                         .bytes = 4096,
                         .mtime_ns = -5,
                         .header_bytes = 512,
                         .filesystem = "local"}};
  const auto store = [&](std::string name, Dtype dtype, std::vector<std::uint64_t> shape) {
    StoredTensor t{.name = std::move(name), .dtype = dtype, .shape = std::move(shape)};
    t.offset = 512;
    t.bytes = t.elements() * bits_of(dtype) / 8;
    m.checkpoint.tensors.push_back(t);
  };
  store("a.buffer", Dtype::i64, {1, 16});
  store("embed.weight", Dtype::bf16, {32, 8});
  store("layers.0.norm", Dtype::f32, {8});
  store("layers.0.q", Dtype::bf16, {8, 8});
  store("layers.1.qkv", Dtype::f32, {8, 24});
  store("z.rotary", Dtype::f32, {1, 4});
  const auto add = [&](std::uint32_t tensor, Role role, std::uint64_t rows, std::uint64_t cols,
                       std::string steps) {
    Matrix x{.role = role,
             .tensor = tensor,
             .rows = rows,
             .cols = cols,
             .vector = cols == 1,
             .stored_rows = rows,
             .slice = {1, rows, 0, rows}};
    x.transposed = !steps.empty();
    x.steps = std::move(steps);
    m.matrices.push_back(x);
  };
  add(1, {.part = Part::embed}, 32, 8, "");
  add(3, {.layer = 0, .part = Part::attn_q}, 8, 8, "");
  add(2, {.layer = 0, .part = Part::norm_pre_attn}, 8, 1, "");
  add(4, {.layer = 1, .part = Part::attn_q}, 8, 8, "transpose; split 1/3");
  add(4, {.layer = 1, .part = Part::attn_k}, 8, 8, "transpose; split 2/3");
  add(4, {.layer = 1, .part = Part::attn_v}, 8, 8, "transpose; split 3/3");
  add(5, {.layer = 1, .part = Part::buffer}, 1, 4, "");
  return m;
}

/// Everything that was put into the archive, so that tests can compare what comes out.
struct Corpus {
  std::vector<Model> models;
  std::vector<FeatureMap> features;
  std::vector<Fingerprint> fingerprints;  ///< of alpha, beta, gamma; gamma is unreadable
  std::vector<Pair> pairs;
  Failure failure;
  ModelFinding finding;
};

inline FeatureMap features_of(const Model& model, const std::string& id) {
  FeatureMap map;
  for (const Matrix& m : model.matrices) {
    if (m.role.part == Part::buffer) continue;  // analyzers do not measure them
    const std::string path = path_of(m.role);
    const StoredTensor& stored = model.checkpoint.tensors[m.tensor];
    // alpha and beta share the embedding, nothing else
    map[{"content", path}] = content_features(path, path == "embed" ? path : id + path);
    Features h = histogram_features(path, m.elements(), std::min<std::uint64_t>(5, m.elements()),
                                    stored.dtype == Dtype::f32);
    if (m.vector) h.reals["vector"] = {1, 2, 3, 4, 5, 6, 7, std::nextafter(8.0, 9.0)};
    if (!m.vector)
      map[{"spectrum", path}] = spectrum_features(path, m.rows, m.cols, h.numbers.at("frobenius_sq"));
    map[{"histogram", path}] = h;
  }
  map[{"content", "stored/layers.1.qkv"}] = content_features("stored/layers.1.qkv", id + "qkv");
  // One item that failed: beta's k of layer 1.
  if (id == "beta") {
    map[{"histogram", "layers/1/attn.k"}] = {.analyzer = "histogram",
                                             .subject = "layers/1/attn.k",
                                             .status = Status::failed,
                                             .problem = "short read"};
    map.erase({"content", "layers/1/attn.k"});
  }
  return map;
}

inline Fingerprint fingerprint_of(const Model& model, const std::string& id, const FeatureMap& features) {
  Fingerprint f;
  f.id = id;
  f.label = "Model " + id;
  f.family = model.family;
  f.layers = 2;
  f.parameters = 1234;
  f.declared = model.checkpoint.claims;
  for (const Matrix& m : model.matrices) {
    if (m.role.part == Part::buffer) continue;
    const StoredTensor& stored = model.checkpoint.tensors[m.tensor];
    TensorMark mark{.role = path_of(m.role),
                    .dtype = static_cast<std::uint8_t>(stored.dtype),
                    .rows = m.rows,
                    .cols = m.cols,
                    .bytes = m.elements() * bits_of(stored.dtype) / 8};
    if (const auto c = features.find({"content", mark.role}); c != features.end()) {
      mark.content = {c->second.counts.at("hash_hi"), c->second.counts.at("hash_lo")};
      mark.known = true;
    }
    const Features& h = features.at({"histogram", mark.role});
    if (h.status == Status::ok) {
      mark.histogram = {h.counts.at("digest_hi"), h.counts.at("digest_lo")};
      mark.distinct = h.counts.at("n_distinct");
    }
    f.tensors.push_back(mark);
  }
  f.table.layer = {-1, 0, 1};
  for (const char* part : layer_parts) {
    f.table.std_unbiased[part] = f.table.log_frobenius[part] =
        f.table.kurtosis_excess[part] = {missing, missing, missing};
    f.table.n_elements[part] = {0, 0, 0};
  }
  f.table.std_unbiased["q"] = {missing, 0.02, id == "alpha" ? 0.021 : 0.5};
  f.table.log_frobenius["q"] = {missing, 1.5, 2.5};
  f.table.kurtosis_excess["q"] = {missing, -0.25, 3};
  for (auto* column : {&f.table.s1, &f.table.stable_rank, &f.table.effective_rank}) {
    for (const char* part : layer_parts) (*column)[part] = {missing, missing, missing};
    (*column)["q"] = {missing, 0.25, static_cast<double>(id.size())};
  }
  f.table.n_elements["q"] = {0, 64, 64};
  f.table.std_unbiased["embed"] = {0.04, missing, missing};
  f.table.log_frobenius["embed"] = {3.5, missing, missing};
  f.table.kurtosis_excess["embed"] = {0.5, missing, missing};
  f.table.n_elements["embed"] = {256, 0, 0};
  IntrinsicCurves c;
  c.layer = {0, 1};
  for (std::size_t j = 0; j < 4; ++j) {
    const double x = static_cast<double>(j);
    c.curve[j] = {x, x + 0.5};
    c.twin[j] = {10 * x, missing};
    c.edge[j] = {1.5, 1.25 + x};
  }
  c.further["norm_attn"] = {0.75, 0.875};
  if (id == "beta") {
    c.further["gate"] = {missing, 4};
    c.random_init = true;
    c.random_init_reason = "every curve is flat";
  }
  f.intrinsic = c;
  f.guard = GuardResponse{};
  f.guard->value.fill(0.5);
  f.guard->control.fill(0.25);
  if (id == "beta") return f;
  RepairedCurves repaired;
  repaired.layer = {0, 1};
  for (const auto& [name, curves] : repaired_columns) (repaired.*curves).fill({missing, missing});
  repaired.kurtosis[0] = {2.75, missing};
  repaired.skewness[0] = {0.125, missing};
  repaired.kurtosis_control[0] = {2.5, missing};
  repaired.kurtosis_spread[0] = {0.75, missing};
  repaired.skewness_control[0] = {0.5, missing};
  f.repaired = repaired;
  return f;
}

inline Corpus make_corpus() {
  Corpus c;
  for (const std::string id : {"alpha", "beta"}) {
    c.models.push_back(model_of(id));
    c.features.push_back(features_of(c.models.back(), id));
    c.fingerprints.push_back(fingerprint_of(c.models.back(), id, c.features.back()));
  }
  c.fingerprints.push_back({.id = "gamma", .label = "Model gamma", .status = Status::failed});
  Pair pair{
      .a = 0, .b = 1, .relation = Relation::abstain, .reason = "too_few_layers", .sentence = "ABSTAIN."};
  pair.evidence.push_back({.method = "intrinsic_fingerprint",
                           .statistic = "mean r",
                           .null = "none valid",
                           .score = 0.9375,
                           .background_percentile = 12.5,
                           .background_n = 84,
                           .background = "six",
                           .control = 0.5,
                           .grade = Grade::N,
                           .role = "",
                           .abstain = "too_few_layers",
                           .detail_json = R"({"r_q": 1})"});
  pair.evidence.push_back(
      {.method = "content", .statistic = "equal tensors", .score = 1, .grade = Grade::G, .role = "embed"});
  c.pairs = {pair, {.a = 0, .b = 2}, {.a = 1, .b = 2}};
  c.failure = {.model = "beta",
               .item = "histogram layers/1/attn.k",
               .stage = Stage::read,
               .rule = "file.short_read",
               .sentence = "the file ends",
               .suggestion = "download it again",
               .attempts = 2,
               .quarantined = true,
               .rank = 3,
               .node = "n1",
               .seconds = 0.5,
               .when = "2026-01-01T00:00:00Z"};
  c.finding = {"gamma",
               {.severity = Severity::error,
                .rule = "safetensors.offset_hole",
                .file = "x.safetensors",
                .tensor = "bad\xFFname",
                .byte_offset = 42,
                .expected = "1",
                .found = "2",
                .hint = "h"}};
  return c;
}

inline ArchiveWriter filled_writer(const Corpus& c, const std::filesystem::path& path,
                                   ArchiveChunks chunks = {}) {
  ArchiveWriter writer(path, "test", chunks);
  for (std::size_t i = 0; i < 3; ++i) {
    ModelEntry entry{.id = c.fingerprints[i].id,
                     .label = c.fingerprints[i].label,
                     .path = "/models/" + c.fingerprints[i].id,
                     .revision = "main",
                     .status = c.fingerprints[i].status};
    if (i < c.models.size()) {
      entry.model = &c.models[i];
      entry.fingerprint = &c.fingerprints[i];
    }
    static const FeatureMap nothing;
    writer.add_model(entry, source_of(i < c.features.size() ? c.features[i] : nothing));
  }
  writer.add_failure(c.failure);
  writer.add_finding(c.finding.model, c.finding.finding);
  for (const Pair& pair : c.pairs) writer.add_pair(pair);
  writer.add_background("intrinsic_fingerprint", "six", std::vector<double>{0.25, 0.5, 0.75});
  const std::vector<MethodRecord> methods = {{"intrinsic_fingerprint", 3, "arXiv 2507.03014", "{}"}};
  writer.set_methods(methods);
  writer.set_provenance({.software_version = "0.1.0", .uuid = "u-1", .ranks = 4, .hosts = {{.name = "n1"}}});
  writer.set_plan({.digest = "d",
                   .work = 8,
                   .items = {{.model = "alpha",
                              .name = "embed.weight",
                              .width = 2,
                              .predicted_seconds = 1,
                              .status = Status::ok}}});
  writer.set_config("a: 1\n", "# mine\na: 1\n", "");
  return writer;
}

inline ArchiveHashes write_sample(const Corpus& c, const std::filesystem::path& path,
                                  ArchiveChunks chunks = {}) {
  return filled_writer(c, path, chunks).publish();
}

}  // namespace stemma::sample
