"""Mixtures of experts: one tensor each, stacks of all of them, stacks that are turned or woven."""
import numpy as np

from families import EVERY_KV, L, around, attention, case, config, fused, gated, llama_like, norms, together
from families_others import second_mamba
from family_paper import woven


def experts(p, i, there, inter=None, names="gate_proj up_proj down_proj"):
    for e in range(p.experts):
        gated(p, f"{there}{e}.", f"layers/{i}/moe.expert", names, inter=inter, end=f"/{e}")


def stacks(p, i, there, inter=None, turned=False, names="gate_up_proj down_proj", weave=together, bias=False):
    """All experts in two tensors, gate before up; `turned` stores them (in, out)."""
    inter, both, downs, biases = inter or p.inter, [], [], []
    for e in range(p.experts):
        path = f"layers/{i}/moe.expert.{{}}/{e}"
        both.append(weave(*(p.matrix(path.format(part), inter, p.hidden) for part in ("gate", "up"))))
        downs.append(p.matrix(path.format("down"), p.hidden, inter))
        if bias:
            biases.append((weave(*(p.vector(path.format(part) + ".bias", inter) for part in ("gate", "up"))),
                           p.vector(path.format("down") + ".bias", p.hidden)))
    first, second = names.split()
    turn = (lambda a: a.transpose(0, 2, 1)) if turned else lambda a: a
    p.tensors[there + first], p.tensors[there + second] = turn(np.stack(both)), turn(np.stack(downs))
    if bias:
        for name, kind in zip((first, second), zip(*biases)):
            p.tensors[there + (name + "_bias" if name.endswith("_proj") else name.replace("_weight", "_bias"))] = np.stack(kind)


def router(p, i, name, bias=False):
    p.linear(name, f"layers/{i}/moe.router", p.experts, p.hidden, bias=bias)


@case("mixtral", *EVERY_KV, {"kv": 2, "fused": True})
def mixtral(p, fused=False):
    config(p, "mixtral", "MixtralForCausalLM", num_local_experts=p.experts)
    llama_like(p, mlp=False)
    for i in range(p.layers):
        if fused:
            router(p, i, L.format(i) + "mlp.gate")
            stacks(p, i, L.format(i) + "mlp.experts.")
        else:
            router(p, i, L.format(i) + "block_sparse_moe.gate")
            experts(p, i, L.format(i) + "block_sparse_moe.experts.", names="w1 w3 w2")


@case("phimoe", *EVERY_KV)
def phimoe(p):
    config(p, "phimoe", "PhiMoEForCausalLM", num_local_experts=p.experts)
    around(p, bias=True, head_bias=True)
    for i in range(p.layers):
        norms(p, i, L.format(i), bias=True)
        attention(p, i, L.format(i) + "self_attn.", bias="qkvo")
        router(p, i, L.format(i) + "block_sparse_moe.gate")
        experts(p, i, L.format(i) + "block_sparse_moe.experts.", names="w1 w3 w2")


def mixed(p, i, how, inter, there="mlp."):
    router(p, i, L.format(i) + there + "gate")
    if how == "fused":
        stacks(p, i, L.format(i) + there + "experts.", inter)
    else:
        experts(p, i, L.format(i) + there + "experts.", inter)


@case("qwen2_moe", *EVERY_KV, {"how": "fused"})
def qwen2_moe(p, how=""):
    """The first layer has no experts."""
    config(p, "qwen2_moe", "Qwen2MoeForCausalLM", num_experts=3, moe_intermediate_size=7, shared_expert_intermediate_size=9,
           mlp_only_layers=[0])
    llama_like(p, bias="qkv", mlp=False)
    gated(p, L.format(0) + "mlp.", "layers/0/mlp")
    mixed(p, 1, how, 7)
    gated(p, L.format(1) + "mlp.shared_expert.", "layers/1/moe.shared", inter=9)
    p.put(L.format(1) + "mlp.shared_expert_gate.weight", "layers/1/moe.shared_gate", 1, p.hidden)


@case("qwen3_moe", *EVERY_KV, {"how": "fused"}, width=5)
def qwen3_moe(p, how=""):
    config(p, "qwen3_moe", "Qwen3MoeForCausalLM", num_experts=3, moe_intermediate_size=7, mlp_only_layers=[0])
    llama_like(p, qk=("q_norm", "k_norm"), mlp=False)
    gated(p, L.format(0) + "mlp.", "layers/0/mlp")
    mixed(p, 1, how, 7)


