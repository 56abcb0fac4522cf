"""One set of weights, written under the names and in the layouts of several families."""
import numpy as np

from harness import LLAMA, bf16, trained_matrix, widened

LAYERS, HIDDEN, HEADS, KV, WIDTH, INTER, VOCAB, EXPERTS = 4, 64, 4, 2, 16, 96, 128, 3
DIMS = {"hidden_size": HIDDEN, "num_attention_heads": HEADS, "intermediate_size": INTER, "vocab_size": VOCAB,
        "num_hidden_layers": LAYERS}


def exact(values):
    """The nearest values that bfloat16, float16 and float32 all hold exactly."""
    values = widened(bf16(values))
    return np.where(np.abs(values) < 2.0**-16, 0, values)


class Weights:
    """Canonical matrices, (out, in), by the paths of their roles."""

    def __init__(self, seed):
        self.rng, self.of = np.random.default_rng(seed), {}

    def matrix(self, path, out, into):
        scale = 0.02 * np.exp(0.3 * self.rng.standard_normal())
        self.of[path] = exact(trained_matrix(self.rng, (out, into), scale))

    def vector(self, path, size, mean=0.0):
        self.of[path] = exact(mean + 0.2 * self.rng.standard_normal(size))

    def __getitem__(self, path):
        return self.of[path]

    def cat(self, *paths):
        return np.concatenate([self.of[path] for path in paths])


def outside(weights, bias=False):
    weights.matrix("embed", VOCAB, HIDDEN)
    weights.matrix("lm_head", VOCAB, HIDDEN)
    weights.vector("norm.final", HIDDEN, 1)
    if bias:
        weights.vector("norm.final.bias", HIDDEN)


def gated(seed):
    """Grouped queries, a gated MLP, no biases: llama, phi3."""
    weights = Weights(seed)
    outside(weights)
    for i in range(LAYERS):
        layer = f"layers/{i}/"
        weights.matrix(layer + "attn.q", HEADS * WIDTH, HIDDEN)
        weights.matrix(layer + "attn.k", KV * WIDTH, HIDDEN)
        weights.matrix(layer + "attn.v", KV * WIDTH, HIDDEN)
        weights.matrix(layer + "attn.o", HIDDEN, HEADS * WIDTH)
        weights.matrix(layer + "mlp.gate", INTER, HIDDEN)
        weights.matrix(layer + "mlp.up", INTER, HIDDEN)
        weights.matrix(layer + "mlp.down", HIDDEN, INTER)
        for norm in ("norm.pre_attn", "norm.pre_mlp"):
            weights.vector(layer + norm, HIDDEN, 1)
    return weights


def plain(seed):
    """As many heads of keys as of queries, two matrices in the MLP, biases everywhere: gpt_neox, gpt2."""
    weights = Weights(seed)
    outside(weights, bias=True)
    weights.matrix("pos_embed", 32, HIDDEN)
    for i in range(LAYERS):
        for part, out, into in (("attn.q", HIDDEN, HIDDEN), ("attn.k", HIDDEN, HIDDEN), ("attn.v", HIDDEN, HIDDEN),
                                ("attn.o", HIDDEN, HIDDEN), ("mlp.up", INTER, HIDDEN), ("mlp.down", HIDDEN, INTER)):
            weights.matrix(f"layers/{i}/{part}", out, into)
            weights.vector(f"layers/{i}/{part}.bias", out)
        for norm in ("norm.pre_attn", "norm.pre_mlp"):
            weights.vector(f"layers/{i}/{norm}", HIDDEN, 1)
            weights.vector(f"layers/{i}/{norm}.bias", HIDDEN)
    return weights


def mixture(seed):
    """Three experts in place of the MLP: mixtral."""
    weights = gated(seed)
    for i in range(LAYERS):
        for part in ("gate", "up", "down"):
            del weights.of[f"layers/{i}/mlp.{part}"]
        weights.matrix(f"layers/{i}/moe.router", EXPERTS, HIDDEN)
        for expert in range(EXPERTS):
            weights.matrix(f"layers/{i}/moe.expert.gate/{expert}", INTER, HIDDEN)
            weights.matrix(f"layers/{i}/moe.expert.up/{expert}", INTER, HIDDEN)
            weights.matrix(f"layers/{i}/moe.expert.down/{expert}", HIDDEN, INTER)
    return weights


