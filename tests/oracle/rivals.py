"""What do other methods say of a pair of models: one function each, from its formula, and what moves its score?

Models are those of models.py, weights as stored unless a function says that it folds. With grouped queries K and V are
repeated for each query head. Unequal shapes raise ValueError where a method cannot read them.
"""
import math

import numpy as np
from scipy import stats
from scipy.optimize import linear_sum_assignment

from fixed_points import ln_fisher
from models import folded
from neuron_match import same_tokens, unit_rows


def cosine(a, b):
    length = np.linalg.norm(a) * np.linalg.norm(b)
    return float(np.sum(a * b) / length) if length > 0 else 0.0


def need(condition, what):
    if not condition:
        raise ValueError(f"the method needs {what}")


def per_query_head(model, w):
    """K or V (H_kv w, d) with each group's block once for each of its query heads: (H w, d)."""
    groups = w.reshape(model.kv_heads, model.head_size, -1)
    return np.repeat(groups, model.heads // model.kv_heads, 0).reshape(-1, w.shape[1])


def aligned(cost):
    """POSA: the shorter model's layers i into the longer's j, monotone: C[i, j] = min_(k < j) C[i-1, k] + D[i, j]."""
    cost = cost if cost.shape[0] <= cost.shape[1] else cost.T
    best = cost[0].copy()
    for row in cost[1:]:
        before = np.concatenate(([np.inf], np.minimum.accumulate(best)[:-1]))
        best = before + row
    return float(best.min()) / len(cost)


def pcs(a, b):
    """Parameter cosine, mean over the matrices of the layers (arXiv 2312.04828, its baseline).

    cos(vec W, vec W'). Moved by every step of a laundering, permutations included; equal shapes only.
    """
    x, y = a.matrices(), b.matrices()
    need(x.keys() == y.keys() and all(x[n].shape == y[n].shape for n in x), "equal shapes")
    return float(np.mean([cosine(x[n], y[n]) for n in x]))


def sigma_curves(a, b):
    """Correlation over layers of the standard deviations of q, k, v, o, mean of the four (arXiv 2507.03014).

    The shorter curve is resampled linearly. Moved by maps inside heads and absorbed gains, at will; with few layers
    models of one recipe agree by shape alone.
    """
    scores = []
    for name in "qkvo":
        x, y = (np.array([np.std(getattr(layer, name), ddof=1) for layer in m.layers]) for m in (a, b))
        n = max(len(x), len(y))
        x, y = (np.interp(np.linspace(0, len(s) - 1, n), np.arange(len(s)), s) for s in (x, y))
        flat = min(x.std() / x.mean(), y.std() / y.mean()) < 1e-12
        scores.append(0.0 if flat else float(np.corrcoef(x, y)[0, 1]))
    return float(np.mean(scores))


def invariant_terms(model, layer, x):
    """HuRef's three terms for anchors x (t, d), each t x t."""
    k, v = per_query_head(model, layer.k), per_query_head(model, layer.v)
    yield (x @ layer.q.T) @ (x @ k.T).T
    yield (x @ v.T) @ (x @ layer.o).T
    yield (x @ layer.up.T) @ (x @ layer.down).T


def huref(a, b, anchors=None):
    """Invariant-term cosine of all layers (arXiv 2312.04828, which takes the last two and its rarest tokens).

    X W_q^T W_k X^T, X W_v^T W_o^T X^T, X W_u^T W_d^T X^T over the embeddings X of shared tokens, each standardised; cosine;
    mean. Read from stored weights it is moved by new gains, as reported in arXiv 2502.12292.
    """
    need(len(a.layers) == len(b.layers), "equal numbers of layers")
    ids = anchors or same_tokens(a, b)
    scores = []
    for layer_a, layer_b in zip(a.layers, b.layers):
        for m, n in zip(invariant_terms(a, layer_a, a.embed[ids[0]]), invariant_terms(b, layer_b, b.embed[ids[1]])):
            scores.append(cosine(m - m.mean(), n - n.mean()))
    return float(np.mean(scores))


def huref_folded(a, b, anchors=None):
    """HuRef's invariant terms of folded weights: no step of a laundering moves it."""
    return huref(folded(a), folded(b), anchors)


def effective_rank(s):
    p = s / s.sum()
    return math.exp(-np.sum(p * np.log(p, where=p > 0, out=np.zeros_like(p))))


def ghost_spectra(model):
    """(layers, 2, k): singular values of W_q W_k^T and W_v W_o of each layer, descending."""
    return np.array([[np.linalg.svd(m, compute_uv=False) for m in
                      (layer.q @ per_query_head(model, layer.k).T, per_query_head(model, layer.v) @ layer.o)]
                     for layer in model.layers])


def ghostspec(a, b):
    """Distance of products' spectra along the best monotone alignment of layers (arXiv 2511.06390), small for relatives.

    Both spectra cut at the smaller effective rank r and scaled to [0, 1]; D = the mean over W_q W_k^T and W_v W_o of the mean
    squared difference; POSA, mean over the aligned layers. The paper's sigmoid was tuned on the judged pairs: left out.
    Moved by V/O maps that are not orthogonal and by scales of rotary pairs.
    """
    x, y = ghost_spectra(a), ghost_spectra(b)
    cost = np.zeros((len(x), len(y)))
    for i, of_a in enumerate(x):
        for j, of_b in enumerate(y):
            if len(x) == len(y) and i != j:
                continue  # equal depths have one alignment, the diagonal
            for s, t in zip(of_a, of_b):
                r = max(2, int(min(effective_rank(s), effective_rank(t))))
                s, t = s[:r], t[:r]
                s, t = ((u - u.min()) / (u.max() - u.min()) for u in (s, t))
                cost[i, j] += 0.5 * np.mean((s - t) ** 2)
    return aligned(cost)


def u_centred(k):
    """K with a zero diagonal whose rows sum to zero without bias."""
    n = len(k)
    k = k - np.diag(np.diag(k))
    mean = k.sum(1) / (n - 2)
    mean = mean - mean.sum() / (2 * (n - 1))
    k = k - mean[:, None] - mean[None]
    return k - np.diag(np.diag(k))


def ucka(x, y):
    """Unbiased CKA of rows: <K, L> / sqrt(<K, K> <L, L>) of U-centred K = X X^T, L = Y Y^T."""
    return cosine(u_centred(x @ x.T), u_centred(y @ y.T))


def stream_permutation(a, b):
    """(p, signs): column p[i] of b's embedding goes with column i of a's, by the assignment of |cos| over shared tokens."""
    ids = same_tokens(a, b)
    s = unit_rows(a.embed[ids[0]].T) @ unit_rows(b.embed[ids[1]].T).T
    rows, columns = linear_sum_assignment(np.abs(s), maximize=True)
    return columns, np.sign(s[rows, columns])


def awm(a, b):
    """UCKA of q and k after the permutation that the embeddings' columns suggest (arXiv 2510.06738).

    X = (W P D)^T, Y = W'^T, rows = the stream; mean over layers (assigned where depths differ) and q, k. Moved by rotations
    of the stream and by scales of rotary pairs.
    """
    need(a.embed.shape[1] == b.embed.shape[1], "equal widths")
    p, signs = stream_permutation(a, b)
    x, y = ([[u_centred(w.T @ w) for w in ws] for ws in both] for both in
            ([(l.q, l.k) for l in a.layers], [(l.q[:, p] * signs, l.k[:, p] * signs) for l in b.layers]))
    s = np.array([[np.mean([cosine(m, n) for m, n in zip(of_a, of_b)]) for of_b in y] for of_a in x])
    if len(x) == len(y):
        return float(np.diag(s).mean())
    return float(s[linear_sum_assignment(s, maximize=True)].mean())


def crs(a, b):
    """Cosine of products in the stream without their trace, layers assigned (arXiv 2608.14929).

    W_d W_u and W_o W_v, phi(M) = (M - tr(M)/d I) / |.|; mean of the two. Moved by any permutation of the stream.
    """
    need(a.embed.shape[1] == b.embed.shape[1], "equal widths")
    d = a.embed.shape[1]
    x, y = ([[m - np.trace(m) / d * np.eye(d) for m in (l.down @ l.up, l.o @ per_query_head(model, l.v))] for l in model.layers]
            for model in (a, b))
    s = np.array([[np.mean([cosine(m, n) for m, n in zip(of_a, of_b)]) for of_b in y] for of_a in x])
    return float(s[linear_sum_assignment(s, maximize=True)].mean())


def ln_t_tail(r, n):
    """ln P(T >= t), t = r sqrt((n - 2) / (1 - r^2)), n - 2 degrees of freedom, where a double would be 0.

    Never below -ln n!, the least that a test of one of n! orders can say; the t law itself ends in 0 at r = 1.
    """
    nu, least = n - 2, -math.lgamma(n + 1)
    if r >= 1 - 1e-12:
        return least
    value = stats.t.logsf(r * math.sqrt(nu / (1 - r * r)), nu)
    if np.isfinite(value) and value > -600:
        return float(max(value, least))
    # P = I_x(nu/2, 1/2) / 2 with x = 1 - r^2, whose series begins x^(nu/2) / (nu/2 B(nu/2, 1/2)).
    half, x = nu / 2, 1 - r * r
    series, term = 1.0, 1.0
    for i in range(1, 400):
        term *= (i - 0.5) / i * x * (half + i - 1) / (half + i)
        series += term
    ln_beta = math.lgamma(half) + math.lgamma(0.5) - math.lgamma(half + 0.5)
    return max(least, half * math.log(x) - math.log(half) - ln_beta + math.log(series) - math.log(2))


def ln_label_test(a, b):
    """ln p of the test of arXiv 2502.12292: up rows assigned by cosine, Spearman's correlation of the assignment with the
    stored order by Student's t, layers combined by Fisher. Moved by any permutation of the units or rotation of the stream.
    """
    need(len(a.layers) == len(b.layers) and all(x.up.shape == y.up.shape for x, y in zip(a.layers, b.layers)), "equal shapes")
    ln_ps = []
    for x, y in zip(a.layers, b.layers):
        s = unit_rows(x.up) @ unit_rows(y.up).T
        order = np.random.default_rng(0).permutation(s.shape[1])
        pi = order[linear_sum_assignment(s[:, order], maximize=True)[1]]
        ln_ps.append(ln_t_tail(np.corrcoef(np.arange(len(pi)), pi)[0, 1], len(pi)))
    return ln_fisher(ln_ps)


def haar_trace(a, b):
    """(t/d, ln p) of the orthogonal Procrustes map between embeddings (after arXiv 2508.06309; the bound is ours).

    Q = polar(E1^T E2), t = max over signed permutations P of tr(P^T Q). Were Q Haar: P(t' >= t) <= exp(d ln 2 + ln d! - t^2/2).
    Sees signed permutations only: a rotated descendant looks independent. Training does not imply Haar.
    """
    need(a.embed.shape[1] == b.embed.shape[1], "equal widths")
    ids, d = same_tokens(a, b), a.embed.shape[1]
    u, _, vt = np.linalg.svd(a.embed[ids[0]].T @ b.embed[ids[1]])
    q = np.abs(u @ vt)
    t = q[linear_sum_assignment(q, maximize=True)].sum()
    return float(t / d), float(min(0.0, d * math.log(2) + math.lgamma(d + 1) - t * t / 2))
