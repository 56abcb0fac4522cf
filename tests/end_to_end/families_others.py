"""Families that are not named like Llama: GPT and its heirs, state spaces, encoders."""
from families import EVERY_KV, around, attention, case, config, fused, gated, norms, plain, together
from family_paper import blocks, groups, per_head

H = "transformer.h.{}."


def gpt_config(p, model_type, cls, **more):
    p.config = {"model_type": model_type, "architectures": [cls], "n_layer": p.layers, "n_embd": p.hidden, "n_head": p.heads,
                "vocab_size": p.vocab, "n_inner": p.inter, **more}


def masks(p, there):
    p.buffer(there + "bias", 1, 1, 8, 8)
    p.buffer(there + "masked_bias")


@case("gpt2", {}, {"bare": True}, kv=4)
def gpt2(p, bare=False):
    gpt_config(p, "gpt2", "GPT2LMHeadModel", n_positions=20)
    around(p, "transformer.wte", "transformer.ln_f", bias=True, tied=True)
    p.put("transformer.wpe.weight", "pos_embed", 20, p.hidden)
    for i in range(p.layers):
        there = H.format(i)
        norms(p, i, there, "ln_1", "ln_2", bias=True)
        fused(p, i, there + "attn.c_attn", together, bias=True)
        p.tensors[there + "attn.c_attn.weight"] = p.tensors[there + "attn.c_attn.weight"].T
        p.linear(there + "attn.c_proj", f"layers/{i}/attn.o", p.hidden, p.hidden, bias=True, transposed=True)
        p.linear(there + "mlp.c_fc", f"layers/{i}/mlp.up", p.inter, p.hidden, bias=True, transposed=True)
        p.linear(there + "mlp.c_proj", f"layers/{i}/mlp.down", p.hidden, p.inter, bias=True, transposed=True)
        masks(p, there + "attn.")
    if bare:
        p.rename(lambda name: name.removeprefix("transformer."))
        p.buffers = {name.removeprefix("transformer.") for name in p.buffers}


@case("gpt_bigcode", {"kv": 1}, {"kv": 4})
def gpt_bigcode(p):
    gpt_config(p, "gpt_bigcode", "GPTBigCodeForCausalLM", n_positions=20, multi_query=p.kv == 1)
    around(p, "transformer.wte", "transformer.ln_f", bias=True, tied=True)
    p.put("transformer.wpe.weight", "pos_embed", 20, p.hidden)
    for i in range(p.layers):
        there = H.format(i)
        norms(p, i, there, "ln_1", "ln_2", bias=True)
        fused(p, i, there + "attn.c_attn", together if p.kv == 1 else lambda *qkv: per_head(p, *qkv), bias=True)
        p.linear(there + "attn.c_proj", f"layers/{i}/attn.o", p.hidden, p.hidden, bias=True)
        plain(p, there + "mlp.", f"layers/{i}/mlp", "c_fc", "c_proj", bias=True)
    p.odd_alone = p.kv > 1  # several heads of keys are told by the configuration alone


@case("gptj", kv=4)
def gptj(p):
    gpt_config(p, "gptj", "GPTJForCausalLM", rotary_dim=4)
    around(p, "transformer.wte", "transformer.ln_f", bias=True, head_bias=True)
    for i in range(p.layers):
        there = H.format(i)
        norms(p, i, there, "ln_1", None, bias=True)
        attention(p, i, there + "attn.", "q_proj k_proj v_proj out_proj")
        plain(p, there + "mlp.", f"layers/{i}/mlp", "fc_in", "fc_out", bias=True)
        masks(p, there + "attn.")


@case("gpt_neo", kv=4)
def gpt_neo(p):
    p.config = {"model_type": "gpt_neo", "architectures": ["GPTNeoForCausalLM"], "num_layers": p.layers, "num_heads": p.heads,
                "hidden_size": p.hidden, "intermediate_size": p.inter, "vocab_size": p.vocab, "max_position_embeddings": 20}
    around(p, "transformer.wte", "transformer.ln_f", bias=True, tied=True)
    p.put("transformer.wpe.weight", "pos_embed", 20, p.hidden)
    for i in range(p.layers):
        there = H.format(i)
        norms(p, i, there, "ln_1", "ln_2", bias=True)
        attention(p, i, there + "attn.attention.", "q_proj k_proj v_proj out_proj", bias="o")
        plain(p, there + "mlp.", f"layers/{i}/mlp", "c_fc", "c_proj", bias=True)
        masks(p, there + "attn.attention.")


