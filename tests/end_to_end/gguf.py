"""How is a Llama checkpoint written as GGUF, in every type of its matrices, and what would be read again?"""
import struct
import sys

import numpy as np

from harness import SOURCE, widened

sys.path.insert(0, str(SOURCE / "tests/oracle"))
import ggml_blocks  # noqa: E402

TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8, "q4_k": 12, "bf16": 30}
U32, I32, F32_KIND, STRING, ARRAY = 4, 5, 6, 8, 9


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key, value):
    """A key with a whole number, a float, a string, or a list of strings or whole numbers."""
    if isinstance(value, (str, bytes)):
        return text(key) + struct.pack("<I", STRING) + text(value)
    if isinstance(value, list):
        of_text = isinstance(value[0], (str, bytes))
        body = b"".join(map(text, value)) if of_text else struct.pack(f"<{len(value)}i", *value)
        return text(key) + struct.pack("<IIQ", ARRAY, STRING if of_text else I32, len(value)) + body
    if isinstance(value, float):
        return text(key) + struct.pack("<If", F32_KIND, value)
    return text(key) + struct.pack("<II", U32, value)


def write_gguf(path, tensors, keys):
    """`tensors` maps names to (type, shape in rows-first order, bytes)."""
    entries, data = b"", b""
    for name, (kind, shape, content) in tensors.items():
        data += b"\0" * (-len(data) % 32)
        entries += text(name) + struct.pack(f"<I{len(shape)}qIQ", len(shape), *reversed(shape), TYPES[kind], len(data))
        data += content
    head = b"GGUF" + struct.pack("<Iqq", 3, len(tensors), len(keys)) + b"".join(pair(*item) for item in keys.items()) + entries
    if tensors:
        head += b"\0" * (-len(head) % 32)
    path.write_bytes(head + data + b"\0" * (-len(data) % 32))
    return path


def q8_0(rows):
    blocks = rows.reshape(-1, 32)
    d = (np.abs(blocks).max(1) / 127).astype("<f2")
    scale = np.where(d > 0, d, 1).astype(np.float32)
    q = np.clip(np.rint(blocks / scale[:, None]), -127, 127).astype(np.int8)
    return np.hstack([d.view(np.uint8).reshape(-1, 2), q.view(np.uint8)]).tobytes()


def q4_0(rows):
    blocks = rows.reshape(-1, 32)
    largest = blocks[np.arange(len(blocks)), np.abs(blocks).argmax(1)]
    d = (largest / -8).astype("<f2")
    scale = np.where(d != 0, d, 1).astype(np.float32)
    q = np.clip(np.rint(blocks / scale[:, None]) + 8, 0, 15).astype(np.uint8)
    return np.hstack([d.view(np.uint8).reshape(-1, 2), q[:, :16] | q[:, 16:] << 4]).tobytes()


def q4_k(rows):
    """Scales and minima of 32 values rounded to six bits of the largest: what the format offers, without a search."""
    runs = rows.reshape(-1, 8, 32)
    low = np.minimum(runs.min(2), 0)
    scale, minimum = (runs.max(2) - low) / 15, -low
    d, dmin = ((x.max(1) / 63).astype("<f2") for x in (scale, minimum))
    sc, m = (np.rint(x / np.where(y > 0, y, 1).astype(np.float32)[:, None]).clip(0, 63).astype(np.uint8)
             for x, y in ((scale, d), (minimum, dmin)))
    step, base = d.astype(np.float32)[:, None] * sc, dmin.astype(np.float32)[:, None] * m
    q = np.rint((runs + base[:, :, None]) / np.where(step > 0, step, 1)[:, :, None]).clip(0, 15).astype(np.uint8)
    packed = np.empty((len(runs), 12), np.uint8)
    packed[:, :4] = sc[:, :4] | (sc[:, 4:] >> 4) << 6
    packed[:, 4:8] = m[:, :4] | (m[:, 4:] >> 4) << 6
    packed[:, 8:] = sc[:, 4:] & 15 | (m[:, 4:] & 15) << 4
    codes = (q[:, 0::2] | q[:, 1::2] << 4).reshape(len(runs), 128)
    return np.hstack([d.view(np.uint8).reshape(-1, 2), dmin.view(np.uint8).reshape(-1, 2), packed, codes]).tobytes()


