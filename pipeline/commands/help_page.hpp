// What does --help print?
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "pipeline/commands/command.hpp"

namespace CLI {
class FormatterBase;
}

namespace stemma {

/// Lays out the help of the program and of each verb: what it does, examples, usage, options. A page fits 100
/// columns and 60 lines. `commands` must outlive it.
std::shared_ptr<CLI::FormatterBase> help_page(const std::vector<std::unique_ptr<Command>>& commands);

}  // namespace stemma
