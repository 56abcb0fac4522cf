"""Are the mistakes that people make on the command line, with archives, places, times and launchers answered with the way out?

Those in files are in test_forty_mistakes.py.
"""
import json
import resource
import shutil
import subprocess
import unittest

import h5py

import harness
from harness import ZOO
from mistakes import HEAD, Mistake, Mistakes

ASPEN, BIRCH = ZOO / "aspen", ZOO / "birch"
ADAPTER = harness.SOURCE / "tests/data/adapters/aspen-lora-r8"
CONFIG = {"c.yaml": HEAD + "analyzers: {content: {}}\n"}
SWEEP = {"c.yaml": HEAD + "analyzers: {content: {}}\nsweep: {over: {seed: [1, 2]}}\n"}
RUN = ["run", "c.yaml"]
REMARK = "(overrides are written key=value, in small letters and without blanks)"


def run(name, more, says, files=None, **options):
    return Mistake(name, [*RUN, *more], says, files or CONFIG, **options)


WORDS = [
    Mistake("no verb", [], "stemma: a verb is wanted: one of run, plan, fingerprint, compare, §.*§. stemma --help says more"),
    Mistake("misspelt verb", ["rnu", "c.yaml"], "stemma: rnu is not a verb of stemma. Did you mean run?"),
    Mistake("misspelt option", ["run", "c.yaml", "--outptu", "o"], "stemma: --outptu is not an option of stemma run. Did you mean --output?"),
    Mistake("misspelt choice", ["--progress", "baar", "schema"],
            "stemma: --progress: baar is none of auto, bar, lines, none (did you mean bar?). stemma schema --help says more"),
    Mistake("argument forgotten", ["run"], "stemma: run wants CONFIG [key=value...] (a configuration file, then overrides: key=value, "
                                           "key+=value, ~key). stemma run --help says more"),
    Mistake("value of an option forgotten", ["run", "c.yaml", "--output"],
            "stemma: --output wants DIR (run directory, instead of the configured one). stemma run --help says more"),
    Mistake("option forgotten", ["merge", "a.h5", "b.h5"],
            "stemma: --output is required: it wants FILE (archive to write; it must not exist). stemma merge --help says more"),
    run("option without its other", ["--inputs", "x"], "stemma: --inputs requires --reproduce. stemma run --help says more"),
    Mistake("misspelt file", ["run", "audti.yaml"], "audti.yaml: there is no such file. Did you mean audit.yaml?",
            {"audit.yaml": CONFIG["c.yaml"]}),
    Mistake("directory for a file", ["run", "d"], "d: this is a directory, and a file is wanted. Name a file in it", {"d/c.yaml": ""}),
    Mistake("no models", ["fingerprint", "-o", "a.h5"], "stemma: no models were named. Give directories or files, or --sheet"),
    Mistake("one model to trace", ["trace", ASPEN], "stemma: two models are wanted, 1 was given. Name both: stemma trace BASE CANDIDATE"),
    run("two configurations", ["d.yaml"], f"stemma: one configuration file is wanted, 2 were given: c.yaml, d.yaml {REMARK}"),
    run("capital letter in an override", ["Seed=1"], f"stemma: one configuration file is wanted, 2 were given: c.yaml, Seed=1 {REMARK}"),
    run("unknown key", ["seed=1", "compare.pair=all"], "argument 3: compare.pair is not a known key. Did you mean pairs?"),
    run("empty override", ["seed="], "argument 2: seed has no value: write a whole number"),
    run("variable that is not set", [""], "argument 2: it is empty and names nothing. Is a variable not set?"),
    run("index past the list", ["models[7]=x"], "argument 2: models[7] does not exist; models has 1 item, counted from 0"),
    run("nothing to remove", ["~sed"], "argument 2: sed is not given, so there is nothing to remove"),
    run("wrong type", ["seed=x"], "argument 2: seed = x is not a whole number in plain decimal digits (YAML readers disagree about others)"),
    run("environment", [], "STEMMA_LOG: runtime.log_level = loud: write one of debug, info, warn", environment={"STEMMA_LOG": "loud"}),
    run("tables that are absent", ["--architectures", "absent"], "absent: cannot be listed (No such file or directory). --architectures, "
        "STEMMA_ARCHITECTURES and the key architectures name directories with tables"),
    Mistake("no ranks in a plan", ["plan", "c.yaml", "--ranks", "4,0"],
            "stemma: --ranks: 0 is no whole number from 1 to 1,000,000. stemma plan --help says more", CONFIG),
    Mistake("blank in a size", ["plan", "c.yaml", "--memory-per-rank", "3 GiB"], "--memory-per-rank: runtime.memory_per_rank = 3 GiB is not "
            "a size: write bytes, or a number with a unit such as 512MiB or 10GB", CONFIG),
    Mistake("no calibration", ["plan", "c.yaml", "--calibration", "c.yaml"],
            "$HERE/c.yaml: no calibration can be taken from it: it is no stemma.calibration/1 document", CONFIG),
]

