"""What do numpy's own formulas say about a family of models made on the spot: copies, tuned, re-scaled, untrained ones?"""
import math

import numpy as np

import harness
from harness import llama_config, llama_tensors

LAYERS, DEEPER = 10, 14
CONFIG = llama_config(LAYERS)
HEADS, KV_HEADS, WIDTH = CONFIG["num_attention_heads"], CONFIG["num_key_value_heads"], CONFIG["head_dim"]


def name(layer, part):
    return f"model.layers.{layer}.self_attn.{part}_proj.weight"


def curve(tensors, part):
    """Standard deviations over the layers, as the paper takes them."""
    layers = sum(key.endswith("q_proj.weight") for key in tensors)
    return np.array([tensors[name(i, part)].astype(np.float64).std(ddof=1) for i in range(layers)])


def stretched(values, n):
    return np.interp(np.arange(n) * (len(values) - 1) / (n - 1), np.arange(len(values)), values)


def correlation(a, b):
    n = max(len(a), len(b))
    return np.corrcoef(stretched(a, n), stretched(b, n))[0, 1]


def published_score(a, b):
    return np.mean([correlation(curve(a, p), curve(b, p)) for p in "qkvo"])


def circuits(tensors, layer):
    """Per head, the products through which the stream goes: W_q^T W_k and W_o W_v, norm gains folded in."""
    gain = tensors[f"model.layers.{layer}.input_layernorm.weight"].astype(np.float64)
    q, k, v = (tensors[name(layer, p)].astype(np.float64) * gain for p in "qkv")
    o = tensors[name(layer, "o")].astype(np.float64)
    for h in range(HEADS):
        own = slice(h * WIDTH, (h + 1) * WIDTH)
        shared = slice(h // (HEADS // KV_HEADS) * WIDTH, (h // (HEADS // KV_HEADS) + 1) * WIDTH)
        yield q[own].T @ k[shared], o[:, own] @ v[shared]


def twin_curves(tensors):
    """Half the logarithm of squared sizes of qk, ov, ud and g, one row per layer, from dense circuits."""
    rows = []
    for layer in range(LAYERS):
        mlp = f"model.layers.{layer}.mlp."
        gain = tensors[f"model.layers.{layer}.post_attention_layernorm.weight"].astype(np.float64)
        gate, up = (tensors[f"{mlp}{p}_proj.weight"].astype(np.float64) * gain for p in ("gate", "up"))
        down = tensors[f"{mlp}down_proj.weight"].astype(np.float64)
        squares = np.sum([[np.sum(qk ** 2), np.sum(ov ** 2)] for qk, ov in circuits(tensors, layer)], axis=0)
        neurons = np.sum(np.sum(up ** 2, axis=1) * np.sum(down ** 2, axis=0))
        rows.append(0.5 * np.log([*squares, neurons, np.sum(gate ** 2)]))
    return np.array(rows)


def twin_score(a, b):
    return np.mean([correlation(x, y) for x, y in zip(twin_curves(a).T, twin_curves(b).T)])


def scaled_layers(tensors, factors):
    """W_V of layer l times factors[l], W_O divided by it: the same function."""
    out = dict(tensors)
    for layer, factor in enumerate(factors):
        out[name(layer, "v")] = (tensors[name(layer, "v")] * np.float64(factor)).astype(np.float32)
        out[name(layer, "o")] = (tensors[name(layer, "o")] / np.float64(factor)).astype(np.float32)
    return out


def scaled_heads(tensors, factors):
    """The same with a factor for every layer and head of V: factors[layer, head]."""
    out = dict(tensors)
    for layer, row in enumerate(factors):
        v, o = (tensors[name(layer, p)].astype(np.float64) for p in "vo")
        for j, factor in enumerate(row):
            v[j * WIDTH:(j + 1) * WIDTH] *= factor
            group = HEADS // KV_HEADS * WIDTH
            o[:, j * group:(j + 1) * group] /= factor
        out[name(layer, "v")], out[name(layer, "o")] = v.astype(np.float32), o.astype(np.float32)
    return out


def untrained(config, seed, scale):
    """Normal weights of exactly the standard deviation scale(layer): what an initialiser leaves."""
    rng, tensors = np.random.default_rng(seed), {}
    for key, shape in harness.llama_shapes(config).items():
        layer = int(key.split(".")[2]) if ".layers." in key else 0
        weights = rng.standard_normal(shape)
        tensors[key] = np.ones(shape) if len(shape) == 1 else scale(layer) * weights / weights.std()
    return {key: array.astype(np.float32) for key, array in tensors.items()}


def family():
    base, stranger = llama_tensors(CONFIG, 1), llama_tensors(CONFIG, 2)
    tuned, rng = dict(base), np.random.default_rng(5)
    for layer in range(LAYERS // 2, LAYERS):
        for part in "qkvo":
            w = base[name(layer, part)]
            tuned[name(layer, part)] = (w + 0.02 * w.std() * rng.standard_normal(w.shape)).astype(np.float32)
    bit = dict(base)
    changed = base[name(3, "k")].copy()
    changed.view(np.uint32)[0, 0] ^= 1
    bit[name(3, "k")] = changed
    return {"base": base, "copy": base, "tuned": tuned, "bit": bit, "stranger": stranger,
            "deeper": llama_tensors(llama_config(DEEPER), 3), "shallow": llama_tensors(llama_config(6), 4),
            "framed": scaled_layers(base, curve(stranger, "v") / curve(base, "v")),
            "heads": scaled_heads(base, np.exp(np.random.default_rng(6).normal(0, 1, (LAYERS, KV_HEADS)))),
            "init-flat": untrained(CONFIG, 7, lambda layer: 0.02),
            "init-depth": untrained(CONFIG, 8, lambda layer: 0.02 / math.sqrt(layer + 1))}
