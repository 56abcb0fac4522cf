// Are two tensors the same bytes? The content key of a tensor is (XXH3-128 of its bytes, type, shape).
//
// The bytes are those of the canonical matrix in its stored type, row by row, so that a fused q|k|v tensor
// and three separate ones agree; where nothing was split or transposed they are the stored bytes themselves.
// What is stored in another form is hashed as stored too (subject "stored/NAME"), for comparison with `xxhsum
// -H128`. XXH3 resists accidents, not adversaries: equal keys say "equal in content hash", never more.
#include "analyzers/content.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "analyzers/content_hash.hpp"
#include "analyzers/tensor_marks.hpp"
#include "io/archive/sha256.hpp"

namespace stemma {

namespace {

std::string file_subject(std::uint32_t file) { return fmt::format("files/{}", file); }

class HashMeasurement : public Measurement {
 public:
  void take_elements(std::size_t, std::span<const std::byte> elements) override { add(elements); }
  void take_stored(std::size_t, std::span<const std::byte> bytes) override { add(bytes); }
  Features finish() override {
    const Hash128 hash = hash_.finish();
    Features features;
    features.counts = {{"hash_hi", hash.hi}, {"hash_lo", hash.lo}, {"bytes", bytes_}};
    return features;
  }

 private:
  void add(std::span<const std::byte> bytes) {
    hash_.add(bytes);
    bytes_ += bytes.size();
  }
  ContentHash hash_;
  std::uint64_t bytes_ = 0;
};

class FileDigest : public Measurement {
 public:
  void take_stored(std::size_t, std::span<const std::byte> bytes) override {
    hash_.add(bytes);
    bytes_ += bytes.size();
  }
  Features finish() override {
    Features features;
    features.counts = {{"bytes", bytes_}};
    features.integers["sha256"] = big_endian_words(hash_.finish());
    return features;
  }

 private:
  static std::vector<std::uint64_t> big_endian_words(const Sha256::Digest& digest) {
    std::vector<std::uint64_t> words(digest.size() / 8);
    for (std::size_t i = 0; i < digest.size(); ++i)
      words[i / 8] = words[i / 8] << 8 | std::to_integer<std::uint64_t>(digest[i]);
    return words;
  }
  Sha256 hash_;
  std::uint64_t bytes_ = 0;
};

class Content : public Analyzer {
 public:
  std::string_view name() const override { return "content"; }
  int version() const override { return 1; }

  std::vector<Subject> subjects(const Model& model,
                                const std::map<std::string, double>& options) const override {
    std::vector<Subject> out;
    if (const auto sha256 = options.find("sha256"); sha256 != options.end() && sha256->second != 0) {
      for (std::uint32_t file = 0; file < model.checkpoint.files.size(); ++file) {
        out.push_back(about(file_subject(file)));
        out.back().file = file;
      }
    }
    std::set<std::uint32_t> rearranged;
    for (const std::uint32_t i : fingerprinted_matrices(model)) {
      const Matrix& matrix = model.matrices[i];
      if (!matrix.as_stored()) rearranged.insert(matrix.tensor);
      Subject subject = about(subject_of(matrix, model));
      const bool packed = bits_of(model.checkpoint.tensors[matrix.tensor].dtype) < 8;
      if (packed && !matrix.as_stored())
        continue;  // rows may begin inside a byte; the tensor as stored remains
      if (packed) {
        subject.stored = {matrix.tensor};
      } else {
        subject.matrices = {i};
      }
      out.push_back(std::move(subject));
    }
    for (const std::uint32_t tensor : rearranged) {
      Subject subject = about("stored/" + model.checkpoint.tensors[tensor].name);
      subject.stored = {tensor};
      out.push_back(std::move(subject));
    }
    std::sort(out.begin(), out.end(), [](const Subject& a, const Subject& b) { return a.path < b.path; });
    return out;
  }

  Cost cost(const Subject& subject, std::span<const Input> inputs) const override {
    Cost cost;
    cost.memory = 1024;
    if (subject.file) return cost;  // the bytes are known to whoever plans
    for (const Input& input : inputs) {
      cost.bytes +=
          static_cast<double>(input.rows) * static_cast<double>(input.cols) * bits_of(input.dtype) / 8;
    }
    return cost;
  }

  std::unique_ptr<Measurement> begin(const Subject& subject, std::span<const Input>,
                                     std::span<const std::vector<double>>) const override {
    if (subject.file) return std::make_unique<FileDigest>();
    return std::make_unique<HashMeasurement>();
  }

  void summarise(const Model& model, const FeatureSource& features, const std::map<std::string, double>&,
                 Fingerprint& fingerprint) const override {
    for (TensorMark& mark : tensor_marks(model, fingerprint)) {
      const auto found = measured(features, name(), mark.role);
      mark.known = found.has_value();
      if (found) mark.content = {count_in(*found, "hash_hi"), count_in(*found, "hash_lo")};
    }
  }

 private:
  static Subject about(std::string path) {
    Subject subject;
    subject.analyzer = "content";
    subject.path = std::move(path);
    return subject;
  }
};

}  // namespace

std::string sha256_of_file(const FeatureSource& features, std::uint32_t file) {
  const auto found = measured(features, "content", file_subject(file));
  if (!found) return "";
  std::string text;
  for (const std::uint64_t word : found->integers.at("sha256")) text += fmt::format("{:016x}", word);
  return text;
}

const Analyzer& content_analyzer() {
  static const Content content;
  return content;
}

}  // namespace stemma
