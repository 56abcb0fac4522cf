// Where do arrays of many megabytes live, so that their first touch is not slower than the work on them?
#include "analyzers/numerics/large_array.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace stemma {

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20U;
constexpr std::size_t large = 2 * huge_page;

}  // namespace

std::size_t whole_pages(std::size_t bytes) {
  return bytes < large ? bytes : (bytes + huge_page - 1) / huge_page * huge_page;
}

void* allocate_pages(std::size_t bytes) {
  if (bytes < large) return ::operator new(bytes);
  if (bytes > SIZE_MAX - huge_page) throw std::bad_array_new_length();
  const std::size_t whole = whole_pages(bytes);
  void* memory = ::operator new (whole, std::align_val_t{huge_page});
  madvise(memory, whole, MADV_HUGEPAGE);  // advice: a refusal changes the speed only
  return memory;
}

void free_pages(void* memory, std::size_t bytes) noexcept {
  if (bytes < large) return ::operator delete(memory);
  ::operator delete (memory, std::align_val_t{huge_page});
}

}  // namespace stemma
