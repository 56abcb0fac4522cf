// Is the content hash what xxhsum prints, for every way of storing?
#include "analyzers/content.hpp"

#include <gtest/gtest.h>

#include "analyzers/content_hash.hpp"
#include "analyzers/histogram.hpp"
#include "toy_model.hpp"

namespace stemma {
namespace {

using namespace toy;

Hash128 hash_in(const Features& f) { return {f.counts.at("hash_hi"), f.counts.at("hash_lo")}; }

TEST(ContentHash, PublishedVectors) {
  // `printf '' | xxhsum -H128`
  EXPECT_EQ(ContentHash().finish(), (Hash128{0x99aa06d3014798d8U, 0x6001c324468d497fU}));
  ContentHash whole, pieces;
  std::vector<std::byte> bytes(100000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 31 % 251);
  whole.add(bytes);
  for (std::size_t at = 0; at < bytes.size(); at += 777) {
    pieces.add(std::span(bytes).subspan(at, std::min<std::size_t>(777, bytes.size() - at)));
  }
  EXPECT_EQ(whole.finish(), pieces.finish());
}

TEST(Content, StoredFormsAreHashedAsStoredToo) {
  const auto w = gaussian(12 * 8, 1, 1);
  std::vector<double> transposed(w.size());
  for (std::size_t i = 0; i < 12; ++i) {
    for (std::size_t j = 0; j < 8; ++j) transposed[j * 12 + i] = w[i * 8 + j];
  }
  ToyModel plain(Dtype::bf16), turned(Dtype::bf16);
  plain.add(role(0, Part::attn_o), 12, 8, w);
  turned.add_transposed(role(0, Part::attn_o), 12, 8, transposed);
  const Results a = measure_all(plain), b = measure_all(turned, 16);
  EXPECT_EQ(hash_in(a.at({"content", "layers/0/attn.o"})), hash_in(b.at({"content", "layers/0/attn.o"})));
  ContentHash stored;
  stored.add(turned.stored(0));
  EXPECT_EQ(hash_in(b.at({"content", "stored/layers/0/attn.o"})), stored.finish());
  ContentHash as_is;
  as_is.add(plain.stored(0));
  EXPECT_EQ(hash_in(a.at({"content", "layers/0/attn.o"})), as_is.finish());
  EXPECT_EQ(a.count({"content", "stored/layers/0/attn.o"}), 0U);
  EXPECT_EQ(b.at({"content", "layers/0/attn.o"}).counts.at("bytes"), 12U * 8 * 2);
}

TEST(Content, BuffersAreNotFingerprinted) {
  ToyModel model(Dtype::f32);
  model.add(role(0, Part::attn_q), 2, 2, std::vector<double>{1, 2, 3, 4});
  model.add(role(0, Part::buffer), 2, 2, std::vector<double>{1, 0, 1, 1});
  EXPECT_EQ(content_analyzer().subjects(model.model, {}).size(), 1U);
  EXPECT_EQ(fingerprint_of(model).tensors.size(), 1U);
}

TEST(Histogram, VectorsAreKeptWhole) {
  ToyModel model(Dtype::bf16);
  model.add(role(0, Part::norm_pre_attn), 4, 0, std::vector<double>{1, 0.5, -2, 0.25});
  model.add(role(0, Part::attn_q), 2, 2, std::vector<double>{1, 2, 3, 4});
  const Results results = measure_all(model);
  const Features& gain = results.at({"histogram", "layers/0/norm.pre_attn"});
  EXPECT_EQ(gain.reals.at("vector"), (std::vector<double>{1, 0.5, -2, 0.25}));
  EXPECT_EQ(results.at({"histogram", "layers/0/attn.q"}).reals.count("vector"), 0U);
}

TEST(Histogram, FeaturesRoundTripAndAreVerified) {
  for (const Dtype dtype : {Dtype::bf16, Dtype::f32, Dtype::f64}) {
    ToyModel model(dtype);
    model.add(role(0, Part::attn_q), 64, 32, gaussian(64 * 32, 0.02, 3));
    Features f = measure_all(model).at({"histogram", "layers/0/attn.q"});
    EXPECT_TRUE(check_histogram(f, dtype).empty());
    Statistics again{*histogram_of(f, dtype), moments_of(f)};
    Features copy = features_of(again);
    copy.analyzer = f.analyzer;
    copy.subject = f.subject;
    EXPECT_EQ(copy, f);
    ++f.integers.at("count")[0];
    EXPECT_FALSE(check_histogram(f, dtype).empty());
  }
}

}  // namespace
}  // namespace stemma
