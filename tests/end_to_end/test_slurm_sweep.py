"""Does slurm/sweep.sbatch make every point of a sweep a task of an array on a real Slurm cluster, and its results those of one run?"""
import re
import unittest

from harness import SOURCE, STEMMA, ZOO, read_tsv
from slurm_cluster import until
from slurm_jobs import Script, Submitted, needs_slurm

SCRIPT = SOURCE / "slurm/sweep.sbatch"
TWO_RANKS = ["--nodes=1", "--ntasks-per-node=2"]


class Sweep(Script):
    script = SCRIPT

    def setUp(self):
        super().setUp()
        self.write("noise.yaml", f"schema_version: 1\nname: noise\nmodels: [{ZOO}/aspen, {ZOO}/aspen-code]\ntrace: {{enabled: false}}\n"
                                 "sweep: {over: {analyzers.tensorguard.samples: [3, 5, 7]}}\n")


class Sentences(Sweep):
    def test_what_is_missing(self):
        self.refused("no configuration was named", STEMMA=STEMMA)
        self.refused("no configuration was named", CONFIG="", SLURM_ARRAY_TASK_ID="0")
        self.refused("this is no task of an array: sbatch --array=0-N", "noise.yaml", STEMMA=STEMMA)
        self.refused("audit.sbatch, which does the work, was not found in nowhere; submit from Stemma's directory, or set STEMMA_SLURM",
                     "noise.yaml", SLURM_ARRAY_TASK_ID="0", STEMMA_SLURM="nowhere")


@needs_slurm
class Arrays(Sweep, Submitted):
    def tasks_ended(self, array, tasks, state, code):
        """Their outputs."""
        return [self.ended(f"{array}_{task}", state, code, f"task-{task}") for task in tasks]

    def rows(self, path):
        return [{name: cell for name, cell in row.items() if name not in ("started", "seconds")}
                for row in read_tsv(self.directory / path / "sweep.tsv")]

    def test_is_accepted(self):
        self.cluster.ask("sbatch", "--test-only", "--array=0-3", SCRIPT, cwd=self.directory)

    def test_array_longer_than_the_sweep(self):
        """At most two tasks at once, on three nodes; the fourth has no point."""
        array = self.submit("noise.yaml", "description=swept", options=[*TWO_RANKS, "--array=0-3%2"], output="task-%a")
        most, ended = 0, ["COMPLETED"] * 4
        def states():
            text = self.cluster.ask("scontrol", "--oneliner", "show", "job", array).stdout
            return re.findall(r"ArrayTaskId=\d .*?JobState=(\w+)", text)
        def all_ended():
            nonlocal most
            now = states()
            most = max(most, now.count("RUNNING"))
            return now == ended or {"FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"} & set(now)
        until("the array ends", 120, all_ended)
        outputs = self.tasks_ended(array, range(4), "COMPLETED", "0:0")
        self.assertEqual(most, 2)
        for task, text in enumerate(outputs):
            self.assertIn(f"audit.sbatch: job {array}_{task}, 2 ranks on n", text)
            self.assertTrue(text.endswith("audit.sbatch: exit code 0\n"), text)
            self.assertNotIn("  warn  ", text)
        self.assertIn("\nnothing to do: --point 3 is beyond this sweep, which has 3 points, counted from 0\n", outputs[3])
        self.stemma("run", "noise.yaml", "description=swept", "--point", "all", "--output", "alone")
        self.assertEqual(self.rows("runs/noise"), self.rows("alone"))
        for row in self.rows("alone"):
            self.assertEqual(*(self.stemma("verify", f"{path}/{row['directory']}", "--hash").stdout for path in ("runs/noise", "alone")))
        # One archive of all points, as slurm/README.md makes it.
        archives = sorted(str(path) for path in (self.directory / "runs/noise").glob("p*/noise.h5"))
        self.assertEqual(len(archives), 3)
        self.stemma("merge", *archives, "-o", "noise.h5")
        self.stemma("verify", "noise.h5")

    def test_array_that_misses_a_point(self):
        array = self.submit("noise.yaml", options=[*TWO_RANKS, "--array=0,2"], output="task-%a")
        for text in self.tasks_ended(array, (0, 2), "COMPLETED", "0:0"):
            self.assertRegex(text, r"  warn +this job array has 2 tasks from 0 to 2, and the sweep has 3 points: some are left out\.")
        self.assertEqual([row["exit_code"] for row in self.rows("runs/noise")], ["0", "", "0"])

    def test_a_task_that_is_cancelled_is_made_good_by_another(self):
        self.write("slow.yaml", f"schema_version: 1\nmodels: [{{glob: '{ZOO}/*/'}}]\ntrace: {{pairs: all}}\n"
                                "sweep: {over: {seed: [1, 2]}}\n")
        array = self.submit("slow.yaml", options=[*TWO_RANKS, "--array=0-1"], output="task-%a")
        until("a point begins", 60, lambda: list((self.directory / "runs/slow").glob("p00-*/point.json")))
        self.cluster.ask("scancel", f"{array}_0")
        self.assertEqual(self.cluster.finished(f"{array}_0")["JobState"], "CANCELLED", self.output("task-0"))
        self.tasks_ended(array, [1], "COMPLETED", "0:0")
        dead, other = self.rows("runs/slow")
        self.assertIn(dead["exit_code"], ("", "85"))
        self.assertEqual(other["exit_code"], "0")
        again = self.submit("slow.yaml", options=[*TWO_RANKS, "--array=0"], output="task-%a")
        self.tasks_ended(again, [0], "COMPLETED", "0:0")
        self.assertEqual([row["exit_code"] for row in self.rows("runs/slow")], ["0", "0"])

    def test_exit_code_is_that_of_the_point(self):
        self.write("noise.yaml", "schema_version: 1\nmodels: [absent]\nsweep: {over: {seed: [1]}}\n")
        array = self.submit(options=[*TWO_RANKS, "--array=0"], output="task-%a", CONFIG="noise.yaml", STEMMA_LAUNCHER="mpirun")
        (text,) = self.tasks_ended(array, [0], "FAILED", "2:0")
        self.assertIn("absent does not exist", text)

    def test_audit_is_found_where_slurm_is_told(self):
        """A copy of the script, under another name, lies beside no audit.sbatch."""
        copy = self.write("points.sh", SCRIPT.read_text())
        array = self.submit("noise.yaml", options=[*TWO_RANKS, "--array=0"], output="task-%a", script=copy)
        (text,) = self.tasks_ended(array, [0], "FAILED", "2:0")
        self.assertRegex(text, r"\Asweep\.sbatch: audit\.sbatch, which does the work, was not found in [^\n]*\.\n\Z")
        array = self.submit("noise.yaml", options=[*TWO_RANKS, "--array=0"], output="task-%a", script=copy, STEMMA_SLURM=SCRIPT.parent)
        self.tasks_ended(array, [0], "COMPLETED", "0:0")


if __name__ == "__main__":
    unittest.main()
