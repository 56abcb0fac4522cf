// Where do two archives differ, and by how much?
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/archive/records.hpp"
#include "io/archive/source_rows.hpp"

namespace stemma {

/// rounding: numbers differ by no more than the tolerance of their column, or only in how they were found.
enum class Agreement : std::uint8_t { equal, rounding, different };

/// One column of one model or pair whose values differ.
struct ColumnDifference {
  std::string subject;  ///< id of a model, "A and B" for a pair, "" for what belongs to nobody
  std::string method;   ///< whose numbers these are
  std::string dataset;
  Agreement agreement = Agreement::different;
  std::uint64_t values = 0;  ///< that differ
  std::uint64_t of = 0;      ///< values compared; 0 when there are not as many in both
  /// Largest difference: of reals that may round, over the largest number of their row or piece; of other
  /// reals, over the larger of both; of integers, absolute. NaN for text and for columns of unequal length.
  double size = missing;
  std::string example;  ///< how the first value that differs reads: "1 here, 2 there"
};

struct ArchiveDifference {
  Agreement agreement = Agreement::equal;
  std::vector<std::string> only_here, only_there;  ///< models by id, pairs as "A and B"
  std::vector<std::string> methods;                ///< "spectrum: version 3 here, 4 there"
  std::vector<ColumnDifference> columns;           ///< in order of model, then of the layout
};

/// Compares the values of every column that enters a canonical hash, model by model and pair by pair by id,
/// wherever their rows lie. Memory: one column of one model. Throws StorageError.
ArchiveDifference difference_between(const SourceRows& here, const SourceRows& there);

}  // namespace stemma
