"""What does every benchmark say on this machine, in one JSON document?

python3 tests/bench/run_all.py [--small] [--json FILE] [--build build/release] [--only NAME,...] [--torch-sample]

Runs every bench_* program of the build, weighs items in memory against their promises (memory), assigns neurons beside SciPy
(assignment), resumes a run (resume), then
fingerprints a checkpoint with the shapes of TinyLlama on two ranks beside a script that computes the same singular values with
PyTorch. --small takes seconds and only proves that all of it works; for figures run it alone on an idle machine, without
--small. Exit code 1 when a program fails, never for a missed target.
"""
import argparse
import glob
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve()
SOURCE = HERE.parents[2]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
               "OMPI_MCA_rmaps_base_oversubscribe": "1"}
RANKS = 2
# Debian's PyTorch takes whichever BLAS the system prefers, and Stemma wants a serial one: here PyTorch gets its threads.
THREADED_BLAS = pathlib.Path("/usr/lib/x86_64-linux-gnu/openblas-pthread")
TORCH_TARGETS = {"float32": 1.8, "float64": 4}
GIB = 1 << 30
TEAM_TARGETS = {2048: 1.5, 4096: 3}
STARTED_BY_MPIRUN = {"neurons": RANKS, "team": RANKS, "width": RANKS, "coordinator": 2, "work_stage": 12}  # ranks

# Arguments in full and small; {json} stands for a file that the program writes. A list of lists runs several times. What is
# not named here runs without arguments.
ARGUMENTS = {
    "coordinator": ([["0.5", "16384"]], [["0.05", "1024"]]),
    "schedule": ([["--far"]], [[]]),
    "work_stage": ([["3"]], [["0.5", "0.5"]]),
    "comparison": ([["1000"]], [["60"]]),
    "histogram": ([["--mib", "128", "--repeats", "5", "--json", "{json}"]], [["--mib", "2", "--repeats", "1", "--json", "{json}"]]),
    "read": ([["--mib", "1024", "--repeats", "7", "--directory", "{directory}", "--json", "{json}"]],
             [["--mib", "8", "--repeats", "1", "--directory", "{directory}", "--json", "{json}"]]),
    "neurons": ([["60", "32"]], [["6", "4"]]),
    "partners": ([["48", "64"]], [["6", "24"]]),
    "width": ([["512", "9"], ["2048", "5"], ["4096", "2"]], [["256", "1"]]),
    "trees": ([["1000"]], [["100"]]),
    "team": ([["2048", "3"], ["4096", "1"]], [["640", "1"]]),
    "spectrum": ([["512", "5"], ["1024", "5"], ["2048", "5"], ["4096", "3"], ["1024", "5", "3584"], ["2048", "3", "7168"]],
                 [["192", "1"], ["192", "1", "672"]]),
    "invariants": ([["1024", "9"], ["2048", "5"], ["1024", "9", "3584"]], [["192", "1"], ["192", "1", "672"]]),
}


def ran(command, **options):
    return subprocess.run(list(map(str, command)), text=True, capture_output=True, check=False, env=ENVIRONMENT, **options)


def goal(figure, value, relation, target):
    met = value >= target if relation == ">=" else value <= target
    return {"figure": figure, "value": float(f"{value:.4g}"), "relation": relation, "target": target, "met": met}


def spectrum_goals(result):
    """Speed counts from k = 1024 on, where little else than multiplications is left."""
    k, shape = result["k"], f"k = {result['k']}, M = {result['M']}"
    goals = [goal(f"{shape}: difference from dgesdd / s1", result["difference_over_s1"], "<=", 1e-12)]
    if k >= 1024:
        goals.append(goal(f"{shape}: rate of dsyrk / dgemm", result["dsyrk_over_dgemm"], ">=", 0.85))
    if result["M"] == k and k in (1024, 2048):
        goals.append(goal(f"{shape}: times faster than dgesdd", result["faster_than_dgesdd"], ">=", k / 1024 + 1))
    if result["M"] == k == 2048:
        goals.append(goal(f"{shape}: share of the bound", result["share_of_bound"], ">=", 0.5))
    return goals