@case("codegen", {"cores": 4}, {"cores": 8, "hidden": 32, "heads": 8}, kv=4)
def codegen(p, cores):
    p.kv, p.width = p.heads, p.hidden // p.heads
    gpt_config(p, *(("codegen", "CodeGenForCausalLM") if cores == 4 else ("progen", "ProGenForCausalLM")), rotary_dim=4)
    around(p, "transformer.wte", "transformer.ln_f", bias=True, head_bias=True)
    for i in range(p.layers):
        there = H.format(i)
        norms(p, i, there, "ln_1", None, bias=True)
        fused(p, i, there + "attn.qkv_proj", lambda *qkv: blocks(cores, *qkv))
        p.linear(there + "attn.out_proj", f"layers/{i}/attn.o", p.hidden, p.hidden)
        plain(p, there + "mlp.", f"layers/{i}/mlp", "fc_in", "fc_out", bias=True)


@case("gpt_neox", kv=4)
def gpt_neox(p):
    config(p, "gpt_neox", "GPTNeoXForCausalLM", num_key_value_heads=None, rotary_pct=0.25)
    around(p, "gpt_neox.embed_in", "gpt_neox.final_layer_norm", "embed_out", bias=True)
    for i in range(p.layers):
        there = f"gpt_neox.layers.{i}."
        norms(p, i, there, bias=True)
        fused(p, i, there + "attention.query_key_value", lambda *qkv: per_head(p, *qkv), bias=True)
        p.linear(there + "attention.dense", f"layers/{i}/attn.o", p.hidden, p.hidden, bias=True)
        plain(p, there + "mlp.", f"layers/{i}/mlp", "dense_h_to_4h", "dense_4h_to_h", bias=True)
        masks(p, there + "attention.")


@case("bloom", {}, {"bare": True}, kv=4)
def bloom(p, bare=False):
    p.config = {"model_type": "bloom", "architectures": ["BloomForCausalLM"], "n_layer": p.layers, "hidden_size": p.hidden,
                "n_head": p.heads, "vocab_size": p.vocab}
    around(p, "transformer.word_embeddings", "transformer.ln_f", bias=True, tied=True)
    p.norm("transformer.word_embeddings_layernorm", "embed_norm", bias=True)
    for i in range(p.layers):
        there = H.format(i)
        norms(p, i, there, bias=True)
        fused(p, i, there + "self_attention.query_key_value", lambda *qkv: per_head(p, *qkv), bias=True)
        p.linear(there + "self_attention.dense", f"layers/{i}/attn.o", p.hidden, p.hidden, bias=True)
        plain(p, there + "mlp.", f"layers/{i}/mlp", "dense_h_to_4h", "dense_4h_to_h", bias=True)
    if bare:
        p.rename(lambda name: name.removeprefix("transformer."))


@case("falcon", {"kv": 1}, {"kv": 2, "new": True}, {"kv": 1, "new": True}, {"kv": 4, "new": True}, {"kv": 4, "bias": True},
      {"kv": 2, "new": True, "first": True})
def falcon(p, new=False, bias=False, first=False):
    """Falcon 7B; 40B; RW with its biases; 40B in its first files."""
    p.config = {"model_type": "RefinedWeb" if first else "falcon", "n_layer" if first else "num_hidden_layers": p.layers,
                "hidden_size": p.hidden, "n_head" if first else "num_attention_heads": p.heads, "vocab_size": p.vocab}
    if first:
        p.config["n_head_kv"] = p.kv
    else:
        p.config |= {"architectures": ["FalconForCausalLM"], "new_decoder_architecture": new, "multi_query": p.kv == 1 or new,
                     "num_kv_heads": p.kv if new else p.heads}
    around(p, "transformer.word_embeddings", "transformer.ln_f", bias=True, tied=True)
    for i in range(p.layers):
        there = H.format(i)
        norms(p, i, there, *(("ln_attn", "ln_mlp") if new else ("input_layernorm", "post_attention_layernorm" if bias else None)),
              bias=True)
        how = groups if new else per_head if p.kv > 1 else lambda _, *qkv: together(*qkv)
        fused(p, i, there + "self_attention.query_key_value", lambda *qkv, how=how: how(p, *qkv), bias=bias)
        p.linear(there + "self_attention.dense", f"layers/{i}/attn.o", p.hidden, p.hidden, bias=bias)
        plain(p, there + "mlp.", f"layers/{i}/mlp", "dense_h_to_4h", "dense_4h_to_h", bias=bias)
    p.odd_alone = p.kv > 1


