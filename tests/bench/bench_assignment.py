"""How soon is the best assignment of neurons to neurons known, beside SciPy's?

/usr/bin/python3 tests/bench/bench_assignment.py [--build build/release] [--directory DIR] [--neurons 4096] [--rounds 3] [--json FILE]

Two matrices of float32 scores, which both read from the same file: correlations over 128 anchors of random units, half of which have
a partner in the other model (its signal with 0.7 of a standard deviation of noise), and the same where nobody has one. Rounds
alternate, the best of each counts, without reading the file. Prints JSON: seconds of both, their ratio, and the difference of the
totals over their size.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np
from scipy.optimize import linear_sum_assignment

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ANCHORS, NOISE = 128, 0.7


def scores_of(kind, neurons):
    """Correlations of the units of two models."""
    random = np.random.default_rng(neurons)
    first, second = (random.standard_normal((ANCHORS, neurons)).astype(np.float32) for _ in range(2))
    if kind == "half have a partner":
        mine, theirs = random.permutation(neurons)[:neurons // 2], random.permutation(neurons)[:neurons // 2]
        second[:, theirs] = first[:, mine] + NOISE * second[:, theirs]
    for units in (first, second):
        units -= units.mean(0)
        units /= np.linalg.norm(units, axis=0)
    return first.T @ second


def compared(kind, neurons, rounds, program, file):
    scores = scores_of(kind, neurons)
    scores.tofile(file)
    seconds, scipy_seconds, mutual_seconds, found = [], [], [], None
    for _ in range(rounds):
        begun = time.perf_counter()
        rows, columns = linear_sum_assignment(scores, maximize=True)
        scipy_seconds.append(time.perf_counter() - begun)
        found = json.loads(subprocess.run([program, file, str(neurons), str(neurons)], check=True, capture_output=True, text=True).stdout)
        seconds.append(found["seconds"])
        mutual_seconds.append(found["mutual_seconds"])
    total = scores[rows, columns].sum(dtype=np.float64)
    return {"kind": kind, "seconds": min(seconds), "scipy_seconds": min(scipy_seconds), "mutual_seconds": min(mutual_seconds),
            "scipy_over_stemma": min(scipy_seconds) / min(seconds), "total_difference": abs(found["total"] - total) / abs(total),
            "same_columns": float(np.mean(np.array(found["column_of_row"]) == columns))}


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--build", type=pathlib.Path, default=SOURCE / "build/release")
    options.add_argument("--directory")
    options.add_argument("--neurons", type=int, default=4096)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--json", type=pathlib.Path)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.directory) as scratch:
        cases = [compared(kind, asked.neurons, asked.rounds, asked.build.resolve() / "bench/assign_scores", f"{scratch}/scores")
                 for kind in ("half have a partner", "nobody has a partner")]
    report = {"program": "bench_assignment", "neurons": asked.neurons, "cases": cases, "targets": {"scipy_over_stemma": 3}}
    print(json.dumps(report, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
