"""How unlikely are the fixed points of a matching between units of two models, if their labels mean nothing to each other?

All results are natural logarithms of p-values; log10 is for printing. Hidden units of a random start are exchangeable, and
training does not know their order (arXiv 2502.12292), so between models of independent starts the matching is a uniform
permutation relative to the labels, whatever the data: F = #{i : pi(i) = i} then counts as the fixed points of one.
"""
import math

import numpy as np
from scipy.special import gammaln, logsumexp


def ln_exact(n, k):
    """ln P(F >= k) for a uniform permutation of n: P(F = j) = d_(n-j) / j!, d_m = sum_(i <= m) (-1)^i / i!."""
    if k <= 0:
        return 0.0
    terms = [1.0]
    for i in range(1, min(n, 30) + 1):
        terms.append(-terms[-1] / i)
    d = np.cumsum(terms)
    j = np.arange(k, n + 1)
    share = d[np.minimum(n - j, len(d) - 1)]
    return float(min(0.0, logsumexp(-gammaln(j + 1), b=share)))


def ln_bound(k):
    """ln P(F >= k) <= -ln k!, for any n and any partial matching."""
    return -math.lgamma(k + 1)


def ln_partial(matched, k, units):
    """The same where only `matched` pairs exist: C(m, k) (N - k)! / N!, N the units whose labels are exchangeable."""
    if k <= 0:
        return 0.0
    if k > matched:
        return -math.inf
    value = gammaln(matched + 1) - gammaln(k + 1) - gammaln(matched - k + 1) + gammaln(units - k + 1) - gammaln(units + 1)
    return float(min(0.0, value))


def ln_robust(agreements, units, universal=0.10):
    """(ln p, K) where up to a share `universal` of the units may agree for no other reason than the data:
    K = max(0, F - ceil(share n)), ln p = -ln K!."""
    k = max(0, agreements - math.ceil(universal * units - 1e-9))
    return ln_bound(k), k


def ln_fisher(ln_ps):
    """Fisher's combination of independent tests: x = -sum ln p, P = exp(-x) sum_(i < L) x^i / i!."""
    x = -sum(ln_ps)
    if x <= 0:
        return 0.0
    i = np.arange(len(ln_ps))
    return float(min(0.0, -x + logsumexp(i * math.log(x) - gammaln(i + 1))))


def ln_poisson(counts):
    """P(Poisson(L) >= sum F) for L layers: what fixed points of independent layers tend to."""
    k, layers = sum(counts), len(counts)
    if k == 0:
        return 0.0
    series, term, i = 1.0, 1.0, 1
    while term > 1e-17 * series:
        term *= layers / (k + i)
        series, i = series + term, i + 1
    return float(min(0.0, -layers + k * math.log(layers) - gammaln(k + 1) + math.log(series)))


def ln_sum_bound(counts):
    """P(sum F >= k) <= min(L^k / k!, e^(k - L) (L / k)^k) for k > L, from E (1 + t)^F <= e^t: guaranteed."""
    k, layers = sum(counts), len(counts)
    if k <= layers:
        return 0.0
    return float(min(0.0, k * math.log(layers) - gammaln(k + 1), k - layers + k * math.log(layers / k)))


def log10(ln_p):
    return ln_p / math.log(10)
