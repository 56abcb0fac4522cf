"""How can the weights of a Llama-shaped model change while its function stays? And how is an adapter merged into them?

A matrix W is (out, in), the stream a column x, y = W x. Readers (q, k, v, gate, up, lm_head) read the stream through a
norm, writers (embed_tokens as columns, o, down) add to it. Everything is computed in float64.
"""
import dataclasses
import json
import math
import pathlib

import numpy as np

from harness import bf16, llama_shapes, read_safetensors, widened, write_checkpoint

CHOICES = {"stream": ("", "rotation", "permutation", "signed"), "gains": ("", "ones", "new")}
STORED = {"BF16": ("bfloat16", bf16), "F32": ("float32", np.float32), "F64": ("float64", np.float64)}


@dataclasses.dataclass(frozen=True)
class Options:
    """What changes; by default nothing.

    stream   "rotation": x -> Q^T x with a Haar orthogonal Q, for which all gains go into their readers and become ones;
             "permutation", "signed" (a permutation with random signs): gains move along and need not be folded
    gains    "ones": folded into the readers; "new": then drawn from [0.5, 1.5], and the readers divided by them
    neurons  hidden neurons in another order, row i of up times c_i = +-exp(N(0, 1)), column i of down divided by it
    values   per kv group W_v -> R W_v and W_o -> W_o R^-1, R in GL(head_dim) with condition at most e^2
    rotary   per kv group and RoPE pair, k times s and turned by phi, the queries of the group divided by s and turned
    heads    kv groups in another order, and the query heads inside each of them; where there are two, the other order
    scale    the stream times this factor, and rms_norm_eps times its square: otherwise small vectors would notice
    """
    stream: str = ""
    gains: str = ""
    neurons: bool = False
    values: bool = False
    rotary: bool = False
    heads: bool = False
    scale: float = 1.0

    def __post_init__(self):
        for field, words in CHOICES.items():
            if getattr(self, field) not in words:
                raise ValueError(f"{field} is one of {words}")
        if not 0 < self.scale < math.inf:
            raise ValueError("scale is positive")


ALONE = {"rotation": Options(stream="rotation"), "permutation": Options(stream="permutation"), "signed": Options(stream="signed"),
         "ones": Options(gains="ones"), "new gains": Options(gains="new"), "neurons": Options(neurons=True),
         "values": Options(values=True), "rotary": Options(rotary=True), "heads": Options(heads=True), "scale": Options(scale=3.0)}
ALL = Options("rotation", "new", True, True, True, True, 3.0)
ALL_SIGNED = dataclasses.replace(ALL, stream="signed")  # the strongest that a permutation of the stream can be part of


def haar(rng, n):
    """An orthogonal n x n matrix, every one as likely; the signs make the factorisation unique."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(np.diag(r))


def invertible(rng, n):
    """n x n with singular values between 1/e and e."""
    return haar(rng, n) * np.exp(rng.uniform(-1, 1, n)) @ haar(rng, n)


def paired(angle, scale):
    """sum over p of scale[p] Rot(angle[p]) on the plane (p, p + n) of 2n dimensions: RoPE's planes in half layout, so that
    it commutes with every position's rotation."""
    cos, sin = np.diag(scale * np.cos(angle)), np.diag(scale * np.sin(angle))
    return np.block([[cos, -sin], [sin, cos]])


def stream_matrix(rng, kind, d):
    if kind == "rotation":
        return haar(rng, d)
    q = np.eye(d)[:, rng.permutation(d)]
    return q * rng.choice([-1.0, 1.0], d) if kind == "signed" else q


def reordered(rng, n):
    """An order of n things that is not the one they have, where there is another."""
    while True:
        order = rng.permutation(n)
        if n == 1 or np.any(order != np.arange(n)):
            return order


