// Where do arrays of many megabytes live, so that their first touch is not slower than the work on them?
#pragma once
#include <cstddef>
#include <vector>

namespace stemma {

/// Memory in huge pages, where the system grants them on request (Linux, madvise): a matrix of 32 MiB is
/// otherwise 8,192 page faults. Small arrays come from the heap.
void* allocate_pages(std::size_t bytes);
/// Bytes that it takes for so many.
std::size_t whole_pages(std::size_t bytes);
void free_pages(void* memory, std::size_t bytes) noexcept;

template <typename T>
struct HugePages {
  using value_type = T;  // NOLINT(readability-identifier-naming): the name that containers look for
  HugePages() = default;
  template <typename U>
  explicit HugePages(const HugePages<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(allocate_pages(n * sizeof(T))); }
  void deallocate(T* memory, std::size_t n) noexcept { free_pages(memory, n * sizeof(T)); }
  bool operator==(const HugePages&) const = default;
};

using LargeArray = std::vector<double, HugePages<double>>;

}  // namespace stemma
