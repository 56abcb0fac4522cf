// What would a name in a pickle be once imported, so that nobody needs to import it?
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "io/model/dtype.hpp"

namespace stemma {

enum class GlobalKind : std::uint8_t {
  dict,            ///< collections.OrderedDict, collections.Counter
  set,             ///< builtins.set
  storage,         ///< torch.FloatStorage, ...: its type is dtype, nothing for torch.storage.UntypedStorage
  other_storage,   ///< of a type that is not read: torch.ComplexDoubleStorage, torch.QInt8Storage, ...
  rebuild_tensor,  ///< torch._utils._rebuild_tensor and _v2: the storage says the type
  rebuild_tensor_v3,  ///< the call says the type
  rebuild_parameter,  ///< its first argument is the tensor
  rebuild_from_type,  ///< calls its first argument with the third
  dtype,              ///< torch.float32, ...; dtype is nothing for types that are not read
  shape,              ///< torch.Size
  plain,              ///< harmless and of no use here
  hostile,            ///< would run code when unpickled
  unexpected,         ///< everything else
};

struct Global {
  GlobalKind kind = GlobalKind::unexpected;
  std::optional<Dtype> dtype;
};

/// `name` is "module.name".
Global global_named(std::string_view name);

}  // namespace stemma
