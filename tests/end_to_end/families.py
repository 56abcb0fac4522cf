"""Checkpoints as the authors of each family write them: names, layouts and config.json, described apart from the tables."""
import numpy as np

from family_paper import Paper, groups, pair_by_pair, per_head

CASES = {}  # name: function of nothing that gives a finished Paper


def case(family, *variants, alone=None, **sizes):
    """One case per variant, a mapping of arguments for the writer; `alone` is the family that names without claims fit."""
    def add(write):
        for variant in variants or ({},):
            name = "-".join([family, *(f"{key}{value}" for key, value in variant.items())]).replace("_", "").replace("=", "")
            own = {key: variant[key] for key in ("kv", "heads", "width", "hidden") if key in variant}
            rest = {key: value for key, value in variant.items() if key not in own}

            def made(name=name, own=own, rest=rest):
                paper = Paper(name, family, alone or family, **{**sizes, **own})
                write(paper, **rest)
                return paper

            assert name not in CASES, name
            CASES[name] = made
        return write
    return add


EVERY_KV = ({"kv": 1}, {"kv": 2}, {"kv": 4})
L = "model.layers.{}."


def config(p, model_type, cls, **more):
    """What most configurations say. `more` adds, None takes away."""
    p.config = {"model_type": model_type, "architectures": [cls], "num_hidden_layers": p.layers, "hidden_size": p.hidden,
                "num_attention_heads": p.heads, "num_key_value_heads": p.kv, "intermediate_size": p.inter,
                "vocab_size": p.vocab}
    if p.width * p.heads != p.hidden:
        p.config["head_dim"] = p.width
    p.config = {key: value for key, value in {**p.config, **more}.items() if value is not None}


def attention(p, i, there, names="q_proj k_proj v_proj o_proj", bias="", qk=False):
    """q, k, v and o on their own; `bias` says which have one."""
    for part, name in zip("qkvo", names.split()):
        rows = {"q": p.heads, "k": p.kv, "v": p.kv, "o": None}[part]
        shape = (rows * p.width, p.hidden) if rows else (p.hidden, p.heads * p.width)
        p.linear(there + name, f"layers/{i}/attn.{part}", *shape, bias=part in bias)


def gated(p, there, here, names="gate_proj up_proj down_proj", inter=None, end="", bias=False):
    inter = inter or p.inter
    for part, name in zip(("gate", "up", "down"), names.split()):
        shape = (p.hidden, inter) if part == "down" else (inter, p.hidden)
        p.linear(there + name, f"{here}.{part}{end}", *shape, bias=bias)


def plain(p, there, here, up, down, bias=False):
    p.linear(there + up, here + ".up", p.inter, p.hidden, bias=bias)
    p.linear(there + down, here + ".down", p.hidden, p.inter, bias=bias)


def around(p, embed="model.embed_tokens", final="model.norm", head="lm_head", bias=False, head_bias=False, tied=False):
    p.put(embed + ".weight", "embed", p.vocab, p.hidden)
    if final:
        p.norm(final, "norm.final", bias=bias)
    if not tied:
        p.linear(head, "lm_head", p.vocab, p.hidden, bias=head_bias)


def norms(p, i, there, pre_attn="input_layernorm", pre_mlp="post_attention_layernorm", bias=False, **others):
    for role, name in {"pre_attn": pre_attn, "pre_mlp": pre_mlp, **others}.items():
        if name:
            p.norm(there + name, f"layers/{i}/norm.{role}", bias=bias)


def llama_like(p, bias="", norm_bias=False, mlp=True, qk=None, tied=False, where="", head="lm_head", **norm_names):
    around(p, embed=where + "model.embed_tokens", final=where + "model.norm", head=where + head, bias=norm_bias, tied=tied)
    for i in range(p.layers):
        there = where + L.format(i)
        norms(p, i, there, bias=norm_bias, **norm_names)
        attention(p, i, there + "self_attn.", bias=bias)
        if qk:
            for part, name in zip("qk", qk):
                p.put(f"{there}self_attn.{name}.weight", f"layers/{i}/attn.{part}_norm", p.width)
        if mlp:
            gated(p, there + "mlp.", f"layers/{i}/mlp")