def goals_of(name, results):
    """What the targets of the engine say of these results."""
    goals = []
    for result in results:
        if name == "histogram":
            for row in result["rows"]:
                if row["sample"] == "bf16 90% zeros" and row["what"] == "fused":
                    goals.append(goal("bf16, 90 % zeros: fused / reading", row["of_read"], ">=", 0.1))
                if row["sample"] == "bf16" and row["what"] in ("fused", "xxh3"):
                    goals.append(goal(f"bf16 {row['what']} / reading", row["of_read"], ">=", {"fused": 0.18, "xxh3": 0.8}[row["what"]]))
        elif name == "read":
            for channel, ratios in result["ratios"].items():
                goals.append(goal(f"{channel} read ratio", ratios["read_ratio"], "<=", 1.05))
                if channel == result["chosen_here"]:
                    goals.append(goal(f"{channel} product / best raw loop", ratios["product_over_best_raw"], ">=", 0.9))
        elif name == "coordinator":
            goals += [goal(f"requests each second, {who}", rate, ">=", 1e5)
                      for who, rate in result["requests_per_second"].items() if who != "serve_one_worker"]
            goals.append(goal("an idle coordinator's share of a core", result["idle_core_share"], "<=", 0.03))
            goals.append(goal(f"load at {result['short_items']['ranks']} ranks", result["short_items"]["load"], "<=", 0.5))
        elif name in ("schedule", "work_stage") and result.get("target", 0) > 0:
            what, which = ("corpus", "efficiency") if name == "schedule" else ("mix", "measured_efficiency")
            figure = f"{result[what]} on {result['ranks']} ranks: {which.replace('_', ' ')}"
            goals.append(goal(figure, result[which], ">=", result["target"]))
        elif name == "team" and result["k"] in TEAM_TARGETS:
            goals.append(goal(f"k = {result['k']}: a team times faster than pdgesvd", result["faster_than_pdgesvd"], ">=",
                              TEAM_TARGETS[result["k"]]))
        elif name == "width":
            goals.append(goal(f"k = {result['k']}, {result['matrices']} at once on {result['chosen_width']} rank(s) each, as planned: the other way / it",
                              result["other_over_chosen"], ">=", 0.95))
        elif name == "neurons" and result["layers"] == 32:
            goals.append(goal("adding up the bytes of both models / testing the pair by its neurons", result["reading_over_comparing"], ">=", 50))
        elif name == "partners" and result["layers"] == 48:
            goals += [goal(f"48 layers of 64 experts: {what.replace('_', ' ')}", result[what], "<=", 10)
                      for what in ("retrained_seconds", "dense_source_seconds", "stranger_seconds")]
        elif name == "spectrum":
            goals += spectrum_goals(result)
        elif name == "trees" and result["things"] == 1000:
            for case in result["cases"]:
                goals += [goal(f"1,000 things, {case['kind']}: seconds of average linkage", case["linkage_seconds"], "<=", 0.5),
                          goal(f"1,000 things, {case['kind']}: seconds of neighbour joining", case["joining_seconds"], "<=", 3),
                          goal(f"1,000 things, {case['kind']}: joining without bounds / with them", case["without_bounds_over_joining"],
                               ">=", 3)]
        elif name == "invariants" and result["k"] >= 1024:
            goals.append(goal(f"k = {result['k']}, M = {result['M']}: verification / spectrum",
                              result["verification_over_spectrum"], "<=", 0.05))
    return goals


