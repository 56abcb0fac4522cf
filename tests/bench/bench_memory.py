"""Does a rank take as much memory for one item as the plan promised for it?

python3 tests/bench/bench_memory.py [--build build/release] [--directory DIR] [ROWSxCOLS:TYPE:RANKS ...]

Every case is one matrix in a file of its own and one run of stemma, so that nothing else has raised the peak. RANKS is the size
of the team (1, or 2 and more beside a coordinator); TYPE is BF16 or F32. A matrix that may be repeated is also taken through
dgesdd by a rank alone, because the promise holds for that. Prints JSON, one row for each case; exit code 1 when a run fails.
The peak of a rank alone is the kernel's; of a team it is the largest Pss seen, which counts shared pages once.
"""
import argparse
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve()
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1"}
CASES = [f"{shape}:{kind}:1" for shape in ("2048x2048", "7168x2048", "2048x7168", "4096x4096", "8192x4096", "4096x8192")
         for kind in ("BF16", "F32")] + ["2048x2048:BF16:2", "4096x4096:BF16:2", "8192x4096:F32:2", "4096x8192:BF16:2"]
# Rates that make a team worth its while for one matrix.
EAGER = {"schema": "stemma.calibration/1", "name": "eager teams", "product_flops_per_second": 45e9,
         "eigenvalue_rates": [{"k": 1024, "flops_per_second": 8e9}], "read_bytes_per_second": 5e8, "scan_bytes_per_second": 2e9,
         "loop_flops_per_second": 4e9, "team_efficiency": 1, "step_seconds": 1e-9, "item_seconds": 2e-3}


def write_matrix(path, rows, cols, kind):
    """Random bits with exponents near 2^-4: neither NaN nor infinity, and full rank."""
    size = {"BF16": 2, "F32": 4}[kind]
    count = rows * cols * size
    data = bytearray(os.urandom(count))
    data[size - 1::size] = data[size - 1::size].translate(bytes(0x3D | byte & 0x80 for byte in range(256)))
    header = json.dumps({"w.weight": {"dtype": kind, "shape": [rows, cols], "data_offsets": [0, count]}}).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


def pss_of(process):
    try:
        for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass  # it has just ended
    return 0


def watched(out, command):
    """Runs one rank and writes its peaks down: this script is its own wrapper below mpirun."""
    child, most, ended = subprocess.Popen(command), 0, 0
    while not ended:
        most = max(most, pss_of(child.pid))
        time.sleep(0.003)
        ended, status, usage = os.wait4(child.pid, os.WNOHANG)
    rank = os.environ.get("OMPI_COMM_WORLD_RANK", "0")
    pathlib.Path(f"{out}.{rank}").write_text(json.dumps({"rss": usage.ru_maxrss * 1024, "pss": most}))
    return os.waitstatus_to_exitcode(status)


def measured(case, build, directory):
    shape, kind, team = case.split(":")
    rows, cols = map(int, shape.split("x"))
    ranks = 1 if team == "1" else int(team) + 1
    write_matrix(directory / "matrix.safetensors", rows, cols, kind)
    (directory / "eager.json").write_text(json.dumps(EAGER))
    repeated = ranks == 1 and min(rows, cols) <= 2048
    (directory / "c.yaml").write_text("schema_version: 1\nname: memory\nmodels: [matrix.safetensors]\noutput: out\n"
                                      f"analyzers: {{spectrum: {{crosscheck_every: {int(repeated)}}}}}\n"
                                      "runtime: {calibration: eager.json}\n")
    stemma = build / "stemma"
    planned = subprocess.run([stemma, "plan", "c.yaml", "--ranks", str(ranks), "--ranks-per-node", str(ranks), "--json"],
                             cwd=directory, env=ENVIRONMENT, text=True, capture_output=True, check=True)
    plan = json.loads(planned.stdout)["plans"][0]
    command = [sys.executable, HERE, "--watched", directory / "peak", stemma, "run", "c.yaml", "--fresh"]
    if ranks > 1:
        command = ["mpirun", "--quiet", "-n", str(ranks), *command]
    done = subprocess.run(command, cwd=directory, env=ENVIRONMENT, text=True, capture_output=True, check=False)
    row = {"case": case, "promised_bytes": plan["peak_memory"], "widths": plan["items_by_width"], "exit_code": done.returncode}
    if done.returncode != 0 or plan["items_by_width"] != {team: 1}:
        return {**row, "failed": True, "stderr": done.stderr.splitlines()[-20:]}
    peaks = [json.loads((directory / f"peak.{rank}").read_text()) for rank in range(ranks)]
    peak = max(p["rss" if ranks == 1 else "pss"] for p in peaks)
    return {**row, "failed": False, "peak_bytes": peak, "over_promise": round(peak / plan["peak_memory"], 3)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parents[2] / "build/release", help="build directory")
    parser.add_argument("--directory", type=pathlib.Path, default=pathlib.Path.cwd(), help="where scratch files go")
    parser.add_argument("cases", nargs="*", default=CASES, help="ROWSxCOLS:TYPE:RANKS")
    options = parser.parse_args()
    results = []
    for case in options.cases:
        with tempfile.TemporaryDirectory(prefix="memory_", dir=options.directory.resolve()) as scratch:
            results.append(measured(case, options.build.resolve(), pathlib.Path(scratch)))
        print(json.dumps(results[-1]), file=sys.stderr)
    print(json.dumps({"cases": results}))
    return 1 if any(r["failed"] for r in results) else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--watched"]:
        sys.exit(watched(sys.argv[2], sys.argv[3:]))
    sys.exit(main())
