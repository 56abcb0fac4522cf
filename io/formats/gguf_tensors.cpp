// Entries one by one, then their offsets as a running sum.
#include "io/formats/gguf_tensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "io/formats/limits.hpp"
#include "io/model/utf8.hpp"

namespace stemma {
namespace {

/// Nothing on overflow.
std::optional<std::uint64_t> aligned(std::uint64_t offset, std::uint64_t alignment) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(offset, alignment - 1, &sum)) return std::nullopt;
  return sum / alignment * alignment;
}

class EntryReader {
 public:
  explicit EntryReader(GgufCursor& cursor) : cursor_(cursor) {}

  GgufTensor read() {
    tensor_ = {};
    tensor_.entry_at = cursor_.at();
    read_name();
    read_shape();
    read_type();
    tensor_.offset = cursor_.number<std::uint64_t>();
    return std::move(tensor_);
  }

 private:
  [[noreturn]] void refuse(std::string rule, std::string found, std::string expected, std::string hint = "") {
    Finding finding = cursor_.finding(std::move(rule), tensor_.entry_at, std::move(found),
                                      std::move(expected), std::move(hint));
    finding.tensor = tensor_.name;
    throw InvalidInput(std::move(finding));
  }

  void read_name() {
    const std::uint64_t length = cursor_.string_length();
    if (length < 1 || length > limits::gguf_tensor_name_bytes)
      refuse("gguf.tensor_name", fmt::format("a name of {} bytes", length),
             fmt::format("1 to {}", limits::gguf_tensor_name_bytes));
    tensor_.name = cursor_.text(length);
    if (first_invalid_utf8(tensor_.name) < tensor_.name.size() ||
        tensor_.name.find('\0') != std::string::npos)
      refuse("gguf.tensor_name", "invalid UTF-8 or a zero byte", "UTF-8 text");
    if (!names_.insert(tensor_.name).second) refuse("gguf.duplicate_tensor", "twice", "every name once");
  }

  void read_shape() {
    const auto rank = cursor_.number<std::uint32_t>();
    if (rank > limits::gguf_rank)
      refuse("gguf.n_dims", fmt::format("{} dimensions", rank), fmt::format("at most {}", limits::gguf_rank));
    std::uint64_t product = 1;
    for (std::uint32_t axis = 0; axis < rank; ++axis) {
      const auto extent = cursor_.number<std::int64_t>();
      if (extent < 0) refuse("gguf.ne", fmt::format("dimension {}", extent), "0 or more");
      tensor_.shape.push_back(static_cast<std::uint64_t>(extent));
    }
    const bool none = std::ranges::find(tensor_.shape, std::uint64_t{0}) != tensor_.shape.end();
    for (const std::uint64_t extent : tensor_.shape)
      if (!none && (__builtin_mul_overflow(product, extent, &product) || product > INT64_MAX))
        refuse("gguf.elements", "2^63 elements or more", "fewer");
    std::ranges::reverse(tensor_.shape);
  }

  void read_type() {
    tensor_.type_id = cursor_.number<std::uint32_t>();
    tensor_.type = gguf_type(tensor_.type_id);
    if (tensor_.type == nullptr) return;
    const GgufType& type = *tensor_.type;
    if (type.is_removed())
      refuse("gguf.type", fmt::format("{}", type.name), "a type of the format",
             "the type was taken out of the format again: convert the model again");
    const std::uint64_t row = tensor_.shape.empty() ? 1 : tensor_.shape.back();
    if (row % type.values != 0)
      refuse("gguf.row_block", fmt::format("rows of {} values in {}", row, type.name),
             fmt::format("whole blocks of {}", type.values));
    if (__builtin_mul_overflow(tensor_.elements() / type.values, type.bytes, &tensor_.bytes))
      refuse("gguf.elements", "2^64 bytes or more", "fewer");
  }

  GgufCursor& cursor_;
  GgufTensor tensor_;
  std::unordered_set<std::string> names_;
};

class GgufLayout {
 public:
  GgufLayout(const GgufCursor& cursor, std::uint64_t alignment)
      : cursor_(cursor), alignment_(alignment), file_bytes_(cursor.file().bytes) {}

  void place(GgufDirectory& directory) {
    // Files without tensors end before the padding.
    directory.data_begin =
        directory.tensors.empty()
            ? cursor_.at()
            : std::min(aligned(cursor_.at(), alignment_).value_or(file_bytes_), file_bytes_);
    std::uint64_t end = 0;     // of the data so far, from their beginning
    bool end_is_known = true;  // not behind a tensor of a type that nobody knows
    for (GgufTensor& tensor : directory.tensors) {
      require_place(tensor, end, end_is_known);
      end_is_known = tensor.type != nullptr;
      const std::uint64_t room = file_bytes_ - directory.data_begin;
      if (tensor.offset > room || tensor.bytes > room - tensor.offset)
        refuse("gguf.truncated", tensor, fmt::format("{} bytes of data", room),
               fmt::format("{} bytes from {} on", tensor.bytes, tensor.offset),
               "the file was cut off; fetch it again");
      end = tensor.offset + tensor.bytes;
      tensor.offset += directory.data_begin;
    }
    if (end_is_known) require_end(directory.data_begin + end);
  }

 private:
  [[noreturn]] void refuse(std::string rule, const GgufTensor& tensor, std::string found,
                           std::string expected, std::string hint) const {
    Finding finding = cursor_.finding(std::move(rule), tensor.entry_at, std::move(found), std::move(expected),
                                      std::move(hint));
    finding.tensor = tensor.name;
    throw InvalidInput(std::move(finding));
  }

  void require_place(const GgufTensor& tensor, std::uint64_t end, bool end_is_known) const {
    const std::uint64_t next = aligned(end, alignment_).value_or(0);
    const bool fits =
        end_is_known ? tensor.offset == next : tensor.offset >= next && tensor.offset % alignment_ == 0;
    if (fits) return;
    refuse(
        "gguf.offset", tensor, fmt::format("begins at {}", tensor.offset),
        end_is_known ? fmt::format("{}", next) : fmt::format("{} or a later multiple of the alignment", next),
        "tensors follow each other without holes and do not overlap");
  }

  /// Behind the last tensor there are only zeros, up to the next multiple of the alignment.
  void require_end(std::uint64_t end) const {
    const std::uint64_t allowed = aligned(end, alignment_).value_or(file_bytes_);
    GgufCursor rest = cursor_;
    rest.skip(end - rest.at());
    bool zeros = file_bytes_ <= allowed;
    for (std::uint64_t at = end; zeros && at < file_bytes_; ++at) zeros = rest.number<std::uint8_t>() == 0;
    if (zeros) return;
    throw InvalidInput(cursor_.finding("gguf.trailing_bytes", end,
                                       fmt::format("{} bytes behind the last tensor", file_bytes_ - end),
                                       "zeros up to the next multiple of the alignment",
                                       "bytes that belong to no tensor could hide another file"));
  }

  const GgufCursor& cursor_;
  std::uint64_t alignment_, file_bytes_;
};

}  // namespace

GgufDirectory read_gguf_directory(GgufCursor& cursor, std::uint64_t count, std::uint64_t alignment) {
  GgufDirectory directory;
  EntryReader entries(cursor);
  for (std::uint64_t i = 0; i < count; ++i) directory.tensors.push_back(entries.read());
  GgufLayout(cursor, alignment).place(directory);
  return directory;
}

}  // namespace stemma