def documents_in(text):
    """One document over many lines, or one on each line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines()]


def bench(program, small, directory):
    """One program with its arguments, one or several times."""
    name = program.name.removeprefix("bench_")
    file = directory / f"{name}.json"
    runs, results, said = ARGUMENTS.get(name, ([[]], [[]]))[small], [], []
    for arguments in runs:
        file.unlink(missing_ok=True)
        begin, load = time.time(), os.getloadavg()[0]
        ranks = STARTED_BY_MPIRUN.get(name)
        done = ran([*(["mpirun", "--quiet", "-n", ranks] if ranks else []), program,
                    *(a.format(json=file, directory=directory) for a in arguments)], cwd=directory)
        record = {"arguments": arguments, "exit_code": done.returncode, "seconds": round(time.time() - begin, 1), "load_before": load}
        text = file.read_text() if file.exists() else done.stdout
        try:
            record["results"] = documents_in(text)
            results += record["results"]
        except ValueError:
            record["text"] = text.splitlines()
        if done.returncode != 0:
            record["stderr"] = done.stderr.splitlines()[-20:]
        said.append(record)
    goals = goals_of(name, results)
    return {"name": program.name, "runs": said, "targets": goals, "failed": any(r["exit_code"] != 0 for r in said)}


def script(name, arguments, needs=None):
    """What bench_NAME.py finds, and its exit code; or nothing, and what is to be told instead."""
    python = "/usr/bin/python3" if needs else sys.executable
    if needs and ran([python, "-c", f"import {needs}"]).returncode != 0:
        return None, {"name": name, "failed": False, "absent": f"{python} has no {needs} (Debian: python3-{needs})"}
    done = ran([python, HERE.with_name(f"bench_{name}.py"), *arguments])
    try:
        return json.loads(done.stdout), done.returncode
    except ValueError:
        return None, {"name": name, "failed": True, "stderr": done.stderr.splitlines()[-20:]}


def memory(build, small, directory):
    """Peaks beside promises, each item in processes of its own."""
    result, said = script("memory", ["--build", build, "--directory", directory, *(["256x256:BF16:1"] if small else [])])
    if result is None:
        return said
    goals = []
    for case in result["cases"] if not small else []:
        if not case["failed"]:
            goals += [goal(f"{case['case']}: peak / promised", case["over_promise"], "<=", 1.1),
                      goal(f"{case['case']}: peak / promised", case["over_promise"], ">=", 0.7)]
    return {"name": "memory", "cases": result["cases"], "targets": goals, "failed": said != 0}


def trace(build, small, directory):
    """Ranks of all differences of a pair, beside numpy's singular values of the same."""
    result, said = script("trace", ["--build", build, "--directory", directory, *(["--layers", 1, "--scale", 16] if small else [])],
                          needs="numpy")
    if result is None:
        return said
    goals = [goal("times faster than numpy's singular values", result["numpy_over_stemma"], ">=", 3),
             goal("bytes read / both files", result["bytes_read_over_files"], "<=", 1.05),
             goal("peak / promised", result["peak_bytes"] / result["promised_bytes"], "<=", 1.1),
             goal("share of right ranks", result["right_ranks"], ">=", 0.9)]
    return {"name": "trace", "results": result, "targets": goals if not small else [], "failed": said != 0}


def assignment(build, small, directory):
    """The best assignment of neurons, beside SciPy's."""
    result, said = script("assignment", ["--build", build, "--directory", directory,
                                         *(["--neurons", 200, "--rounds", 1] if small else [])], needs="scipy")
    if result is None:
        return said
    goals = [goal(f"{case['kind']}: times faster than scipy", case["scipy_over_stemma"], ">=", 3) for case in result["cases"]]
    return {"name": "assignment", "results": result, "targets": goals if not small else [],
            "failed": any(case["total_difference"] > 1e-9 for case in result["cases"])}


def measured(out, command):
    """Runs one rank and writes down what it cost: this script is its own wrapper below mpirun."""
    begin = time.monotonic()
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    rank = os.environ.get("OMPI_COMM_WORLD_RANK", "0")
    pathlib.Path(f"{out}.{rank}").write_text(json.dumps({"rank": int(rank), "seconds": time.monotonic() - begin,
                                                        "peak_rss_bytes": usage.ru_maxrss * 1024,
                                                        "processor_seconds": usage.ru_utime + usage.ru_stime}))
    return os.waitstatus_to_exitcode(status)


def seconds_in(words):
    """4.2 s, 06:10 and 00:06:10 as seconds."""
    if words.endswith(" s"):
        return float(words[:-2])
    total = 0
    for part in words.split(":"):
        total = 60 * total + int(part)
    return float(total)


def fingerprint(build, checkpoint, directory):
    """stemma run on two ranks, everything that it asks of a model, and the plan by the rates that it measured."""
    (directory / "c.yaml").write_text(f"schema_version: 1\nname: bench\nmodels: ['{checkpoint}']\n"
                                      "analyzers: {content: , histogram: , intrinsic_fingerprint: , spectrum: {crosscheck_every: 0}}\n"
                                      "output: out\n")
    stemma, out = build / "stemma", directory / "rank"
    for leftover in glob.glob(f"{out}.*"):
        os.unlink(leftover)
    begin = time.monotonic()
    done = ran(["mpirun", "--quiet", "-n", RANKS, sys.executable, HERE, "--measured", out, stemma, "run", "c.yaml",
                "runtime.calibration=measure", "--fresh"], cwd=directory)
    wall = time.monotonic() - begin
    if done.returncode != 0:
        return {"failed": True, "stderr": done.stderr.splitlines()[-20:]}
    work = re.search(r"  work  +.* read in ([0-9:.]+(?: s)?); read ratio ([0-9.]+);", done.stderr)
    plan = json.loads(ran([stemma, "plan", "c.yaml", "--ranks", RANKS, "--calibration", "out/calibration.json", "--json"],
                          cwd=directory).stdout)["plans"][0]
    makespan, bound = seconds_in(work[1]), plan["lower_bound_seconds"]
    ranks = [json.loads(pathlib.Path(path).read_text()) for path in sorted(glob.glob(f"{out}.*"))]
    return {"failed": False, "wall_seconds": wall, "work_seconds": makespan, "read_ratio": float(work[2]), "ranks": ranks,
            "peak_rss_bytes": max(rank["peak_rss_bytes"] for rank in ranks), "predicted_peak_bytes": plan["peak_memory"],
            "lower_bound_seconds": bound, "predicted_makespan_seconds": plan["makespan_seconds"], "plan": plan}


