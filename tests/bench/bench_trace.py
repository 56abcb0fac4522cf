"""How soon is the rank of every difference of two checkpoints known, beside numpy's singular values of the same differences?

/usr/bin/python3 tests/bench/bench_trace.py [--build build/release] [--directory DIR] [--layers 3] [--scale 1] [--json FILE]

Two TinyLlama-shaped checkpoints: seeded weights, and the same with an update of rank 16 on every matrix of every layer. On two
ranks stemma trace reads them; then numpy.linalg.svd(compute_uv=False) takes the differences of all two-dimensional weights of
layers in doubles, in two processes with one thread of BLAS each, which uses both cores fully. Prints JSON: seconds of both, their
ratio, bytes read over bytes of both files, the largest memory of a rank over what the plan promised, and the share of right ranks.
Then the seeded weights with their neurons in another order, which are the same function: seconds of the round that finds it out
over those of the round that reads the layers.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy as np

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/end_to_end"))
os.environ.setdefault("STEMMA_SOURCE_DIR", str(SOURCE))
import harness

RANK = 16
ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1"}


def header_of(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        return 8 + length, json.loads(file.read(length))


def weights_of(path):
    """Names of the matrices of layers, with offset and shape."""
    start, header = header_of(path)
    return {name: (start + entry["data_offsets"][0], entry["shape"]) for name, entry in header.items()
            if ".layers." in name and len(entry["shape"]) == 2}


def read(path, offset, shape):
    codes = np.fromfile(path, dtype=np.uint16, count=shape[0] * shape[1], offset=offset)
    return (codes.astype(np.uint32) << 16).view(np.float32).reshape(shape)


def rounded(values):
    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def tune(path):
    """Adds an update of rank 16, a tenth of the weights in size, to every matrix of every layer, in place."""
    random = np.random.default_rng(7)
    with open(path, "r+b") as file:
        for offset, shape in weights_of(path).values():
            weight = read(path, offset, shape)
            update = random.standard_normal((shape[0], RANK), np.float32) @ random.standard_normal((RANK, shape[1]), np.float32)
            file.seek(offset)
            file.write(rounded(weight + 0.1 * weight.std() / np.sqrt(RANK) * update).tobytes())


def reorder(path):
    """Puts the neurons of every layer into another order, in place."""
    with open(path, "r+b") as file:
        for name, (offset, shape) in weights_of(path).items():
            if ".mlp." not in name:
                continue
            neurons = shape[1] if "down" in name else shape[0]
            order = np.random.default_rng(8).permutation(neurons)  # the same for all three
            codes = np.fromfile(path, dtype=np.uint16, count=shape[0] * shape[1], offset=offset).reshape(shape)
            file.seek(offset)
            file.write((codes[:, order] if "down" in name else codes[order]).tobytes())


def seconds_of(log, name):
    return float(re.search(rf"{name}: .* read in ([\d.]+) s", log)[1])


def trace(asked, base, candidate):
    done = subprocess.run(["mpirun", "-n", "2", asked.build / "stemma", "trace", base, candidate, "--json"],
                          capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout), done.stderr


def largest_values(job):
    base, candidate, offset, shape = job
    return np.linalg.svd(read(candidate, offset, shape).astype(float) - read(base, offset, shape), compute_uv=False)[:RANK]


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--build", type=pathlib.Path, default=SOURCE / "build/release")
    options.add_argument("--directory")
    options.add_argument("--layers", type=int, default=3)
    options.add_argument("--scale", type=int, default=1, help="divides all widths; for trying it out")
    options.add_argument("--json", type=pathlib.Path)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.directory) as scratch:
        scratch = pathlib.Path(scratch)
        for name in ("base", "tuned", "reordered"):
            subprocess.run([asked.build / "bench/make_checkpoint", "tinyllama", scratch / name, "--layers", str(asked.layers),
                            "--scale", str(asked.scale)],
                           check=True, capture_output=True)
        base, tuned, reordered = (next((scratch / name).glob("*.safetensors")) for name in ("base", "tuned", "reordered"))
        tune(tuned)
        reorder(reordered)
        begun = time.monotonic()
        found, log = trace(asked, scratch / "base", scratch / "tuned")
        seconds = time.monotonic() - begun
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        promised = max(float(number) * 2 ** {"K": 10, "M": 20, "G": 30}[unit[0]]
                       for number, unit in re.findall(r"peak ([\d.]+) ([KMG]iB)", log))
        readings = [r for r in found["pairs"][0]["origin_tracer"]["readings"] if r["reading"] == "tensor"]
        right = sum(r["label"] == "LOW_RANK" and r["rank"] == RANK for r in readings)
        same, log = trace(asked, scratch / "base", scratch / "reordered")
        same_peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024  # of all processes so far
        jobs = [(base, tuned, *where) for where in weights_of(base).values()]
        jobs.sort(key=lambda job: -job[3][0] * job[3][1])
        begun = time.monotonic()
        with ProcessPoolExecutor(2) as pool:
            values = list(pool.map(largest_values, jobs))
        numpy_seconds = time.monotonic() - begun
        first = sorted(v[0] for v in values)
        ours = sorted(r["largest"] for r in readings)
        report = {"program": "bench_trace", "layers": asked.layers, "stemma_seconds": seconds, "numpy_seconds": numpy_seconds,
                  "numpy_over_stemma": numpy_seconds / seconds, "bytes_read_over_files": found["bytes_read"] / sum(
                      path.stat().st_size for path in (base, tuned)), "peak_bytes": peak, "promised_bytes": promised,
                  "right_ranks": right / len(readings), "matrices": len(readings),
                  "largest_values_differ_by": max(abs(a / b - 1) for a, b in zip(ours, first)),
                  "same_function": {"relation": same["pairs"][0]["relation"], "largest_peak_bytes": same_peak,
                                    "seconds": seconds_of(log, "functions"),
                                    "over_layers": seconds_of(log, "functions") / max(0.1, seconds_of(log, "layers"))},
                  "targets": {"numpy_over_stemma": 3, "bytes_read_over_files": 1.05}}
    print(json.dumps(report, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