@case("mpt", *EVERY_KV)
def mpt(p):
    p.config = {"model_type": "mpt", "architectures": ["MPTForCausalLM"], "d_model": p.hidden, "n_heads": p.heads,
                "n_layers": p.layers, "vocab_size": p.vocab, "attn_config": {"kv_n_heads": p.kv, "alibi": True}}
    around(p, "transformer.wte", "transformer.norm_f", tied=True)
    for i in range(p.layers):
        there = f"transformer.blocks.{i}."
        norms(p, i, there, "norm_1", "norm_2")
        fused(p, i, there + "attn.Wqkv", together)
        p.linear(there + "attn.out_proj", f"layers/{i}/attn.o", p.hidden, p.hidden)
        plain(p, there + "ffn.", f"layers/{i}/mlp", "up_proj", "down_proj")
    p.odd_alone = p.kv < p.heads


@case("opt", {}, {"behind": True, "words": 9}, kv=4)
def opt(p, behind=False, words=None):
    """The one of 350 M norms behind, and has narrower words."""
    words = words or p.hidden
    p.config = {"model_type": "opt", "architectures": ["OPTForCausalLM"], "num_hidden_layers": p.layers, "hidden_size": p.hidden,
                "num_attention_heads": p.heads, "ffn_dim": p.inter, "vocab_size": p.vocab, "max_position_embeddings": 18,
                "word_embed_proj_dim": words, "do_layer_norm_before": not behind}
    top = "model.decoder."
    p.put(top + "embed_tokens.weight", "embed", p.vocab, words)
    p.put(top + "embed_positions.weight", "pos_embed", 20, p.hidden)
    if behind:
        p.other(top + "project_in.weight", p.hidden, words)
        p.other(top + "project_out.weight", words, p.hidden)
    else:
        p.norm(top + "final_layer_norm", "norm.final", bias=True)
    for i in range(p.layers):
        there = f"{top}layers.{i}."
        if behind:
            norms(p, i, there, None, None, bias=True, post_attn="self_attn_layer_norm", post_mlp="final_layer_norm")
        else:
            norms(p, i, there, "self_attn_layer_norm", "final_layer_norm", bias=True)
        attention(p, i, there + "self_attn.", "q_proj k_proj v_proj out_proj", bias="qkvo")
        plain(p, there, f"layers/{i}/mlp", "fc1", "fc2", bias=True)


@case("olmo_original", *EVERY_KV)
def olmo_original(p):
    p.config = {"model_type": "hf_olmo", "architectures": ["OLMoForCausalLM"], "d_model": p.hidden, "n_heads": p.heads,
                "n_kv_heads": p.kv, "n_layers": p.layers, "mlp_hidden_size": 2 * p.inter, "embedding_size": p.vocab}
    top = "model.transformer."
    around(p, top + "wte", None, top + "ff_out")
    for i in range(p.layers):
        there = f"{top}blocks.{i}."
        fused(p, i, there + "att_proj", together)
        p.linear(there + "attn_out", f"layers/{i}/attn.o", p.hidden, p.hidden)
        gate, up = (p.matrix(f"layers/{i}/mlp.{part}", p.inter, p.hidden) for part in ("gate", "up"))
        p.tensors[there + "ff_proj.weight"] = together(up, gate)
        p.linear(there + "ff_out", f"layers/{i}/mlp.down", p.hidden, p.inter)
    p.odd_alone = p.kv < p.heads


