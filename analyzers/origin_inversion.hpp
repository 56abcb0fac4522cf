// Which state between attention and MLP of a layer leads to a given output?
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "analyzers/single_token_layer.hpp"

namespace stemma {

/// How z + MLP(N(z)) = f is solved for z.
enum class InversionMethod : std::uint8_t {
  /// z <- f - MLP(N(z)) while each step halves the error. Where it does not (norms of small states make a
  /// layer steep), Newton's method: steps p from min |(I + K) p - F(z)| by conjugate gradients on the normal
  /// equations (CGLS; Hestenes, Stiefel, J. Res. NBS 49, 1952), solved as precisely as the present error
  /// deserves (Eisenstat, Walker, SIAM J. Sci. Comput. 17, 1996) and halved until |F| falls.
  ///
  /// Why this one: the equation is square and has a solution, so that the error falls quadratically to 1e-12,
  /// whatever the scale of the states, and a gap of singular values is no deeper than that error. CGLS needs
  /// products with K and K^T alone and half a dozen vectors a probe. GMRES takes a third of the passes, but
  /// its full steps end at another solution than the candidate's state more often: layers as steep as the
  /// first of a small trained model have several, and CGLS, which is cut off while it still moves along the
  /// directions that the layer answers, found the right one for 93 to 108 of 128 probes, given 3,000 steps,
  /// instead of 38 to 69.
  newton,
  /// Adam (Kingma, Ba, arXiv 1412.6980; 0.9, 0.999, 1e-8) on |F(z)|^2, every probe on its own. arXiv
  /// 2505.19466 descends along gradients and does not say how. No coordinate moves much further than steps
  /// times rate: 0.05 at 500 and 1e-4.
  adam
};

struct InversionOptions {
  InversionMethod method = InversionMethod::newton;
  double learning_rate = 1e-4;  ///< of Adam
  std::uint64_t steps = 500;    ///< most steps for one probe: of fixed point, conjugate gradients or Adam
  double tolerance = 1e-12;     ///< a probe is done when its error is at most this
};

/// One row or number for each probe. The error is |F(z)| / |f| with F(z) = z + MLP(N(z)) - f, Euclidean;
/// |F(z)| where f = 0. It is NaN or infinite where nothing finite was found.
struct Inversion {
  std::vector<double> states;  ///< z, the best that was met, probes x d
  std::vector<double> errors;
  std::vector<std::uint64_t> steps;  ///< as options.steps counts them
  std::vector<bool> contracted;      ///< the fixed point sufficed
  std::uint64_t passes = 0;          ///< of one probe forwards or backwards through the MLP, mlp_flops() each
};

/// Solves for `start` and `outputs` f, probes x d each. The same input gives the same bits. Throws
/// std::invalid_argument when sizes do not fit.
Inversion invert_mlp(const SingleTokenLayer& layer, std::span<const double> start,
                     std::span<const double> outputs, const InversionOptions& options);

}  // namespace stemma
