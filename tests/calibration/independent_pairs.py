"""Does the match of neurons call strangers kin, among so many pairs that a rare mistake would show?

independent_pairs.py [--models 450] [--kind KIND ...] [--seed 1] [--trained DIRECTORY ...] [--report FILE.tsv]

Models of random weights that share nothing, made here, fingerprinted and compared by the program, all pairs at once; 450
models are 101,025 pairs. Kinds:

    random              everything drawn anew
    features-P          P % of the neurons of every MLP answer tokens along the same directions in all models, as data might
                        write them, at places of their own; weights differ, for every model has an embedding of its own
    embedding           one embedding, bit for bit, in all models; everything else drawn anew
    near-embedding      the same embedding with noise of a tenth of its size

--trained reads directories that train.py filled instead and looks at their independent pairs, with everything else in them as
company. Reported: classes, the largest |ln p| of both tests, how often the p-value of the places lies at or below a level, beside
the level (it must not be more often, up to chance), and the smallest level after correction over all pairs, computed here.
"""
import argparse
import collections
import math
import pathlib
import tempfile

import numpy as np

from program import archive_of, pairs_of, truths
from harness import llama_config, llama_shapes, write_checkpoint

LAYERS, UNITS, WIDTH, VOCABULARY = 2, 96, 136, 136  # more axes than anchors (128), so that any answers can be written
CONFIG = llama_config(LAYERS, hidden_size=WIDTH, num_attention_heads=4, num_key_value_heads=2, head_dim=34, intermediate_size=UNITS,
                      vocab_size=VOCABULARY)
KINDS = ["random", "features-5", "features-10", "features-20", "features-50", "embedding", "near-embedding"]
LINEAGE = ("SAME_LINEAGE", "PARTIAL_LINEAGE")
MOST_DETAILED = 20_000  # pairs of which the program prints every row
LEVELS = (0.5, 0.1, 0.01, 1e-3, 1e-4, 1e-5)


def model(kind, seed, number):
    """{name: float32 array} of one model of a kind."""
    rng = np.random.default_rng([201, seed, number])
    tensors = {name: np.ones(shape) if len(shape) == 1 else rng.standard_normal(shape) / math.sqrt(shape[-1])
               for name, shape in llama_shapes(CONFIG).items()}
    embed = "model.embed_tokens.weight"
    if "embedding" in kind:
        tensors[embed] = np.random.default_rng([202, seed]).standard_normal((VOCABULARY, WIDTH))
    if kind == "near-embedding":
        tensors[embed] = tensors[embed] + 0.1 * rng.standard_normal((VOCABULARY, WIDTH))
    if kind.startswith("features-"):
        share = int(kind.split("-")[1]) / 100
        rows = tensors[embed] / np.linalg.norm(tensors[embed], axis=1, keepdims=True)
        to_weights = np.linalg.pinv(rows)
        for layer in range(LAYERS):
            dictionary = np.random.default_rng([203, seed, layer]).standard_normal((2, UNITS, VOCABULARY))
            taken, places = range(round(share * UNITS)), rng.permutation(UNITS)
            for part, name in enumerate(("gate", "up")):
                w = tensors[f"model.layers.{layer}.mlp.{name}_proj.weight"]
                for feature, place in zip(taken, places):
                    found = to_weights @ dictionary[part, feature]
                    w[place] = found * np.linalg.norm(w[place]) / np.linalg.norm(found)
    return {name: t.astype(np.float32) for name, t in tensors.items()}


def compared(archive, directory):
    """[(a, b, class, {role: row})] of all pairs, with every row: the class is of all pairs together, rows come in parts."""
    whole = pairs_of(archive)
    if len(whole) <= MOST_DETAILED:
        return whole
    rows = {}
    for part in range(0, len(whole), MOST_DETAILED):
        listed = directory / "part.tsv"
        listed.write_text("a\tb\n" + "".join(f"{a}\t{b}\n" for a, b, *_ in whole[part:part + MOST_DETAILED]), encoding="utf-8")
        rows |= {(a, b): r for a, b, _, r in pairs_of(archive, "--pairs", str(listed))}
    return [(a, b, said, rows[a, b]) for a, b, said, _ in whole]


def smallest_level(log_p):
    """ln of the smallest p-value after correction by Benjamini and Yekutieli, from the definition."""
    p = np.sort(np.array(log_p))
    m = len(p)
    harmonic = math.log(math.fsum(1 / i for i in range(1, m + 1)))
    return min(0.0, float(np.min(p + math.log(m) + harmonic - np.log(np.arange(1, m + 1)))))


def summary(pairs):
    """{figure: value} of pairs that are independent."""
    places = np.array([math.log(10) * r["places"]["log10_p"] for *_, r in pairs if r.get("places", {}).get("log10_p") is not None])
    robust = np.array([math.log(10) * r[""]["log10_p"] for *_, r in pairs if r[""]["log10_p"] is not None])
    classes = collections.Counter(said for _, _, said, _ in pairs)
    found = {"pairs": len(pairs), "lineage": sum(classes[c] for c in LINEAGE), "shared start": classes["SHARED_INIT"],
             "classes": ", ".join(f"{n} {c}" for c, n in classes.most_common()),
             "largest |ln p| of places": float(-places.min()), "largest |ln p| of two matchings": float(-robust.min()),
             "largest share": max(r[""]["score"] for *_, r in pairs if r[""]["score"] is not None)}
    for level in LEVELS:
        found[f"share of places with p <= {level:g}"] = float(np.mean(places <= math.log(level) + 1e-12))
    found["ln of the smallest corrected p"] = smallest_level(np.concatenate((places, robust)))
    return found


def pairs_of_kind(kind, count, seed, directory):
    for number in range(count):
        write_checkpoint(directory / f"m{number:03}", model(kind, seed, number), CONFIG)
    archive_of([directory], directory / "a.h5")
    return compared(directory / "a.h5", directory)


def trained_pairs(directories, directory):
    archive_of(directories, directory / "a.h5")
    known = truths(directories)
    return [pair for pair in compared(directory / "a.h5", directory) if known[frozenset(pair[:2])] == "independent"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=450)
    parser.add_argument("--kind", choices=KINDS, nargs="+", default=["random"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trained", type=pathlib.Path, nargs="+", default=[])
    parser.add_argument("--report", type=pathlib.Path)
    options = parser.parse_args()
    lines = ["population\tfigure\tvalue"]
    for kind in ["trained"] if options.trained else options.kind:
        with tempfile.TemporaryDirectory() as temporary:
            directory = pathlib.Path(temporary)
            pairs = trained_pairs(options.trained, directory) if options.trained else pairs_of_kind(
                kind, options.models, options.seed, directory)
        for figure, value in summary(pairs).items():
            lines.append(f"{kind}\t{figure}\t{value:.6g}" if isinstance(value, float) else f"{kind}\t{figure}\t{value}")
            print(lines[-1], flush=True)
    if options.report:
        options.report.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
