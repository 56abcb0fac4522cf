// Two buffers, three counters: wanted, fetched, taken.
#include "io/formats/read_ahead.hpp"

#include <stdexcept>
#include <system_error>

namespace stemma {

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(access_);
    ending_ = true;
  }
  changed_.notify_all();
  if (helper_.joinable()) helper_.join();
}

bool ReadAhead::helper_runs() {
  if (helper_.joinable()) return true;
  try {
    helper_ = std::thread([this] { help(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void ReadAhead::help() {
  std::unique_lock lock(access_);
  for (;;) {
    changed_.wait(lock, [&] {
      return ending_ || (fetch_ != nullptr && !failure_ && fetched_ < wanted_ && fetched_ - taken_ < slots);
    });
    if (ending_) return;
    const Fetch& fetch = *fetch_;
    const std::uint64_t index = fetched_;
    busy_ = true;
    lock.unlock();
    std::span<const std::byte> piece;
    std::exception_ptr failure;
    try {
      piece = fetch(index, index % slots);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    busy_ = false;
    failure_ = failure;
    if (!failure) {
      pieces_[index % slots] = piece;
      ++fetched_;
    }
    changed_.notify_all();
  }
}

void ReadAhead::run(std::uint64_t pieces, const Fetch& fetch, const Take& take) {
  if (pieces < 2 || !helper_runs()) {
    for (std::uint64_t i = 0; i < pieces; ++i) take(fetch(i, i % slots));
    return;
  }
  std::unique_lock lock(access_);
  if (fetch_ != nullptr) throw std::logic_error("a reader streams one range at a time");
  fetch_ = &fetch;
  wanted_ = pieces;
  fetched_ = taken_ = 0;
  failure_ = nullptr;
  changed_.notify_all();
  const auto end = [&] {  // with the lock: nothing new begins, and what has begun is waited for
    wanted_ = 0;
    changed_.wait(lock, [&] { return !busy_; });
    fetch_ = nullptr;
  };
  for (std::uint64_t i = 0; i < pieces; ++i) {
    changed_.wait(lock, [&] { return fetched_ > i || failure_; });
    if (fetched_ <= i) break;
    lock.unlock();
    try {
      take(pieces_[i % slots]);
    } catch (...) {
      lock.lock();
      end();
      throw;
    }
    lock.lock();
    ++taken_;
    changed_.notify_all();
  }
  end();
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace stemma
