// Magic numbers of files that are no weights, or weights in a format that is not read.
#include "io/formats/foreign_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

#include "io/formats/limits.hpp"

namespace stemma {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view lfs_pointer = "a Git LFS pointer";

constexpr std::string_view convert = "this version reads safetensors: convert the file";
constexpr std::string_view unpack = "unpack it first: nothing is decompressed here";
constexpr std::string_view download = "a download failed: fetch the file again";
constexpr std::string_view pickle =
    "no weight file, and a pickle is a program: never unpickle files of unknown origin";
constexpr std::string_view save_again = "load it where it is trusted and save it again, best as safetensors";

struct Magic {
  std::size_t at;
  std::string_view bytes;
  std::string_view kind;
  std::string_view hint;
};

constexpr std::array<Magic, 19> magics{{
    {0, "GUGF"sv, "a GGUF file with a damaged magic number", convert},
    {0, "FUGG"sv, "a GGUF file in big-endian order", convert},
    {0, "lmgg"sv, "a ggml file from before GGUF", convert},
    {0, "tjgg"sv, "a ggml file from before GGUF", convert},
    {0, "ggmf"sv, "a ggml file from before GGUF", convert},
    {0, "fmgg"sv, "an rwkv.cpp file", convert},
    {0, "PK\x05\x06"sv, "an empty zip archive", download},
    {0, "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19"sv, "a torch file from before torch 1.6",
     save_again},
    {0, "\x80\x02"sv, "a bare pickle", pickle},
    {0, "\x80\x03"sv, "a bare pickle", pickle},
    {0, "\x80\x04"sv, "a bare pickle", pickle},
    {0, "\x80\x05"sv, "a bare pickle", pickle},
    {257, "ustar"sv, "a tar archive", unpack},
    {0, "\x1F\x8B"sv, "a gzip file", unpack},
    {0, "BZh"sv, "a bzip2 file", unpack},
    {0, "\xFD\x37zXZ"sv, "an xz file", unpack},
    {0, "\x28\xB5\x2F\xFD"sv, "a zstd file", unpack},
    {0, "7z\xBC\xAF\x27\x1C"sv, "a 7z archive", unpack},
    {0, "\x89HDF\r\n\x1A\n"sv, "an HDF5 file", convert},
}};

/// The text behind `key` up to the end of its line.
std::string line_after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return "?";
  const std::string_view rest = text.substr(at + key.size());
  return printable(rest.substr(0, rest.find_first_of("\r\n")), 100);
}

Finding refusal(const std::string& file_name, std::string_view kind, std::string hint) {
  return {.rule = "format.refused", .file = file_name, .found = std::string(kind), .hint = std::move(hint)};
}

}  // namespace

bool resembles_safetensors(std::string_view head) {
  constexpr std::size_t length_field = 8;
  if (head.size() < length_field || head.substr(4, 4) != "\0\0\0\0"sv) return false;
  return head.size() == length_field || "{ \t\r\n"sv.find(head[length_field]) != std::string_view::npos;
}

/// A pickle of protocol 0 or 1 is a text: a global name, a mark, an empty container.
bool resembles_text_pickle(std::string_view head) {
  if (head.starts_with("(dp") || head.starts_with("(lp") || head.starts_with("}q") || head.starts_with("]q"))
    return true;
  const std::size_t end = head.find('\n');
  if (!head.starts_with('c') || end == std::string_view::npos || end < 2) return false;
  const auto of_module = [](char c) {
    return c == '_' || c == '.' || std::isalnum(static_cast<unsigned char>(c)) != 0;
  };
  std::string_view module = head.substr(1, end - 1);
  if (module.ends_with('\r')) module.remove_suffix(1);
  const std::string_view name = head.substr(end + 1, head.substr(end + 1).find_first_of("\r\n"));
  return !module.empty() && std::ranges::all_of(module, of_module) && !name.empty() &&
         std::ranges::all_of(name, of_module);
}

std::optional<Finding> foreign_format(std::string_view head, const std::string& file_name) {
  head = head.substr(0, limits::magic_bytes);
  if (head.empty()) return refusal(file_name, "an empty file", std::string(download));
  if (resembles_safetensors(head)) return std::nullopt;
  if (head.starts_with("version https://git-lfs.github.com/spec/v1")) {
    return refusal(
        file_name, lfs_pointer,
        fmt::format("the weights were never downloaded: run `git lfs pull`. The pointer promises {} bytes "
                    "with SHA-256 {}",
                    line_after(head, "\nsize "), line_after(head, "\noid sha256:")));
  }
  for (const Magic& magic : magics) {
    if (head.size() > magic.at && head.substr(magic.at).starts_with(magic.bytes)) {
      return refusal(file_name, magic.kind, std::string(magic.hint));
    }
  }
  if (resembles_text_pickle(head)) return refusal(file_name, "a bare pickle", std::string(pickle));
  const std::size_t first = head.find_first_not_of(" \t\r\n");
  const bool is_text = first != std::string_view::npos && head.find('\0') == std::string_view::npos;
  if (!is_text) return std::nullopt;  // the 60 of a length is < too
  if (head[first] == '<') return refusal(file_name, "an HTML page", std::string(download));
  if (head[first] == '{') return refusal(file_name, "a JSON text", std::string(download));
  return std::nullopt;
}

Finding unknown_format(std::string_view head, const std::string& file_name) {
  std::string hex;
  for (const char c : head.substr(0, 16)) {
    hex += fmt::format("{}{:02x}", hex.empty() ? "" : " ", static_cast<unsigned char>(c));
  }
  return {.rule = "format.unknown",
          .file = file_name,
          .found = hex,
          .hint = "the first bytes are those of no weight file that is known here"};
}

bool is_lfs_pointer(const Finding& finding) { return finding.found == lfs_pointer; }

}  // namespace stemma