def draw(config, options, seed):
    """The random parts of `options`; each has a seed of its own, so none changes with what else is chosen.

    stream   Q (d, d), where the stream becomes Q^T x
    gains    {name of a norm: new gains (d,)}
    neurons  per layer (order (f,), c (f,)): new neuron i is old neuron order[i], its row of up times c[i]
    values   per layer R (kv, w, w), for the groups in their old order; w is head_dim
    rotary   per layer T (kv, w, w), by which k is multiplied, likewise
    heads    per layer (groups (kv,), members (kv, H / kv)): new group j is old group groups[j], and its new query head i
             is the old head members[j, i] of that group
    What was not chosen is absent.
    """
    d, f, w, kv = (config[k] for k in ("hidden_size", "intermediate_size", "head_dim", "num_key_value_heads"))
    group, layers = config["num_attention_heads"] // kv, range(config["num_hidden_layers"])
    parts = ("stream", "gains", "neurons", "values", "rotary", "heads")
    rng, drawn = {part: np.random.default_rng([seed, i]) for i, part in enumerate(parts)}, {}
    if options.stream:
        drawn["stream"] = stream_matrix(rng["stream"], options.stream, d)
    if options.gains == "new":
        drawn["gains"] = {name: rng["gains"].uniform(0.5, 1.5, d) for name in readers(config)}
    if options.neurons:
        r = rng["neurons"]
        drawn["neurons"] = [(r.permutation(f), r.choice([-1.0, 1.0], f) * np.exp(r.standard_normal(f))) for _ in layers]
    if options.values:
        drawn["values"] = [np.array([invertible(rng["values"], w) for _ in range(kv)]) for _ in layers]
    if options.rotary:
        r = rng["rotary"]
        drawn["rotary"] = [np.array([paired(r.uniform(0, 2 * np.pi, w // 2), np.exp(0.5 * r.standard_normal(w // 2)))
                                     for _ in range(kv)]) for _ in layers]
    if options.heads:
        r = rng["heads"]
        drawn["heads"] = [(reordered(r, kv), np.array([reordered(r, group) for _ in range(kv)])) for _ in layers]
    return drawn


def readers(config):
    """{name of a norm: names of the matrices that read through it}."""
    found = {}
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        found[layer + "input_layernorm.weight"] = [f"{layer}self_attn.{p}_proj.weight" for p in "qkv"]
        found[layer + "post_attention_layernorm.weight"] = [f"{layer}mlp.{p}_proj.weight" for p in ("gate", "up")]
    return found | {"model.norm.weight": ["lm_head.weight"]}


def writers(config):
    """Names of the matrices whose rows are directions of the stream; the embedding is apart, its columns are."""
    return [f"model.layers.{i}.{p}_proj.weight" for i in range(config["num_hidden_layers"]) for p in ("self_attn.o", "mlp.down")]


# The functions with_... change their dictionary t, whose arrays they replace and never write into.


def with_gains(t, config, gains):
    """Other gains under the names of `gains`, and the readers changed so that reader times gain stays."""
    for norm, new in gains.items():
        for name in readers(config)[norm]:
            t[name] = t[name] * (t[norm] / new)
        t[norm] = new


def with_stream(t, config, q, scale):
    """The stream as scale Q^T x; gains are ones or, for a permutation, moved by `with_moved_gains`."""
    for names in readers(config).values():
        for name in names:
            t[name] = t[name] @ q
    for name in writers(config):
        t[name] = scale * (q.T @ t[name])
    t["model.embed_tokens.weight"] = scale * (t["model.embed_tokens.weight"] @ q)
    if scale != 1:
        config["rms_norm_eps"] = config.get("rms_norm_eps", 1e-6) * scale ** 2


def with_moved_gains(t, config, q):
    """Gains in the order that a permutation with signs gives to the stream; the signs pass through a gain."""
    for norm in readers(config):
        t[norm] = t[norm] @ np.abs(q)


def with_neurons(t, layer, order, c):
    gate, up, down = (f"model.layers.{layer}.mlp.{p}_proj.weight" for p in ("gate", "up", "down"))
    t[gate], t[up], t[down] = t[gate][order], t[up][order] * c[:, None], t[down][:, order] / c


def by_heads(t, config, layer):
    """q (kv, H / kv, w, d), k and v (kv, w, d), o (d, kv, H / kv, w): one index for each group, head and dimension."""
    kv, w, d = config["num_key_value_heads"], config["head_dim"], config["hidden_size"]
    q, k, v, o = (t[f"model.layers.{layer}.self_attn.{p}_proj.weight"] for p in "qkvo")
    return q.reshape(kv, -1, w, d), k.reshape(kv, w, d), v.reshape(kv, w, d), o.reshape(d, kv, -1, w)


def with_heads(t, config, layer, values=None, rotary=None, order=None):
    """Maps inside the kv groups, then their new order; the arguments are those of `draw` for one layer."""
    q, k, v, o = by_heads(t, config, layer)
    if values is not None:
        v, o = values @ v, np.einsum("djgb,jba->djga", o, np.linalg.inv(values))
    if rotary is not None:
        k, q = rotary @ k, np.einsum("jba,jgbd->jgad", np.linalg.inv(rotary), q)  # inverse, transposed
    if order is not None:
        groups, members = order
        q, o = q[groups[:, None], members], o[:, groups[:, None], members]
        k, v = k[groups], v[groups]
    for part, array in zip("qkvo", (q, k, v, o)):
        name = f"model.layers.{layer}.self_attn.{part}_proj.weight"
        t[name] = array.reshape(t[name].shape)


def check_shape(tensors, config):
    """Biases, norms inside heads and tied heads have fewer symmetries; better no model than a changed function."""
    shapes = {name: array.shape for name, array in tensors.items()}
    if shapes != llama_shapes(config) or config.get("tie_word_embeddings"):
        other = sorted(name for name, _ in shapes.items() ^ llama_shapes(config).items())
        raise ValueError("not exactly Llama's tensors with an untied head: " + ", ".join(other))


def launder(tensors, config, options, seed=0):
    """Other weights, the same function: (tensors, config) for {name: float64 array} and the parsed config.json.

    The inputs stay as they are, and what no option concerns is passed on bit by bit. The config differs in rms_norm_eps
    when the stream is scaled. `draw(config, options, seed)` says what was done.
    """
    check_shape(tensors, config)
    t, config, drawn = dict(tensors), dict(config), draw(config, options, seed)
    if options.gains or options.stream == "rotation":  # before the rotation: it mixes what the gains tell apart
        with_gains(t, config, {norm: np.ones(config["hidden_size"]) for norm in readers(config)})
    if options.stream or options.scale != 1:
        with_stream(t, config, drawn.get("stream", np.eye(config["hidden_size"])), options.scale)
    if options.stream in ("permutation", "signed"):
        with_moved_gains(t, config, drawn["stream"])
    for layer in range(config["num_hidden_layers"]):
        if options.neurons:
            with_neurons(t, layer, *drawn["neurons"][layer])
        with_heads(t, config, layer, *(drawn[part][layer] if part in drawn else None for part in ("values", "rotary", "heads")))
    with_gains(t, config, drawn.get("gains", {}))
    return t, config


def read_model(directory):
    """({name: float64 array}, config) of a model directory with one or several safetensors files."""
    directory, tensors = pathlib.Path(directory), {}
    for file in sorted(directory.glob("*.safetensors")):
        tensors |= {name: widened(array) for name, array in read_safetensors(file).items()}
    return tensors, json.loads((directory / "config.json").read_text(encoding="utf-8"))


def write_model(directory, tensors, config, dtype="BF16"):
    """float64 tensors as a model directory of type BF16, F32 or F64, which config.json names; its path."""
    name, stored = STORED[dtype]
    return write_checkpoint(directory, {key: stored(array) for key, array in tensors.items()}, {**config, "torch_dtype": name})


def launder_directory(source, target, options, seed=0, dtype="BF16"):
    """Launders the model directory `source` into the new directory `target`; its path."""
    return write_model(target, *launder(*read_model(source), options, seed), dtype)


def adapter_updates(directory):
    """{name of a weight: float64 (alpha / r) B A} of a PEFT LoRA adapter: B (out, r), A (r, in)."""
    directory = pathlib.Path(directory)
    config = json.loads((directory / "adapter_config.json").read_text(encoding="utf-8"))
    if config["peft_type"] != "LORA" or config.get("use_dora") or config.get("fan_in_fan_out") or config.get("bias", "none") != "none":
        raise ValueError(f"{directory.name}: only plain LoRA is an added product B A")
    rank = math.sqrt(config["r"]) if config.get("use_rslora") else config["r"]
    tensors, updates = read_safetensors(directory / "adapter_model.safetensors"), {}
    for name, a in tensors.items():
        if name.endswith(".lora_A.weight"):
            b = widened(tensors[name.replace("lora_A", "lora_B")])
            target = name.removeprefix("base_model.model.").replace("lora_A.", "")
            updates[target] = config["lora_alpha"] / rank * (b @ widened(a))
    return updates


def merge_adapter(base_tensors, adapter_dir, factor=1.0):
    """{name: float64 array} of the base with W + factor (alpha / r) B A where the adapter has B and A."""
    updates = adapter_updates(adapter_dir)
    return dict(base_tensors) | {name: base_tensors[name] + factor * update for name, update in updates.items()}


def update_sizes(base_tensors, adapter_dir, factor=1.0):
    """{name of an adapted weight: rms of the update over the rms of the weight}, before any rounding."""
    return {name: float(factor * np.linalg.norm(update) / np.linalg.norm(base_tensors[name]))
            for name, update in adapter_updates(adapter_dir).items()}
