// How are the columns of several archives written one behind the other?
#pragma once
#include <vector>

#include "io/archive/merge_rows.hpp"
#include "io/archive/model_rows.hpp"
#include "io/archive/table_writer.hpp"

namespace stemma {

/// Fills every column of the layout that is not derived: values as they are, references and starts counted
/// anew, ids as planned, /provenance with what the sources say of their runs elsewhere. Returns the contents
/// of all tensors, from which the derived columns follow.
std::vector<ContentKey> write_merged_tables(TableWriter& out, const std::vector<MergeSource>& sources,
                                            const MergePlan& plan, const MergedRows& rows);

}  // namespace stemma
