// What does whoever is asked for help want to know of a run before anything else?
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "analyzers/distributed/world.hpp"
#include "pipeline/log.hpp"
#include "pipeline/survey.hpp"
#include "pipeline/trusted_machines.hpp"

namespace stemma {

/// Which Stemma this is and what was typed. Warns when it runs alone in a Slurm job that has more tasks.
void say_program(Log& log, const std::string& command_line, const World& world);

/// Nodes with their ranks, libraries, self-test.
void say_machines(Log& log, const Machines& machines);

/// "2 nodes: n041 (2 ranks), n042 (1 rank)"; at most eight nodes by name. One host for each rank.
std::string nodes_words(std::span<const std::string> hosts);

/// Memory of a rank in bytes and what sets it, file systems of the models, and where results are kept.
void say_places(Log& log, std::uint64_t memory_per_rank, std::string_view limit,
                std::span<const SurveyedModel> models, const std::string& store);

}  // namespace stemma