@case("qwen3_next", *EVERY_KV, {"how": "fused"}, {"guesses": True})
def qwen3_next(p, how="", guesses=False):
    """Every layer is either attention with gated queries or a gated delta rule; all have experts and one that all share."""
    config(p, "qwen3_next", "Qwen3NextForCausalLM", num_experts=3, moe_intermediate_size=7, shared_expert_intermediate_size=9,
           linear_num_value_heads=4, linear_conv_kernel_dim=4, head_dim=p.width)
    p.offset = {"norm.": 1, "attn.q_norm": 1, "attn.k_norm": 1}
    around(p)
    for i in range(p.layers):
        there = L.format(i)
        norms(p, i, there)
        router(p, i, there + "mlp.gate")
        (stacks if how == "fused" else experts)(p, i, there + "mlp.experts.", 7)
        gated(p, there + "mlp.shared_expert.", f"layers/{i}/moe.shared", inter=9)
        p.put(there + "mlp.shared_expert_gate.weight", f"layers/{i}/moe.shared_gate", 1, p.hidden)
    there, here, keys, values = L.format(0) + "linear_attn.", "layers/0/ssm.", 2 * 3, 4 * 5
    p.linear(there + "in_proj_qkvz", here + "in", 2 * keys + 2 * values, p.hidden)
    p.linear(there + "in_proj_ba", here + "x", 2 * 4, p.hidden)
    p.linear(there + "conv1d", here + "conv", 2 * keys + values, 4)
    p.tensors[there + "conv1d.weight"] = p.tensors[there + "conv1d.weight"][:, None]
    for name, role in (("dt_bias", "dt"), ("A_log", "A_log")):
        p.put(there + name, here + role, 4)
    p.put(there + "norm.weight", here + "norm", 5)
    p.linear(there + "out_proj", here + "out", p.hidden, values)
    there, here = L.format(1) + "self_attn.", "layers/1/attn."
    heads = [p.matrix(here + part, p.heads * p.width, p.hidden).reshape(p.heads, p.width, -1) for part in ("q", "gate")]
    p.tensors[there + "q_proj.weight"] = np.stack(heads, 1).reshape(-1, p.hidden)
    for part in "kv":
        p.linear(f"{there}{part}_proj", here + part, p.kv * p.width, p.hidden)
    p.linear(there + "o_proj", here + "o", p.hidden, p.heads * p.width)
    for part in "qk":
        p.put(f"{there}{part}_norm.weight", f"{here}{part}_norm", p.width)
    if guesses:
        p.other("mtp.layers.0.self_attn.q_proj.weight", 2 * p.heads * p.width, p.hidden)


@case("qwen3_vl_moe", width=5)
def qwen3_vl_moe(p):
    config(p, "qwen3_vl_moe_text", "Qwen3VLMoeTextModel", num_experts=3, moe_intermediate_size=7)
    p.config = {"model_type": "qwen3_vl_moe", "architectures": ["Qwen3VLMoeForConditionalGeneration"], "text_config": p.config}
    llama_like(p, qk=("q_norm", "k_norm"), mlp=False)
    for i in range(p.layers):
        router(p, i, L.format(i) + "mlp.gate")
        stacks(p, i, L.format(i) + "mlp.experts.", 7, turned=True)
    p.rename(lambda name: name.replace("model.", "model.language_model.", 1))
    p.other("model.visual.patch_embed.proj.weight", 8, 3, 2, 2, 2)


@case("olmoe", *EVERY_KV, {"how": "fused"})
def olmoe(p, how=""):
    config(p, "olmoe", "OlmoeForCausalLM", num_experts=3)
    llama_like(p, mlp=False)
    for i in range(p.layers):
        for part, rows in (("q", p.heads), ("k", p.kv)):
            p.put(f"{L.format(i)}self_attn.{part}_norm.weight", f"layers/{i}/attn.{part}_norm", rows * p.width)
        mixed(p, i, how, p.inter)


