"""What do independent models, descendants and twins of one start look like to the neuron match, measured on trained models?

null_table.py DIRECTORY [-o FILE.tsv] [--units 128 64] [--anchors 128] [--pairs FILE.tsv]

DIRECTORY is one that train.py filled. One line for each relation, source, layer and figure: how many pairs, mean, quantiles,
and for counts how often each occurred (value:times). Sources: `weights`, all units and all 256 ids as anchors; `sketch-M`,
the M units of largest |g| |u| |d| in 8 bits with the anchors of smallest hash. Relations: `independent` (different starts),
`descends` (base and what was made from it), `siblings` (made from one base), and `start, ...`: only the start in common,
them or what was made from them; `short` if one of the two was trained for 150 or 300 steps only; `same batches` is a run
beside its own beginning, between both worlds. Layers apart for independent pairs only.
--pairs writes the figures of every pair besides. Pairs that share a model are not independent draws: for quantiles, not for
conformal p-values over all pairs.
"""
import argparse
import collections
import datetime
import itertools
import math
import pathlib
import sys

import numpy as np
import scipy
from scipy import stats

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "oracle"))
from models import load  # noqa: E402
from neuron_match import MATCHERS, compare, head_spectra_distance  # noqa: E402
from shared_start import byte_anchors, compare_sketches, kappa_of_weights, sketch  # noqa: E402
from harness import read_tsv  # noqa: E402

OF_MATCHINGS = ("agree", "agree_least", "agree_of_common", "precision", "labels", "cos_gate", "cos_up", "cos_down", "omega")
COLUMNS = ["relation", "source", "layer", "figure", "pairs", "mean", "least", "q05", "median", "q95", "largest", "counts"]


def root(rows, name):
    """The model that was trained from a random start, of which `name` was made."""
    row = rows[name]
    return root(rows, row["base"]) if row["base"] and not row["relation"].startswith("shared_init") else name


def relation_of(rows, a, b):
    """What is true of two models of truth.tsv."""
    one, two, roots = rows[a], rows[b], [root(rows, a), root(rows, b)]
    if one["init_seed"] != two["init_seed"]:
        return "independent"
    if roots[0] == roots[1]:
        if b not in (one["base"], roots[0]) and a not in (two["base"], roots[0]):
            return "siblings"
        return "descends, " + (two if two["base"] == a else one)["detail"].split(", ", 1)[1].split(" at")[0]
    (_, text, _, order), (_, other_text, _, other_order) = (rows[r]["detail"].split(", ") for r in roots)
    short = ", short" if "short" in roots[0] + roots[1] else ""
    if text != other_text:
        return "start, other data" + short
    return ("start, same batches" if order == other_order else "start, other order") + short


def figures(a, b, sketches):
    """[(source, layer or "all", figure, value)] of a pair."""
    found = []
    for matcher in MATCHERS:
        tests = compare(a, b, matcher=matcher)
        for layer, test in enumerate(tests):
            for name, value in (("F", test.agreements), ("f", test.share), ("labels", test.labels), ("paired", test.paired)):
                found.append(("weights", layer, f"{matcher} {name}", value))
        found += [("weights", "all", f"{matcher} f", np.mean([t.share for t in tests])),
                  ("weights", "all", f"{matcher} F", sum(t.agreements for t in tests)),
                  ("weights", "all", f"{matcher} precision", np.mean([t.precision for t in tests])),
                  ("weights", "all", f"{matcher} label share", np.mean([t.labels / t.units for t in tests])),
                  ("weights", "all", f"{matcher} log10 p robust", sum(t.ln_robust() for t in tests) / math.log(10))]
    found += [("weights", "all", name, value) for name, value in kappa_of_weights(a, b).items()]
    found.append(("weights", "all", "head spectra", head_spectra_distance(a, b)))
    for units, (x, y) in sketches.items():
        for matcher in MATCHERS:
            for name, value in compare_sketches(x, y, matcher).items():
                if matcher == "mutual" or name.startswith("agree"):
                    found.append((f"sketch-{units}", "all", f"{matcher} {name}" if name in OF_MATCHINGS else name, value))
    return found


