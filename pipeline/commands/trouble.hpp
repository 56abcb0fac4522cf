// Why did a command not come to its end, as an exit code and in sentences?
#pragma once
#include <exception>
#include <vector>

#include "io/config/problems.hpp"
#include "pipeline/exit_code.hpp"

namespace stemma {

struct Trouble {
  ExitCode code = ExitCode::internal;
  std::vector<Problem> problems;
};

Trouble trouble_from(const std::exception_ptr& failure);

/// On stderr, one line for each problem; with `json` a document stemma.error/1 on stdout as well. Never
/// throws: there is nowhere left to say why.
void print(const Trouble& trouble, bool json) noexcept;

}  // namespace stemma
