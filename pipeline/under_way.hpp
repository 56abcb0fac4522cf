// Which items are being done now, by whom, and for how long?
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <vector>

namespace stemma {

/// An item that somebody does.
struct OngoingItem {
  std::uint32_t item = 0;
  int rank = 0;        ///< that does it; of a team the one that will have the result
  int ranks = 1;       ///< that do it together
  double seconds = 0;  ///< since it was begun
};

/// What was handed out and has not come back. Told by the thread that hands out work, asked by the one that
/// shows progress. A rank does the items of a batch one after another, and its batches in their order.
class UnderWay {
 public:
  using Clock = std::function<double()>;  ///< seconds since some moment, never going back

  explicit UnderWay(Clock clock = {});

  /// Nobody does these, although they are part of the batch that is sent next: their results are known.
  void leave_out(std::uint32_t item);
  /// A rank gets this batch.
  void send(int rank, std::span<const std::uint32_t> items);
  /// These ranks get an item together; the first has the result.
  void send_to_team(std::span<const int> ranks, std::uint32_t item);
  /// The result of an item came from its rank, which goes on with what comes after it.
  void end(int rank, std::uint32_t item);
  /// The rank is through with its oldest batch.
  void end_batch(int rank);
  void forget_all();

  /// One item for each rank or team that works.
  std::vector<OngoingItem> items() const;

 private:
  struct Batch {
    std::deque<std::uint32_t> items;  ///< what is left of it
    int ranks = 1;                    ///< 0 for those of a team that will not have the result
  };
  struct Worker {
    std::deque<Batch> batches;
    double since = 0;  ///< when it began what it does now
  };

  void add(int rank, Batch batch);

  Clock clock_;
  mutable std::mutex mutex_;
  std::map<int, Worker> workers_;  ///< by rank
  std::vector<std::uint32_t> left_out_;
};

}  // namespace stemma