POINTS_AND_TIMES = [
    run("point without a sweep", ["--point", "1"], "stemma: --point is for sweeps, and this configuration has none. Remove it"),
    run("point beyond a sweep", ["--point", "7"], "nothing to do: --point 7 is beyond this sweep, which has 2 points, counted from 0", SWEEP,
        code=0, on_stdout=True),
    run("point that is none", ["--point", "x"], "stemma: --point: x is neither a point (0, 1, ...) nor all. stemma run --help says more",
        SWEEP),
    run("shard past the last", ["--shard", "3/2"],
        "stemma: --shard 3/2 is no part of the work: write I/N with I from 0 to N-1, N at most 100,000"),
    run("shard of a sweep", ["--shard", "0/2"], "stemma: --shard is for one run. Choose a point of this sweep with --point", SWEEP),
    run("deadline in the past", ["--deadline", "2020-01-01T00:00:00Z"], "stemma: its time ends at 2020-01-01T00:00:00Z, and it is §\\S+§ now. "
        "Give a later --deadline or runtime.deadline, or none"),
    run("deadline that is none", ["--deadline", "4h"],
        "--deadline: runtime.deadline = 4h is no moment: write auto, none, +4h, @1795228378 or 2026-11-21T18:00:00Z"),
    run("margin that is none", ["--deadline-margin", "2x"],
        "--deadline-margin: runtime.deadline_margin = 2x is not a duration: write a number with a unit: 90s, 10min, 4h or 2d"),
    run("job too short for its longest item", ["--deadline", "+20s"], "stemma: nothing could be done in time: its time ends at §\\S+§, none "
        "of §\\d+ items§ is sure to end before that (each should take §[\\d.]+ s( to [\\d.]+ s)?§; the last 01:30 are kept for what follows, "
        "runtime.deadline_margin). Give the run more time"),
]


def archive(test):
    test.fingerprint("a.h5", ASPEN, BIRCH)


def cut(bytes_kept):
    def make(test):
        archive(test)
        (test.directory / "a.h5").chmod(0o644)
        whole = (test.directory / "a.h5").read_bytes()
        (test.directory / "a.h5").write_bytes(whole[:bytes_kept(len(whole))])
    return make


def newer(test):
    archive(test)
    test.forge(test.directory / "a.h5", "b.h5", lambda file: file.attrs.modify("stemma_archive", "2.0.0"))


def of_others(test):
    with h5py.File(test.directory / "a.h5", "w") as file:
        file["x"] = [1, 2]


def moved(test):
    shutil.copytree(ASPEN, test.directory / "m")
    test.fingerprint("a.h5", "m")
    (test.directory / "m").rename(test.directory / "elsewhere")


UNSEALED = ("stemma: a.h5: archive.unsealed: found no seal, expected a sealed archive: it is of another program, was cut off, or was "
            "rewritten; stemma verify says what else is wrong. Restore it from a copy, or make it again")
