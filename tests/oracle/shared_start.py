"""Does a pair that shares its start also share what training wrote, from whole weights or from a sketch?

A trained matrix is noise of its start, its bulk, and what training wrote, mostly in singular values beyond the noise's edge,
its spikes. A descendant keeps both; two models that were only started alike keep the bulk and have spikes of their own.
"""
import dataclasses
import functools

import numpy as np

from models import folded
from neuron_match import (centred_columns, head_readings, head_readings_cosines, importance, matched, readings, similarities,
                          unit_rows)


@functools.cache
def gaussian_median(m, n):
    """The median singular value of an m x n matrix of independent standard normal entries."""
    rng = np.random.default_rng([105, m, n])
    return float(np.median([np.median(np.linalg.svd(rng.standard_normal((m, n)), compute_uv=False)) for _ in range(8)]))


def split(x):
    """(spikes, bulk) of a matrix: singular values beyond 1.05 sigma (sqrt m + sqrt n), sigma from their median; and the rest."""
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    m, n = x.shape
    edge = 1.05 * np.median(s) / gaussian_median(m, n) * (np.sqrt(m) + np.sqrt(n))
    spikes = u[:, s > edge] * s[s > edge] @ vt[s > edge]
    return spikes, x - spikes


def cosine(a, b):
    length = np.linalg.norm(a) * np.linalg.norm(b)
    return float(np.sum(a * b) / length) if length > 0 else float("nan")


def kappa(pairs):
    """{"kappa", "spikes", "bulk", "raw"} of pairs of aligned matrices: medians of the cosines of spikes, of bulks and of the
    whole; kappa = spikes / bulk. A pair in which one side has no spikes does not count in "spikes"."""
    spikes, bulk, raw = [], [], []
    for x, y in pairs:
        (x_spikes, x_bulk), (y_spikes, y_bulk) = split(x), split(y)
        if x_spikes.any() and y_spikes.any():
            spikes.append(cosine(x_spikes, y_spikes))
        bulk.append(cosine(x_bulk, y_bulk))
        raw.append(cosine(x, y))
    of_spikes, of_bulk = (float(np.median(c)) if c else float("nan") for c in (spikes, bulk))
    return {"kappa": of_spikes / of_bulk, "spikes": of_spikes, "bulk": of_bulk, "raw": float(np.median(raw))}


def kappa_of_weights(a, b):
    """Of two models whose coordinates are the same: layers as stored, embedding and head."""
    x, y = a.matrices(), b.matrices()
    return kappa([(x[name], y[name]) for name in x] + [(a.embed, b.embed), (a.head, b.head)])


def xxh3_of_byte(byte):
    """XXH3-64 with seed 0 of a string of one byte."""
    word = 1 << 64
    h = (byte << 16 | byte << 24 | byte | 1 << 8) ^ 0x396CFEB8 ^ 0xBE4BA423
    h = (h ^ h >> 33) * 0xC2B2AE3D27D4EB4F % word
    h = (h ^ h >> 29) * 0x165667B19E3779F9 % word
    return h ^ h >> 32


def byte_anchors(count=128):
    """Of a byte-level vocabulary the ids with the smallest hashes, ascending."""
    return np.sort(sorted(range(256), key=xxh3_of_byte)[:count])


@dataclasses.dataclass
class LayerSketch:
    """units (m,): stored indices, ascending; omega (m,); values {kind: (anchors, m)} as they come out of int8."""
    units: np.ndarray
    omega: np.ndarray
    values: dict


def in_eight_bits(z):
    """Columns in 8 bits with a scale each, and back."""
    scale = np.abs(z).max(0) / 127
    scale = np.where(scale > 0, scale, 1)
    return np.round(z / scale) * scale


@dataclasses.dataclass
class Sketch:
    """Of a model: its layers, Gram matrices of the unit rows of embedding and head at the anchors, head readings of 64."""
    layers: list
    grams: tuple
    heads: list


def sketch(model, anchors, units=128):
    model = folded(model)
    layers = []
    for layer in model.layers:
        omega = importance(layer)
        chosen = np.sort(np.argsort(-omega, kind="stable")[:units])
        values = {kind: in_eight_bits(z) for kind, z in readings(model, layer, anchors, chosen).items()}
        layers.append(LayerSketch(chosen, omega[chosen], values))
    rows = (unit_rows(m[anchors]) for m in (model.embed, model.head))
    heads = [head_readings(model, layer, anchors[:64]) for layer in model.layers]
    return Sketch(layers, tuple(r @ r.T for r in rows), heads)


def centred_twice(k):
    return k - k.mean(0) - k.mean(1, keepdims=True) + k.mean()


def compare_layers(x, y, matcher):
    """Figures of one layer of two sketches, where a unit agrees if the matchings by gate and by up say the same.

    overlap          share of the units that both sketches chose, by stored index
    agree            share of the units that agree; precision, of those that both matchings matched
    agree_of_common  of the units that both chose, the share that agrees with itself; labels, their number
    cos_KIND, omega  mean cosine of the signatures of agreeing units, correlation of their ln omega
    """
    a, b = ({kind: centred_columns(z) for kind, z in s.values.items()} for s in (x, y))
    s = similarities(a, b)
    pi_1, pi_2 = matched(s["gate"], matcher), matched(s["up"], matcher, 1)
    i = np.flatnonzero((pi_1 >= 0) & (pi_1 == pi_2))
    j = pi_1[i]
    common = np.intersect1d(x.units, y.units)
    figures = {"overlap": len(common) / len(x.units), "agree": len(i) / len(x.units),
               "precision": len(i) / max(1, int(np.sum((pi_1 >= 0) & (pi_2 >= 0)))),
               "agree_of_common": np.sum(x.units[i] == y.units[j]) / max(1, len(common)),
               "labels": int(np.sum(x.units[i] == y.units[j]))}
    for kind in s:
        figures[f"cos_{kind}"] = float(s[kind][i, j].mean()) if len(i) else float("nan")
    figures["omega"] = float(np.corrcoef(np.log(x.omega[i]), np.log(y.omega[j]))[0, 1]) if len(i) > 3 else float("nan")
    return figures


def compare_sketches(x, y, matcher="mutual"):
    """Means over layers of the figures of `compare_layers`, cosines of Gram matrices and head readings, and `qk_over_gate`.

    The last is to a sketch what kappa is to weights: QK circuits are made by training, gate rows keep much of the start.
    Beside kappa because counting agreeing units fails for twins that parted after little training; kappa of the readings
    themselves tells nothing apart, as products with embeddings leave no bulk.
    """
    layers = [compare_layers(p, q, matcher) for p, q in zip(x.layers, y.layers, strict=True)]
    found = {}
    for key in layers[0]:
        values = [f[key] for f in layers if not np.isnan(f[key])]  # layers without agreeing units have no cosines
        found[key] = float(np.mean(values)) if values else float("nan")
    found["agree_least"] = min(f["agree"] for f in layers)
    for name, k, m in zip(("embed", "head"), x.grams, y.grams):
        found[f"gram_{name}"] = cosine(centred_twice(k), centred_twice(m))
    qk, ov = np.mean([head_readings_cosines(p, q) for p, q in zip(x.heads, y.heads)], 0)
    return found | {"head_qk": float(qk), "head_ov": float(ov), "qk_over_gate": float(qk) / found["cos_gate"]}
