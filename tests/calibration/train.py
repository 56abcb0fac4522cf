"""Which small models does a null table need, and how are they trained: independent ones, descendants, twins of one start?

train.py DIRECTORY [--shape calibration|zoo] [--seeds 1-28] [--families 1-3] [--only SEEDS] [--embedding-of SEED]
         [--prose DIR ...] [--code DIR ...]

Byte-level Llama shapes (vocabulary 256, RMSNorm, SwiGLU, grouped-query attention, rotary positions in half layout, untied
head), all matrices N(0, 0.02) at the start, AdamW (0.9, 0.95) with decay 0.1 and a cosine of 2e-3 after 20 warm-up steps.
Every seed gives a base model on the first half of the prose. The first seeds (--families) have a family besides:

    other-order      the same start and data, batches in another order       (shares its initialisation, descends from nobody)
    other-data       the same start, the second half of the prose            (likewise)
    other-code       the same start, source code                             (likewise)
    short-N          the same start and batches for N steps only, and short-N-other-order (likewise: twins that barely parted)
    continued-N      the base trained on for N steps on the second half of the prose, at 1.5e-3
    finetune         the base trained on for 400 steps on source code, at 5e-4
    lora             an adapter of rank 8 on all seven matrices, 300 steps on source code at 2e-3, merged

Models lie in DIRECTORY as BF16 safetensors with Hugging Face names, what they are in its truth.tsv. A model that is there is
not trained again, so several processes may share a directory, each with its --only. Not for CI: 28 seeds take half an hour.
The prose is documentation of the machine, so other machines get other models; nothing but the texts depends on it.
"""
import argparse
import hashlib
import json
import math
import os
import pathlib
import shutil
import sys
import time

import numpy as np
import torch
from torch.nn import functional

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "end_to_end"))
from harness import bf16, llama_config, llama_shapes, read_safetensors, widened, write_checkpoint, write_tsv  # noqa: E402

HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2}
SHAPES = {"calibration": ({**HEADS, "hidden_size": 64, "head_dim": 16, "intermediate_size": 172}, 4, 96),  # config, layers, length
          "zoo": ({**HEADS, "hidden_size": 128, "head_dim": 32, "intermediate_size": 344}, 6, 128)}
STEPS, BATCH = 600, 8
PROSE = ["/usr/share/doc", "/usr/share/vim"]
CODE = ["/usr/lib/python3", "/usr/lib/python3.11"]
LONGEST_FILE, ENOUGH = 200_000, 12_000_000  # bytes
COLUMNS = ["id", "base", "relation", "init_seed", "detail"]


def files_under(directories, suffixes):
    for directory in directories:
        yield from sorted(p for p in pathlib.Path(directory).rglob("*")
                          if p.suffix in suffixes and p.is_file() and not p.is_symlink())


def texts(directories, suffixes, halves):
    """The bytes of all such files, once each, cut after 200 kB, in as many tensors as `halves` says: a file's hash chooses."""
    parts, seen = [[] for _ in range(halves)], set()
    for path in files_under(directories, suffixes):
        data = path.read_bytes()[:LONGEST_FILE]
        digest = hashlib.sha256(data).digest()
        if len(data) >= 1000 and digest not in seen:
            seen.add(digest)
            parts[digest[0] % halves].append((digest, data))
    joined = [b"\n".join(data for _, data in sorted(part))[:ENOUGH] for part in parts]
    if min(map(len, joined)) < 100_000:
        raise SystemExit(f"less than 100 kB of text under {', '.join(directories)}")
    return [torch.from_numpy(np.frombuffer(data, np.uint8).copy()) for data in joined]


def initial(config, seed, embedding_of=None):
    """Matrices N(0, 0.02), gains 1; the embedding that of another seed where one is given."""
    generator = torch.Generator().manual_seed(seed)
    start = {name: torch.ones(shape) if len(shape) == 1 else 0.02 * torch.randn(shape, generator=generator)
             for name, shape in llama_shapes(config).items()}
    if embedding_of is not None:
        start["model.embed_tokens.weight"] = initial(config, embedding_of)["model.embed_tokens.weight"]
    return start


def rms(x, gain, eps=1e-6):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps) * gain