@case("deepseek", *EVERY_KV, {"how": "fused"})
def deepseek(p, how=""):
    config(p, "deepseek", "DeepseekForCausalLM", n_routed_experts=3, n_shared_experts=2, moe_intermediate_size=7,
           first_k_dense_replace=1)
    llama_like(p, mlp=False)
    gated(p, L.format(0) + "mlp.", "layers/0/mlp")
    mixed(p, 1, how, 7)
    gated(p, L.format(1) + "mlp.shared_experts.", "layers/1/moe.shared", inter=14)


@case("deepseek_v2", {}, {"lite": True}, {"third": True}, {"third": True, "how": "fused"}, kv=4)
def deepseek_v2(p, lite=False, third=False, how=""):
    """Three latent ranks; the third version predicts further tokens in one more layer."""
    nope, rope, value, q_rank, kv_rank = 5, 4, 3, 9, 11
    config(p, "deepseek_v3" if third else "deepseek_v2", "DeepseekV3ForCausalLM" if third else "DeepseekV2ForCausalLM",
           n_routed_experts=3, moe_intermediate_size=7, first_k_dense_replace=1, qk_nope_head_dim=nope, qk_rope_head_dim=rope,
           v_head_dim=value, q_lora_rank=None if lite else q_rank, kv_lora_rank=kv_rank)
    around(p)
    for i in range(p.layers + third):
        there, here = L.format(i), ("mtp/" if i == p.layers else "") + f"layers/{i}/"
        for name, role in (("input_layernorm", "pre_attn"), ("post_attention_layernorm", "pre_mlp")):
            p.norm(there + name, here + "norm." + role)
        at = there + "self_attn."
        if lite:
            p.linear(at + "q_proj", here + "attn.q", p.heads * (nope + rope), p.hidden)
        else:
            p.linear(at + "q_a_proj", here + "attn.q_a", q_rank, p.hidden)
            p.norm(at + "q_a_layernorm", here + "attn.q_a_norm", size=q_rank)
            p.linear(at + "q_b_proj", here + "attn.q_b", p.heads * (nope + rope), q_rank)
        p.linear(at + "kv_a_proj_with_mqa", here + "attn.kv_a", kv_rank + rope, p.hidden)
        p.norm(at + "kv_a_layernorm", here + "attn.kv_a_norm", size=kv_rank)
        p.linear(at + "kv_b_proj", here + "attn.kv_b", p.heads * (nope + value), kv_rank)
        p.linear(at + "o_proj", here + "attn.o", p.hidden, p.heads * value)
        if i != 1:
            gated(p, there + "mlp.", here + "mlp")
            continue
        mixed(p, i, how, 7)
        if third:
            p.put(there + "mlp.gate.e_score_correction_bias", here + "moe.router_bias", 3)
        gated(p, there + "mlp.shared_experts.", here + "moe.shared", inter=7)
    if third:
        there, here = L.format(p.layers), f"mtp/layers/{p.layers}/"
        p.other(there + "enorm.weight", p.hidden)
        p.other(there + "hnorm.weight", p.hidden)
        p.other(there + "eh_proj.weight", p.hidden, 2 * p.hidden)
        p.put(there + "embed_tokens.weight", here + "embed", p.vocab, p.hidden)
        p.put(there + "shared_head.norm.weight", here + "norm.final", p.hidden)
        p.put(there + "shared_head.head.weight", here + "lm_head", p.vocab, p.hidden)


@case("glm4_moe", {}, {"qk": True}, width=5)
def glm4_moe(p, qk=False):
    config(p, "glm4_moe", "Glm4MoeForCausalLM", n_routed_experts=3, n_shared_experts=1, moe_intermediate_size=7, first_k_dense_replace=1)
    llama_like(p, bias="qkv", mlp=False, qk=("q_norm", "k_norm") if qk else None)
    gated(p, L.format(0) + "mlp.", "layers/0/mlp")
    mixed(p, 1, "", 7)
    p.put(L.format(1) + "mlp.gate.e_score_correction_bias", "layers/1/moe.router_bias", 3)
    gated(p, L.format(1) + "mlp.shared_experts.", "layers/1/moe.shared", inter=7)