def fused(p, i, put, how, bias=False):
    """q, k and v through `how`, which makes one matrix of three; the bias goes the same way."""
    of = [p.matrix(f"layers/{i}/attn.{part}", n * p.width, p.hidden) for part, n in zip("qkv", (p.heads, p.kv, p.kv))]
    p.tensors[put + ".weight"] = how(*of)
    if bias:
        of = [p.vector(f"layers/{i}/attn.{part}.bias", n * p.width) for part, n in zip("qkv", (p.heads, p.kv, p.kv))]
        p.tensors[put + ".bias"] = how(*(b[:, None] for b in of))[:, 0]


def together(*parts):
    return np.concatenate(parts)


# Llama and what has its names


@case("llama", *EVERY_KV, {"width": 5}, {"tied": True}, {"eyes": True})
def llama(p, tied=False, eyes=False):
    config(p, "llama", "LlamaForCausalLM", tie_word_embeddings=tied)
    llama_like(p, tied=tied, where="language_model." if eyes else "")
    if eyes:
        p.config = {"model_type": "llava", "architectures": ["LlavaForConditionalGeneration"], "text_config": p.config}
        p.other("vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight", 8, 8)
        p.other("multi_modal_projector.linear_1.weight", p.hidden, 8)


@case("meta", *EVERY_KV)
def meta(p):
    p.config = {"dim": p.hidden, "n_layers": p.layers, "n_heads": p.heads, "n_kv_heads": p.kv, "vocab_size": -1}
    around(p, "tok_embeddings", "norm", "output")
    for i in range(p.layers):
        there = f"layers.{i}."
        norms(p, i, there, "attention_norm", "ffn_norm")
        attention(p, i, there + "attention.", "wq wk wv wo")
        for name in ("wq", "wk"):
            p.tensors[f"{there}attention.{name}.weight"] = pair_by_pair(p, p.tensors[f"{there}attention.{name}.weight"])
        gated(p, there + "feed_forward.", f"layers/{i}/mlp", "w1 w3 w2")
    p.odd_alone = True
    p.buffer("rope.freqs", p.width // 2)


@case("apertus", *EVERY_KV)
def apertus(p):
    config(p, "apertus", "ApertusForCausalLM")
    llama_like(p, mlp=False, qk=("q_norm", "k_norm"), pre_attn="attention_layernorm", pre_mlp="feedforward_layernorm")
    for i in range(p.layers):
        plain(p, L.format(i) + "mlp.", f"layers/{i}/mlp", "up_proj", "down_proj")
        p.other(L.format(i) + "mlp.act_fn.alpha_p", 1)


@case("qwen2", *EVERY_KV, {"eyes": True})
def qwen2(p, eyes=False):
    config(p, "qwen2_vl" if eyes else "qwen2", "Qwen2VLForConditionalGeneration" if eyes else "Qwen2ForCausalLM")
    llama_like(p, bias="qkv")
    if eyes:
        p.other("visual.blocks.0.attn.qkv.weight", 24, 8)


@case("qwen3", *EVERY_KV, width=5)
def qwen3(p):
    config(p, "qwen3", "Qwen3ForCausalLM")
    llama_like(p, qk=("q_norm", "k_norm"))


@case("qwen", kv=4)
def qwen(p):
    config(p, "qwen", "QWenLMHeadModel", intermediate_size=2 * p.inter, kv_channels=p.width, num_key_value_heads=None)
    around(p, "transformer.wte", "transformer.ln_f")
    for i in range(p.layers):
        there = f"transformer.h.{i}."
        norms(p, i, there, "ln_1", "ln_2")
        fused(p, i, there + "attn.c_attn", together, bias=True)
        p.linear(there + "attn.c_proj", f"layers/{i}/attn.o", p.hidden, p.hidden)
        gated(p, there + "mlp.", f"layers/{i}/mlp", "w2 w1 c_proj")


@case("gemma", *EVERY_KV, alone="llama", width=5)
def gemma(p):
    config(p, "gemma", "GemmaForCausalLM")
    llama_like(p, tied=True)
    p.offset = {"norm.": 1}


SANDWICH = {"pre_mlp": "pre_feedforward_layernorm", "post_attn": "post_attention_layernorm",
            "post_mlp": "post_feedforward_layernorm"}


@case("gemma2", *EVERY_KV, width=5)
def gemma2(p):
    config(p, "gemma2", "Gemma2ForCausalLM")
    llama_like(p, tied=True, **SANDWICH)
    p.offset = {"norm.": 1}


@case("gemma3", *EVERY_KV, {"eyes": "before"}, {"eyes": "inside"}, width=5)
def gemma3(p, eyes=""):
    config(p, "gemma3_text", "Gemma3ForCausalLM")
    where = "language_model." if eyes == "before" else ""
    llama_like(p, tied=True, qk=("q_norm", "k_norm"), where=where, **SANDWICH)
    p.offset = {"norm.": 1, "attn.q_norm": 1, "attn.k_norm": 1}
    if eyes:
        p.config = {"model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"], "text_config": p.config}
        p.other(("model." if eyes == "inside" else "") + "vision_tower.vision_model.embeddings.patch_embedding.weight", 8, 3, 2, 2)
    if eyes == "inside":
        p.rename(lambda name: name.replace("model.", "model.language_model.", 1) if "vision" not in name else name)


