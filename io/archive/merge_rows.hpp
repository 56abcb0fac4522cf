// Which rows of which source stand where in a merged archive?
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "io/archive/merge_plan.hpp"

namespace stemma {

/// Rows of one source that follow each other in the merged table.
struct Piece {
  std::size_t source = 0;
  RowRange rows;
};

/// For every table the rows that the merged one consists of, in order: those of models and pairs with
/// everything that belongs to them, and those of nobody, equal ones once.
class MergedRows {
 public:
  /// `tables` are those of the sources, then that of pairs that were compared anew, whose models are the
  /// merged ones by index; nullptr for none. All must outlive it.
  MergedRows(const std::vector<MergeSource>& sources, const MergePlan& plan, const SourceRows* new_pairs);

  std::size_t sources() const { return tables_.size(); }
  const SourceRows& table(std::size_t source) const { return *tables_.at(source); }
  const std::vector<Piece>& pieces(const std::string& dimension) const { return pieces_.at(dimension); }
  /// Row of the merged table that a row of a source has become; no_row when it was left out.
  std::uint32_t row_of(const std::string& dimension, std::size_t source, std::uint64_t row) const;
  /// Pairs that several sources had compared.
  std::uint64_t repeated_pairs() const { return repeated_pairs_; }
  /// Models of a pair by merged index, in the order in which the source names them.
  using Models = std::pair<std::uint32_t, std::uint32_t>;
  const Models& models_of_pair(std::size_t source, std::uint64_t row) const {
    return pair_models_.at(source).at(row);
  }

 private:
  using RowMap = std::vector<std::vector<std::uint32_t>>;  // by source, by row

  void place_models(const MergePlan& plan, bool new_pairs);
  void place_runs(const std::vector<MergeSource>& sources);
  void place_pairs(const layout::RowKind& kind);
  void place_owned(const layout::RowKind& kind);
  void unite(const layout::RowKind& kind, std::size_t source, const std::vector<RowRange>& rows,
             std::map<std::string, Piece>& distinct) const;
  void number(const std::string& dimension);

  std::vector<const SourceRows*> tables_;
  std::map<std::string, std::vector<Piece>> pieces_;  ///< by dimension
  std::map<std::string, RowMap> maps_;                ///< by dimension
  std::vector<std::vector<Models>> pair_models_;      ///< by source, by row
  std::uint64_t repeated_pairs_ = 0;
};

}  // namespace stemma
