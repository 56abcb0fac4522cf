"""Do two models descend from one start, by matchings of their hidden units that no change of basis can move?

A unit is (g_i, u_i, d_i): a row of gate, a row of up and a column of down. What it does to a shared token is the same in
every basis of the stream, so its signature is read through the rows of embedding and head of shared tokens, its anchors.
Matching the units by gate and by up separately gives two matchings that agree where the models have units in common; that
independently trained models agree here and there is known (universal neurons, arXiv 2401.12181), so a share is allowed.
"""
import collections
import dataclasses

import numpy as np
from scipy.optimize import linear_sum_assignment

import fixed_points
from models import folded

KINDS = ("gate", "up", "down")


def unit_rows(a):
    """Rows of length 1; a zero row stays."""
    length = np.linalg.norm(a, axis=1, keepdims=True)
    return a / np.where(length > 0, length, 1)


def centred_columns(z):
    """Columns without their mean and of length 1."""
    return unit_rows((z - z.mean(0)).T).T


def importance(layer):
    """|g_i| |u_i| |d_i| of folded weights, (f,): a gauge cannot change it."""
    gate = 1 if layer.gate is None else np.linalg.norm(layer.gate, axis=1)
    return gate * np.linalg.norm(layer.up, axis=1) * np.linalg.norm(layer.down, axis=0)


def usable_units(layer):
    """Indices of units that are neither next to nothing nor exact duplicates: ties would give any matcher its own order."""
    omega = importance(layer)
    rows = np.hstack([w for w in (layer.gate, layer.up, layer.down.T) if w is not None])
    content = [row.tobytes() for row in rows]
    times = collections.Counter(content)
    single = np.array([times[row] == 1 for row in content])
    return np.flatnonzero(single & (omega >= 1e-6 * np.median(omega)))


def readings(model, layer, anchors, units):
    """{kind: (anchors, units)}: what unit i does to anchor t, before centring. `model` is folded."""
    embed, head = unit_rows(model.embed[anchors]), unit_rows(model.head[anchors])
    found = {"up": embed @ layer.up[units].T, "down": head @ layer.down[:, units]}
    return found if layer.gate is None else {"gate": embed @ layer.gate[units].T} | found


def signatures(model, layer, anchors, units):
    return {kind: centred_columns(z) for kind, z in readings(model, layer, anchors, units).items()}


def similarities(a, b):
    """{kind: (units of a, units of b)} cosines of signatures; with a gate the sign of (u, d) is free, so absolute values."""
    free = "gate" in a
    return {kind: np.abs(s) if free and kind != "gate" else s for kind in a for s in [a[kind].T @ b[kind]]}


def mutual(s):
    """pi (rows,): j where i and j are each other's best, else -1. A tie for the best is nobody's best."""
    best, back = s.argmax(1), s.argmax(0)
    sole = (s == s.max(1, keepdims=True)).sum(1) == 1
    sole_back = (s == s.max(0, keepdims=True)).sum(0) == 1
    i = np.arange(len(s))
    return np.where((back[best] == i) & sole & sole_back[best], best, -1)


def lap(s):
    """pi (rows,): the assignment of the largest sum; -1 for rows left over."""
    rows, columns = linear_sum_assignment(s, maximize=True)
    pi = np.full(len(s), -1)
    pi[rows] = columns
    return pi


MATCHERS = {"mutual": mutual, "lap": lap}


def matched(s, matcher, seed=0):
    """The matching of `s` with its columns shuffled and put back: an undecided matcher would return the identity."""
    order = np.random.default_rng(seed).permutation(s.shape[1])
    pi = MATCHERS[matcher](s[:, order])
    return np.where(pi < 0, -1, order[pi])


@dataclasses.dataclass
class LayerTest:
    """What two layers have in common, units n = the smaller number of usable ones.

    labels        F of the matching by all signatures against the stored labels, with `paired` matched pairs
    agreements    F of two independent matchings, `both` units matched by both
    """
    units: int
    larger: int
    labels: int
    paired: int
    agreements: int
    both: int

    def ln_labels(self, law="bound"):
        """ln p of the label test: "exact" needs a full matching of equal numbers, "partial" counts the matched pairs."""
        if law == "exact":
            return fixed_points.ln_exact(self.larger, self.labels)
        if law == "partial":
            return fixed_points.ln_partial(self.paired, self.labels, self.larger)
        return fixed_points.ln_bound(self.labels)

    def ln_nominal(self):
        return fixed_points.ln_bound(self.agreements)

    def ln_robust(self):
        return fixed_points.ln_robust(self.agreements, self.units)[0]

    @property
    def share(self):
        return self.agreements / self.units

    @property
    def precision(self):
        return self.agreements / self.both if self.both else 0.0


@dataclasses.dataclass
class Reading:
    """What a matching sees of a layer of a folded model: units (n,), their signatures, and how many units are stored."""
    units: np.ndarray
    signatures: dict
    stored: int


