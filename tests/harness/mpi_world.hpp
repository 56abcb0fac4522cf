// Which ranks does this test run on?
#pragma once
#include "analyzers/distributed/world.hpp"

namespace stemma::test {

inline const World*& world_slot() {
  static const World* world = nullptr;
  return world;
}
inline void set_world(const World& world) { world_slot() = &world; }

/// All ranks of the test.
inline const Communicator& all_ranks() { return world_slot()->all(); }

}  // namespace stemma::test
