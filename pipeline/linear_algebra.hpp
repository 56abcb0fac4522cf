// Can the linear algebra of these ranks be trusted, and which one is it?
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyzers/numerics/blas.hpp"
#include "io/config/problems.hpp"

namespace stemma {

/// What one rank found out about its BLAS and LAPACK.
struct LinearAlgebra {
  BlasDescription blas;
  std::vector<std::string> complaints;  ///< of the self-test, one sentence each; none when it passed
  double seconds = 0;                   ///< that the self-test took
};

/// Describes the BLAS of this process and lets it prove itself on matrices whose products are known (about
/// 0.1 s). BLAS must have its memory already (require_blas_memory).
LinearAlgebra examine_linear_algebra();

/// For a message between ranks.
std::string encode(const LinearAlgebra& algebra);
/// Throws std::runtime_error for anything that encode() did not make.
LinearAlgebra decode_linear_algebra(const std::string& text);

/// Some rank multiplies wrongly, so no number of the run could be trusted.
class WrongLinearAlgebra : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// "BLAS computes wrongly on rank 3 (node7): ...", with what to change; "" when every rank passed. One entry
/// per rank in both lists.
std::string distrust(std::span<const LinearAlgebra> ranks, std::span<const std::string> hosts);

/// What ranks must share for equal results: version and build, and the kernels for this processor.
std::string kind_of(const BlasDescription& blas);

/// "the ranks do not share one linear algebra (...)", with what to change, when flavour, version or kernels
/// differ; "" when all have the same. One entry per rank in both lists.
std::string differences(std::span<const LinearAlgebra> ranks, std::span<const std::string> hosts);

/// What to do about a BLAS whose OpenMP threads cannot be switched off from inside; nothing when it has none
/// or `omp_num_threads` (the environment variable, null when unset) keeps it to one.
std::optional<Problem> stray_threads(const BlasDescription& blas, const char* omp_num_threads);

}  // namespace stemma