def around(w):
    """What llama, phi3 and mixtral name alike."""
    out = {"model.embed_tokens.weight": w["embed"], "model.norm.weight": w["norm.final"], "lm_head.weight": w["lm_head"]}
    for i in range(LAYERS):
        here, there = f"layers/{i}/", f"model.layers.{i}."
        out |= {there + "input_layernorm.weight": w[here + "norm.pre_attn"],
                there + "post_attention_layernorm.weight": w[here + "norm.pre_mlp"],
                there + "self_attn.o_proj.weight": w[here + "attn.o"]}
    return out


def separate(w):
    return {f"model.layers.{i}.self_attn.{p}_proj.weight": w[f"layers/{i}/attn.{p}"] for i in range(LAYERS) for p in "qkv"}


def as_llama(w):
    mlp = {f"model.layers.{i}.mlp.{p}_proj.weight": w[f"layers/{i}/mlp.{p}"] for i in range(LAYERS)
           for p in ("gate", "up", "down")}
    return around(w) | separate(w) | mlp


def as_phi3(w):
    out = around(w)
    for i in range(LAYERS):
        here, there = f"layers/{i}/", f"model.layers.{i}."
        out |= {there + "self_attn.qkv_proj.weight": w.cat(*(here + f"attn.{p}" for p in "qkv")),
                there + "mlp.gate_up_proj.weight": w.cat(here + "mlp.gate", here + "mlp.up"),
                there + "mlp.down_proj.weight": w[here + "mlp.down"]}
    return out


def as_gpt_neox(w):
    out = {"gpt_neox.embed_in.weight": w["embed"], "embed_out.weight": w["lm_head"],
           "gpt_neox.final_layer_norm.weight": w["norm.final"], "gpt_neox.final_layer_norm.bias": w["norm.final.bias"]}
    names = {"norm.pre_attn": "input_layernorm", "norm.pre_mlp": "post_attention_layernorm", "attn.o": "attention.dense",
             "mlp.up": "mlp.dense_h_to_4h", "mlp.down": "mlp.dense_4h_to_h"}
    for i in range(LAYERS):
        for end in ("", ".bias"):
            kind = "bias" if end else "weight"
            # Row by row: head 0 of q, of k, of v, then head 1.
            heads = [w[f"layers/{i}/attn.{p}{end}"].reshape(HEADS, 1, WIDTH, -1) for p in "qkv"]
            woven = np.concatenate(heads, axis=1).reshape(3 * HIDDEN, -1)
            out[f"gpt_neox.layers.{i}.attention.query_key_value.{kind}"] = woven[:, 0] if end else woven
            for role, name in names.items():
                out[f"gpt_neox.layers.{i}.{name}.{kind}"] = w[f"layers/{i}/{role}{end}"]
    return out


def as_gpt2(w):
    out = {"wte.weight": w["embed"], "wpe.weight": w["pos_embed"], "lm_head.weight": w["lm_head"],
           "ln_f.weight": w["norm.final"], "ln_f.bias": w["norm.final.bias"]}
    for i in range(LAYERS):
        here, there = f"layers/{i}/", f"h.{i}."
        for name, parts in (("attn.c_attn", ("attn.q", "attn.k", "attn.v")), ("attn.c_proj", ("attn.o",)),
                            ("mlp.c_fc", ("mlp.up",)), ("mlp.c_proj", ("mlp.down",))):
            out[there + name + ".weight"] = w.cat(*(here + part for part in parts)).T
            out[there + name + ".bias"] = w.cat(*(here + part + ".bias" for part in parts))
        for name, norm in (("ln_1", "norm.pre_attn"), ("ln_2", "norm.pre_mlp")):
            out |= {f"{there}{name}.weight": w[here + norm], f"{there}{name}.bias": w[f"{here}{norm}.bias"]}
        out[there + "attn.bias"] = np.tril(np.ones((1, 1, 32, 32)))  # a mask, in spite of its name
    return out


def as_mixtral(w):
    out, names = around(w) | separate(w), {"gate": "w1", "up": "w3", "down": "w2"}
    for i in range(LAYERS):
        there = f"model.layers.{i}.block_sparse_moe."
        out[there + "gate.weight"] = w[f"layers/{i}/moe.router"]
        for part, name in names.items():
            out |= {f"{there}experts.{e}.{name}.weight": w[f"layers/{i}/moe.expert.{part}/{e}"] for e in range(EXPERTS)}
    return out


