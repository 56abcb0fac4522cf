// Where do results wait, one after the other, until an archive takes them?
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace stemma {

/// Append-only file of records. A record is: magic "STRC", version u32, payload length u64, XXH3-64 of the
/// payload u64, payload, zero padding to a multiple of 8 bytes; numbers little-endian. One writer per file.
/// A sealed one ends with an index, a record with the magic "STRX", and 16 bytes that say where it begins.
class RecordLog {
 public:
  /// A new file; throws StorageError when it exists or cannot be made.
  static RecordLog create(const std::filesystem::path& path);
  /// An existing file, for reading only.
  static RecordLog open(const std::filesystem::path& path);
  ~RecordLog();
  RecordLog(RecordLog&& other) noexcept;
  RecordLog& operator=(RecordLog&& other) noexcept;

  /// Appends one record and returns its offset. After a failure the file ends where it ended before.
  std::uint64_t append(std::span<const std::byte> payload);
  /// Payload of the record at `offset`, verified. Throws InvalidInput(record.damaged).
  std::vector<std::byte> read(std::uint64_t offset) const;
  /// Every whole record from this offset on, in its order. What is damaged or torn is passed over: the next
  /// record that proves itself follows. Returns the offset behind the last one.
  std::uint64_t scan(
      std::uint64_t from,
      const std::function<void(std::uint64_t offset, std::span<const std::byte> payload)>& use) const;
  /// Returns when everything appended is on the disk.
  void sync();
  /// Appends the index, waits until all is on the disk and makes the file read-only: it is published.
  void seal(std::span<const std::byte> index);
  /// What seal() was given; nothing where the file is not sealed, or its end is damaged.
  std::optional<std::vector<std::byte>> index() const;

  std::uint64_t bytes() const { return end_; }
  const std::string& path() const { return path_; }

 private:
  RecordLog(std::string path, int file, std::uint64_t end);
  std::uint64_t append(std::span<const std::byte> payload, const std::array<char, 4>& magic);
  std::vector<std::byte> read(std::uint64_t offset, const std::array<char, 4>& magic) const;

  std::string path_;
  int file_ = -1;
  std::uint64_t end_ = 0;
};

}  // namespace stemma