@case("ernie4_5_moe", width=5)
def ernie4_5_moe(p):
    config(p, "ernie4_5_moe", "Ernie4_5_MoeForCausalLM", moe_num_experts=3, moe_intermediate_size=7)
    llama_like(p, mlp=False)
    gated(p, L.format(0) + "mlp.", "layers/0/mlp")
    mixed(p, 1, "", 7)
    p.put(L.format(1) + "mlp.moe_statics.e_score_correction_bias", "layers/1/moe.router_bias", 1, 3)
    gated(p, L.format(1) + "mlp.shared_experts.", "layers/1/moe.shared", inter=14)


@case("pangu_moe", *EVERY_KV)
def pangu_moe(p):
    config(p, "PanguProMoE", "PanguProMoEForCausalLM", num_experts=3, moe_intermediate_size=7, shared_expert_intermediate_size=9)
    llama_like(p, bias="qkvo", mlp=False)
    for i in range(p.layers):
        mixed(p, i, "", 7)
        gated(p, L.format(i) + "mlp.shared_expert.", f"layers/{i}/moe.shared", inter=9)


@case("hunyuan_moe", width=5)
def hunyuan_moe(p):
    """The second layer uses the keys and values of the first."""
    config(p, "hunyuan_v1_moe", "HunYuanMoEV1ForCausalLM", num_experts=3, intermediate_size=7)
    around(p)
    for i in range(p.layers):
        there = L.format(i)
        norms(p, i, there)
        attention(p, i, there + "self_attn.")
        router(p, i, there + "mlp.gate.wg")
        experts(p, i, there + "mlp.experts.", 7)
        gated(p, there + "mlp.shared_mlp.", f"layers/{i}/moe.shared", inter=7)
    for part in "kv":
        del p.tensors[f"model.layers.1.self_attn.{part}_proj.weight"], p.truth[f"layers/1/attn.{part}"]


@case("llama4", *EVERY_KV, width=5)
def llama4(p):
    """Every second layer has experts."""
    config(p, "llama4_text", "Llama4ForCausalLM", num_local_experts=3, intermediate_size=7, intermediate_size_mlp=p.inter)
    p.config = {"model_type": "llama4", "architectures": ["Llama4ForConditionalGeneration"], "text_config": p.config}
    llama_like(p, mlp=False, where="language_model.")
    gated(p, "language_model.model.layers.0.feed_forward.", "layers/0/mlp")
    there = "language_model.model.layers.1.feed_forward."
    router(p, 1, there + "router")
    stacks(p, 1, there + "experts.", 7, turned=True)
    gated(p, there + "shared_expert.", "layers/1/moe.shared", inter=7)
    p.other("vision_model.patch_embedding.linear.weight", 8, 12)


@case("gpt_oss", *EVERY_KV, {"square": True}, {"lists": True}, {"four_bits": True}, width=5)
def gpt_oss(p, square=False, lists=False, four_bits=False):
    """With a `square` down nothing but the family says that it is transposed."""
    p.inter = p.hidden if square else p.inter
    config(p, "gpt_oss", "GptOssForCausalLM", num_local_experts=3, head_dim=p.width)
    if four_bits:
        p.config["quantization_config"] = {"quant_method": "mxfp4"}
    llama_like(p, bias="qkvo", mlp=False)
    for i in range(p.layers):
        there = L.format(i)
        p.put(there + "self_attn.sinks", f"layers/{i}/attn.sinks", p.heads)
        router(p, i, there + "mlp.router", bias=True)
        if not lists:
            stacks(p, i, there + "mlp.experts.", turned=not four_bits, weave=woven, bias=True)
            continue
        for e in range(p.experts):
            path = f"layers/{i}/moe.expert.{{}}/{e}"
            for end, make in ((".weight", lambda where: p.matrix(where, p.inter, p.hidden)),
                              (".bias", lambda where: p.vector(where + ".bias", p.inter))):
                p.tensors[f"{there}mlp.experts.gate_up_projs.{e}{end}"] = woven(*(make(path.format(x)) for x in ("gate", "up")))
            p.linear(f"{there}mlp.experts.down_projs.{e}", path.format("down"), p.hidden, p.inter, bias=True)
    p.odd_alone = four_bits  # without the configuration they are read as (in, out)