def resume(build, small, directory):
    """What record logs cost, and a run that finds all its results there."""
    result, said = script("resume", ["--build", build, "--directory", directory, *(["--layers", 1, "--scale", 16] if small else [])])
    if result is None:
        return said
    goals = [goal("writing results to their log / the whole run", result["log_share"], "<=", 0.02),
             goal("seconds of a run with nothing left to compute", result["resumed_seconds"], "<=", 2)]
    return {"name": "resume", "results": result, "targets": goals if not small else [], "failed": result["items_left"] != 0}


def pytorch(checkpoint, dtype, sample):
    """The script of 30 lines, by the first interpreter that has PyTorch."""
    for python in dict.fromkeys((sys.executable, "/usr/bin/python3")):
        if shutil.which(python) and ran([python, "-c", "import torch"]).returncode == 0:
            begin, env = time.monotonic(), {k: v for k, v in ENVIRONMENT.items() if k != "OMP_NUM_THREADS"}
            if THREADED_BLAS.is_dir():
                env["LD_LIBRARY_PATH"] = str(THREADED_BLAS)
            done = subprocess.run([python, HERE.with_name("torch_svdvals.py"), checkpoint, "--dtype", dtype, "--threads", str(RANKS),
                                   *(["--sample"] if sample else [])], text=True, capture_output=True, check=False, env=env)
            if done.returncode != 0:
                return {"failed": True, "stderr": done.stderr.splitlines()[-20:]}
            return {"failed": False, "wall_seconds": time.monotonic() - begin, **json.loads(done.stdout)}
    return {"failed": False, "absent": "no interpreter here has PyTorch (Debian: python3-torch)"}


def agreement(directory, script):
    """Largest relative difference between PyTorch's largest singular values and the archive's; None without h5py."""
    try:
        import h5py  # pylint: disable=import-outside-toplevel
    except ImportError:
        return None
    with h5py.File(directory / "out/bench.h5") as archive:
        names, spectra = archive["tensors/name"], archive["spectra"]
        ours = {names[tensor].decode(): spectra["value"][row] for tensor, row in zip(spectra["tensor_index"][:], spectra["row_start"][:])}
    shared = [name for name in script["largest"] if name in ours]
    return {"matrices": len(shared), "largest_relative_difference":
            max((abs(script["largest"][n] - ours[n]) / ours[n] for n in shared), default=None)}


def comparison(build, small, sample, directory):
    """Stemma's full fingerprint of a TinyLlama beside PyTorch's singular values of the same files."""
    checkpoint = directory / "tinyllama"
    made = ran([build / "bench/make_checkpoint", "tinyllama", checkpoint, *(["--layers", 1, "--scale", 16] if small else [])])
    if made.returncode != 0:
        return {"failed": True, "stderr": made.stderr.splitlines()}
    report = {"checkpoint": json.loads(made.stdout), "load_before": os.getloadavg()[0], "stemma": fingerprint(build, checkpoint, directory)}
    report["torch"] = {dtype: pytorch(checkpoint, dtype, sample) for dtype in ("float32", "float64")}
    report["load_after"] = os.getloadavg()[0]
    report["failed"] = report["stemma"]["failed"] or any(t["failed"] for t in report["torch"].values())
    if report["failed"]:
        return report
    mine = report["stemma"]
    report["targets"] = [goal("read ratio", mine["read_ratio"], "<=", 1.05),
                         goal("peak memory of a rank / predicted", mine["peak_rss_bytes"] / mine["predicted_peak_bytes"], "<=", 1.1)]
    if mine["work_seconds"]:
        report["targets"] += [goal("makespan / lower bound", mine["work_seconds"] / mine["lower_bound_seconds"], "<=", 1.15),
                              goal("makespan / predicted", mine["work_seconds"] / mine["predicted_makespan_seconds"], ">=", 0.8),
                              goal("makespan / predicted", mine["work_seconds"] / mine["predicted_makespan_seconds"], "<=", 1.2),
                              goal("peak memory of a rank in GiB", mine["peak_rss_bytes"] / GIB, "<=", 1)]
    for dtype, theirs in report["torch"].items():
        if "seconds" in theirs:
            # All that a run does, from start to archive, against nothing but the singular values.
            report["targets"].append(goal(f"times faster than torch {dtype}, which used {theirs['processor_seconds'] / theirs['seconds']:.1f} cores",
                                          theirs["seconds"] / mine["wall_seconds"], ">=", TORCH_TARGETS[dtype]))
            theirs["agreement"] = agreement(directory, theirs)
            del theirs["largest"]
    return report


