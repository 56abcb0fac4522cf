"""One model written as quantisers write it: rounded to nearest, packed by plain loops of numpy over the layouts' rules."""
import json
import pathlib

import numpy as np

from harness import header_of, widened

GROUP = 64
NF4 = np.array([-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
                -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
                0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023,
                1.0], np.float32)


def e4m3_values():
    code = np.arange(128)
    exponent, mantissa = code >> 3, code & 7
    values = np.where(exponent == 0, mantissa * 2.0**-9, (1 + mantissa / 8) * 2.0**(exponent - 7.0))
    return values[:127]  # the last one is no number


def packed(codes, bits):
    """Rows of codes as rows of 32-bit words, lowest bits first."""
    bit = (codes[..., None] >> np.arange(bits)) & 1
    flat = bit.reshape(*codes.shape[:-1], -1).astype(np.uint8)
    flat = np.pad(flat, [(0, 0)] * (flat.ndim - 1) + [(0, -flat.shape[-1] % 32)])
    return np.packbits(flat, axis=-1, bitorder="little").view("<u4").view("<i4")


def grouped(weight):
    """The smallest and largest value of every group of inputs, (out, groups)."""
    starts = np.arange(0, weight.shape[1], GROUP)
    return np.minimum.reduceat(weight, starts, 1), np.maximum.reduceat(weight, starts, 1)


def rounded(weight, scale, zero):
    group = np.arange(weight.shape[1]) // GROUP
    return np.clip(np.rint(weight / scale[:, group]) + zero[:, group], 0, 15).astype(np.int64)


def gptq(weight):
    low, high = grouped(weight)
    scale = (np.maximum(np.abs(low), np.abs(high)) / 7).astype(np.float16)
    zero = np.full(scale.shape, 8)
    q = rounded(weight, scale.astype(np.float64), zero)
    return {"qweight": ("I32", packed(q, 4).T), "qzeros": ("I32", packed((zero - 1).T, 4)),
            "scales": ("F16", scale.T), "g_idx": ("I32", (np.arange(weight.shape[1]) // GROUP).astype(np.int32))}


def awq(weight):
    low, high = grouped(weight)
    scale = ((high - low) / 15).astype(np.float16)
    zero = np.clip(np.rint(-low / scale), 0, 15).astype(np.int64)
    q = rounded(weight, scale.astype(np.float64), zero)
    order = [0, 2, 4, 6, 1, 3, 5, 7]

    def words(codes):  # (rows, out), eight outputs in a word
        return packed(codes.reshape(codes.shape[0], -1, 8)[..., order].reshape(codes.shape), 4)

    return {"qweight": ("I32", words(q.T)), "qzeros": ("I32", words(zero.T)), "scales": ("F16", scale.T)}


def fp8(weight, block=128):
    values = e4m3_values()
    rows, columns = (-(-size // block) for size in weight.shape)
    scale, codes = np.empty((rows, columns), np.float32), np.empty(weight.shape, np.uint8)
    for r in range(rows):
        for c in range(columns):
            here = np.s_[r * block:(r + 1) * block, c * block:(c + 1) * block]
            scale[r, c] = np.abs(weight[here]).max() / 448
            size = np.abs(weight[here]) / scale[r, c]
            above = np.clip(np.searchsorted(values, size), 1, 126)
            nearest = np.where(size - values[above - 1] < values[above] - size, above - 1, above)
            codes[here] = nearest + np.where(weight[here] < 0, 128, 0)
    return {"weight": ("F8_E4M3", codes), "weight_scale_inv": ("F32", scale)}


def nf4(weight):
    flat = weight.astype(np.float32).ravel()
    blocks = np.pad(flat, (0, -len(flat) % 64)).reshape(-1, 64)
    absmax = np.abs(blocks).max(1)
    codes = np.abs(blocks[..., None] / absmax[:, None, None] - NF4).argmin(-1).ravel()[:len(flat)]
    codes = np.pad(codes, (0, len(codes) % 2)).astype(np.uint8)
    state = {"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": list(weight.shape)}
    return {"weight": ("U8", (codes[0::2] << 4 | codes[1::2])[:, None]), "weight.absmax": ("F32", absmax),
            "weight.quant_map": ("F32", NF4),
            "weight.quant_state.bitsandbytes__nf4": ("U8", np.frombuffer(json.dumps(state).encode(), np.uint8))}


def compressed(weight):
    scale = (np.abs(weight).max(1, keepdims=True) / 7).astype(np.float32)
    q = np.clip(np.rint(weight / scale) + 8, 0, 15).astype(np.int64)
    return {"weight_packed": ("I32", packed(q, 4)), "weight_scale": ("F32", scale),
            "weight_shape": ("I64", np.array(weight.shape, np.int64))}


# How each scheme makes parts of a weight, what a configuration says of it, and what the program calls it.
SCHEMES = {
    "gptq": (gptq, {"quant_method": "gptq", "bits": 4, "group_size": GROUP, "sym": True, "desc_act": False},
             "GPTQ, 4 bits, groups of 64, inputs named by group"),
    "awq": (awq, {"quant_method": "awq", "bits": 4, "group_size": GROUP, "version": "gemm", "zero_point": True},
            "AWQ, 4 bits, groups of 64"),
    "fp8": (fp8, {"quant_method": "fp8", "weight_block_size": [128, 128]}, "FP8 (E4M3), "),
    "nf4": (nf4, {"quant_method": "bitsandbytes", "load_in_4bit": True}, "bitsandbytes NF4, blocks of 64"),
    "compressed": (compressed, {"quant_method": "compressed-tensors", "format": "pack-quantized",
                                "config_groups": {"group_0": {"weights": {"num_bits": 4, "group_size": None}}}},
                   "compressed-tensors, 4 bits, one scale per row")}


def write_quantised(directory, tensors, config, scheme):
    """All projections of the layers quantised, all else as it is."""
    parts_of, claims, _ = SCHEMES[scheme]
    stored = {}
    for name, array in tensors.items():
        if name.endswith("_proj.weight"):
            parts = parts_of(widened(array))
            stored |= {name.removesuffix("weight") + part: what for part, what in parts.items()}
        else:
            stored[name] = ("BF16", array)
    stored = {name: (kind, np.ascontiguousarray(array)) for name, (kind, array) in stored.items()}
    head, _ = header_of({name: (kind, array.shape, array.nbytes) for name, (kind, array) in stored.items()})
    directory = pathlib.Path(directory)
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps(config | {"quantization_config": claims}))
    (directory / "model.safetensors").write_bytes(head + b"".join(array.tobytes() for _, array in stored.values()))