@case("gpt_oss_original", *EVERY_KV, width=5)
def gpt_oss_original(p):
    config(p, None, "", architectures=None, num_experts=3, head_dim=p.width)
    p.put("embedding.weight", "embed", p.vocab, p.hidden)
    p.put("unembedding.weight", "lm_head", p.vocab, p.hidden)
    p.put("norm.scale", "norm.final", p.hidden)
    for i in range(p.layers):
        there = f"block.{i}."
        p.put(there + "attn.norm.scale", f"layers/{i}/norm.pre_attn", p.hidden)
        p.put(there + "mlp.norm.scale", f"layers/{i}/norm.pre_mlp", p.hidden)
        fused(p, i, there + "attn.qkv", together, bias=True)
        p.put(there + "attn.sinks", f"layers/{i}/attn.sinks", p.heads)
        p.linear(there + "attn.out", f"layers/{i}/attn.o", p.hidden, p.heads * p.width, bias=True)
        router(p, i, there + "mlp.gate", bias=True)
        stacks(p, i, there + "mlp.", names="mlp1_weight mlp2_weight", weave=woven, bias=True)


def granite_experts(p, i):
    there = L.format(i) + "block_sparse_moe."
    router(p, i, there + "router.layer")
    stacks(p, i, there, names="input_linear.weight output_linear.weight")


def granite_shared(p, i, inter):
    there = L.format(i) + "shared_mlp."
    p.tensors[there + "input_linear.weight"] = together(*(p.matrix(f"layers/{i}/moe.shared.{part}", inter, p.hidden)
                                                          for part in ("gate", "up")))
    p.linear(there + "output_linear", f"layers/{i}/moe.shared.down", p.hidden, inter)


@case("granite_moe", *EVERY_KV, {"shared": True})
def granite_moe(p, shared=False):
    config(p, "granitemoeshared" if shared else "granitemoe", "GraniteMoeSharedForCausalLM" if shared else "GraniteMoeForCausalLM",
           num_local_experts=3, **({"shared_intermediate_size": 9} if shared else {}))
    llama_like(p, mlp=False, tied=True)
    for i in range(p.layers):
        granite_experts(p, i)
        if shared:
            granite_shared(p, i, 9)


@case("granite_hybrid", {}, {"moe": True})
def granite_hybrid(p, moe=False):
    config(p, "granitemoehybrid", "GraniteMoeHybridForCausalLM", num_local_experts=3 if moe else 0, shared_intermediate_size=9,
           mamba_n_heads=3, mamba_n_groups=1, mamba_d_state=5, mamba_d_conv=4)
    if not moe:
        del p.config["num_local_experts"]
    around(p, tied=True)
    for i in range(p.layers):
        norms(p, i, L.format(i))
        granite_shared(p, i, 9)
        if moe:
            granite_experts(p, i)
    second_mamba(p, L.format(0) + "mamba.", "layers/0/")
    attention(p, 1, L.format(1) + "self_attn.")


@case("dbrx", *EVERY_KV)
def dbrx(p):
    p.config = {"model_type": "dbrx", "architectures": ["DbrxForCausalLM"], "d_model": p.hidden, "n_heads": p.heads, "n_layers": p.layers,
                "vocab_size": p.vocab, "attn_config": {"kv_n_heads": p.kv},
                "ffn_config": {"ffn_hidden_size": p.inter, "moe_num_experts": p.experts}}
    around(p, "transformer.wte", "transformer.norm_f")
    for i in range(p.layers):
        there = f"transformer.blocks.{i}."
        norms(p, i, there + "norm_attn_norm.", "norm_1", "norm_2")
        fused(p, i, there + "norm_attn_norm.attn.Wqkv", together)
        p.linear(there + "norm_attn_norm.attn.out_proj", f"layers/{i}/attn.o", p.hidden, p.hidden)
        router(p, i, there + "ffn.router.layer")
        of = {part: [p.matrix(f"layers/{i}/moe.expert.{part}/{e}", *((p.hidden, p.inter) if part == "down" else (p.inter, p.hidden)))
                     for e in range(p.experts)] for part in ("gate", "up", "down")}
        for name, part in (("w1", "gate"), ("v1", "up"), ("w2", "down")):
            p.tensors[f"{there}ffn.experts.mlp.{name}"] = together(*(m.T if part == "down" else m for m in of[part]))
