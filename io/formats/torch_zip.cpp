// From archive to tensors: directory, pickle, state dict, storages.
#include "io/formats/torch_zip.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/formats/descriptor.hpp"
#include "io/formats/foreign_format.hpp"
#include "io/formats/limits.hpp"
#include "io/formats/pickle.hpp"
#include "io/formats/torch_state_dict.hpp"
#include "io/formats/torch_tensor.hpp"
#include "io/formats/zip_directory.hpp"

namespace stemma {
namespace {

using namespace std::string_view_literals;

[[noreturn]] void refuse(std::string rule, const SourceFile& file, std::string found, std::string hint) {
  throw InvalidInput({.rule = std::move(rule),
                      .file = file_name_of(file.path),
                      .found = std::move(found),
                      .hint = std::move(hint)});
}

/// A program that reads a binary file as text puts EF BF BD where bytes are no UTF-8; chance does not.
bool is_mangled(const SourceFile& file, ByteReader& reader) {
  constexpr std::size_t enough = 8, looked_at = 65'536;
  std::string head(std::min<std::uint64_t>(file.bytes, looked_at), '\0');
  reader.read(file, 0, std::as_writable_bytes(std::span(head)));
  if (!resembles_torch_zip(head)) return false;
  std::size_t found = 0;
  for (std::size_t at = head.find("\xEF\xBF\xBD"); at != std::string::npos;
       at = head.find("\xEF\xBF\xBD", at + 3))
    ++found;
  return found >= enough;
}

[[noreturn]] void refuse_program(const SourceFile& file) {
  refuse("format.refused", file, "a TorchScript archive",
         "it holds a program: load it where it is trusted and save its state dict, best as safetensors");
}

ZipDirectory directory_of(const SourceFile& file, ByteReader& reader) {
  try {
    return read_zip_directory(file, reader);
  } catch (const InvalidInput& refused) {
    // The sources of a program are compressed, before a look at the names says what the archive is.
    if (refused.finding().rule == "zip.method" && refused.finding().found.find("/code/") != std::string::npos)
      refuse_program(file);
    if (refused.finding().rule.starts_with("zip.") && is_mangled(file, reader))
      refuse("zip.mangled_text", file, "an archive that was once read and written as text",
             "its weights are lost: download it again, in binary mode");
    throw;
  }
}

/// Names like these promise many things; the first bytes say more about another than an absent directory.
void require_archive(const SourceFile& file, ByteReader& reader) {
  std::string head(std::min<std::uint64_t>(file.bytes, 16), '\0');
  reader.read(file, 0, std::as_writable_bytes(std::span(head)));
  if (!resembles_torch_zip(head)) throw InvalidInput(unknown_format(head, file_name_of(file.path)));
}

void require_state_dict(const ZipDirectory& zip, const SourceFile& file) {
  const auto is_code = [](const ZipEntry& entry) {
    return entry.name == "constants.pkl" || entry.name.starts_with("code/");
  };
  if (std::ranges::any_of(zip.entries, is_code)) refuse_program(file);
  if (zip.find("data.pkl") == nullptr)
    refuse("format.refused", file, "a zip archive without data.pkl",
           "no file of torch.save: unpack it first, nothing is decompressed here");
}

void require_little_endian(const ZipDirectory& zip, const SourceFile& file, ByteReader& reader) {
  const ZipEntry* const entry = zip.find("byteorder");
  if (entry == nullptr) return;
  constexpr std::uint64_t longest = 16;
  const std::vector<char> text =
      entry->bytes > longest ? std::vector<char>{} : read_zip_entry(*entry, file, reader);
  const std::string order(text.begin(), text.end());
  if (order != "little")
    throw InvalidInput({.rule = "zip.byteorder",
                        .file = file_name_of(file.path),
                        .byte_offset = entry->offset,
                        .expected = "little",
                        .found = printable(order, 20),
                        .hint = "save the model again on a machine that is little-endian"});
}

}  // namespace

bool resembles_torch_zip(std::string_view head) { return head.starts_with("PK\3\4"sv); }

Container open_torch_zip(const SourceFile& file, ByteReader& reader) {
  require_archive(file, reader);
  const ZipDirectory zip = directory_of(file, reader);
  require_state_dict(zip, file);
  require_little_endian(zip, file, reader);
  const ZipEntry& entry = *zip.find("data.pkl");
  const std::string file_name = file_name_of(file.path);
  if (entry.bytes > limits::pickle_bytes)
    throw InvalidInput({.rule = "pickle.limit",
                        .file = file_name,
                        .byte_offset = entry.offset,
                        .expected = fmt::format("at most {} bytes", limits::pickle_bytes),
                        .found = fmt::format("a pickle of {} bytes", entry.bytes)});
  const Pickle pickle = read_pickle(read_zip_entry(entry, file, reader), entry.offset, file_name);
  StateDict state = find_state_dict(pickle, file_name);
  TorchTensors tensors(pickle.graph, zip, file);
  tensors.require_storages();

  Container container{.format = "torch_zip",
                      .header_bytes = entry.offset + entry.bytes,
                      .tensors = {},
                      .config_json = "",
                      .claims = {},
                      .findings = pickle.findings};
  if (!entry.has_checksum() && entry.bytes > 0)
    container.findings.push_back({.severity = Severity::note,
                                  .rule = "zip.no_checksum",
                                  .file = file_name,
                                  .byte_offset = entry.offset,
                                  .hint = "the writer left checksums out: damage would go unnoticed"});
  for (const StateDict::Entry& named : state.entries)
    if (auto tensor = tensors.place(named.name, named.tensor))
      container.tensors.push_back(std::move(*tensor));
  std::ranges::stable_sort(container.tensors, {}, &StoredTensor::place);
  std::ranges::move(state.findings, std::back_inserter(container.findings));
  std::ranges::move(tensors.finish(), std::back_inserter(container.findings));
  return container;
}

}  // namespace stemma