def summary(values):
    values = np.array([v for v in values if not math.isnan(v)], float)
    if not len(values):
        return ["0"] + [""] * 7
    counts = ""
    if np.all(values == np.round(values)) and values.max() > 1 and len(set(values)) <= 12:
        counts = " ".join(f"{v:.0f}:{n}" for v, n in sorted(collections.Counter(values).items()))
    quantiles = np.quantile(values, [0, 0.05, 0.5, 0.95, 1])
    return [str(len(values)), f"{values.mean():.4g}", *(f"{q:.4g}" for q in quantiles), counts]


def poisson_chi_square(values):
    """(chi square, p) of counts against Poisson(1), cells 0, 1, 2, 3 and more."""
    observed = [sum(v == k for v in values) for k in range(3)] + [sum(v >= 3 for v in values)]
    expected = [len(values) * p for p in (*stats.poisson.pmf(range(3), 1), stats.poisson.sf(2, 1))]
    return stats.chisquare(observed, expected)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("-o", "--output", type=pathlib.Path)
    parser.add_argument("--pairs", type=pathlib.Path)
    parser.add_argument("--units", type=int, nargs="+", default=[128, 64])
    parser.add_argument("--anchors", type=int, default=128)
    options = parser.parse_args()
    rows = {row["id"]: row for row in read_tsv(options.directory / "truth.tsv")}
    models = {name: load(options.directory / name) for name in rows}
    anchors = byte_anchors(options.anchors)
    sketches = {name: {m: sketch(model, anchors, m) for m in options.units} for name, model in models.items()}
    found, of_pairs = collections.defaultdict(list), []
    for a, b in itertools.combinations(rows, 2):
        relation = relation_of(rows, a, b)
        if relation == "independent" and (rows[a]["base"] or rows[b]["base"]):
            continue
        both = {m: (sketches[a][m], sketches[b][m]) for m in options.units}
        for source, layer, name, value in figures(models[a], models[b], both):
            if relation == "independent" or layer == "all":
                found[relation, source, layer, name].append(float(value))
            of_pairs.append([a, b, relation, source, str(layer), name, f"{value:.6g}"])
    bases = [name for name, row in rows.items() if not row["base"]]
    comments = [f"# What the neuron match says of trained models; written by tests/calibration/null_table.py, "
                f"{datetime.date.today()}, numpy {np.__version__}, scipy {scipy.__version__}.",
                f"# Models of tests/calibration/train.py: {len(bases)} independent starts ({bases[0]} to {bases[-1]}) and "
                f"{len(rows) - len(bases)} others; {rows[bases[0]]['detail'].rsplit(',', 1)[0]}.",
                f"# Sketches: {options.anchors} of the 256 byte ids. Pairs share models: no independent draws."]
    values = [v for (relation, source, layer, name), vs in found.items() for v in vs  # lap: the law wants full matchings
              if (relation, source, name) == ("independent", "weights", "lap labels") and layer != "all"]
    if values:
        chi, p = poisson_chi_square(values)
        comments.append(f"# Fixed points of labels, lap, {len(values)} layers of independent pairs: mean "
                        f"{np.mean(values):.3f}, largest {max(values):.0f}; Poisson(1): chi square {chi:.2f}, p {p:.3f}.")
    lines = comments + ["\t".join(COLUMNS)]
    lines += ["\t".join([relation, source, str(layer), name, *summary(values)])
              for (relation, source, layer, name), values in sorted(found.items(), key=lambda kv: tuple(map(str, kv[0])))]
    text = "\n".join(lines) + "\n"
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    if options.pairs:
        header = ["a", "b", "relation", "source", "layer", "figure", "value"]
        options.pairs.write_text("\n".join("\t".join(row) for row in [header, *of_pairs]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
