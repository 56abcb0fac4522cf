// Which part of what a configuration asks for does a command line choose?
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "pipeline/round.hpp"

namespace stemma {

/// Accepts a point of a sweep, counted from 0, or all.
CLI::Validator point_or_all();

/// "3/40"; all of the work for "". Throws UsageError.
Shard shard_from(const std::string& text);

}  // namespace stemma