def stored(values, kind):
    """Bytes and type of a tensor. As converters do, vectors stay F32, and rows that are no whole blocks become F16."""
    values = np.ascontiguousarray(values, np.float32)
    if values.ndim < 2:
        kind = "f32"
    elif kind in ggml_blocks.SIZES and values.shape[-1] % ggml_blocks.SIZES[kind][0]:
        kind = "f16"
    if kind in ("f32", "f16"):
        return kind, values.shape, values.astype({"f32": "<f4", "f16": "<f2"}[kind]).tobytes()
    return kind, values.shape, {"q8_0": q8_0, "q4_0": q4_0, "q4_k": q4_k}[kind](values)


def read_again(entry):
    """The values of what stored() made, as float32."""
    kind, shape, content = entry
    if kind in ("f32", "f16"):
        return np.frombuffer(content, {"f32": "<f4", "f16": "<f2"}[kind]).astype(np.float32).reshape(shape)
    return ggml_blocks.decode(kind, content).reshape(shape)


def paired(rows, heads):
    """Row i of the first half of each head, row i of the second half, and so on: as converters store q and k of Llama."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
         "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}


def gguf_name(name):
    """model.layers.3.mlp.up_proj.weight is blk.3.ffn_up.weight there."""
    top = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
           "lm_head.weight": "output.weight"}
    if name in top:
        return top[name]
    _, _, layer, *middle, end = name.split(".")
    return f"blk.{layer}.{NAMES['.'.join(middle)]}.{end}"


def converted(tensors, config, kind):
    """Entries for write_gguf of a Llama model's tensors."""
    entries = {}
    for name, values in tensors.items():
        values = widened(values).astype(np.float32)
        for part, key in (("q_proj", "num_attention_heads"), ("k_proj", "num_key_value_heads")):
            if part in name:
                values = paired(values, config[key])
        entries[gguf_name(name)] = stored(values, kind)
    return entries


ROLES = {"embed": "token_embd", "pos_embed": "position_embd", "norm.final": "output_norm", "lm_head": "output", "attn.q": "attn_q",
         "attn.k": "attn_k", "attn.v": "attn_v", "attn.o": "attn_output", "norm.pre_attn": "attn_norm", "norm.pre_mlp": "ffn_norm",
         "mlp.gate": "ffn_gate", "mlp.up": "ffn_up", "mlp.down": "ffn_down", "moe.router": "ffn_gate_inp"}


def written(of, heads=None, fused=()):
    """Entries in F32 for canonical matrices by role path. `heads` maps q and k to their number where rows are stored in
    pairs; `fused` maps names to the roles that stand in one tensor, one after the other. Experts are stacked."""
    parts = {}
    for path, values in of.items():
        *layer, role = path.removesuffix(".bias").removeprefix("layers/").split("/", 1)
        expert = role.partition("/")[2]
        role, end = role.partition("/")[0], "bias" if path.endswith(".bias") else "weight"
        if heads and role in heads:
            values = paired(values, heads[role])
        name = next((name for name, roles in dict(fused).items() if role in roles), None)
        order = dict(fused)[name].index(role) if name else int(expert or 0)
        name = name or (f"ffn_{role.removeprefix('moe.expert.')}_exps" if expert else ROLES[role])
        parts.setdefault((f"blk.{layer[0]}." if layer else "") + f"{name}.{end}", {})[order] = values
    return {name: stored((np.stack if "_exps" in name else np.concatenate)([found[i] for i in sorted(found)]), "f32")
            for name, found in parts.items()}


def keys_of(config, architecture="llama", **more):
    sizes = {"block_count": "num_hidden_layers", "embedding_length": "hidden_size", "feed_forward_length": "intermediate_size",
             "attention.head_count": "num_attention_heads", "attention.head_count_kv": "num_key_value_heads",
             "attention.key_length": "head_dim", "rope.dimension_count": "head_dim", "vocab_size": "vocab_size",
             "expert_count": "num_local_experts"}
    return {"general.architecture": architecture, "general.quantization_version": 2,
            **{f"{architecture}.{key}": config[name] for key, name in sizes.items() if name in config}, **more}