@case("chatglm", *EVERY_KV)
def chatglm(p):
    p.config = {"model_type": "chatglm", "architectures": ["ChatGLMModel"], "num_layers": p.layers, "hidden_size": p.hidden,
                "num_attention_heads": p.heads, "multi_query_attention": p.kv < p.heads, "multi_query_group_num": min(p.kv, 2),
                "kv_channels": p.width, "ffn_hidden_size": p.inter, "padded_vocab_size": p.vocab}
    top = "transformer.encoder."
    around(p, "transformer.embedding.word_embeddings", top + "final_layernorm", "transformer.output_layer")
    for i in range(p.layers):
        there = f"{top}layers.{i}."
        norms(p, i, there)
        how = together if p.kv < p.heads else lambda *qkv: per_head(p, *qkv)
        fused(p, i, there + "self_attention.query_key_value", how, bias=True)
        p.linear(there + "self_attention.dense", f"layers/{i}/attn.o", p.hidden, p.hidden)
        gate, up = (p.matrix(f"layers/{i}/mlp.{part}", p.inter, p.hidden) for part in ("gate", "up"))
        p.tensors[there + "mlp.dense_h_to_4h.weight"] = together(gate, up)
        p.linear(there + "mlp.dense_4h_to_h", f"layers/{i}/mlp.down", p.hidden, p.inter)
    p.buffer("transformer.rotary_pos_emb.inv_freq", 3)


@case("exaone", *EVERY_KV)
def exaone(p):
    config(p, "exaone", "ExaoneForCausalLM", num_layers=p.layers, num_hidden_layers=None)
    around(p, "transformer.wte", "transformer.ln_f")
    for i in range(p.layers):
        there = H.format(i)
        norms(p, i, there, "ln_1", "ln_2")
        attention(p, i, there + "attn.attention.", "q_proj k_proj v_proj out_proj")
        gated(p, there + "mlp.", f"layers/{i}/mlp", "c_fc_0 c_fc_1 c_proj")


@case("openelm")
def openelm(p):
    """Two heads in the first layer and four in the second, which is wider, too."""
    p.config = {"model_type": "openelm", "architectures": ["OpenELMForCausalLM"], "num_transformer_layers": 2, "model_dim": p.hidden,
                "head_dim": p.width, "num_query_heads": [2, 4], "num_kv_heads": [1, 2], "vocab_size": p.vocab,
                "ffn_multipliers": [0.5, 1.0]}
    around(p, "transformer.token_embeddings", "transformer.norm", tied=True)
    for i, (p.heads, p.kv, p.inter) in enumerate(((2, 1, 11), (4, 2, 17))):
        there = f"transformer.layers.{i}."
        norms(p, i, there, "attn_norm", "ffn_norm")
        fused(p, i, there + "attn.qkv_proj", together)
        for part in "qk":
            p.put(f"{there}attn.{part}_norm.weight", f"layers/{i}/attn.{part}_norm", p.width)
        p.linear(there + "attn.out_proj", f"layers/{i}/attn.o", p.hidden, p.heads * p.width)
        gate, up = (p.matrix(f"layers/{i}/mlp.{part}", p.inter, p.hidden) for part in ("gate", "up"))
        p.tensors[there + "ffn.proj_1.weight"] = together(gate, up)
        p.linear(there + "ffn.proj_2", f"layers/{i}/mlp.down", p.hidden, p.inter)


# State spaces


@case("mamba", {}, {"first": True})
def mamba(p, first=False):
    state, rank, kernel = 5, 3, 4
    p.config = ({"d_model": p.hidden, "n_layer": p.layers, "vocab_size": p.vocab} if first else
                {"model_type": "mamba", "architectures": ["MambaForCausalLM"], "hidden_size": p.hidden, "state_size": state,
                 "num_hidden_layers": p.layers, "intermediate_size": p.inter, "time_step_rank": rank, "conv_kernel": kernel,
                 "vocab_size": p.vocab})
    around(p, "backbone.embedding" if first else "backbone.embeddings", "backbone.norm_f", tied=not first)
    for i in range(p.layers):
        here, there = f"layers/{i}/", f"backbone.layers.{i}."
        p.norm(there + "norm", here + "norm.pre_mlp")
        there += "mixer."
        p.linear(there + "in_proj", here + "ssm.in", 2 * p.inter, p.hidden)
        p.linear(there + "conv1d", here + "ssm.conv", p.inter, kernel, bias=True)
        p.tensors[there + "conv1d.weight"] = p.tensors[there + "conv1d.weight"][:, None]
        p.linear(there + "x_proj", here + "ssm.x", rank + 2 * state, p.inter)
        p.linear(there + "dt_proj", here + "ssm.dt", p.inter, rank, bias=True)
        p.put(there + "A_log", here + "ssm.A_log", p.inter, state)
        p.put(there + "D", here + "ssm.D", p.inter)
        p.linear(there + "out_proj", here + "ssm.out", p.hidden, p.inter)


