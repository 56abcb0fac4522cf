"""What do other methods say of a descendant after each laundering, how well do they tell relatives apart, and at what cost?

bench_rivals.py [--zoo DIR [--most N]] [--json FILE] [--seed 1] [--noise 0.1] [--anchors 400] [--no-toy]

Without options: the toy of tests/oracle/laundering_toy.py, a row for each case, a column for each method. With --zoo: a
directory of models with a truth.tsv, as tests/data/zoo or what tests/calibration/train.py makes. Each method scores every
pair that its shapes allow, then every pair again whose second model is laundered with everything. Relatives are positive,
strangers negative; pairs that share only their start are neither, and their mean score stands apart. pAUC is the area up
to a false positive rate of 5 %, over 0.05.
"""
import argparse
import itertools
import json
import math
import pathlib
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "oracle"))
import laundering_toy  # noqa: E402
import rivals  # noqa: E402
from fixed_points import log10, ln_sum_bound  # noqa: E402
from models import folded, model_of  # noqa: E402
from neuron_match import compare, head_spectra_distance, read_layers, same_tokens, test_layers  # noqa: E402
from harness import read_tsv  # noqa: E402
from launder import ALL, launder, read_model  # noqa: E402


def label_log10(a, b):
    """log10 p of fixed points of labels (lap), layers combined by the bound of their sum."""
    rivals.need(len(a.layers) == len(b.layers), "equal numbers of layers")
    return log10(ln_sum_bound([t.labels for t in compare(a, b, matcher="lap")]))


def mean_share(a, b, matcher="mutual"):
    """Mean share of agreeing units over the layers of the shallower model, each with its best layer of the other, in order."""
    a, b = folded(a), folded(b)
    anchors = same_tokens(a, b)
    rivals.need(len(anchors[0]) >= 32, "32 shared tokens")
    x, y = read_layers(a, anchors[0]), read_layers(b, anchors[1])
    if len(x) == len(y):  # the only way to assign all of them in order
        return float(np.mean([test_layers(i, j, matcher).share for i, j in zip(x, y)]))
    return -rivals.aligned(-np.array([[test_layers(i, j, matcher).share for j in y] for i in x]))


# Name: (function, +1 where relatives score high, -1 where low).
METHODS = {
    "PCS": (rivals.pcs, 1), "sigma": (rivals.sigma_curves, 1), "AWM": (rivals.awm, 1), "GhostSpec": (rivals.ghostspec, -1),
    "HuRef": (rivals.huref, 1), "CRS": (rivals.crs, 1), "HuRef folded": (rivals.huref_folded, 1),
    "head spectra": (head_spectra_distance, -1),
    "label test log10 p": (lambda a, b: log10(rivals.ln_label_test(a, b)), -1),
    "Haar trace": (lambda a, b: rivals.haar_trace(a, b)[0], 1),
}
OURS = {"label fixed points log10 p": (label_log10, -1), "neuron share mutual": (mean_share, 1),
        "neuron share lap": (lambda a, b: mean_share(a, b, "lap"), 1)}


def toy_table(seed=1, noise=0.1, anchors=400):
    """(rows, seconds): a row {"case", "logits": largest change against the unlaundered, method: score, matcher: [F of each
    layer]}, and the mean seconds of each method for a pair."""
    base, made = laundering_toy.cases(seed, noise)
    ids, rows, seconds = (np.arange(anchors),) * 2, [], {}
    for case, model in made.items():
        plain = made["independent" if case.startswith("independent") else "descendant"]
        row = {"case": case, "logits": laundering_toy.largest_difference(plain, model)}
        timed = {name: method for name, (method, _) in METHODS.items()}
        timed["label fixed points log10 p"] = label_log10
        for matcher in ("lap", "mutual"):
            timed[matcher] = lambda a, b, m=matcher: [t.agreements for t in compare(a, b, ids, m)]
        for name, method in timed.items():
            begin = time.perf_counter()
            row[name] = method(base, model)
            seconds.setdefault(name, []).append(time.perf_counter() - begin)
        rows.append(row)
    return rows, {name: float(np.mean(s)) for name, s in seconds.items()}