def read_layers(model, anchors):
    """The `Reading` of every layer of a folded model."""
    found = []
    for layer in model.layers:
        units = usable_units(layer)
        found.append(Reading(units, signatures(model, layer, anchors, units), len(layer.up)))
    return found


def test_layers(a, b, matcher="mutual", seed=0):
    """Both tests for two readings."""
    s = similarities(a.signatures, b.signatures)
    first, second = ("gate", "up") if "gate" in s else ("up", "down")
    pi_1, pi_2, pi = (matched(x, matcher, seed + i) for i, x in enumerate((s[first], s[second], sum(s.values()))))
    both, paired = (pi_1 >= 0) & (pi_2 >= 0), pi >= 0
    return LayerTest(min(len(a.units), len(b.units)), max(a.stored, b.stored), int(np.sum(a.units[paired] == b.units[pi[paired]])),
                     int(paired.sum()), int(np.sum(both & (pi_1 == pi_2))), int(both.sum()))


def same_tokens(a, b, count=None):
    """Anchors by equal ids: those in both vocabularies whose rows are not next to nothing, at most the first `count`."""
    n = min(len(a.embed), len(b.embed))
    good = np.ones(n, bool)
    for rows in (m[:n] for model in (a, b) for m in (model.embed, model.head)):
        length = np.linalg.norm(rows, axis=1)
        good &= length >= 1e-3 * np.median(length)
    ids = np.flatnonzero(good)[:count]
    return ids, ids


def compare(a, b, anchors=None, matcher="mutual", layers=None, seed=0):
    """The tests of all layers, or of the pairs in `layers`, of two models as stored; anchors is a pair of index arrays."""
    a, b = folded(a), folded(b)
    anchors = anchors or same_tokens(a, b)
    x, y = read_layers(a, anchors[0]), read_layers(b, anchors[1])
    layers = layers or list(zip(range(len(x)), range(len(y)), strict=True))
    return [test_layers(x[i], y[j], matcher, seed + 3 * i) for i, j in layers]


def head_readings(model, layer, anchors):
    """(2, H, t, t): what a head's W_q^T W_k and W_o W_v do to anchors, means of rows and columns taken out. `model` is folded."""
    embed, head = unit_rows(model.embed[anchors]), unit_rows(model.head[anchors])
    w, group, found = model.head_size, model.heads // model.kv_heads, ([], [])
    for h in range(model.heads):
        mine, kv = slice(h * w, (h + 1) * w), slice(h // group * w, (h // group + 1) * w)
        qk = (embed @ layer.q[mine].T) @ (embed @ layer.k[kv].T).T
        ov = (head @ layer.o[:, mine]) @ (embed @ layer.v[kv].T).T
        for to, m in zip(found, (qk, ov)):
            to.append(m - m.mean(0) - m.mean(1, keepdims=True) + m.mean())
    return np.array(found)


def head_readings_cosines(x, y):
    """(QK, OV): mean cosines of the readings of two layers, heads assigned by their sum."""
    x, y = (r.reshape(2, r.shape[1], -1) for r in (x, y))
    x, y = (r / np.linalg.norm(r, axis=2, keepdims=True) for r in (x, y))
    s = x @ y.swapaxes(1, 2)
    rows, columns = linear_sum_assignment(s.sum(0), maximize=True)
    return s[:, rows, columns].mean(1)


def head_spectra(model, layer):
    """(H, 2 w): ln of the singular values of W_q^T W_k and of W_o W_v of each head, from w x w cores. `model` is folded."""
    w, group, logs = model.head_size, model.heads // model.kv_heads, []
    for h in range(model.heads):
        mine, kv = slice(h * w, (h + 1) * w), slice(h // group * w, (h // group + 1) * w)
        row = []
        for left, right in ((layer.q[mine].T, layer.k[kv].T), (layer.o[:, mine], layer.v[kv].T)):
            core = np.linalg.qr(left, "r") @ np.linalg.qr(right, "r").T
            row.append(np.log(np.linalg.svd(core, compute_uv=False)))
        logs.append(np.concatenate(row))
    return np.array(logs)


def head_spectra_distance(a, b):
    """Mean over layers and assigned heads of the mean squared difference of ln singular values; models as stored.

    A scaled stream multiplies every W_o W_v by one factor and no reader, so their mean ln over the model is taken out.
    """
    spectra = []
    for model in (folded(a), folded(b)):
        logs = np.array([head_spectra(model, layer) for layer in model.layers])
        logs[..., model.head_size:] -= logs[..., model.head_size:].mean()
        spectra.append(logs)
    distances = []
    for x, y in zip(*spectra, strict=True):
        cost = ((x[:, None] - y[None]) ** 2).mean(2)
        distances.append(cost[linear_sum_assignment(cost)].mean())
    return float(np.mean(distances))
