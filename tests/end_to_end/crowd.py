"""Where do a thousand models come from, when a page of a thousand models has to be looked at?"""
import json

import numpy as np

from harness import llama_tensors, write_safetensors, write_tsv

CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "num_hidden_layers": 4, "hidden_size": 32,
          "intermediate_size": 96, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 64,
          "tie_word_embeddings": False}
# What a stranger may call a model. None of it may act on a page.
HOSTILE = ["<img src=x onerror=\"window.pwned=1\">", "</script><script>window.pwned=2</script>",
           "\"><svg onload=window.pwned=3>", "javascript:window.pwned=4", "${window.pwned=5}", "\u202egnp.exe",
           "x" * 10_000, "=cmd()|' /C calc'!A0", "<!--", "]]>", "&lt;b&gt;", "{{7*7}}", "' onmouseover='window.pwned=6"]


def make(directory, models, seed=1, labels=()):
    """So many models in families of very different sizes, with a sheet that declares their parents; every eleventh
    declares a wrong one. Returns the path of the sheet."""
    rng = np.random.default_rng(seed)
    rows, families, base = [], [], None
    for m in range(models):
        name = f"model-{m:04d}"
        # Half of the models continue a family: a large one more likely than a small one.
        if families and rng.random() < 0.6:
            family = families[int(rng.integers(len(rows)) * 0) if rng.random() < 0.2 else int(rng.integers(len(families)))]
            base, tensors = family[int(rng.integers(len(family)))]
            grown = {key: value + (0.05 * value.std() * rng.standard_normal(value.shape)).astype(value.dtype)
                     if value.ndim == 2 else value for key, value in tensors.items()}
            family.append((name, grown))
            declared = base if m % 11 else families[-1][0][0]
        else:
            grown = llama_tensors(CONFIG, seed * 100_000 + m)
            families.append([(name, grown)])
            declared = ""
        path = directory / name
        path.mkdir(parents=True)
        write_safetensors(path / "model.safetensors", grown)
        (path / "config.json").write_text(json.dumps(CONFIG))
        rows.append([name, name, declared, labels[m] if m < len(labels) else ""])
    sheet = directory / "models.tsv"
    write_tsv(sheet, ["id", "path", "base", "label"], rows)
    return sheet
