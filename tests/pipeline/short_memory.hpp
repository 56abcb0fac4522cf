// What happens when the next allocation fails? Include in one source of a test: it replaces operator new.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <new>

namespace stemma::test {

/// On this thread, the next allocation of at least so many bytes throws std::bad_alloc, once; 0 is never.
inline thread_local std::size_t refuse_once_from = 0;

}  // namespace stemma::test

// NOLINTBEGIN(misc-definitions-in-headers): replacements may not be inline. Nor may they be inlined: g++
// would see free() meet what it believes to be the memory of another operator.
[[gnu::noinline]] void* operator new(std::size_t size) {
  std::size_t& from = stemma::test::refuse_once_from;
  if (from > 0 && size >= from) {
    from = 0;
    throw std::bad_alloc();
  }
  if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
// NOLINTEND(misc-definitions-in-headers)
