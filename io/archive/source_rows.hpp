// Which rows of an archive belong to one of its models, and what do they say?
#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/archive/ownership.hpp"
#include "io/archive/table_reader.hpp"

namespace stemma {

struct RowRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;

  std::uint64_t end() const { return first + count; }
  bool operator==(const RowRange&) const = default;
};

inline constexpr std::uint32_t no_row = std::numeric_limits<std::uint32_t>::max();

/// Appends a range; one that goes on where the last one ends is joined to it.
void append(std::vector<RowRange>& ranges, RowRange next);

/// The tables of one archive by owner. Throws StorageError.
class SourceRows {
 public:
  explicit SourceRows(h5::File file)
      : file_(std::make_unique<const h5::File>(std::move(file))), table_(*file_) {}

  const TableReader& table() const { return table_; }
  const h5::File& file() const { return *file_; }
  std::uint64_t extent(const std::string& dimension) const;

  /// Rows of a kind that belong to one row of their owner, ascending.
  const std::vector<RowRange>& owned(const layout::RowKind& kind, std::uint64_t owner) const;
  /// Rows whose owner is missing.
  std::vector<RowRange> unowned(const layout::RowKind& kind) const;
  /// Rows of a kind that belong to a row of `root`, directly or through others. Throws std::logic_error for a
  /// kind that does not.
  std::vector<RowRange> below(const std::string& root, std::uint64_t row, const layout::RowKind& kind) const;
  std::vector<RowRange> of_model(const layout::RowKind& kind, std::uint64_t model) const {
    return below("model", model, kind);
  }

 private:
  struct ByOwner {
    std::vector<std::vector<RowRange>> rows;
    std::vector<RowRange> unowned;
  };
  const ByOwner& by_owner(const layout::RowKind& kind) const;

  std::unique_ptr<const h5::File> file_;
  TableReader table_;
  mutable std::map<std::string, ByOwner> by_owner_;
};

}  // namespace stemma