ARCHIVES = [
    Mistake("archive that is absent", ["compare", "uplaods.h5"],
            "stemma: uplaods.h5 is neither an archive nor a run directory (there is no such file). Did you mean uploads.h5?",
            {"uploads.h5": ""}),
    Mistake("text for an archive", ["compare", "a.h5"], "stemma: a.h5: archive.not_an_archive: found other first bytes, expected an HDF5 "
            "file: name an archive that stemma run or fingerprint wrote", {"a.h5": "hello"}, code=3),
    Mistake("model for an archive", ["compare", ASPEN, BIRCH],
            "stemma: $ZOO/aspen holds no archive. Fingerprint its models first: stemma fingerprint MODEL... -o NAME.h5"),
    Mistake("archive without its seal", ["compare", "a.h5"], UNSEALED, make=cut(lambda size: size - 32), code=3),
    Mistake("half an archive", ["compare", "a.h5"], UNSEALED, make=cut(lambda size: size // 2), code=3),
    Mistake("archive of another program", ["compare", "a.h5"], UNSEALED, make=of_others, code=3),
    Mistake("archive of a newer version", ["compare", "b.h5"], "stemma: b.h5: archive.newer_version: found 2.0.0, expected version 1.x: use "
            "the program that made it, or a newer one", make=newer, code=3),
    Mistake("one model with itself", ["compare", "a.h5:aspen", "a.h5:aspen"],
            "stemma: a.h5:aspen is named twice (a model is not compared with itself). Name another", make=archive),
    Mistake("misspelt model", ["compare", "a.h5:aspne", "a.h5:birch"], "stemma: a.h5 holds no model aspne. Did you mean aspen?", make=archive),
    Mistake("pair of nobody", ["compare", "a.h5", "--pairs", "p.tsv"], "p.tsv:2: brich is none of the 2 models. Did you mean birch?",
            {"p.tsv": "a\tb\naspen\tbrich\n"}, make=archive),
    Mistake("one archive to merge", ["merge", "a.h5", "-o", "b.h5"], "stemma: two archives or more are wanted, one was given (a.h5)",
            make=archive),
    Mistake("inputs that have moved", ["run", "--reproduce", "a.h5", "--output", "o"],
            "stemma: 1 of 1 input not found: m (was $HERE/m). Say with --inputs in which directory they lie, by id", make=moved),
    Mistake("nothing to verify", ["verify", "absent"], "absent: error: no_model_found: found No such file or directory: a model is named by "
            "its directory, its weight file or its .index.json", code=3, on_stdout=True),
]


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (300 << 10, 300 << 10))


def other_configuration(test):
    test.stemma("run", "c.yaml", "--output", "out")


def broad_model(test):
    config = harness.llama_config(1, hidden_size=8192, intermediate_size=8192, head_dim=64)
    (test.directory / "big").mkdir()
    (test.directory / "big/config.json").write_text(json.dumps(config))
    harness.write_sparse(test.directory / "big/model.safetensors", harness.llama_shapes(config))


STORE = {**CONFIG, "s/STORE.json": '{"schema": "stemma.store/1", "format": 9}'}
ELSEWHERE = "Choose another place, one where you may write"
ALONE = ("the launcher and the MPI library do not know each other). Use the mpirun of that library, or srun --mpi=pmix; srun --mpi=list shows "
         "what there is")
PLACES = [
    run("output of another configuration", ["--output", "out", "seed=2", "report.labels=id"],
        "stemma: out was made with another configuration: seed 1 -> 2. Use --output, or --fresh to set it aside", make=other_configuration),
    run("file for a directory", ["--output", "c.yaml"], f"stemma: c.yaml: cannot create (Not a directory). {ELSEWHERE}"),
    run("place where nobody may write", ["--output", "/proc/out"], f"stemma: /proc/out: cannot create (No such file or directory). {ELSEWHERE}"),
    run("store where nobody may write", ["--store", "/proc/s"], f"stemma: /proc/s: cannot create (No such file or directory). {ELSEWHERE}"),
    Mistake("archive over a directory", ["fingerprint", ASPEN, "-o", "d"], "stemma: --output d is a directory. Name a file in it", {"d/x": ""}),
    Mistake("archive over somebody's file", ["fingerprint", ASPEN, "-o", "notes.h5"],
            "stemma: --output notes.h5 is there and no archive. Name another file, or remove it", {"notes.h5": "mine"}),
    run("store of a newer version", ["--store", "s"], 'stemma: s/STORE.json: store.format: found 9, expected "format": 2 or less: a newer '
        "version of Stemma wrote here. Use that, or another --store", STORE, code=3),
    run("store of somebody else", ["--store", "s"], 'stemma: s/STORE.json: store.format: found something else, expected "format": 2 or '
        "less: this is no store of Stemma. Use another --store, or an empty one", {**CONFIG, "s/STORE.json": "hello"}, code=3),
    Mistake("files may not be so large", ["run", harness.SOURCE / "configs/demo.yaml", "--output", "out"],
            "stemma: §out/\\S+§: no space left in §\\S+§ (File too large); nothing was published half-done. Free some space or choose another "
            "output directory, then start again.", before=small_files, ranks=(1,)),
    Mistake("too little memory for a matrix", ["run", "c.yaml", "--progress", "none"], "3 items cannot be done here (failures.tsv): big: "
            "model.layers.0.mlp.§\\w+§_proj.weight needs §\\d+§ MiB on one rank, the budget is 512 MiB. Remedy: set "
            "runtime.memory_per_rank=§\\d+§MiB or more, or start fewer ranks per node",
            {"c.yaml": "schema_version: 1\nname: t\nmodels: [big]\nanalyzers: {spectrum: {}}\nruntime: {memory_per_rank: 512MiB}\n"},
            make=broad_model, code=4, ranks=(1,)),
    run("step of lonely tasks", [], f"stemma: this process is alone, but the step has 256 tasks (SLURM_STEP_NUM_TASKS; {ALONE}", ranks=(1,),
        environment={"SLURM_STEP_NUM_TASKS": "256", "SLURM_PROCID": "0"}),
    run("launcher of another MPI library", [], f"stemma: this process is alone, but the step has 8 tasks (PMI_SIZE; {ALONE}", ranks=(1,),
        environment={"PMI_RANK": "0", "PMI_SIZE": "8"}),
    run("copies of mpirun that do not meet", [], f"stemma: this process is alone, but the step has 4 tasks (OMPI_COMM_WORLD_SIZE; {ALONE}",
        ranks=(1,), environment={"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "4"}),
    run("job without srun", [], "this job has 256 tasks, and Stemma uses 1. Start it with srun or mpirun", ranks=(1,), code=0,
        environment={"SLURM_JOB_ID": "7", "SLURM_NTASKS": "256"}),
]


class Commands(Mistakes):
    def test_words(self):
        self.judge(WORDS)

    def test_points_and_times(self):
        self.judge(POINTS_AND_TIMES)

    def test_archives(self):
        self.judge(ARCHIVES)

    def test_places_memory_and_launchers(self):
        self.judge(PLACES)

    def test_what_is_refused_is_not_touched(self):
        (mistake,) = (mistake for mistake in PLACES if mistake.name == "archive over somebody's file")
        self.judge([mistake])
        self.assertEqual((self.directory / "notes.h5").read_text(), "mine")

    def test_lonely_copies_but_the_first_say_nothing(self):
        self.write("c.yaml", CONFIG["c.yaml"])
        done = self.stemma(*RUN, code=2, PMI_RANK="3", PMI_SIZE="8")
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        self.assertFalse((self.directory / "runs").exists())

    def test_full_disk(self):
        (self.directory / "disk").mkdir()
        mount = shutil.which("mount") and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", self.directory / "disk"],
                                                         capture_output=True, check=False)
        if not mount or mount.returncode != 0:
            self.skipTest("no small file system can be mounted here (needs root)")
        self.addCleanup(subprocess.run, ["umount", self.directory / "disk"], check=True)
        self.write("c.yaml", f"schema_version: 1\nname: t\nmodels: [{{sheet: '{ZOO}/models.tsv'}}]\n")
        for ranks in (1, 2):
            done = self.stemma(*RUN, "--output", "disk/out", code=2, ranks=ranks)
            (said,) = [line for line in self.sentences(done.stderr) if line.startswith("stemma: ")]
            self.assertRegex(said, r"\Astemma: disk/out/\S+: no space left in disk/out\S* \(No space left on device\); nothing was published "
                                   r"half-done. Free some space or choose another output directory, then start again.\Z")
            shutil.rmtree(self.directory / "disk/out")


if __name__ == "__main__":
    unittest.main()
