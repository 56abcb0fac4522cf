"""How many neurons do separately trained models share by chance, layer by layer? The table that travels with the program.

neuron_background.py [-o FILE.tsv] DIRECTORY ...      directories that train.py filled, each with seeds of its own

Of all models that were trained from a start of their own: fingerprints and comparisons by the program, then how often each
share of agreeing neurons occurs (share:times), for the median over layers, which is the score of a pair, and for layers by
their place, layer / (layers - 1), where both stand at the same place: where the program searched partners elsewhere, a layer may
have none. `all` pairs share models and are no independent draws; `disjoint` are first and second,
third and fourth model and so on, in the order of their ids.
"""
import argparse
import collections
import datetime
import itertools
import pathlib
import re
import tempfile

from program import archive_of, pairs_of
from harness import read_tsv

COLUMNS = ["place", "set", "models", "pairs", "shares"]


def shares_of(rows, layers):
    """{place: share} of a pair."""
    found = {"median": rows[""]["score"]}
    for role, row in rows.items():
        if layer := re.fullmatch(r"layers/(\d+)", role):  # others are of layers at unlike places
            found[f"{int(layer[1]) / (layers - 1):.4f}"] = row["score"]
    return found


def counted(pairs, models, which):
    """Lines of a set of pairs [{place: share}]."""
    lines = []
    for place in sorted(set(itertools.chain.from_iterable(pairs)), key=lambda p: (p == "median", p)):
        counts = collections.Counter(pair[place] for pair in pairs if place in pair)
        lines.append([place, which, str(models), str(sum(counts.values())), " ".join(f"{s:.10g}:{n}" for s, n in sorted(counts.items()))])
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directories", type=pathlib.Path, nargs="+")
    parser.add_argument("-o", "--output", type=pathlib.Path)
    options = parser.parse_args()
    bases = {row["id"]: row for d in options.directories for row in read_tsv(d / "truth.tsv") if not row["base"]}
    with tempfile.TemporaryDirectory() as temporary:
        for d in options.directories:
            for name in bases:
                if (d / name).is_dir():
                    (pathlib.Path(temporary) / name).symlink_to((d / name).resolve())
        archive_of([temporary], f"{temporary}/a.h5")
        compared = {(a, b): rows for a, b, _, rows in pairs_of(f"{temporary}/a.h5")}
    layers = max(rows[""]["detail"]["blocks_a"] for rows in compared.values())
    names = sorted(bases)
    disjoint = set(zip(names[::2], names[1::2]))
    of_all = {pair: shares_of(rows, layers) for pair, rows in compared.items()}
    seeds = sorted(int(row["init_seed"]) for row in bases.values())
    kept = max(rows["layers/0"]["detail"]["kept"] for rows in compared.values() if "layers/0" in rows)
    lines = [
        f"# Shares of agreeing neurons of neuron_match between separately trained models; {datetime.date.today()}.",
        "# Made by: tests/calibration/neuron_background.py DIRECTORY ... over models of tests/calibration/train.py.",
        f"# {len(names)} models, seeds {' '.join(map(str, seeds))}; {layers} layers; {kept} neurons kept of each MLP.",
        f"# One recipe: {bases[names[0]]['detail'].rsplit(',', 1)[0]}; byte-level Llama shapes of width 64.",
        "\t".join(COLUMNS)]
    for which, pairs in (("all", list(of_all.values())), ("disjoint", [of_all[p] for p in of_all if p in disjoint])):
        lines += ["\t".join(line) for line in counted(pairs, len(names), which)]
    text = "\n".join(lines) + "\n"
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