@case("gemma3n", width=5)
def gemma3n(p):
    config(p, "gemma3n_text", "Gemma3nForCausalLM")
    llama_like(p, tied=True, qk=("q_norm", "k_norm"), **SANDWICH)
    for i in range(p.layers):
        p.other(L.format(i) + "laurel.linear_left.weight", 4, p.hidden)
        p.other(L.format(i) + "altup.router_norm.weight", p.hidden)
    p.other("model.embed_tokens_per_layer.weight", 9, 4)


@case("nemotron", *EVERY_KV)
def nemotron(p):
    config(p, "nemotron", "NemotronForCausalLM")
    llama_like(p, mlp=False, norm_bias=True)
    for i in range(p.layers):
        plain(p, L.format(i) + "mlp.", f"layers/{i}/mlp", "up_proj", "down_proj")
    p.offset = {"norm.": 1}


@case("cohere", *EVERY_KV, {"qk": True})
def cohere(p, qk=False):
    config(p, "cohere", "CohereForCausalLM")
    llama_like(p, tied=True, pre_mlp=None)
    if qk:
        for i in range(p.layers):
            for part, rows in (("q", p.heads), ("k", p.kv)):
                p.put(f"{L.format(i)}self_attn.{part}_norm.weight", f"layers/{i}/attn.{part}_norm", rows, p.width)


POST = {"pre_attn": None, "pre_mlp": None, "post_attn": "post_attention_layernorm", "post_mlp": "post_feedforward_layernorm"}


@case("olmo", *EVERY_KV)
def olmo(p):
    config(p, "olmo", "OlmoForCausalLM")
    around(p, final=None)
    for i in range(p.layers):
        attention(p, i, L.format(i) + "self_attn.")
        gated(p, L.format(i) + "mlp.", f"layers/{i}/mlp")


@case("olmo2", *EVERY_KV)
def olmo2(p):
    config(p, "olmo2", "Olmo2ForCausalLM")
    llama_like(p, **POST)
    for i in range(p.layers):
        for part, rows in (("q", p.heads), ("k", p.kv)):
            p.put(f"{L.format(i)}self_attn.{part}_norm.weight", f"layers/{i}/attn.{part}_norm", rows * p.width)