def machine(build):
    """What every figure depends on."""
    doctor = json.loads(ran([build / "stemma", "doctor", "--json"], cwd=tempfile.gettempdir()).stdout)
    rank = doctor["ranks"][0]
    first = lambda command: (ran(command).stdout.splitlines() or [""])[0]  # noqa: E731
    return {"cpu_model": rank["cpu_model"], "cores": len(rank["cores"]), "simd": rank["simd"], "blas_core": rank["algebra"]["core"],
            "blas_config": rank["algebra"]["config"], "stemma": first([build / "stemma", "--version"]),
            "commit": first(["git", "-C", SOURCE, "describe", "--always", "--dirty=+", "--exclude=*"]),
            "mpirun": first(["mpirun", "--version"]), "python": sys.version.split()[0], "kernel": os.uname().release,
            "load_average": os.getloadavg(), "ranks": RANKS, "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def say(report):
    """One line per target."""
    for part in [*report["benchmarks"], report.get("memory", {}), report.get("trace", {}), report.get("assignment", {}), report.get("resume", {}), {"name": "tinyllama", **report.get("tinyllama", {})}]:
        if part.get("failed"):
            print(f"{part['name']}: failed")
        for g in part.get("targets", []):
            print(f"{part['name']}: {g['figure']} {g['value']:.3g} (target {g['relation']} {g['target']}): "
                  f"{'met' if g['met'] else 'missed'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="seconds instead of an hour; proves nothing but that it runs")
    parser.add_argument("--json", type=pathlib.Path, help="file for the whole report")
    parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build/release", help="build directory")
    parser.add_argument("--only", help="names of benchmarks, separated by commas; tinyllama is one")
    parser.add_argument("--torch-sample", action="store_true", help="PyTorch on one matrix of each shape, times their number")
    parser.add_argument("--directory", type=pathlib.Path, default=pathlib.Path.cwd(), help="where scratch files go (5 GB)")
    options = parser.parse_args()
    build, only = options.build.resolve(), options.only.split(",") if options.only else None
    with tempfile.TemporaryDirectory(prefix="bench_", dir=options.directory) as scratch:
        directory = pathlib.Path(scratch)
        report = {"schema": "stemma.bench/1", "small": options.small, "machine": machine(build), "benchmarks": []}
        for program in sorted((build / "bench").glob("bench_*")):
            if only is None or program.name.removeprefix("bench_") in only:
                print(f"{program.name} ...", file=sys.stderr)
                report["benchmarks"].append(bench(program, options.small, directory))
        if only is None or "memory" in only:
            print("memory ...", file=sys.stderr)
            report["memory"] = memory(build, options.small, directory)
        if only is None or "trace" in only:
            print("trace ...", file=sys.stderr)
            report["trace"] = trace(build, options.small, directory)
        if only is None or "assignment" in only:
            print("assignment ...", file=sys.stderr)
            report["assignment"] = assignment(build, options.small, directory)
        if only is None or "resume" in only:
            print("resume ...", file=sys.stderr)
            report["resume"] = resume(build, options.small, directory)
        if only is None or "tinyllama" in only:
            print("tinyllama ...", file=sys.stderr)
            report["tinyllama"] = comparison(build, options.small, options.torch_sample, directory)
    report["machine"]["load_average_after"] = os.getloadavg()
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    say(report)
    parts = [*report["benchmarks"], *(report.get(name, {}) for name in ("memory", "trace", "assignment", "resume", "tinyllama"))]
    return 1 if any(part.get("failed") for part in parts) else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measured"]:
        sys.exit(measured(sys.argv[2], sys.argv[3:]))
    sys.exit(main())
