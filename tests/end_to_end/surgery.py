"""Which surgery makes a smaller, deeper or sparser model of a trained one?

Tensors are {name: float64 array} under Llama's names, a config the parsed config.json. Every function returns both anew; what
was not changed is passed on.
"""
import numpy as np

GROUP = 32
WRITERS = ("o_proj", "down_proj")
EXPERT_NAMES = {"gate": "w1", "up": "w3", "down": "w2"}


def path(layer, rest=""):
    return f"model.layers.{layer}.{rest}"


def with_layers(t, config, kept):
    """The layers of these numbers, in this order, as 0, 1, 2, ...; a layer may come twice."""
    out = {name: array for name, array in t.items() if ".layers." not in name}
    for new, old in enumerate(kept):
        out |= {path(new, name.removeprefix(path(old))): array for name, array in t.items() if name.startswith(path(old))}
    return out, {**config, "num_hidden_layers": len(kept)}


def with_neurons(t, config, chosen):
    """chosen(gate, up, down): the places of the neurons that stay."""
    out = dict(t)
    for i in range(config["num_hidden_layers"]):
        names = {p: path(i, f"mlp.{p}_proj.weight") for p in ("gate", "up", "down")}
        gate, up, down = (t[name] for name in names.values())
        kept = chosen(gate, up, down)
        out |= {names["gate"]: gate[kept], names["up"]: up[kept], names["down"]: down[:, kept]}
    return out, {**config, "intermediate_size": len(kept)}


def largest(count):
    """Chooses the neurons of the largest products of norms."""
    def chosen(gate, up, down):
        size = np.linalg.norm(gate, axis=1) * np.linalg.norm(up, axis=1) * np.linalg.norm(down, axis=0)
        return np.sort(np.argsort(-size)[:count])
    return chosen


def drawn(count, rng):
    """Chooses neurons at random."""
    return lambda gate, up, down: np.sort(rng.permutation(len(gate))[:count])


def with_stream(t, config, count):
    """The axes of the stream on which the embedding and all that is written are largest."""
    written = [np.square(a).sum(1) / np.square(a).sum() for n, a in t.items() if any(w in n for w in WRITERS)]
    embed = np.square(t["model.embed_tokens.weight"]).sum(0)
    kept = np.sort(np.argsort(-(embed / embed.sum() + np.mean(written, 0)))[:count])
    out = {}
    for name, a in t.items():  # norms and readers along their last axis, writers along their first
        out[name] = a[kept] if any(w in name for w in WRITERS) or a.ndim == 1 else a[:, kept]
    return out, {**config, "hidden_size": len(kept)}


def as_experts(t, config, sources, rng, fresh=0.0, noise=0.0):
    """Experts in place of every MLP: expert e of layer i is the MLP of layer sources[i][e], a share of its neurons fresh, the
    rest with noise in standard deviations of a matrix. The router is new."""
    out = {name: array for name, array in t.items() if ".mlp." not in name}
    for i, of_layer in enumerate(sources):
        sparse = path(i, "block_sparse_moe.")
        out[f"{sparse}gate.weight"] = 0.02 * rng.standard_normal((len(of_layer), config["hidden_size"]))
        for e, source in enumerate(of_layer):
            f = config["intermediate_size"]
            new = rng.permutation(f)[:round(fresh * f)]
            for part, name in EXPERT_NAMES.items():
                a = t[path(source, f"mlp.{part}_proj.weight")].copy()
                a += noise * a.std() * rng.standard_normal(a.shape)
                rows = a.T if part == "down" else a  # one row for each neuron
                rows[new] = rows.std() * rng.standard_normal(rows[new].shape)
                out[f"{sparse}experts.{e}.{name}.weight"] = a
    return out, {**config, "model_type": "mixtral", "architectures": ["MixtralForCausalLM"], "num_local_experts": len(sources[0]),
                 "num_experts_per_tok": 2}


def in_four_bits(t, config):
    """-7 to 7 times a scale of every GROUP weights of a row, the largest of them over 7."""
    out = dict(t)
    for name, a in t.items():
        if "_proj" in name:
            width = -(-a.shape[1] // GROUP) * GROUP
            groups = np.pad(a, ((0, 0), (0, width - a.shape[1]))).reshape(len(a), -1, GROUP)
            scale = np.abs(groups).max(-1, keepdims=True) / 7
            out[name] = (np.rint(groups / np.where(scale > 0, scale, 1)) * scale).reshape(len(a), -1)[:, :a.shape[1]]
    return out, config