@case("exaone4", *EVERY_KV)
def exaone4(p):
    config(p, "exaone4", "Exaone4ForCausalLM")
    llama_like(p, qk=("q_norm", "k_norm"), **POST)


@case("stablelm", *EVERY_KV, {"parallel": True})
def stablelm(p, parallel=False):
    config(p, "stablelm", "StableLmForCausalLM", use_parallel_residual=parallel)
    llama_like(p, bias="qkv", norm_bias=True, **({"pre_mlp": None} if parallel else {}))
    for i in range(p.layers):
        for head in range(p.heads):
            p.other(f"{L.format(i)}self_attn.q_layernorm.norms.{head}.weight", p.width)


def same_names(family, model_type, cls, alone, bias=""):
    @case(family, *EVERY_KV, alone=alone, width=5)
    def write(p):
        config(p, model_type, cls)
        llama_like(p, bias=bias)
    return write


same_names("minicpm", "minicpm", "MiniCPMForCausalLM", "llama")
same_names("helium", "helium", "HeliumForCausalLM", "llama")
same_names("ernie4_5", "ernie4_5", "Ernie4_5ForCausalLM", "llama")
same_names("seed_oss", "seed_oss", "SeedOssForCausalLM", "qwen2", bias="qkv")
same_names("pangu", "PanguEmbedded", "PanguEmbeddedForCausalLM", "pangu", bias="qkvo")


@case("hunyuan", *EVERY_KV, width=5)
def hunyuan(p):
    config(p, "hunyuan_v1_dense", "HunYuanDenseV1ForCausalLM")
    llama_like(p, qk=("query_layernorm", "key_layernorm"))


@case("deci", alone="llama")
def deci(p):
    """Layer 0 has two heads of keys; layer 1 four, and a narrower MLP."""
    config(p, "nemotron-nas", "DeciLMForCausalLM", num_key_value_heads=None, intermediate_size=None)
    around(p)
    for i, (kv, inter) in enumerate(((2, 17), (4, 11))):
        p.kv, p.inter = kv, inter
        norms(p, i, L.format(i))
        attention(p, i, L.format(i) + "self_attn.")
        gated(p, L.format(i) + "mlp.", f"layers/{i}/mlp")
    p.odd_alone = True


@case("starcoder2", *EVERY_KV)
def starcoder2(p):
    config(p, "starcoder2", "Starcoder2ForCausalLM")
    llama_like(p, bias="qkvo", norm_bias=True, mlp=False, tied=True)
    for i in range(p.layers):
        plain(p, L.format(i) + "mlp.", f"layers/{i}/mlp", "c_fc", "c_proj", bias=True)


@case("phi", *EVERY_KV)
def phi(p):
    config(p, "phi", "PhiForCausalLM")
    around(p, final="model.final_layernorm", bias=True, head_bias=True)
    for i in range(p.layers):
        norms(p, i, L.format(i), pre_mlp=None, bias=True)
        attention(p, i, L.format(i) + "self_attn.", "q_proj k_proj v_proj dense", bias="qkvo")
        plain(p, L.format(i) + "mlp.", f"layers/{i}/mlp", "fc1", "fc2", bias=True)


@case("phi_msft", kv=4)
def phi_msft(p):
    p.config = {"model_type": "phi-msft", "n_embd": p.hidden, "n_head": p.heads, "n_layer": p.layers, "vocab_size": p.vocab,
                "n_inner": p.inter}
    p.put("transformer.embd.wte.weight", "embed", p.vocab, p.hidden)
    p.norm("lm_head.ln", "norm.final", bias=True)
    p.linear("lm_head.linear", "lm_head", p.vocab, p.hidden, bias=True)
    for i in range(p.layers):
        there = f"transformer.h.{i}."
        norms(p, i, there, "ln", None, bias=True)
        fused(p, i, there + "mixer.Wqkv", together, bias=True)
        p.linear(there + "mixer.out_proj", f"layers/{i}/attn.o", p.hidden, p.hidden, bias=True)
        plain(p, there + "mlp.", f"layers/{i}/mlp", "fc1", "fc2", bias=True)


