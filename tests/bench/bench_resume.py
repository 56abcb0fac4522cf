"""What does it cost to keep results for the next run, and how soon is a run over that has nothing left to compute?

/usr/bin/python3 tests/bench/bench_resume.py [--build build/release] [--directory DIR] [--layers 3] [--scale 1] [--ranks 1] [--json FILE]

A TinyLlama-shaped checkpoint is fingerprinted by stemma run, with a library preloaded that measures what is written to record
logs: every write, fsync, truncation, chmod and close of them. Then the same command again. Prints JSON: the share of those calls
in the time of the whole run, their number and the bytes of the logs; seconds of the run that finds all results there, and their
share of the first one's.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1"}


def run(command, **environment):
    """Seconds that it took, and what it said."""
    begun = time.monotonic()
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env={**ENVIRONMENT, **environment}, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return time.monotonic() - begun, done.stderr


def seconds_on_disk(report):
    """Of all calls on record logs, by their kind."""
    found = {}
    for line in report.read_text().splitlines():
        kind, _, nanoseconds = line.split("\t")
        calls, seconds = found.get(kind, (0, 0.0))
        found[kind] = calls + 1, seconds + int(nanoseconds) / 1e9
    return {kind: {"calls": calls, "seconds": seconds} for kind, (calls, seconds) in sorted(found.items())}


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--build", type=pathlib.Path, default=SOURCE / "build/release")
    options.add_argument("--directory")
    options.add_argument("--layers", type=int, default=3)
    options.add_argument("--scale", type=int, default=1, help="divides all widths")
    options.add_argument("--ranks", type=int, default=1)
    options.add_argument("--json", type=pathlib.Path)
    asked = options.parse_args()
    build = asked.build.resolve()
    with tempfile.TemporaryDirectory(dir=asked.directory) as scratch:
        scratch = pathlib.Path(scratch)
        made = json.loads(subprocess.run([build / "bench/make_checkpoint", "tinyllama", scratch / "model", "--layers", str(asked.layers),
                                          "--scale", str(asked.scale)], check=True, capture_output=True, text=True).stdout)
        (scratch / "run.yaml").write_text(json.dumps({"schema_version": 1, "models": [{"path": str(scratch / "model")}]}))
        command = [*(["mpirun", "--quiet", "-n", asked.ranks] if asked.ranks > 1 else []), build / "stemma", "run", scratch / "run.yaml",
                   "--output", scratch / "out"]
        first, _ = run(command, LD_PRELOAD=str(build / "tests/failing_disk.so"), STEMMA_DISK_PATHS="*.rec",
                       STEMMA_DISK_REPORT=str(scratch / "report"))
        calls = seconds_on_disk(scratch / "report")
        resumed, said = run(command)
        left = int(re.search(r"resume .*, ([\d,]+) left", said)[1].replace(",", ""))
        spent = sum(kind["seconds"] for kind in calls.values())
        report = {"program": "bench_resume", "checkpoint": made, "ranks": asked.ranks, "run_seconds": first, "log_seconds": spent,
                  "log_share": spent / first, "log_calls": calls,
                  "log_bytes": sum(path.stat().st_size for path in (scratch / "out/store").glob("*.rec")), "resumed_seconds": resumed,
                  "resumed_share": resumed / first, "items_left": left, "targets": {"log_share": 0.02, "resumed_seconds": 2}}
    print(json.dumps(report, indent=1))
    if asked.json:
        asked.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
