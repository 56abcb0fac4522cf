// The layout says of each column what happens to it, so that new tables travel without a word here.
#include "io/archive/merge_tables.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

namespace stemma {
namespace {

using layout::PlacedColumn;
using Json = nlohmann::ordered_json;

constexpr std::uint64_t block_rows = 65536;

template <class Sink>
void each_block(const std::vector<Piece>& pieces, const Sink& sink) {
  for (const Piece& piece : pieces)
    for (std::uint64_t at = piece.rows.first; at < piece.rows.end(); at += block_rows)
      sink(piece.source, at, std::min(block_rows, piece.rows.end() - at));
}

class TableMerger {
 public:
  TableMerger(TableWriter& out, const std::vector<MergeSource>& sources, const MergePlan& plan,
              const MergedRows& rows)
      : out_(out), sources_(sources), plan_(plan), rows_(rows) {}

  void write() {
    for (const layout::RowKind& kind : layout::row_kinds())
      for (const PlacedColumn& column : kind.columns) write(kind, column);
  }

 private:
  void write(const layout::RowKind& kind, const PlacedColumn& placed) {
    const layout::Column& column = *placed.column;
    if (column.type == h5::Type::str) return write_texts(kind, placed);
    if (!column.starts.empty()) return write_starts(kind, placed);
    if (!column.refers.empty()) return write_references(kind, placed);
    if (column.turns) return write_directions(kind, placed);
    if (column.dims.size() == 2 && axis_of(placed).dimension->scale == layout::Scale::found_labels)
      return write_labelled(kind, placed);
    const std::string path = placed.path();
    each_block(rows_.pieces(kind.dimension), [&](std::size_t source, std::uint64_t at, std::uint64_t count) {
      out_.put_block(path, rows_.table(source).table().read_bytes(path, column.type, at, count), count);
    });
  }

  static layout::PlacedDimension axis_of(const PlacedColumn& placed) {
    return layout::find_dimension(*placed.group, placed.column->dims[1]);
  }

  void write_texts(const layout::RowKind& kind, const PlacedColumn& placed) {
    const std::string path = placed.path();
    std::uint64_t merged = 0;
    each_block(rows_.pieces(kind.dimension), [&](std::size_t source, std::uint64_t at, std::uint64_t count) {
      const auto texts = rows_.table(source).table().text(path, at, count);
      for (std::uint64_t i = 0; i < count; ++i)
        out_.put(path, told_anew(kind, placed, source, at + i, merged++, texts[i]));
    });
  }

  /// What a text of a source says in the merged archive.
  std::string told_anew(const layout::RowKind& kind, const PlacedColumn& placed, std::size_t source,
                        std::uint64_t row, std::uint64_t merged, const std::string& text) const {
    if (kind.dimension == "run")
      return sources_[source].run_text(placed.column->name, static_cast<std::uint32_t>(row));
    if (kind.dimension != "model") return text;
    if (placed.column->name == "id") return plan_.models[merged].id;
    if (placed.column->name == "declared_base") return id_now(source, text);
    if (placed.column->name == "declared_json") {
      Json claims = Json::parse(text);
      for (Json& claim : claims) claim["base"] = id_now(source, claim.at("base").get<std::string>());
      return claims.dump();
    }
    return text;
  }

  /// What the model of a source that had this id is called; the id itself when the source has no such model.
  std::string id_now(std::size_t source, const std::string& id) const {
    const auto& ids = sources_[source].ids();
    const auto found = std::ranges::lower_bound(ids, id);
    if (found == ids.end() || *found != id) return id;
    const auto row = static_cast<std::uint64_t>(found - ids.begin());
    return plan_.models[rows_.row_of("model", source, row)].id;
  }

  void write_starts(const layout::RowKind& kind, const PlacedColumn& placed) {
    const std::string path = placed.path();
    const std::string length = layout::path_in(*placed.group, placed.column->length);
    std::uint64_t next = 0;
    each_block(rows_.pieces(kind.dimension), [&](std::size_t source, std::uint64_t at, std::uint64_t count) {
      const TableReader& table = rows_.table(source).table();
      const auto starts = table.read<std::uint64_t>(path, at, count);
      const auto lengths = table.read<std::uint32_t>(length, at, count);
      for (std::uint64_t i = 0; i < count; ++i) {
        if (placed.column->sentinel && starts[i] == ~std::uint64_t{0}) {
          out_.put_missing(path);
          continue;
        }
        out_.put(path, next);
        next += lengths[i];
      }
    });
  }

  void write_references(const layout::RowKind& kind, const PlacedColumn& placed) {
    const std::string path = placed.path();
    const std::string target = layout::path_of_referred(*placed.column);
    const bool second = kind.owner_columns.size() == 2 && path == kind.owner_columns[1];
    each_block(rows_.pieces(kind.dimension), [&](std::size_t source, std::uint64_t at, std::uint64_t count) {
      auto indexes = rows_.table(source).table().read<std::uint32_t>(path, at, count);
      for (std::uint32_t& index : indexes)
        if (index != no_row) index = rows_.row_of(target, source, index);
      if (kind.owner_columns.size() == 2)
        for (std::uint64_t i = 0; i < count; ++i) {
          const auto& [a, b] = rows_.models_of_pair(source, at + i);
          indexes[i] = second ? std::max(a, b) : std::min(a, b);
        }
      out_.put_block(path, std::as_bytes(std::span(indexes)), count);
    });
  }

