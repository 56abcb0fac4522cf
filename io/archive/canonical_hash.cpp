// How is the meaning of an archive hashed?
#include "io/archive/canonical_hash.hpp"

#include <algorithm>
#include <vector>

#include "io/archive/layout.hpp"
#include "io/archive/sha256.hpp"

namespace stemma {
namespace {

/// Values with what tells them apart from their neighbours: texts carry their lengths.
class ValueHash {
 public:
  void add(std::span<const std::byte> bytes) { hash_.add(bytes); }
  void add(std::uint64_t number) { hash_.add(std::as_bytes(std::span(&number, 1))); }
  void add(std::string_view text) {
    add(std::uint64_t{text.size()});
    hash_.add(std::as_bytes(std::span(text)));
  }
  std::string hex() { return stemma::hex(hash_.finish()); }

 private:
  Sha256 hash_;
};

constexpr std::uint64_t block_bytes = std::uint64_t{1} << 20;

template <class Sink>
void pass_values(const h5::Dataset& dataset, h5::Type type, const h5::Extents& extents, const Sink& sink) {
  const std::uint64_t width = extents.size() == 2 ? extents[1] : 1;
  const std::uint64_t element = type == h5::Type::str ? 16 : h5::size_of(type);
  const std::uint64_t step =
      std::max<std::uint64_t>(1, block_bytes / std::max<std::uint64_t>(1, element * width));
  std::vector<std::byte> block;
  for (std::uint64_t at = 0; at < extents[0]; at += step) {
    const std::uint64_t rows = std::min(step, extents[0] - at);
    if (type == h5::Type::str) {
      for (const std::string& text : dataset.read_text(at, rows)) sink(std::string_view(text));
      continue;
    }
    block.resize(rows * width * element);
    const bool wide = extents.size() == 2;
    dataset.read(type, wide ? h5::Extents{at, 0} : h5::Extents{at},
                 wide ? h5::Extents{rows, width} : h5::Extents{rows}, block);
    sink(std::span<const std::byte>(block));
  }
}

}  // namespace

ArchiveHashes canonical_hashes(const h5::File& file) {
  ValueHash exact;
  ValueHash all;
  const auto add_column = [&](const std::string& path, h5::Type type, layout::Enters enters) {
    if (enters == layout::Enters::record) return;
    const auto into_both = [&](const auto& value) {
      if (enters == layout::Enters::exact) exact.add(value);
      all.add(value);
    };
    const h5::Dataset dataset = file.dataset(path);
    const h5::Extents extents = dataset.extents();
    into_both(std::string_view(path));
    into_both(h5::name_of(type));
    into_both(std::uint64_t{extents.size()});
    for (const std::uint64_t extent : extents) into_both(extent);
    if (!extents.empty()) pass_values(dataset, type, extents, into_both);
  };
  for (const layout::Group& group : layout::groups()) {
    for (const layout::Dimension& d : group.dimensions)
      if (d.scale == layout::Scale::found_labels)
        add_column(layout::path_in(group, d.name), h5::Type::str, layout::Enters::feature);
    for (const layout::Column& column : group.columns)
      add_column(layout::path_in(group, column.name), column.type, column.enters);
  }
  return {exact.hex(), all.hex()};
}

}  // namespace stemma
