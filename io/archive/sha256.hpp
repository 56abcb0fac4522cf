// What is the SHA-256 of bytes that come in pieces?
#pragma once
#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // of OpenSSL

namespace stemma {

/// SHA-256 (FIPS 180-4). Throws std::runtime_error where the system's OpenSSL refuses it.
class Sha256 {
 public:
  using Digest = std::array<std::byte, 32>;

  Sha256();
  void add(std::span<const std::byte> bytes);
  /// Once, at the end.
  Digest finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// 64 hex digits, as sha256sum prints them.
std::string hex(const Sha256::Digest& digest);
/// SHA-256 of a text in hex.
std::string sha256_hex(std::string_view text);
/// SHA-256 of a file in hex, read once in pieces of 1 MiB. Throws StorageError.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace stemma
