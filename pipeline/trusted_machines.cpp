// Before any model is read, so that nothing is computed in vain.
#include "pipeline/trusted_machines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "analyzers/distributed/unison.hpp"
#include "io/config/problems.hpp"
#include "pipeline/clock.hpp"
#include "pipeline/machine.hpp"

namespace stemma {

Machines trusted_machines(const Communicator& ranks) {
  in_unison(ranks, "reserving memory", [&] { require_blas_memory(ranks.rank()); });
  const LinearAlgebra mine = in_unison(ranks, "testing the linear algebra", [&] {
    LinearAlgebra algebra = examine_linear_algebra();
    if (auto problem = stray_threads(algebra.blas, std::getenv("OMP_NUM_THREADS"))) {
      problem->place = fmt::format("rank {} on {}", ranks.rank(), host_name());
      throw ConfigProblems({std::move(*problem)});
    }
    return algebra;
  });
  Machines machines{ranks.gather(host_name()), ranks.gather(cpu_model()), {}};
  const std::vector<std::string> texts = ranks.gather(encode(mine));
  in_unison(ranks, "testing the linear algebra", [&] {
    if (!ranks.leads()) return;
    for (const std::string& text : texts) machines.algebra.push_back(decode_linear_algebra(text));
    const std::string reason = distrust(machines.algebra, machines.hosts);
    if (!reason.empty()) throw WrongLinearAlgebra(reason);
  });
  return machines;
}

int ranks_per_host(const std::vector<std::string>& hosts) {
  std::ptrdiff_t most = 1;
  for (const std::string& host : hosts) most = std::max(most, std::count(hosts.begin(), hosts.end(), host));
  return static_cast<int>(most);
}

std::filesystem::path scratch_for(const std::vector<std::string>& hosts) {
  const bool one_node = std::ranges::all_of(hosts, [&](const auto& host) { return host == hosts.front(); });
  return one_node ? std::filesystem::temp_directory_path() : std::filesystem::current_path();
}

}  // namespace stemma