def as_stacked_mixtral(w):
    out = around(w) | separate(w)
    for i in range(LAYERS):
        here, there = f"layers/{i}/moe.", f"model.layers.{i}.mlp."
        out[there + "gate.weight"] = w[here + "router"]
        out[there + "experts.gate_up_proj"] = np.stack(
            [w.cat(f"{here}expert.gate/{e}", f"{here}expert.up/{e}") for e in range(EXPERTS)])
        out[there + "experts.down_proj"] = np.stack([w[f"{here}expert.down/{e}"] for e in range(EXPERTS)])
    return out


STORED = {"F32": lambda a: a.astype(np.float32), "F16": lambda a: a.astype(np.float16), "BF16": bf16}
MINE = """\
schema: stemma.architecture/1
family: mine
match: {model_type: [mine], needs: ["trunk.{layer}.wq.weight", "trunk.{layer}.wkv.weight"]}
dims:
  hidden: {keys: [width], shape: {of: words.weight, axis: 1}}
  heads: {keys: [n_head]}
  kv_heads: {keys: [n_kv]}
  head_dim: {default: hidden / heads}
  inter: {shape: {of: "trunk.{layer}.w2.weight", axis: 0}}
  vocab: {shape: {of: words.weight, axis: 0}}
rope: half
norm: {kind: rms}
tensors:
  - {name: words.weight, role: embed, shape: [vocab, hidden]}
  - {name: answer.weight, role: lm_head, shape: [vocab, hidden]}
  - {name: last.weight, role: norm.final, shape: [hidden]}
  - {name: "trunk.{layer}.n1.weight", role: norm.pre_attn, shape: [hidden]}
  - {name: "trunk.{layer}.n2.weight", role: norm.pre_mlp, shape: [hidden]}
  - {name: "trunk.{layer}.wq.weight", role: attn.q, shape: [heads * head_dim, hidden]}
  - name: "trunk.{layer}.wkv.weight"  # each head of keys stands before its values
    shape: [2 * kv_heads * head_dim, hidden]
    split: {view: [kv_heads, 2, head_dim], axis: 1, parts: [{role: attn.k, from: 0, to: 1}, {role: attn.v, from: 1, to: 2}]}
  - {name: "trunk.{layer}.wo.weight", role: attn.o, layout: in_out, shape: [hidden, heads * head_dim]}
  - name: "trunk.{layer}.w13.weight"
    shape: [2 * inter, hidden]
    split: {view: [inter, 2], axis: 1, parts: [{role: mlp.gate, from: 0, to: 1}, {role: mlp.up, from: 1, to: 2}]}
  - {name: "trunk.{layer}.w2.weight", role: mlp.down, layout: in_out, shape: [hidden, inter]}
"""


def as_mine(w):
    out = {"words.weight": w["embed"], "answer.weight": w["lm_head"], "last.weight": w["norm.final"]}
    for i in range(LAYERS):
        here, there = f"layers/{i}/", f"trunk.{i}."
        k, v = (w[here + f"attn.{p}"].reshape(KV, WIDTH, HIDDEN) for p in "kv")
        out |= {there + "n1.weight": w[here + "norm.pre_attn"], there + "n2.weight": w[here + "norm.pre_mlp"],
                there + "wq.weight": w[here + "attn.q"], there + "wkv.weight": np.stack([k, v], 1).reshape(-1, HIDDEN),
                there + "wo.weight": w[here + "attn.o"].T, there + "w2.weight": w[here + "mlp.down"].T,
                there + "w13.weight": np.stack([w[here + "mlp.gate"], w[here + "mlp.up"]], 1).reshape(-1, HIDDEN)}
    return out


LLAMA_CONFIG = {**LLAMA, **DIMS}
GQA = {**DIMS, "num_key_value_heads": KV}
NEOX = {**DIMS, "model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"]}
GPT2 = {"model_type": "gpt2", "n_embd": HIDDEN, "n_head": HEADS, "n_layer": LAYERS, "n_inner": INTER, "vocab_size": VOCAB,
        "n_positions": 32}
MIXTRAL = {**GQA, "model_type": "mixtral", "num_local_experts": EXPERTS}
OWN = {"model_type": "mine", "width": HIDDEN, "n_head": HEADS, "n_kv": KV}
