// Every call goes through one check, and counts beyond 32 bits go out in pieces.
#include "analyzers/distributed/communicator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>

namespace stemma {
namespace {

constexpr std::uint64_t piece = std::uint64_t{256} << 20;  // MPI counts are 32-bit

std::string describe(int code, const std::string& operation) {
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  return fmt::format("{} failed: {}", operation, std::string_view(text, static_cast<std::size_t>(length)));
}

/// Waits without holding the core: a rank that waits for a slow one may share its core with it.
void wait_asleep(MPI_Request& request) {
  using namespace std::chrono_literals;
  const auto begin = std::chrono::steady_clock::now();
  auto nap = 50us;
  for (int done = 0;;) {
    check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (done) return;
    if (std::chrono::steady_clock::now() - begin < 1ms) continue;
    std::this_thread::sleep_for(nap);
    nap = std::min(nap * 2, 1000us);
  }
}

}  // namespace

MpiFailure::MpiFailure(int code, const std::string& operation)
    : std::runtime_error(describe(code, operation)) {}

void check_mpi(int code, const char* operation) {
  if (code != MPI_SUCCESS) throw MpiFailure(code, operation);
}

Communicator::Communicator(MPI_Comm comm) : comm_(comm) {
  check_mpi(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

int Communicator::all_reduce_min(int value) const {
  if (size_ == 1) return value;
  int least = value;
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallreduce(&value, &least, 1, MPI_INT, MPI_MIN, comm_, &request), "MPI_Iallreduce");
  wait_asleep(request);
  return least;
}

double Communicator::all_reduce_sum(double value) const {
  if (size_ == 1) return value;
  double sum = value;
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Iallreduce(&value, &sum, 1, MPI_DOUBLE, MPI_SUM, comm_, &request), "MPI_Iallreduce");
  wait_asleep(request);
  return sum;
}

void Communicator::broadcast(std::vector<std::byte>& bytes, int root) const {
  if (size_ == 1) return;
  std::uint64_t total = bytes.size();
  MPI_Request request = MPI_REQUEST_NULL;
  check_mpi(MPI_Ibcast(&total, 1, MPI_UINT64_T, root, comm_, &request), "MPI_Ibcast");
  wait_asleep(request);
  bytes.resize(total);
  for (std::uint64_t at = 0; at < total; at += piece) {
    const int count = static_cast<int>(std::min(piece, total - at));
    check_mpi(MPI_Bcast(bytes.data() + at, count, MPI_BYTE, root, comm_), "MPI_Bcast");
  }
}

std::vector<std::string> Communicator::gather(const std::string& text) const {
  if (size_ == 1) return {text};
  const int length = static_cast<int>(text.size());
  std::vector<int> lengths(leads() ? static_cast<std::size_t>(size_) : 0);
  check_mpi(MPI_Gather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, comm_), "MPI_Gather");
  std::vector<int> starts;
  std::string all;
  if (leads()) {
    int at = 0;
    for (const int n : lengths) {
      starts.push_back(at);
      at += n;
    }
    all.resize(static_cast<std::size_t>(at));
  }
  check_mpi(MPI_Gatherv(text.data(), length, MPI_CHAR, all.data(), lengths.data(), starts.data(), MPI_CHAR, 0,
                        comm_),
            "MPI_Gatherv");
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < lengths.size(); ++i)
    texts.push_back(all.substr(static_cast<std::size_t>(starts[i]), static_cast<std::size_t>(lengths[i])));
  return texts;
}

}  // namespace stemma
