// Do the files of a model together hold what they should, each tensor once?
#pragma once
#include <vector>

#include "io/formats/model_files.hpp"
#include "io/model/checkpoint.hpp"

namespace stemma {

/// Opens every file and fills files, tensors and findings of the checkpoint. Contradictions become findings;
/// the model is unusable when one of them is an error. Reads weights only to compare two tensors of one name
/// that no index tells apart. A model of one file is refused by throwing InvalidInput.
void assemble(const ModelFiles& files, Checkpoint& checkpoint);

}  // namespace stemma
