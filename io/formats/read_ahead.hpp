// How does the next piece of a file come into memory while this one is worked on?
#pragma once
#include <array>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <thread>

namespace stemma {

/// One thread that fetches pieces in order, at most two of them before they were taken. It only reads: what
/// it throws is thrown where the pieces are taken.
class ReadAhead {
 public:
  /// Brings piece number `index` into buffer number `slot` (0 or 1).
  using Fetch = std::function<std::span<const std::byte>(std::uint64_t index, std::size_t slot)>;
  using Take = std::function<void(std::span<const std::byte>)>;

  ReadAhead() = default;
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// Fetches pieces 0 ... pieces - 1 and takes them in order, on the calling thread. Where the system gives
  /// no thread, fetching and taking alternate. Throws what `fetch` threw, after the pieces before it were
  /// taken, or what `take` threw; either way no fetch is under way any more. Not to be called from `take`.
  void run(std::uint64_t pieces, const Fetch& fetch, const Take& take);

 private:
  static constexpr std::uint64_t slots = 2;

  bool helper_runs();
  void help();

  std::mutex access_;
  std::condition_variable changed_;
  std::array<std::span<const std::byte>, slots> pieces_;
  const Fetch* fetch_ = nullptr;  ///< null between runs
  std::uint64_t wanted_ = 0, fetched_ = 0, taken_ = 0;
  std::exception_ptr failure_;
  bool busy_ = false, ending_ = false;
  std::thread helper_;
};

}  // namespace stemma
