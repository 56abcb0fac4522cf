"""Is a sweep the runs that its settings would make one by one, in whatever order, at once, or with some of them dying?"""
import json
import os
import shutil
import signal
import subprocess
import unittest

import harness
from harness import STEMMA, ZOO, EndToEnd, read_tsv
from slurm_cluster import until

CONFIG = f"""\
schema_version: 1
name: noise
models: [{ZOO}/aspen, {ZOO}/aspen-code]
trace: {{enabled: false}}
analyzers: {{content: , tensorguard: {{repaired: false}}}}
"""
SWEEP = CONFIG + """\
sweep:
  over:
    analyzers.tensorguard.mode: [faithful, balanced]
    analyzers.tensorguard.samples: [5, 15]
"""
KEYS = ["analyzers.tensorguard.mode", "analyzers.tensorguard.samples"]
GRID = [("faithful", "5"), ("faithful", "15"), ("balanced", "5"), ("balanced", "15")]
SLOW = f"""\
schema_version: 1
name: slow
models: [{{glob: '{ZOO}/*/'}}]
trace: {{pairs: all}}
sweep: {{over: {{seed: [1, 2]}}}}
"""


class Sweeps(EndToEnd):
    def setUp(self):
        super().setUp()
        self.write("noise.yaml", SWEEP)

    def rows(self, path="runs/noise"):
        return read_tsv(self.directory / path / "sweep.tsv")

    def hashes(self, run):
        return self.stemma("verify", run, "--hash").stdout

    def without_times(self, path):
        return [{name: cell for name, cell in row.items() if name not in ("started", "seconds")} for row in self.rows(path)]


