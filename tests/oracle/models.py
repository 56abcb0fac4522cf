"""What is a model to the oracle: which arrays, how are its norms folded into them, and which logits does it compute?

Everything is float64 and W (out, in). d is the width of the stream, f the number of hidden units, w the size of a head.
"""
import dataclasses
import math
import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "end_to_end"))
from launder import read_model  # noqa: E402

MATRICES = ("q", "k", "v", "o", "gate", "up", "down")


@dataclasses.dataclass
class Layer:
    """q (H w, d), k and v (H_kv w, d), o (d, H w), gate (or None) and up (f, d), down (d, f); gains and betas (d,);
    bias {name of a matrix: vector of its outputs}."""
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    o: np.ndarray
    gate: np.ndarray | None
    up: np.ndarray
    down: np.ndarray
    attn_gain: np.ndarray
    mlp_gain: np.ndarray
    attn_beta: np.ndarray | None = None
    mlp_beta: np.ndarray | None = None
    bias: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Model:
    """embed and head (V, d). norm is "rms"; "gemma", whose gain is 1 + what is stored and whose embedding enters times
    sqrt(d); or "layer", with betas. Gates are SiLU, without a gate GELU follows up."""
    embed: np.ndarray
    head: np.ndarray
    final_gain: np.ndarray
    layers: list
    heads: int
    kv_heads: int
    norm: str = "rms"
    final_beta: np.ndarray | None = None
    head_bias: np.ndarray | None = None
    eps: float = 1e-6
    theta: float = 10000.0

    @property
    def head_size(self):
        return self.layers[0].k.shape[0] // self.kv_heads

    def matrices(self):
        """{name: matrix} of all layers, without embedding and head."""
        return {f"{i}.{name}": w for i, layer in enumerate(self.layers) for name in MATRICES
                if (w := getattr(layer, name)) is not None}


def model_of(tensors, config):
    """A model from {Hugging Face name: array} of the Llama, Mistral, Qwen2 and Gemma shapes and the parsed config.json."""
    t, layers = dict(tensors), []
    for i in range(config["num_hidden_layers"]):
        name = f"model.layers.{i}.{{}}".format
        parts = {p: f"self_attn.{p}_proj" for p in "qkvo"} | {p: f"mlp.{p}_proj" for p in ("gate", "up", "down")}
        matrices = {p: t.pop(name(part + ".weight")) for p, part in parts.items()}
        bias = {p: t.pop(name(part + ".bias")) for p, part in parts.items() if name(part + ".bias") in t}
        gains = t.pop(name("input_layernorm.weight")), t.pop(name("post_attention_layernorm.weight"))
        layers.append(Layer(**matrices, attn_gain=gains[0], mlp_gain=gains[1], bias=bias))
    embed = t.pop("model.embed_tokens.weight")
    model = Model(embed, t.pop("lm_head.weight", embed), t.pop("model.norm.weight"), layers, config["num_attention_heads"],
                  config["num_key_value_heads"], "gemma" if config["model_type"] == "gemma" else "rms",
                  eps=config.get("rms_norm_eps", 1e-6), theta=config.get("rope_theta", 10000.0))
    if t:
        raise ValueError(f"tensors that the oracle does not know: {', '.join(sorted(t))}")
    return model


def load(directory):
    """The model of a directory of safetensors files with its config.json."""
    return model_of(*read_model(directory))