def rotated(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


def gated(z, gate, up, down):
    return (functional.silu(z @ gate.T) * (z @ up.T)) @ down.T


def mlp(t, config, layer, z):
    """The MLP of a layer, or its two experts of the largest weights, which add up to one, in Mixtral's names."""
    if "num_local_experts" not in config:
        return gated(z, *(t[f"{layer}mlp.{p}_proj.weight"] for p in ("gate", "up", "down")))
    sparse = f"{layer}block_sparse_moe."
    best, chosen = (z @ t[f"{sparse}gate.weight"].T).topk(2, -1)
    weights = torch.zeros(*z.shape[:-1], config["num_local_experts"]).scatter(-1, chosen, torch.softmax(best, -1))
    return sum(weights[..., e:e + 1] * gated(z, *(t[f"{sparse}experts.{e}.{w}.weight"] for w in ("w1", "w3", "w2")))
               for e in range(config["num_local_experts"]))


def logits(t, config, tokens):
    """(batch, length, 256) for tokens (batch, length); x (batch, length, d), heads (batch, H, length, w)."""
    (n, length), heads, kv, w = tokens.shape, config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
    angle = torch.arange(length)[:, None] * 10000.0 ** (-torch.arange(0, w, 2) / w)
    cos, sin = (f(torch.cat((angle, angle), -1)) for f in (torch.cos, torch.sin))
    mask = torch.full((length, length), -math.inf).triu(1)
    x = t["model.embed_tokens.weight"][tokens]
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        z = rms(x, t[layer + "input_layernorm.weight"])
        q, k, v = ((z @ t[f"{layer}self_attn.{p}_proj.weight"].T).view(n, length, -1, w).transpose(1, 2) for p in "qkv")
        q, k = rotated(q, cos, sin), rotated(k, cos, sin)
        k, v = (a.repeat_interleave(heads // kv, 1) for a in (k, v))
        attended = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(w) + mask, -1) @ v
        x = x + attended.transpose(1, 2).reshape(n, length, -1) @ t[layer + "self_attn.o_proj.weight"].T
        z = rms(x, t[layer + "post_attention_layernorm.weight"])
        x = x + mlp(t, config, layer, z)
    return rms(x, t["model.norm.weight"]) @ t["lm_head.weight"].T


def fit(config, parameters, weights, data, steps, rate, order, length):
    """Trains `parameters` in place, where `weights()` gives the model's tensors; the mean loss of the last 50 steps."""
    optimiser = torch.optim.AdamW(parameters, rate, (0.9, 0.95), weight_decay=0.1)
    generator, losses = torch.Generator().manual_seed(order), []
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 20) * 0.5 * (1 + math.cos(math.pi * step / steps))
        begins = torch.randint(len(data) - length - 1, (BATCH,), generator=generator)
        batch = torch.stack([data[b:b + length + 1] for b in begins.tolist()]).long()
        loss = functional.cross_entropy(logits(weights(), config, batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        losses.append(loss.item())
    return float(np.mean(losses[-50:]))


def trained(config, start, data, steps, rate, order, length):
    tensors = {name: t.clone().requires_grad_() for name, t in start.items()}
    loss = fit(config, list(tensors.values()), lambda: tensors, data, steps, rate, order, length)
    return {name: t.detach() for name, t in tensors.items()}, loss


def adapted(config, start, data, steps, rate, order, length, rank=8):
    """W + 2 B A for the seven matrices of each layer."""
    generator, pairs = torch.Generator().manual_seed(order), {}
    for name, t in start.items():
        if "_proj" in name:
            a = torch.randn((rank, t.shape[1]), generator=generator) / math.sqrt(t.shape[1])
            pairs[name] = (a.requires_grad_(), torch.zeros((t.shape[0], rank), requires_grad=True))
    weights = lambda: start | {name: start[name] + 2 * b @ a for name, (a, b) in pairs.items()}  # noqa: E731
    loss = fit(config, [p for pair in pairs.values() for p in pair], weights, data, steps, rate, order, length)
    return {name: t.detach() for name, t in weights().items()}, loss


def family(seed):
    """(suffix, start: 'init' or 'base', relation, text, steps, rate, order) of what a seed has besides its base."""
    return [("other-order", "init", "shared_init_other_order", "prose", STEPS, 2e-3, 1000 + seed),
            ("other-data", "init", "shared_init_other_data", "more prose", STEPS, 2e-3, 1000 + seed),
            ("other-code", "init", "shared_init_code", "code", STEPS, 2e-3, 1000 + seed),
            *((f"short-{n}{suffix}", "init", "shared_init_short", "prose", n, 2e-3, order)
              for n in (150, 300) for suffix, order in (("", seed), ("-other-order", 1000 + seed))),
            *((f"continued-{n}", "base", "continued", "more prose", n, 1.5e-3, 2000 + seed) for n in (300, 600, 1200)),
            ("finetune", "base", "finetune", "code", 400, 5e-4, 2000 + seed),
            ("lora", "base", "lora_merged", "code", 300, 2e-3, 2000 + seed)]


def plan(seeds, families):
    """Rows of all models: id, base, relation, seed of the start, and how it is made."""
    rows = []
    for seed in seeds:
        base = f"seed-{seed:02}"
        rows.append((base, "", "independent", seed, ("init", "prose", STEPS, 2e-3, seed)))
        if seed in families:
            rows += [(f"{base}-{suffix}", base, relation, seed, (start, *how))
                     for suffix, start, relation, *how in family(seed)]
    return rows


def number_list(text):
    numbers = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def save(directory, name, tensors, config):
    """Whole or not at all: other processes look whether the directory is there."""
    making = directory / f".{name}-{os.getpid()}"
    shutil.rmtree(making, ignore_errors=True)
    write_checkpoint(making, {key: bf16(t.numpy()) for key, t in tensors.items()}, config)
    try:
        making.rename(directory / name)
    except OSError:  # another process was faster
        shutil.rmtree(making)


def save_truth(directory, rows):
    present = [row for row in rows if (directory / row[0]).is_dir()]
    lines = [[name, base, relation, str(seed), f"{start}, {text}, {steps} steps at {rate:g}, order {order}"]
             for name, base, relation, seed, (start, text, steps, rate, order) in present]
    making = directory / f".truth-{os.getpid()}"
    write_tsv(making, COLUMNS, lines)
    making.rename(directory / "truth.tsv")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--shape", choices=SHAPES, default="calibration")
    parser.add_argument("--seeds", type=number_list, default="1-28", help="all that the directory shall hold")
    parser.add_argument("--families", type=number_list, default="1-3", help="seeds with descendants and twins")
    parser.add_argument("--only", type=number_list, help="seeds that this process trains")
    parser.add_argument("--relations", nargs="*", help="of a family, only these")
    parser.add_argument("--embedding-of", type=int, metavar="SEED", help="all start with the embedding of this seed")
    parser.add_argument("--prose", nargs="+", default=PROSE)
    parser.add_argument("--code", nargs="+", default=CODE)
    options = parser.parse_args()
    torch.set_num_threads(1)
    changes, layers, length = SHAPES[options.shape]
    config = llama_config(layers, **changes, vocab_size=256, rms_norm_eps=1e-6, rope_theta=10000.0, tie_word_embeddings=False,
                          torch_dtype="bfloat16")
    prose = texts(options.prose, {".txt", ".md", ".rst"}, 2)
    text = {"prose": prose[0], "more prose": prose[1], "code": texts(options.code, {".py"}, 1)[0]}
    print(json.dumps({name: len(data) for name, data in text.items()}), flush=True)
    options.directory.mkdir(parents=True, exist_ok=True)
    rows = [row for row in plan(options.seeds, options.families)
            if options.relations is None or not row[1] or row[2] in options.relations]
    for name, base, relation, seed, (start, which, steps, rate, order) in rows:
        if seed not in (options.only or options.seeds) or (options.directory / name).is_dir():
            continue
        begin = time.time()
        if start == "init":
            first = initial(config, seed, options.embedding_of)
        else:  # what was stored, so that a descendant is one of the file
            stored = read_safetensors(options.directory / base / "model.safetensors")
            first = {key: torch.from_numpy(widened(array)).float() for key, array in stored.items()}
        make = adapted if relation == "lora_merged" else trained
        tensors, loss = make(config, first, text[which], steps, rate, order, length)
        save(options.directory, name, tensors, config)
        save_truth(options.directory, rows)
        print(f"{name}: loss {loss:.3f}, {time.time() - begin:.0f} s", flush=True)
    save_truth(options.directory, rows)


if __name__ == "__main__":
    main()