def relatives(directory):
    """{(a, b): True for a common ancestor or descent, False for strangers, None where only the start is shared}, and names."""
    rows = read_tsv(directory / "truth.tsv")
    names = sorted(p.name for p in directory.iterdir() if (p / "config.json").is_file())
    parent, start = {}, {}
    for row in rows:
        child, base = (row["id"], row["base"]) if "id" in row else (row["a"], row["b"])
        if base and not row["relation"].startswith("shared_init"):
            parent[child] = base
        if "init_seed" in row:
            start[child] = row["init_seed"]

    def root(name):
        return root(parent[name]) if name in parent else name

    truth = {}
    for a, b in itertools.combinations(names, 2):
        same_start = a in start and start.get(a) == start.get(b)
        truth[a, b] = root(a) == root(b) or (None if same_start else False)
    return truth, names


def quality(positive, negative):
    """AUC (ties count half), partial AUC and TPR at an FPR of at most 1 % of scores that are high for relatives."""
    if not positive or not negative:
        return {}
    p, n = np.array(positive), np.array(negative)
    auc = np.mean((p[:, None] > n) + 0.5 * (p[:, None] == n))
    cuts = np.unique(np.concatenate((p, n)))[::-1]
    fpr, tpr = (np.concatenate(([0.0], [(s >= cut).mean() for cut in cuts])) for s in (n, p))
    limit = np.linspace(0, 0.05, 501)
    height = np.interp(limit, fpr, tpr)
    height[0] = tpr[fpr <= 0].max()
    return {"AUC": float(auc), "pAUC": float(np.trapz(height, limit) / 0.05), "TPR at FPR 1 %": float(tpr[fpr <= 0.01].max())}


def zoo_table(directory, most=None):
    """{"as they are" and "laundered": {method: pairs, refused, quality, mean scores, seconds for a pair}}."""
    truth, names = relatives(directory)
    for kind in (False, None):
        pairs = [pair for pair, related in truth.items() if related is kind]
        for i in np.random.default_rng(0).permutation(len(pairs))[most:] if most is not None else []:
            del truth[pairs[i]]
    stored = {name: read_model(directory / name) for name in names}
    plain = {name: model_of(*stored[name]) for name in names}
    other = {name: model_of(*launder(*stored[name], ALL, seed=i + 1)) for i, name in enumerate(names)}
    tables = {}
    for title, second in (("as they are", plain), ("laundered", other)):
        table = tables[title] = {}
        for name, (method, sign) in {**METHODS, **OURS}.items():
            scores, refused, begin = {True: [], False: [], None: []}, 0, time.perf_counter()
            for (a, b), related in truth.items():
                try:
                    scores[related].append(sign * method(plain[a], second[b]))
                except ValueError:
                    refused += 1
            done = len(truth) - refused
            means = {f"mean {who}": sign * float(np.mean(scores[key])) for key, who in
                     ((True, "relatives"), (None, "shared start"), (False, "strangers")) if scores[key]}
            table[name] = {"relatives": len(scores[True]), "strangers": len(scores[False]), "refused": refused,
                           **quality(scores[True], scores[False]), **means,
                           "seconds": (time.perf_counter() - begin) / max(1, done)}
    return tables


def written(value):
    if isinstance(value, list):
        return " ".join(map(str, value))
    if not isinstance(value, float):
        return str(value)
    if abs(value) >= 10 or math.isinf(value):
        return f"{value:.1f}"
    return f"{value:.1e}" if 0 < abs(value) < 1e-5 else f"{value:.4f}" if abs(value) >= 0.01 else f"{value:.5f}"


def aligned_text(rows):
    """Dictionaries as a table; the columns are those of the first row and what later rows add."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [columns] + [[written(row[c]) if c in row else "" for c in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths))).rstrip()
                     for line in cells)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--zoo", type=pathlib.Path)
    parser.add_argument("--most", type=int, help="of the zoo's strangers, and of its pairs of one start, at most so many, drawn")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--noise", type=float, default=0.1, help="of the descendant, in standard deviations")
    parser.add_argument("--anchors", type=int, default=400)
    parser.add_argument("--no-toy", action="store_true")
    options = parser.parse_args()
    document = {}
    if not options.no_toy:
        rows, seconds = toy_table(options.seed, options.noise, options.anchors)
        document["toy"] = {"seed": options.seed, "noise": options.noise, "anchors": options.anchors, "rows": rows,
                           "seconds": seconds}
        print(aligned_text([*rows, {"case": "seconds for a pair", **seconds}]), "\n")
    if options.zoo:
        document["zoo"] = zoo_table(options.zoo, options.most)
        for title, table in document["zoo"].items():
            print(aligned_text([{title: name, **figures} for name, figures in table.items()]), "\n")
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
