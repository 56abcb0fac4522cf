// The names that torch.save writes, and those that exploits use.
#include "io/formats/pickle_globals.hpp"

#include <algorithm>
#include <array>

namespace stemma {
namespace {

struct GlobalRow {
  std::string_view name;
  GlobalKind kind;
};
constexpr std::array global_rows{
    GlobalRow{"collections.OrderedDict", GlobalKind::dict},
    GlobalRow{"collections.Counter", GlobalKind::dict},
    GlobalRow{"builtins.set", GlobalKind::set},
    GlobalRow{"__builtin__.set", GlobalKind::set},
    GlobalRow{"torch._utils._rebuild_tensor", GlobalKind::rebuild_tensor},
    GlobalRow{"torch._utils._rebuild_tensor_v2", GlobalKind::rebuild_tensor},
    GlobalRow{"torch._utils._rebuild_tensor_v3", GlobalKind::rebuild_tensor_v3},
    GlobalRow{"torch._utils._rebuild_parameter", GlobalKind::rebuild_parameter},
    GlobalRow{"torch._utils._rebuild_parameter_with_state", GlobalKind::rebuild_parameter},
    GlobalRow{"torch._tensor._rebuild_from_type_v2", GlobalKind::rebuild_from_type},
    GlobalRow{"torch.Size", GlobalKind::shape},
    GlobalRow{"torch.device", GlobalKind::plain},
    GlobalRow{"torch.Tensor", GlobalKind::plain},
    GlobalRow{"torch.nn.parameter.Parameter", GlobalKind::plain},
    GlobalRow{"torch.nn.parameter.Buffer", GlobalKind::plain},
    GlobalRow{"_codecs.encode", GlobalKind::plain},
    GlobalRow{"numpy.dtype", GlobalKind::plain},
    GlobalRow{"numpy.core.multiarray.scalar", GlobalKind::plain},
    GlobalRow{"numpy._core.multiarray.scalar", GlobalKind::plain},
};

struct TypeName {
  std::string_view name;
  std::optional<Dtype> dtype;
};
constexpr std::array storages{
    TypeName{"FloatStorage", Dtype::f32},     TypeName{"DoubleStorage", Dtype::f64},
    TypeName{"HalfStorage", Dtype::f16},      TypeName{"BFloat16Storage", Dtype::bf16},
    TypeName{"LongStorage", Dtype::i64},      TypeName{"IntStorage", Dtype::i32},
    TypeName{"ShortStorage", Dtype::i16},     TypeName{"CharStorage", Dtype::i8},
    TypeName{"ByteStorage", Dtype::u8},       TypeName{"BoolStorage", Dtype::boolean},
    TypeName{"UntypedStorage", std::nullopt}, TypeName{"ComplexFloatStorage", Dtype::c64},
};
constexpr std::array<std::string_view, 6> other_storages{"ComplexDoubleStorage", "QInt8Storage",
                                                         "QUInt8Storage",        "QInt32Storage",
                                                         "QUInt4x2Storage",      "QUInt2x4Storage"};
constexpr std::array dtypes{
    TypeName{"float32", Dtype::f32},
    TypeName{"float64", Dtype::f64},
    TypeName{"float16", Dtype::f16},
    TypeName{"bfloat16", Dtype::bf16},
    TypeName{"int64", Dtype::i64},
    TypeName{"int32", Dtype::i32},
    TypeName{"int16", Dtype::i16},
    TypeName{"int8", Dtype::i8},
    TypeName{"uint8", Dtype::u8},
    TypeName{"uint16", Dtype::u16},
    TypeName{"uint32", Dtype::u32},
    TypeName{"uint64", Dtype::u64},
    TypeName{"bool", Dtype::boolean},
    TypeName{"complex64", Dtype::c64},
    TypeName{"float8_e4m3fn", Dtype::f8_e4m3},
    TypeName{"float8_e5m2", Dtype::f8_e5m2},
    TypeName{"float8_e4m3fnuz", Dtype::f8_e4m3fnuz},
    TypeName{"float8_e5m2fnuz", Dtype::f8_e5m2fnuz},
    TypeName{"float8_e8m0fnu", Dtype::f8_e8m0},
    TypeName{"complex32", std::nullopt},
    TypeName{"complex128", std::nullopt},
};

/// Modules that reach the system whatever is called in them.
constexpr std::array<std::string_view, 8> hostile_modules{"os",         "posix", "nt",     "sys",
                                                          "subprocess", "runpy", "socket", "webbrowser"};
constexpr std::array<std::string_view, 8> hostile_builtins{"eval",       "exec", "getattr",  "compile",
                                                           "__import__", "open", "execfile", "apply"};

bool begins_with_module(std::string_view name, std::string_view module) {
  return name.size() > module.size() && name.starts_with(module) && name[module.size()] == '.';
}

bool is_hostile(std::string_view name) {
  if (std::ranges::any_of(hostile_modules, [&](std::string_view m) { return begins_with_module(name, m); }))
    return true;
  for (const std::string_view module : {"builtins", "__builtin__"})
    if (begins_with_module(name, module))
      return std::ranges::find(hostile_builtins, name.substr(module.size() + 1)) != hostile_builtins.end();
  return false;
}

}  // namespace

Global global_named(std::string_view name) {
  const auto row = std::ranges::find(global_rows, name, &GlobalRow::name);
  if (row != global_rows.end()) return {row->kind, std::nullopt};
  if (is_hostile(name)) return {GlobalKind::hostile, std::nullopt};
  for (const std::string_view module : {"torch", "torch.cuda", "torch.storage"}) {
    if (!begins_with_module(name, module)) continue;
    const std::string_view rest = name.substr(module.size() + 1);
    const auto storage = std::ranges::find(storages, rest, &TypeName::name);
    if (storage != storages.end()) return {GlobalKind::storage, storage->dtype};
    if (std::ranges::find(other_storages, rest) != other_storages.end())
      return {GlobalKind::other_storage, std::nullopt};
    const auto dtype = std::ranges::find(dtypes, rest, &TypeName::name);
    if (module == "torch" && dtype != dtypes.end()) return {GlobalKind::dtype, dtype->dtype};
  }
  return {};
}

}  // namespace stemma