def folded(model):
    """The same function with all gains 1 and no betas: gains go into the readers, W diag(gain).

    A LayerNorm is an RMSNorm of the centred stream, so readers become W diag(gain) C and writers C W with C = I - 11^T / d,
    and W beta becomes a bias. Gemma's factor sqrt(d) goes into the embedding.
    """
    d, layered = model.embed.shape[1], model.norm == "layer"
    centre = np.eye(d) - 1 / d if layered else np.eye(d)
    ones = np.ones(d)
    effective = (lambda gain: 1 + gain) if model.norm == "gemma" else (lambda gain: gain)

    def reader(w, gain):
        return None if w is None else w * effective(gain) @ centre if layered else w * effective(gain)

    def writer(w):
        return centre @ w if layered else w

    layers = []
    for layer in model.layers:
        bias = dict(layer.bias)
        for names, beta in ((("q", "k", "v"), layer.attn_beta), (("gate", "up"), layer.mlp_beta)):
            for name in names:
                if beta is not None and getattr(layer, name) is not None:
                    bias[name] = bias.get(name, 0) + getattr(layer, name) @ beta
        bias |= {name: centre @ bias[name] for name in ("o", "down") if name in bias}
        q, k, v = (reader(w, layer.attn_gain) for w in (layer.q, layer.k, layer.v))
        gate, up = (reader(w, layer.mlp_gain) for w in (layer.gate, layer.up))
        layers.append(Layer(q, k, v, writer(layer.o), gate, up, writer(layer.down), ones, ones, bias=bias))
    head_bias = model.head_bias if model.final_beta is None else model.head @ model.final_beta + (
        0 if model.head_bias is None else model.head_bias)
    embed = model.embed @ centre if layered else model.embed
    return dataclasses.replace(model, embed=embed * (math.sqrt(d) if model.norm == "gemma" else 1), norm="rms",
                               head=reader(model.head, model.final_gain), final_gain=ones, final_beta=None,
                               head_bias=head_bias, layers=layers)


def normed(model, x, gain, beta):
    if model.norm == "layer":
        x = x - x.mean(1, keepdims=True)
    x = x / np.sqrt((x ** 2).mean(1, keepdims=True) + model.eps) * (1 + gain if model.norm == "gemma" else gain)
    return x if beta is None else x + beta


def turned(x, theta):
    """Rotary positions in half layout for x (heads, length, w)."""
    length, w = x.shape[1:]
    angle = np.arange(length)[:, None] * theta ** (-np.arange(0, w, 2) / w)
    a, b = x[..., :w // 2], x[..., w // 2:]
    return np.concatenate((a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)), -1)


def logits(model, tokens):
    """(length, V) for a sequence of token ids, each position seeing itself and those before."""
    x = model.embed[tokens] * (math.sqrt(model.embed.shape[1]) if model.norm == "gemma" else 1)
    length, w, group = len(tokens), model.head_size, model.heads // model.kv_heads
    for layer in model.layers:
        bias = lambda name: layer.bias.get(name, 0)  # noqa: E731, B023
        z = normed(model, x, layer.attn_gain, layer.attn_beta)
        q, k, v = ((z @ getattr(layer, p).T + bias(p)).reshape(length, -1, w).swapaxes(0, 1) for p in "qkv")
        q, k, v = turned(q, model.theta), np.repeat(turned(k, model.theta), group, 0), np.repeat(v, group, 0)
        scores = q @ k.swapaxes(1, 2) / math.sqrt(w) + np.triu(np.full((length, length), -np.inf), 1)
        weights = np.exp(scores - scores.max(2, keepdims=True))
        weights /= weights.sum(2, keepdims=True)
        x = x + (weights @ v).swapaxes(0, 1).reshape(length, -1) @ layer.o.T + bias("o")
        z = normed(model, x, layer.mlp_gain, layer.mlp_beta)
        up = z @ layer.up.T + bias("up")
        if layer.gate is None:
            hidden = 0.5 * up * (1 + np.tanh(math.sqrt(2 / math.pi) * (up + 0.044715 * up ** 3)))
        else:
            gate = z @ layer.gate.T + bias("gate")
            hidden = up * gate / (1 + np.exp(-gate))
        x = x + hidden @ layer.down.T + bias("down")
    out = normed(model, x, model.final_gain, model.final_beta) @ model.head.T
    return out if model.head_bias is None else out + model.head_bias
