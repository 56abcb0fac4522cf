// Does every row of a fused tensor land where its tag says?
#include "io/model/architecture_split.hpp"

#include <gtest/gtest.h>

namespace stemma {
namespace {

/// A row of a fused tensor, tagged with the part that it belongs to and its number in the unfused matrix.
using Tag = std::pair<Part, std::uint64_t>;

Expression e(const std::string& text) { return Expression::parse(text); }
SplitPart piece(Part part, const std::string& size) { return {.part = part, .size = e(size)}; }
SplitPart range(Part part, const std::string& from, const std::string& to) {
  return {.part = part, .from = e(from), .to = e(to)};
}

/// Every row lands where its tag says, and every row lands somewhere.
void expect_rows(const Split& split, const Dims& dims, const std::vector<Tag>& fused) {
  const SplitResult result = slices_of(split, fused.size(), dims);
  ASSERT_EQ(result.slices.size(), split.parts.size()) << result.why;
  std::uint64_t rows = 0;
  for (const SplitSlice& slice : result.slices) {
    rows += slice.rows.rows();
    for (std::uint64_t r = 0; r < slice.rows.rows(); ++r) {
      ASSERT_LT(slice.rows.stored_row(r), fused.size());
      EXPECT_EQ(fused[slice.rows.stored_row(r)], Tag(slice.part, r));
    }
  }
  EXPECT_EQ(rows, fused.size());
}

void append(std::vector<Tag>& fused, Part part, std::uint64_t from, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) fused.emplace_back(part, from + i);
}

TEST(Split, ConcatenatedThirdsAndGroupedQueries) {
  const Split split{{},
                    0,
                    {piece(Part::attn_q, "heads * head_dim"), piece(Part::attn_k, "kv_heads * head_dim"),
                     piece(Part::attn_v, "kv_heads * head_dim")}};
  for (const std::uint64_t kv : {1U, 2U, 6U}) {
    std::vector<Tag> fused;
    append(fused, Part::attn_q, 0, 6 * 4);
    append(fused, Part::attn_k, 0, kv * 4);
    append(fused, Part::attn_v, 0, kv * 4);
    expect_rows(split, {{"heads", 6}, {"kv_heads", static_cast<std::int64_t>(kv)}, {"head_dim", 4}}, fused);
  }
}

TEST(Split, PerHead) {
  const Split split{
      {e("heads"), e("3"), e("head_dim")},
      1,
      {range(Part::attn_q, "0", "1"), range(Part::attn_k, "1", "2"), range(Part::attn_v, "2", "3")}};
  std::vector<Tag> fused;
  for (std::uint64_t head = 0; head < 5; ++head) {
    for (const Part part : {Part::attn_q, Part::attn_k, Part::attn_v}) append(fused, part, head * 8, 8);
  }
  expect_rows(split, {{"heads", 5}, {"head_dim", 8}}, fused);
}

TEST(Split, PerGroupOfQueries) {
  const Split split{{e("kv_heads"), e("heads / kv_heads + 2"), e("head_dim")},
                    1,
                    {range(Part::attn_q, "0", "heads / kv_heads"),
                     range(Part::attn_k, "heads / kv_heads", "heads / kv_heads + 1"),
                     range(Part::attn_v, "heads / kv_heads + 1", "heads / kv_heads + 2")}};
  for (const std::uint64_t kv : {1U, 2U, 8U}) {
    const std::uint64_t group = 8 / kv;
    std::vector<Tag> fused;
    for (std::uint64_t j = 0; j < kv; ++j) {
      append(fused, Part::attn_q, j * group * 4, group * 4);
      append(fused, Part::attn_k, j * 4, 4);
      append(fused, Part::attn_v, j * 4, 4);
    }
    expect_rows(split, {{"heads", 8}, {"kv_heads", static_cast<std::int64_t>(kv)}, {"head_dim", 4}}, fused);
  }
}

TEST(Split, HalvesAndInterleavedColumns) {
  std::vector<Tag> halves;
  append(halves, Part::mlp_gate, 0, 11);
  append(halves, Part::mlp_up, 0, 11);
  expect_rows({{}, 0, {piece(Part::mlp_gate, "inter"), piece(Part::mlp_up, "inter")}}, {{"inter", 11}},
              halves);
  std::vector<Tag> interleaved;
  for (std::uint64_t i = 0; i < 11; ++i) {
    append(interleaved, Part::mlp_gate, i, 1);
    append(interleaved, Part::mlp_up, i, 1);
  }
  expect_rows({{e("inter"), e("2")}, 1, {range(Part::mlp_gate, "0", "1"), range(Part::mlp_up, "1", "2")}},
              {{"inter", 11}}, interleaved);
}

TEST(Split, FourBlocksWithValuesBeforeKeys) {
  const Split split{
      {e("4"), e("3"), e("hidden / 4")},
      1,
      {range(Part::attn_q, "0", "1"), range(Part::attn_v, "1", "2"), range(Part::attn_k, "2", "3")}};
  std::vector<Tag> fused;
  for (std::uint64_t block = 0; block < 4; ++block) {
    for (const Part part : {Part::attn_q, Part::attn_v, Part::attn_k}) append(fused, part, block * 5, 5);
  }
  expect_rows(split, {{"hidden", 20}}, fused);
}

TEST(Split, HeadsStoredPairByPair) {
  Split split{{}, 0, {piece(Part::attn_q, "heads * 4"), piece(Part::attn_k, "8"), piece(Part::attn_v, "8")}};
  split.parts[0].paired_heads = e("heads");
  split.parts[1].paired_heads = e("2");
  const SplitResult result = slices_of(split, 32, {{"heads", 4}});
  ASSERT_EQ(result.slices.size(), 3U) << result.why;
  EXPECT_EQ(result.slices[0].rows.head, 4U);
  EXPECT_EQ(result.slices[1].rows.head, 4U);
  EXPECT_EQ(result.slices[2].rows.head, 0U);
  split.parts[1].paired_heads = e("8");
  EXPECT_EQ(slices_of(split, 32, {{"heads", 4}}).why,
            "8 rows of attn.k are no even number for each of 8 heads");
}

TEST(Split, SaysWhatItTook) {
  const SplitSlice third{Part::attn_k, {1, 128, 128, 128}};
  EXPECT_EQ(described(third, 384), "split attn.k 128:256 of 384");
  const SplitSlice heads{Part::attn_q, {4, 96, 0, 32}};
  EXPECT_EQ(described(heads, 384), "split attn.q 0:32 of every 96 of 384");
}

TEST(Split, IsExactOrNothing) {
  const Split concat{{}, 0, {piece(Part::mlp_gate, "inter"), piece(Part::mlp_up, "inter")}};
  EXPECT_TRUE(slices_of(concat, 21, {{"inter", 10}}).slices.empty());
  EXPECT_TRUE(slices_of(concat, 19, {{"inter", 10}}).slices.empty());
  EXPECT_TRUE(slices_of(concat, 0, {{"inter", 0}}).slices.empty());
  EXPECT_TRUE(slices_of(concat, 2, {{"inter", INT64_MAX}}).slices.empty());
  EXPECT_TRUE(slices_of(concat, 20, {}).unresolved);
  const auto view = [](const std::string& q_end, const std::string& k_begin, const std::string& k_end) {
    return Split{
        {e("heads"), e("3")}, 1, {range(Part::attn_q, "0", q_end), range(Part::attn_k, k_begin, k_end)}};
  };
  EXPECT_EQ(slices_of(view("1", "1", "3"), 12, {{"heads", 4}}).slices.size(), 2U);
  EXPECT_TRUE(slices_of(view("1", "1", "2"), 12, {{"heads", 4}}).slices.empty());  // a gap at the end
  EXPECT_TRUE(slices_of(view("1", "2", "3"), 12, {{"heads", 4}}).slices.empty());  // a gap between
  EXPECT_TRUE(slices_of(view("2", "1", "3"), 12, {{"heads", 4}}).slices.empty());  // an overlap
  EXPECT_TRUE(slices_of(view("1", "1", "4"), 12, {{"heads", 4}}).slices.empty());
  EXPECT_TRUE(slices_of(view("1", "1", "3"), 13, {{"heads", 4}}).slices.empty());
  EXPECT_TRUE(slices_of(view("1", "1", "3"), 12, {{"heads", INT64_MAX}}).slices.empty());
}

}  // namespace
}  // namespace stemma
