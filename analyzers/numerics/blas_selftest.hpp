// Does this machine's BLAS multiply correctly?
#pragma once
#include <string>
#include <vector>

namespace stemma {

/// Matrices of integers up to 127 have products that doubles hold exactly, so dsyrk and dgemm in all
/// orientations must equal integer loops bit by bit, accumulating and not, in sizes on both sides of their
/// block edges; a product of 512 x 4096 is held to Freivalds' identity. Both eigenvalue solvers must give 2 -
/// 2 cos(j pi/(n+1)) for the second-difference matrix to 1e-13. One sentence per failure, none when all is
/// well. Below 0.3 s. Known cases: OpenBLAS issues 2986, 5267 (wrong products on some processors).
std::vector<std::string> blas_selftest();

}  // namespace stemma