class Points(Sweeps):
    def test_points_are_runs_of_their_settings(self):
        self.stemma("run", "noise.yaml", ranks=2)
        rows = self.rows()
        self.assertEqual([(row["point"], row[KEYS[0]], row[KEYS[1]]) for row in rows],
                         [(str(i), *values) for i, values in enumerate(GRID)])
        for row in rows:
            self.assertRegex(row["directory"], rf"^p0{row['point']}-{row['digest']}$")
            self.assertRegex(row["digest"], "^[0-9a-f]{8}$")
            self.assertRegex(row["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertGreater(float(row["seconds"]), 0)
            self.assertEqual(row["exit_code"], "0")
            point, alone = f"runs/noise/{row['directory']}", f"alone-{row['point']}"
            self.stemma("run", "noise.yaml", "~sweep", *(f"{key}={row[key]}" for key in KEYS), "--output", alone)
            self.assertEqual(self.hashes(point), self.hashes(alone))
            self.assertEqual(self.hashes(point).split()[1], row["canonical_exact"])
            for table in ("features.tsv", "pairs.tsv", "evidence.tsv", "verdicts.tsv"):
                self.assertEqual((self.directory / point / table).read_text(), (self.directory / alone / table).read_text())
        # What is swept matters, so that equal hashes say something.
        self.assertEqual(len({self.hashes(f"runs/noise/{row['directory']}") for row in rows}), 4)

    def test_what_a_point_keeps_repeats_it(self):
        self.stemma("run", "noise.yaml", "description=kept", "--point", "3")
        row = self.rows()[3]
        point = self.directory / "runs/noise" / row["directory"]
        self.stemma("run", point / "config.resolved.yaml", "--output", "again")
        changes = (point / "overrides.txt").read_text().splitlines()
        self.assertEqual(changes, ["description=kept", "~sweep", f"{KEYS[0]}=balanced", f"{KEYS[1]}=15"])
        # Models are named absolutely here; other paths of the file begin where it lies.
        self.stemma("run", point / "config.yaml", *changes, "--output", "once-more")
        for run in ("again", "once-more"):
            self.assertEqual(self.hashes(run), self.hashes(point))

    def test_single_points_make_the_same_table_as_all(self):
        self.stemma("run", "noise.yaml", "--point", "all", "--output", "all")
        for point in (2, 0, 3, 1):
            done = self.stemma("run", "noise.yaml", "--point", str(point), "--output", "single")
            self.assertIn("Tables, log and archive: single/p0", done.stdout)
        self.assertEqual(self.without_times("single"), self.without_times("all"))

    def test_points_not_yet_run_have_empty_cells(self):
        self.stemma("run", "noise.yaml", "--point", "1")
        rows = self.rows()
        self.assertEqual([row["exit_code"] for row in rows], ["", "0", "", ""])
        self.assertEqual((rows[0]["started"], rows[0]["seconds"], rows[0]["canonical_exact"]), ("", "", ""))
        self.assertEqual([(row[KEYS[0]], row[KEYS[1]]) for row in rows], GRID)
        self.assertEqual(sorted(p.name for p in (self.directory / "runs/noise").iterdir()), [rows[1]["directory"], "store", "sweep.tsv"])

    def test_zip(self):
        self.write("noise.yaml", SWEEP + "  mode: zip\n")
        done = self.stemma("run", "noise.yaml")
        self.assertEqual([(row[KEYS[0]], row[KEYS[1]]) for row in self.rows()], [GRID[0], GRID[3]])
        self.assertRegex(done.stdout, r"\n  0 +faithful +5 +0 +\d+\.\d +[0-9a-f]{12}\n  1 +balanced +15 +0 ")
        self.assertTrue(done.stdout.endswith("All points: runs/noise/sweep.tsv\n"))

    def test_past_the_end_there_is_nothing_to_do(self):
        for ranks in (1, 2):
            done = self.stemma("run", "noise.yaml", "--point", "4", ranks=ranks)
            self.assertEqual(done.stdout, "nothing to do: --point 4 is beyond this sweep, which has 4 points, counted from 0\n")
        self.stemma("run", "noise.yaml", "--point", "4", "--dry-run")
        self.assertFalse((self.directory / "runs").exists())

    def test_another_value_renumbers_and_does_not_mix(self):
        self.stemma("run", "noise.yaml", "sweep.over={seed: [1]}")
        (old,) = self.rows()
        self.stemma("run", "noise.yaml", "sweep.over={seed: [7, 1]}", "--point", "1")
        seven, one = self.rows()
        self.assertEqual((seven["exit_code"], one["exit_code"]), ("", "0"))
        self.assertEqual((one["digest"], one["directory"]), (old["digest"], "p01" + old["directory"][3:]))
        self.assertEqual(self.hashes(f"runs/noise/{old['directory']}"), self.hashes(f"runs/noise/{one['directory']}"))

    def test_json(self):
        document = json.loads(self.stemma("run", "noise.yaml", "--json", ranks=2).stdout)
        self.assertEqual((document["schema"], document["directory"]), ("stemma.sweep/1", "runs/noise"))
        for point, row in zip(document["points"], self.rows(), strict=True):
            self.assertEqual(point["settings"], {key: row[key] for key in KEYS})
            self.assertEqual([str(point[name]) for name in ("point", "directory", "digest", "exit_code", "started", "canonical_exact")],
                             [row[name] for name in ("point", "directory", "digest", "exit_code", "started", "canonical_exact")])
        single = json.loads(self.stemma("run", "noise.yaml", "--json", "--point", "2").stdout)
        self.assertEqual(single["schema"], "stemma.verdicts/1")
        self.assertEqual(single["archive"]["canonical_exact"], document["points"][2]["canonical_exact"])


class Trouble(Sweeps):
    def test_a_point_that_fails_in_part_does_not_stop_the_others(self):
        shutil.copytree(ZOO / "birch", self.directory / "broken")
        os.truncate(self.directory / "broken/model.safetensors", 5000)
        self.write("noise.yaml", SWEEP.replace(f"{ZOO}/aspen-code", "broken"))
        for ranks in (1, 2):
            done = self.stemma("run", "noise.yaml", code=4, ranks=ranks)
            self.assertEqual([row["exit_code"] for row in self.rows()], ["4"] * 4, done.stderr)
        self.stemma("run", "noise.yaml", "--point", "1", code=4)
        done = self.stemma("run", "noise.yaml", "runtime.strict=true", "--output", "strict", code=3)
        self.assertEqual([row["exit_code"] for row in self.rows("strict")], ["3", "", "", ""], done.stderr)

    def test_two_points_at_once(self):
        self.write("slow.yaml", SLOW)
        at_once = [subprocess.Popen([STEMMA, "run", "slow.yaml", "--point", str(point), "--output", "at-once"], cwd=self.directory,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for point in (0, 1)]
        for process in at_once:
            _, talk = process.communicate(timeout=120 * harness.PATIENCE)
            self.assertEqual(process.returncode, 0, talk)
        self.stemma("run", "slow.yaml", "--output", "one-by-one")
        self.assertEqual(self.without_times("at-once"), self.without_times("one-by-one"))
        for row in self.rows("at-once"):
            self.assertEqual(self.hashes(f"at-once/{row['directory']}"), self.hashes(f"one-by-one/{row['directory']}"))

    def test_a_point_that_dies_is_seen_and_made_good(self):
        self.write("slow.yaml", SLOW)
        with subprocess.Popen([STEMMA, "run", "slow.yaml", "--point", "0"], cwd=self.directory, stderr=subprocess.DEVNULL) as victim:
            until("the point begins", 60, lambda: list((self.directory / "runs").glob("slow/p00-*/point.json")))
            victim.send_signal(signal.SIGKILL)
        self.assertEqual(victim.returncode, -signal.SIGKILL)
        self.stemma("run", "slow.yaml", "--point", "1")
        dead, other = self.rows("runs/slow")
        self.assertEqual((dead["exit_code"], dead["canonical_exact"], other["exit_code"]), ("", "", "0"))
        self.assertNotEqual(dead["started"], "")
        self.stemma("run", "slow.yaml", "--point", "0")
        self.assertEqual([row["exit_code"] for row in self.rows("runs/slow")], ["0", "0"])

    def test_every_mistake_has_its_place(self):
        self.write("noise.yaml", CONFIG + "sweep:\n  over:\n    seed: [1, -1, two]\n    sede: [1]\n")
        for verb in ("run", "plan"):
            done = self.stemma(verb, "noise.yaml", code=2)
            self.assertEqual(done.stderr.splitlines(), ["noise.yaml:9:5: sweep.over: sede is not a known key. Did you mean seed?"])
        self.write("noise.yaml", CONFIG + "sweep:\n  over:\n    seed: [1, -1, two]\n    report.labels: [ids, id]\n")
        done = self.stemma("run", "noise.yaml", code=2, ranks=2)
        self.assertEqual([line.split(" = ")[0] for line in done.stderr.splitlines()],
                         ["noise.yaml:8:15: seed", "noise.yaml:8:19: seed", "noise.yaml:9:21: report.labels"])
        self.assertFalse((self.directory / "runs").exists())

    def test_words_that_fit_nothing(self):
        self.write("single.yaml", CONFIG)
        for arguments, says in ((["single.yaml", "--point", "0"], "--point is for sweeps, and this configuration has none. Remove it"),
                                (["single.yaml", "--point", "all"], "--point is for sweeps, and this configuration has none. Remove it"),
                                (["noise.yaml", "--point", "-1"], "--point: -1 is neither a point (0, 1, ...) nor all. "
                                                                  "stemma run --help says more")):
            done = self.stemma("run", *arguments, code=2)
            self.assertEqual((done.stdout, done.stderr), ("", f"stemma: {says}\n"))
        done = self.stemma("fingerprint", ZOO / "aspen", "sweep.over.seed=[1, 2]", code=2)
        self.assertEqual(done.stderr, "argument 2: a sweep is several runs, and one is wanted. Remove it\n")

    def test_an_array_that_misses_points_is_warned_about(self):
        array = {"SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_MAX": "1", "SLURM_ARRAY_TASK_COUNT": "2"}
        done = self.stemma("run", "noise.yaml", "--point", "1", **array)
        self.assertRegex(done.stderr, r"  warn +this job array has 2 tasks from 0 to 1, and the sweep has 4 points: some are left out. "
                                      r"Submit --array=0-3\n")
        done = self.stemma("run", "noise.yaml", "--point", "1", **{**array, "SLURM_ARRAY_TASK_MAX": "7", "SLURM_ARRAY_TASK_COUNT": "8"})
        self.assertNotIn("  warn  ", done.stderr)
        done = self.stemma("run", "noise.yaml", **array)
        self.assertIn("all points are run here, and this is one of 2 tasks of a job array: if the others have", done.stderr)


class Places(Sweeps):
    def store_of(self, *arguments, **environment):
        """Where a run says that its results wait, seen from its directory."""
        self.stemma("run", "noise.yaml", "--point", "0", *arguments, **environment)
        log = next((self.directory / "runs/noise").glob("p00-*/log/run.log")).read_text()
        return log.split("; store ")[-1].split("\n")[0]

    def test_points_share_a_store(self):
        self.assertEqual(self.store_of(), "runs/noise/store")
        self.assertTrue((self.directory / "runs/noise/store").is_dir())
        self.assertEqual(list((self.directory / "runs/noise").glob("p*/store")), [])

    def test_who_names_the_store(self):
        self.write("noise.yaml", SWEEP + "runtime: {store: from-file}\n")
        self.assertEqual(self.store_of(), "from-file")
        self.assertEqual(self.store_of(STEMMA_STORE="from-environment"), "from-environment")
        self.assertEqual(self.store_of("runtime.store=from-argument", STEMMA_STORE="from-environment"), "from-argument")
        self.assertEqual(self.store_of("runtime.store=from-argument", "--store", "from-option", STEMMA_STORE="x"), "from-option")
        for name in ("from-file", "from-environment", "from-argument", "from-option"):
            self.assertTrue((self.directory / name).is_dir())
        self.assertEqual(len(list((self.directory / "runs/noise").iterdir())), 2)  # always the same point

    def test_runs_without_a_sweep_have_a_store_too(self):
        self.write("single.yaml", CONFIG)
        self.stemma("run", "single.yaml")
        self.assertTrue((self.directory / "runs/noise/store").is_dir())
        self.stemma("run", "single.yaml", "--store", "elsewhere")
        self.assertTrue((self.directory / "elsewhere").is_dir())
        self.stemma("run", "single.yaml", "--store", "elsewhere", "--output", "second")
        self.assertFalse((self.directory / "second/store").exists())

    def test_plan_counts_and_lists_the_points(self):
        for arguments in (["plan", "noise.yaml", "--ranks", "2"], ["run", "noise.yaml", "--dry-run"]):
            lines = self.stemma(*arguments).stdout.splitlines()
            self.assertEqual(lines[0], f"4 points: {KEYS[0]} (2) x {KEYS[1]} (2)")
            self.assertEqual([tuple(line.split()) for line in lines[2:6]], [(str(i), *values) for i, values in enumerate(GRID)])
            self.assertEqual(lines[6], "plan of point 0:")
        self.assertIn("plan of point 3:\n", self.stemma("run", "noise.yaml", "--dry-run", "--point", "3").stdout)
        document = json.loads(self.stemma("plan", "noise.yaml", "--json").stdout)
        self.assertEqual(document["schema"], "stemma.plan/1")
        self.assertEqual(document["sweep"], {"points": 4, "mode": "grid", "planned": 0,
                                             "over": {KEYS[0]: ["faithful", "balanced"], KEYS[1]: ["5", "15"]}})
        many = self.stemma("plan", "noise.yaml", f"sweep.over.seed={list(range(2500))}").stdout.splitlines()
        self.assertEqual((many[0].split(":")[0], many[22]), ("10,000 points", "  and 9,980 more"))
        self.assertFalse((self.directory / "runs").exists())


if __name__ == "__main__":
    unittest.main()