def gate_over_up(p, i, name, upside_down=False):
    gate, up = (p.matrix(f"layers/{i}/mlp.{part}", p.inter, p.hidden) for part in ("gate", "up"))
    p.tensors[name] = together(up, gate) if upside_down else together(gate, up)


@case("phi3", *EVERY_KV)
def phi3(p):
    config(p, "phi3", "Phi3ForCausalLM")
    around(p)
    for i in range(p.layers):
        norms(p, i, L.format(i))
        fused(p, i, L.format(i) + "self_attn.qkv_proj", together)
        p.linear(L.format(i) + "self_attn.o_proj", f"layers/{i}/attn.o", p.hidden, p.heads * p.width)
        gate_over_up(p, i, L.format(i) + "mlp.gate_up_proj.weight")
        p.linear(L.format(i) + "mlp.down_proj", f"layers/{i}/mlp.down", p.hidden, p.inter)


def glm_like(p, **more):
    llama_like(p, bias="qkv", mlp=False, **more)
    for i in range(p.layers):
        gate_over_up(p, i, L.format(i) + "mlp.gate_up_proj.weight")
        p.linear(L.format(i) + "mlp.down_proj", f"layers/{i}/mlp.down", p.hidden, p.inter)


@case("glm", *EVERY_KV, width=5)
def glm(p):
    config(p, "glm", "GlmForCausalLM")
    glm_like(p)


@case("glm4", *EVERY_KV, width=5)
def glm4(p):
    config(p, "glm4", "Glm4ForCausalLM")
    glm_like(p, post_attn="post_self_attn_layernorm", post_mlp="post_mlp_layernorm")


@case("internlm2", *EVERY_KV)
def internlm2(p):
    config(p, "internlm2", "InternLM2ForCausalLM")
    around(p, "model.tok_embeddings", head="output")
    for i in range(p.layers):
        there = L.format(i)
        norms(p, i, there, "attention_norm", "ffn_norm")
        fused(p, i, there + "attention.wqkv", lambda *qkv: groups(p, *qkv))
        p.linear(there + "attention.wo", f"layers/{i}/attn.o", p.hidden, p.hidden)
        gated(p, there + "feed_forward.", f"layers/{i}/mlp", "w1 w3 w2")


@case("baichuan", kv=4)
def baichuan(p):
    config(p, "baichuan", "BaichuanForCausalLM", num_key_value_heads=None)
    around(p)
    for i in range(p.layers):
        norms(p, i, L.format(i))
        fused(p, i, L.format(i) + "self_attn.W_pack", together)
        p.linear(L.format(i) + "self_attn.o_proj", f"layers/{i}/attn.o", p.hidden, p.hidden)
        gated(p, L.format(i) + "mlp.", f"layers/{i}/mlp")


@case("persimmon", kv=4)
def persimmon(p):
    config(p, "persimmon", "PersimmonForCausalLM", num_key_value_heads=None)
    around(p, final="model.final_layernorm", bias=True)
    for i in range(p.layers):
        there = L.format(i)
        norms(p, i, there, bias=True)
        fused(p, i, there + "self_attn.query_key_value", lambda *qkv: per_head(p, *qkv), bias=True)
        p.linear(there + "self_attn.dense", f"layers/{i}/attn.o", p.hidden, p.hidden, bias=True)
        for part in "qk":
            p.put(f"{there}self_attn.{part}_layernorm.weight", f"layers/{i}/attn.{part}_norm", p.width)
            p.put(f"{there}self_attn.{part}_layernorm.bias", f"layers/{i}/attn.{part}_norm.bias", p.width)
        plain(p, there + "mlp.", f"layers/{i}/mlp", "dense_h_to_4h", "dense_4h_to_h", bias=True)
