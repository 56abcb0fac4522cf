"""What can be done to a model's weights without changing its function, each step alone and all together, on random weights?

The toy: d 128, V 700, 4 layers, 8 heads, 4 KV heads of size 16, f 352. A descendant has every tensor plus noise of a share of
its standard deviation. A laundering is a set of steps, applied in the order in which `STEPS` names them.
"""
import numpy as np

from models import folded, logits, model_of  # noqa: F401, with the path to what follows
from harness import llama_config, llama_shapes
from launder import haar, paired, readers, with_gains, with_heads, with_moved_gains, with_neurons, with_stream

LAYERS, VOCABULARY = 4, 700
CONFIG = llama_config(LAYERS, hidden_size=128, num_attention_heads=8, num_key_value_heads=4, head_dim=16, intermediate_size=352,
                      vocab_size=VOCABULARY, rms_norm_eps=1e-6)
STEPS = ("rotation", "permutation", "neurons", "heads", "gains")
CASES = {"descendant": (), "signed residual permutation": ("permutation",), "neuron permutation, up/down scale": ("neurons",),
         "head maps": ("heads",), "residual rotation, folded": ("rotation",),
         "everything, new gains": ("rotation", "neurons", "heads", "gains")}


def toy(seed):
    """{name: float64 array} of random weights."""
    rng, tensors = np.random.default_rng([101, seed]), {}
    for name, shape in llama_shapes(CONFIG).items():
        if len(shape) == 1:
            tensors[name] = 1 + 0.3 * rng.random(shape) if name == "model.norm.weight" else 0.5 + 0.5 * rng.random(shape)
        elif "embed" in name:
            tensors[name] = 0.5 * rng.standard_normal(shape) * (1 + 0.5 * rng.random(shape[1]))
        else:
            width = 352 if "down" in name else 128
            tensors[name] = rng.standard_normal(shape) / np.sqrt(width)
    return tensors


def descendant(tensors, seed, noise=0.1):
    rng = np.random.default_rng([102, seed])
    return {name: t + noise * t.std() * rng.standard_normal(t.shape) for name, t in tensors.items()}


def laundered(tensors, steps, seed):
    """Other weights of the same function.

    rotation     gains folded, then the stream in a Haar random basis
    permutation  the stream in another order with random signs, gains moving along
    neurons      hidden units in another order, up times +-exp(N), down divided by it
    heads        per KV group V -> A V, O -> O A^-1, A = N + 2 I; K by Rot(2 pi Y) exp(0.5 N) per rotary pair and Q by the
                 inverse transposed; groups in another order, and heads in groups
    gains        readers divided by new gains 0.5 + Y
    """
    rng = {step: np.random.default_rng([103, seed, i]) for i, step in enumerate(STEPS)}
    t, config = dict(tensors), dict(CONFIG)
    d, f, w, kv = (config[k] for k in ("hidden_size", "intermediate_size", "head_dim", "num_key_value_heads"))
    group = config["num_attention_heads"] // kv
    if "rotation" in steps:
        with_gains(t, config, {norm: np.ones(d) for norm in readers(config)})
        with_stream(t, config, haar(rng["rotation"], d), 1.0)
    if "permutation" in steps:
        r = rng["permutation"]
        q = np.eye(d)[:, r.permutation(d)] * r.choice([-1.0, 1.0], d)
        with_stream(t, config, q, 1.0)
        with_moved_gains(t, config, q)
    for layer in range(config["num_hidden_layers"]):
        if "neurons" in steps:
            r = rng["neurons"]
            with_neurons(t, layer, r.permutation(f), r.choice([-1.0, 1.0], f) * np.exp(r.standard_normal(f)))
        if "heads" in steps:
            r = rng["heads"]
            values = r.standard_normal((kv, w, w)) + 2 * np.eye(w)
            rotary = np.array([paired(2 * np.pi * r.random(w // 2), np.exp(0.5 * r.standard_normal(w // 2))) for _ in range(kv)])
            with_heads(t, config, layer, values, rotary, (r.permutation(kv), np.array([r.permutation(group) for _ in range(kv)])))
    if "gains" in steps:
        with_gains(t, config, {norm: 0.5 + rng["gains"].random(d) for norm in readers(config)})
    return t


def cases(seed=1, noise=0.1):
    """The base and {case: model}: a descendant laundered in each way, an independent toy as it is and laundered."""
    base, other = toy(seed), toy(seed + 1000)
    child = descendant(base, seed, noise)
    made = {case: laundered(child, steps, seed) for case, steps in CASES.items()}
    made["independent"] = other
    made["independent, everything"] = laundered(other, CASES["everything, new gains"], seed)
    return model_of(base, CONFIG), {case: model_of(t, CONFIG) for case, t in made.items()}


def largest_difference(a, b, seed=0):
    """Of the logits of a sequence of 24 tokens."""
    tokens = np.random.default_rng([104, seed]).integers(0, len(a.embed), 24)
    return float(np.abs(logits(a, tokens) - logits(b, tokens)).max())