  /// New ids may put the models of a pair in another order.
  void write_directions(const layout::RowKind& kind, const PlacedColumn& placed) {
    const std::string path = placed.path();
    each_block(rows_.pieces(kind.dimension), [&](std::size_t source, std::uint64_t at, std::uint64_t count) {
      auto values = rows_.table(source).table().read<std::int32_t>(path, at, count);
      for (std::uint64_t i = 0; i < count; ++i) {
        const auto& [a, b] = rows_.models_of_pair(source, at + i);
        if (a > b) values[i] = -values[i];
      }
      out_.put_block(path, std::as_bytes(std::span(values)), count);
    });
  }

  void write_labelled(const layout::RowKind& kind, const PlacedColumn& placed) {
    const std::string path = placed.path();
    const std::string axis = axis_of(placed).path;
    const std::vector<std::string> labels = labels_in_order(kind, placed);
    for (const std::string& label : labels) out_.label(axis, path, label);
    each_block(rows_.pieces(kind.dimension), [&](std::size_t source, std::uint64_t at, std::uint64_t count) {
      const TableReader& table = rows_.table(source).table();
      const auto theirs = table.text(axis);
      const auto values = table.read<double>(path, at, count);
      for (std::uint64_t i = 0; i < count; ++i) {
        std::vector<double> row(labels.size(), std::numeric_limits<double>::quiet_NaN());
        for (std::size_t j = 0; j < theirs.size(); ++j)
          row[static_cast<std::size_t>(std::ranges::find(labels, theirs[j]) - labels.begin())] =
              values[i * theirs.size() + j];
        out_.put_row(path, row);
      }
    });
  }

  /// As one run finds them: by the first model that has a value, then by name; those without any last.
  std::vector<std::string> labels_in_order(const layout::RowKind& kind, const PlacedColumn& placed) const {
    const std::string path = placed.path();
    const std::string axis = axis_of(placed).path;
    const auto model_column =
        std::ranges::find_if(kind.columns, [](const PlacedColumn& c) { return c.column->refers == "model"; });
    std::map<std::string, std::uint32_t> first;  // label -> merged model
    each_block(rows_.pieces(kind.dimension), [&](std::size_t source, std::uint64_t at, std::uint64_t count) {
      const TableReader& table = rows_.table(source).table();
      const auto theirs = table.text(axis);
      const auto values = table.read<double>(path, at, count);
      const auto models = table.read<std::uint32_t>(model_column->path(), at, count);
      for (std::size_t j = 0; j < theirs.size(); ++j) {
        std::uint32_t& model = first.try_emplace(theirs[j], no_row).first->second;
        for (std::uint64_t i = 0; i < count; ++i)
          if (!std::isnan(values[i * theirs.size() + j]))
            model = std::min(model, rows_.row_of("model", source, models[i]));
      }
    });
    std::vector<std::string> labels;
    for (const auto& entry : first) labels.push_back(entry.first);
    std::ranges::stable_sort(labels, {}, [&](const std::string& label) { return first.at(label); });
    return labels;
  }

  TableWriter& out_;
  const std::vector<MergeSource>& sources_;
  const MergePlan& plan_;
  const MergedRows& rows_;
};

std::vector<ContentKey> contents_of(const MergedRows& rows) {
  std::vector<ContentKey> keys;
  std::uint32_t merged = 0;
  each_block(rows.pieces("tensor"), [&](std::size_t source, std::uint64_t at, std::uint64_t count) {
    const TableReader& table = rows.table(source).table();
    const auto high = table.read<std::uint64_t>("tensors/content_hash_hi", at, count);
    const auto low = table.read<std::uint64_t>("tensors/content_hash_lo", at, count);
    const auto height = table.read<std::uint64_t>("tensors/rows", at, count);
    const auto width = table.read<std::uint64_t>("tensors/cols", at, count);
    const auto dtype = table.read<std::uint8_t>("tensors/dtype", at, count);
    for (std::uint64_t i = 0; i < count; ++i, ++merged)
      if (high[i] != ~std::uint64_t{0} || low[i] != ~std::uint64_t{0})
        keys.push_back({.hash = {high[i], low[i]},
                        .rows = height[i],
                        .cols = width[i],
                        .tensor = merged,
                        .dtype = static_cast<Dtype>(dtype[i])});
  });
  return keys;
}

}  // namespace

std::vector<ContentKey> write_merged_tables(TableWriter& out, const std::vector<MergeSource>& sources,
                                            const MergePlan& plan, const MergedRows& rows) {
  TableMerger(out, sources, plan, rows).write();
  return contents_of(rows);
}

}  // namespace stemma
