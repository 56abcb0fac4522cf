// Where in a zip archive does a tensor lie that a pickle would rebuild?
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/formats/pickle_graph.hpp"
#include "io/formats/zip_directory.hpp"
#include "io/model/finding.hpp"
#include "io/model/tensor.hpp"

namespace stemma {

/// Finds tensors among the storages of one archive, and says which of them share one.
class TorchTensors {
 public:
  /// All three must outlive it.
  TorchTensors(const PickleGraph& graph, const ZipDirectory& zip, const SourceFile& file);

  /// Every storage of the pickle is an entry of the size it states. Throws InvalidInput
  /// (pickle.persistent_id, pickle.storage_size).
  void require_storages() const;

  /// A view of a storage. Row after row where it lies so, else with a decoding (codec "strided"). Nothing,
  /// and a finding, for a type that is not read. Throws InvalidInput: pickle.tensor_malformed,
  /// pickle.rank_too_large, pickle.shape_overflow, pickle.tensor_bounds, pickle.overlapping_strides (more
  /// values than the file has bytes).
  std::optional<StoredTensor> place(const std::string& name, PickleRef tensor);

  /// pickle.dtype, pickle.overlapping_strides, and shared_storage for groups of tensors in one storage.
  std::vector<Finding> finish();

 private:
  struct Storage {
    const ZipEntry* entry = nullptr;
    std::optional<Dtype> dtype;  ///< nothing where the storage is bytes
    std::uint64_t elements = 0;  ///< as stated
  };
  struct Use {
    std::uint64_t storage = 0;  ///< offset of its entry
    std::string tensor;
  };
  Storage storage_of(PickleRef storage) const;
  void add(Finding finding);
  void add_shared();

  const PickleGraph& graph_;
  const ZipDirectory& zip_;
  const SourceFile& file_;
  std::string file_name_;
  std::vector<Use> uses_;
  std::vector<Finding> findings_;
  std::size_t left_out_ = 0;
};

}  // namespace stemma
