// What does a worker need to know to do one item, without knowing anything else?
#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/archive/fingerprint.hpp"
#include "pipeline/plan.hpp"

namespace stemma {

/// One item, complete: where its bytes lie, how they become matrices, what is asked of them. Indices
/// (StoredTensor::file, Matrix::tensor, Subject::matrices, ...) point into the vectors of this very order.
struct WorkOrder {
  std::uint32_t item = 0;  ///< index into Plan::items
  std::uint32_t model = 0;
  std::vector<SourceFile> files;
  std::vector<StoredTensor> tensors;  ///< in the order of reading, one twice where a subject apart
                                      ///< asks for it twice; companions come last
  std::vector<Matrix> matrices;
  std::vector<Subject> subjects;
  std::vector<std::uint32_t> anchors;  ///< rows of embeddings, where some subject asks for them
  int block = 0;                       ///< names the team
  std::vector<int> members;            ///< ranks that do it together, ascending; empty when one does it alone
  std::uint32_t streamed = 0;          ///< the first so many tensors are streamed, the rest are companions
  bool asks = false;  ///< its tensors are held in memory, and equal ones asked for, before it is measured
  int width = 0;      ///< on how many ranks it has to be done, where results depend on that; 0: they may
  std::string arithmetic;  ///< by which linear algebra, where they depend on that
};

/// Batches of orders as bytes and back.
std::vector<std::byte> encode(std::span<const WorkOrder> orders);
std::vector<WorkOrder> decode_orders(std::span<const std::byte> bytes);

/// What a result of this subject depends on, in 128 bits: analyzer and its version, path and parameters of
/// the subject, and for everything that it reads the file (path, size, time, inode; or its content, where it
/// is known), the place in it, the type and the shape. Neither the item nor the ranks that do it matter,
/// unless the order states a width.
Hash128 work_key(const WorkOrder& order, const Subject& subject);
/// Of all subjects of an order. Whoever does the work makes them for its result: rank 0 has much to do.
std::vector<Hash128> work_keys(const WorkOrder& order);

/// What a result of this subject, whose method is by content, depends on: its method, parameters and width,
/// and the elements of its matrices. `contents` are hashes of canonical bytes, one for each of its matrices.
Hash128 content_key(const WorkOrder& order, const Subject& subject, std::span<const Hash128> contents);

/// Writes work orders for the items of a plan. Subjects are derived again when needed, and those of the last
/// few models are kept: a plan of a thousand models stays small.
class OrderBook {
 public:
  /// By WidthRule::by_size orders state their width and arithmetic.
  OrderBook(std::span<const SurveyedModel> models, std::vector<Question> questions,
            WidthRule rule = WidthRule::soonest, std::string arithmetic = {})
      : models_(models), questions_(std::move(questions)), rule_(rule), arithmetic_(std::move(arithmetic)) {}
  WorkOrder order(std::uint32_t index, const Item& item);
  /// For ranks that do it together; `block` names them as a team.
  WorkOrder team_order(std::uint32_t index, const Item& item, int block, std::span<const int> members);

 private:
  const std::vector<Subject>& subjects(std::uint32_t model);

  std::span<const SurveyedModel> models_;
  std::vector<Question> questions_;
  WidthRule rule_;
  std::string arithmetic_;
  std::list<std::pair<std::uint32_t, std::vector<Subject>>> recent_;  ///< most recent first
};

}  // namespace stemma