def second_mamba(p, there, here, inter=12, heads=3, groups_=1, state=5, kernel=4):
    wide = inter + 2 * groups_ * state
    p.linear(there + "in_proj", here + "ssm.in", inter + wide + heads, p.hidden)
    p.linear(there + "conv1d", here + "ssm.conv", wide, kernel, bias=True)
    p.tensors[there + "conv1d.weight"] = p.tensors[there + "conv1d.weight"][:, None]
    for name, role in (("dt_bias", "dt"), ("A_log", "A_log"), ("D", "D")):
        p.put(there + name, here + "ssm." + role, heads)
    p.put(there + "norm.weight", here + "ssm.norm", inter)
    p.linear(there + "out_proj", here + "ssm.out", p.hidden, inter)


@case("mamba2")
def mamba2(p):
    p.config = {"model_type": "mamba2", "architectures": ["Mamba2ForCausalLM"], "hidden_size": p.hidden, "state_size": 5,
                "num_hidden_layers": p.layers, "num_heads": 3, "n_groups": 1, "conv_kernel": 4, "vocab_size": p.vocab}
    around(p, "backbone.embeddings", "backbone.norm_f", tied=True)
    for i in range(p.layers):
        p.norm(f"backbone.layers.{i}.norm", f"layers/{i}/norm.pre_mlp")
        second_mamba(p, f"backbone.layers.{i}.mixer.", f"layers/{i}/")


# Encoders


def bert_like(p, top, old=False):
    w, b = (".gamma", ".beta") if old else (".weight", ".bias")

    def norm(name, path):
        p.put(name + w, path, p.hidden)
        p.put(name + b, path + ".bias", p.hidden)

    for name, role, rows in (("word", "embed", p.vocab), ("position", "pos_embed", 20), ("token_type", "type_embed", 2)):
        p.put(f"{top}embeddings.{name}_embeddings.weight", role, rows, p.hidden)
    norm(top + "embeddings.LayerNorm", "embed_norm")
    for i in range(p.layers):
        there = f"{top}encoder.layer.{i}."
        attention(p, i, there + "attention.", "self.query self.key self.value output.dense", bias="qkvo")
        norm(there + "attention.output.LayerNorm", f"layers/{i}/norm.post_attn")
        plain(p, there, f"layers/{i}/mlp", "intermediate.dense", "output.dense", bias=True)
        norm(there + "output.LayerNorm", f"layers/{i}/norm.post_mlp")


@case("bert", {}, {"old": True}, {"bare": True}, kv=4)
def bert(p, old=False, bare=False):
    config(p, "bert", "BertModel" if bare else "BertForMaskedLM", num_key_value_heads=None, max_position_embeddings=20, type_vocab_size=2)
    bert_like(p, "" if bare else "bert.", old)
    p.linear(("" if bare else "bert.") + "pooler.dense", "pooler", p.hidden, p.hidden, bias=True)
    if not bare:
        p.other("cls.predictions.bias", p.vocab)
        p.other("cls.predictions.transform.dense.weight", p.hidden, p.hidden)


@case("roberta", kv=4)
def roberta(p):
    config(p, "roberta", "RobertaForMaskedLM", num_key_value_heads=None, max_position_embeddings=20, type_vocab_size=2)
    bert_like(p, "roberta.")
    p.linear("lm_head.decoder", "lm_head", p.vocab, p.hidden, bias=True)
    p.other("lm_head.dense.weight", p.hidden, p.hidden)
    p.other("lm_head.layer_norm.weight", p.hidden)


@case("distilbert", kv=4)
def distilbert(p):
    p.config = {"model_type": "distilbert", "architectures": ["DistilBertForMaskedLM"], "n_layers": p.layers, "dim": p.hidden,
                "n_heads": p.heads, "hidden_dim": p.inter, "vocab_size": p.vocab, "max_position_embeddings": 20}
    top = "distilbert."
    p.put(top + "embeddings.word_embeddings.weight", "embed", p.vocab, p.hidden)
    p.put(top + "embeddings.position_embeddings.weight", "pos_embed", 20, p.hidden)
    p.norm(top + "embeddings.LayerNorm", "embed_norm", bias=True)
    for i in range(p.layers):
        there = f"{top}transformer.layer.{i}."
        attention(p, i, there + "attention.", "q_lin k_lin v_lin out_lin", bias="qkvo")
        plain(p, there + "ffn.", f"layers/{i}/mlp", "lin1", "lin2", bias=True)
        norms(p, i, there, None, None, bias=True, post_attn="sa_layer_norm", post_mlp="output_layer_norm")
    p.linear("vocab_projector", "lm_head", p.vocab, p.hidden, bias=True)
    p.other("vocab_transform.weight", p.hidden, p.hidden)


