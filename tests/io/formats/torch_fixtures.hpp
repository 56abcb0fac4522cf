// How does a test make archives as torch.save writes them, sound ones and others, byte by byte?
#pragma once
#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/io/formats/raw_bytes.hpp"

namespace stemma::fixtures {

using namespace std::string_literals;

inline void put16(std::string& bytes, std::size_t at, std::uint16_t value) {
  bytes.replace(at, 2, raw(value));
}
inline void put32(std::string& bytes, std::size_t at, std::uint32_t value) {
  bytes.replace(at, 4, raw(value));
}
inline void put64(std::string& bytes, std::size_t at, std::uint64_t value) {
  bytes.replace(at, 8, raw(value));
}

/// Variants of one archive that real writers make.
struct ZipLayout {
  bool descriptors = true;        ///< bit 3: checksum and sizes follow the data, and are 0 before it
  bool wide_descriptors = false;  ///< with sizes of 64 bits
  bool padded = true;             ///< data begin at multiples of 64, behind an extra field "FB"
  bool zip64 = true;              ///< a second end record, and its locator
};

struct Zip {
  std::string bytes;
  std::vector<std::size_t> local, data, central;  ///< where each entry's parts begin
  std::size_t directory = 0, end64 = 0, end = 0;
};

using ZipContent = std::vector<std::pair<std::string, std::string>>;

inline Zip zip_of(const ZipContent& entries, const ZipLayout& layout = {}) {
  Zip zip;
  std::string& out = zip.bytes;
  const std::uint16_t flags = layout.descriptors ? 0x0808 : 0x0800;
  std::vector<std::uint32_t> crcs;
  for (const auto& [name, data] : entries) {
    zip.local.push_back(out.size());
    const auto crc =
        static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
    crcs.push_back(crc);
    const auto size = static_cast<std::uint32_t>(data.size());
    const std::size_t unpadded = out.size() + 30 + name.size() + 4;
    const std::size_t padding = layout.padded ? (64 - unpadded % 64) % 64 : 0;
    const std::string extra =
        layout.padded ? "FB"s + raw(static_cast<std::uint16_t>(padding)) + std::string(padding, 'Z') : "";
    out += "PK\3\4\0\0"s + raw(flags) + "\0\0\0\0\0\0"s + raw(layout.descriptors ? 0U : crc) +
           raw(layout.descriptors ? 0U : size) + raw(layout.descriptors ? 0U : size) +
           raw(static_cast<std::uint16_t>(name.size())) + raw(static_cast<std::uint16_t>(extra.size())) +
           name + extra;
    zip.data.push_back(out.size());
    out += data;
    if (layout.descriptors && layout.wide_descriptors)
      out += "PK\7\10"s + raw(crc) + raw(std::uint64_t{size}) + raw(std::uint64_t{size});
    else if (layout.descriptors)
      out += "PK\7\10"s + raw(crc) + raw(size) + raw(size);
  }
  zip.directory = out.size();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    zip.central.push_back(out.size());
    const auto size = static_cast<std::uint32_t>(entries[i].second.size());
    out += "PK\1\2\0\0\0\0"s + raw(flags) + "\0\0\0\0\0\0"s + raw(crcs[i]) + raw(size) + raw(size) +
           raw(static_cast<std::uint16_t>(entries[i].first.size())) + std::string(12, '\0') +
           raw(static_cast<std::uint32_t>(zip.local[i])) + entries[i].first;
  }
  const std::size_t directory_bytes = out.size() - zip.directory;
  zip.end64 = out.size();
  const auto count = static_cast<std::uint16_t>(entries.size());
  if (layout.zip64) {
    out += "PK\6\6"s + raw(std::uint64_t{44}) + "\0\0\0\0"s + raw(0U) + raw(0U) + raw(std::uint64_t{count}) +
           raw(std::uint64_t{count}) + raw(std::uint64_t{directory_bytes}) +
           raw(std::uint64_t{zip.directory});
    out += "PK\6\7"s + raw(0U) + raw(std::uint64_t{zip.end64}) + raw(1U);
  }
  zip.end = out.size();
  out += "PK\5\6\0\0\0\0"s + raw(count) + raw(count) + raw(static_cast<std::uint32_t>(directory_bytes)) +
         raw(static_cast<std::uint32_t>(zip.directory)) + "\0\0"s;
  return zip;
}

/// Pieces of a pickle of protocol 2.
namespace pickled {

inline std::string text(std::string_view text) {
  return "X" + raw(static_cast<std::uint32_t>(text.size())) + std::string(text);
}
inline std::string number(std::int64_t value) {
  if (value >= 0 && value < 256) return "K" + raw(static_cast<std::uint8_t>(value));
  if (value == static_cast<std::int32_t>(value)) return "J" + raw(static_cast<std::int32_t>(value));
  return "\x8A\x08"s + raw(value);
}
inline std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
inline std::string tuple(const std::vector<std::int64_t>& numbers) {
  std::string out = "(";
  for (const std::int64_t value : numbers) out += number(value);
  return out + "t";
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out = "}(";
  for (const auto& [key, value] : entries) out += text(key) + value;
  return out + "u";
}
inline std::string ordered_dict() { return global("collections", "OrderedDict") + ")R"; }
inline std::string whole(std::string_view value) { return "\x80\x02"s + std::string(value) + "."; }

struct Tensor {
  std::string key = "0";
  std::string type = "FloatStorage";
  std::int64_t elements = 0;  ///< of the storage
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape{}, strides{};
};

inline std::string storage(const Tensor& tensor) {
  return "(" + text("storage") + global("torch", tensor.type) + text(tensor.key) + text("cpu") +
         number(tensor.elements) + "tQ";
}
/// The arguments that all ways to rebuild have in common.
inline std::string place(const Tensor& tensor) {
  return storage(tensor) + number(tensor.offset) + tuple(tensor.shape) + tuple(tensor.strides);
}
inline std::string rebuilt(const Tensor& tensor) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + place(tensor) + "\x89" + ordered_dict() + "tR";
}
/// For types that have no storage of their own.
inline std::string rebuilt_v3(const Tensor& tensor, std::string_view type) {
  return global("torch._utils", "_rebuild_tensor_v3") + "(" + place(tensor) + "\x89" + ordered_dict() +
         global("torch", type) + "tR";
}

}  // namespace pickled

/// An archive of a pickled value and its storages "0", "1", ...
inline ZipContent torch_content(std::string_view pickle, const std::vector<std::string>& storages) {
  ZipContent content{{"model/data.pkl", std::string(pickle)}, {"model/byteorder", "little"}};
  for (std::size_t i = 0; i < storages.size(); ++i)
    content.emplace_back("model/data/" + std::to_string(i), storages[i]);
  content.emplace_back("model/version", "3\n");
  content.emplace_back("model/.data/serialization_id", std::string(40, '7'));
  return content;
}

/// Bytes of the floats begin, begin + 1, ...
inline std::string floats(std::size_t count, float begin = 1) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += raw(begin + static_cast<float>(i));
  return out;
}

}  // namespace stemma::fixtures
