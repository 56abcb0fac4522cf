// Which tensors does a file of torch.save hold, without unpickling it?
#pragma once
#include <string_view>

#include "io/formats/container.hpp"

namespace stemma {

/// Whether the first bytes begin a zip archive.
bool resembles_torch_zip(std::string_view head);

/// Opens a zip archive of torch.save: directory, checksum of its pickle, state dict, storages. Nothing in it
/// is executed, imported or decompressed. Throws InvalidInput: zip.* (zip_directory.hpp), zip.mangled_text,
/// zip.byteorder, format.refused (TorchScript, other archives), pickle.* (pickle.hpp, torch_state_dict.hpp,
/// torch_tensor.hpp), unexpected_global, and what the reader throws.
Container open_torch_zip(const SourceFile& file, ByteReader& reader);

}  // namespace stemma