@case("t5", {}, {"flan": True}, kv=4, width=5)
def t5(p, flan=False):
    p.config = {"model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "num_layers": p.layers, "d_model": p.hidden,
                "num_decoder_layers": p.layers, "num_heads": p.heads, "d_kv": p.width, "d_ff": p.inter, "vocab_size": p.vocab,
                "relative_attention_num_buckets": 7, "tie_word_embeddings": not flan}
    p.put("shared.weight", "embed", p.vocab, p.hidden)
    if flan:
        p.linear("lm_head", "lm_head", p.vocab, p.hidden)
    for stack, prefix in (("encoder", "encoder/"), ("decoder", "")):
        for i in range(p.layers):
            here, there = f"{prefix}layers/{i}/", f"{stack}.block.{i}.layer."

            def four(at, name, role):
                for part in "qkvo":
                    wide = p.heads * p.width
                    p.linear(f"{there}{at}.{name}.{part}", here + f"{role}.{part}", *((p.hidden, wide) if part == "o" else (wide, p.hidden)))

            p.norm(there + "0.layer_norm", here + "norm.pre_attn")
            four(0, "SelfAttention", "attn")
            if i == 0:
                p.put(there + "0.SelfAttention.relative_attention_bias.weight", here + "attn.rel_bias", 7, p.heads)
            last = 1
            if stack == "decoder":
                last = 2
                p.norm(there + "1.layer_norm", here + "norm.pre_xattn")
                four(1, "EncDecAttention", "xattn")
            p.norm(f"{there}{last}.layer_norm", here + "norm.pre_mlp")
            dense = f"{there}{last}.DenseReluDense."
            if flan:
                gated(p, dense, here + "mlp", "wi_0 wi_1 wo")
            else:
                plain(p, dense, here + "mlp", "wi", "wo")
        p.norm(stack + ".final_layer_norm", prefix + "norm.final")


@case("whisper", kv=4)
def whisper(p):
    p.config = {"model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"], "d_model": p.hidden,
                "encoder_layers": p.layers, "decoder_layers": p.layers, "encoder_attention_heads": p.heads,
                "decoder_attention_heads": p.heads, "encoder_ffn_dim": p.inter, "decoder_ffn_dim": p.inter, "num_mel_bins": 8,
                "max_source_positions": 15, "max_target_positions": 11, "vocab_size": p.vocab}
    p.put("model.decoder.embed_tokens.weight", "embed", p.vocab, p.hidden)
    p.put("model.decoder.embed_positions.weight", "pos_embed", 11, p.hidden)
    p.put("model.encoder.embed_positions.weight", "encoder/pos_embed", 15, p.hidden)
    p.other("model.encoder.conv1.weight", p.hidden, 8, 3)
    p.other("model.encoder.conv1.bias", p.hidden)
    p.other("model.encoder.conv2.weight", p.hidden, p.hidden, 3)
    p.other("model.encoder.conv2.bias", p.hidden)
    for stack, prefix in (("encoder", "encoder/"), ("decoder", "")):
        p.norm(f"model.{stack}.layer_norm", prefix + "norm.final", bias=True)
        for i in range(p.layers):
            here, there = f"{prefix}layers/{i}/", f"model.{stack}.layers.{i}."
            for name, role in (("self_attn", "attn"), ("encoder_attn", "xattn"))[:1 if prefix else 2]:
                p.norm(f"{there}{name}_layer_norm", here + ("norm.pre_attn" if role == "attn" else "norm.pre_xattn"), bias=True)
                for part, proj in zip("qkvo", ("q_proj", "k_proj", "v_proj", "out_proj")):
                    p.linear(f"{there}{name}.{proj}", f"{here}{role}.{part}", p.hidden, p.hidden, bias=part != "k")
            p.norm(there + "final_layer_norm", here + "norm.pre_mlp", bias=True)
            plain(p, there, here + "mlp", "fc1", "fc2", bias=True)
