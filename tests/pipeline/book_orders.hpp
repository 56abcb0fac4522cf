// Work orders straight from a book, as bytes, for tests without a round.
#pragma once
#include "pipeline/coordinator.hpp"
#include "pipeline/work_order.hpp"

namespace stemma::test {

/// `book` and `plan` must outlive what is returned.
inline Coordinator::OrderWriter orders_from(OrderBook& book, const Plan& plan) {
  return [&](std::span<const std::uint32_t> items) {
    std::vector<WorkOrder> orders;
    for (const std::uint32_t i : items) orders.push_back(book.order(i, plan.items[i]));
    return encode(orders);
  };
}

inline Coordinator::TeamOrderWriter team_orders_from(OrderBook& book, const Plan& plan) {
  return [&](std::uint32_t item, int block, std::span<const int> members) {
    const WorkOrder order = book.team_order(item, plan.items[item], block, members);
    return encode(std::span(&order, 1));
  };
}

}  // namespace stemma::test
