"""Does a job whose time is over keep what it has, come back by itself, and end as an undisturbed one?"""
import re
import time
import unittest

from harness import SOURCE, llama_config, llama_tensors, write_checkpoint
from slurm_cluster import until
from slurm_jobs import Submitted, needs_slurm

LAUNCHERS = {"srun": {}, "mpirun": {"STEMMA_LAUNCHER": "mpirun"}}


@needs_slurm
class Deadline(Submitted):
    script = SOURCE / "slurm/audit.sbatch"

    def setUp(self):
        super().setUp()
        self.write("large.yaml", "schema_version: 1\nname: large\nmodels: [large]\n")

    def make_model(self, layers):
        """Two seconds of singular values for each layer and more, where one core does it."""
        config = llama_config(layers, hidden_size=2048, intermediate_size=2048, head_dim=64)
        write_checkpoint(self.directory / "large", llama_tensors(config, 1), config)

    def codes(self):
        return [int(code) for code in re.findall(r"(?m)^audit\.sbatch: exit code (\d+)$", self.output())]

    def known(self):
        return [int(n) for n in re.findall(r"resume +work: (\d+) of \d+ items known already", self.output())]

    def is_whole(self, run):
        if not (self.directory / "alone").exists():
            self.stemma("run", "large.yaml", "--output", "alone")
        self.assertEqual(self.canonical_exact(run), self.canonical_exact("alone"))

    def test_asked_to_end_it_is_requeued_and_goes_on(self):
        self.make_model(3)
        for launcher, environment in LAUNCHERS.items():
            with self.subTest(launcher):
                # With so much kept for the end nothing is begun any more after USR1.
                job = self.submit("large.yaml", f"--output={launcher}", "--deadline-margin=200s",
                                  options=["--nodes=2", "--ntasks-per-node=1", "--time=10"], **environment)
                store = (self.directory / launcher / "store").glob
                until("there are results", 60, lambda: any(path.stat().st_size > 10_000 for path in store("*.rec")))
                self.cluster.ask("scancel", "--batch", "--signal=USR1", job)
                until("it was stopped", 60, lambda: self.codes() == [85])
                self.assertRegex(self.output(), r"stemma: stopped early, because it was asked to end \(USR1\): \d+ of \d+ items")
                self.ended(job, "COMPLETED", "0:0")
                self.assertEqual(self.codes(), [85, 0], self.output())
                self.assertGreater(self.known()[0], 0)
                self.is_whole(launcher)

    def test_a_time_limit_that_is_too_short_takes_several_attempts(self):
        self.make_model(8)
        begun = time.monotonic()
        self.stemma("run", "large.yaml", "--output", "alone")
        half = int((time.monotonic() - begun) / 2)
        # Of the minute half of the work has room, and a few seconds for what comes before it.
        job = self.submit("large.yaml", "--output=limited", f"--deadline-margin={56 - half}s",
                          options=["--nodes=1", "--ntasks-per-node=1", "--time=1", "--signal=B:USR1@45"])
        self.ended(job, "COMPLETED", "0:0", seconds=240)  # each attempt may take its minute
        codes = self.codes()
        self.assertGreater(len(codes), 1, self.output())
        self.assertEqual(set(codes[:-1]), {85}, self.output())
        self.assertEqual(codes[-1], 0)
        self.assertEqual(self.known(), sorted(self.known()))
        self.is_whole("limited")

    def test_a_job_in_which_nothing_fits_does_not_come_back(self):
        self.make_model(1)
        job = self.submit("large.yaml", "--output=short", options=["--nodes=1", "--ntasks-per-node=1", "--time=1"])
        text = self.ended(job, "FAILED", "2:0")
        self.assertIn("stemma: nothing could be done in time: its time ends at ", text)
        self.assertEqual(self.codes(), [2])

    def test_scripts_are_accepted(self):
        for script, options in (("audit.sbatch", []), ("sweep.sbatch", ["--array=0-3%2"])):
            with self.subTest(script):
                done = self.cluster.ask("sbatch", "--test-only", *options, SOURCE / "slurm" / script, "large.yaml",
                                        cwd=self.directory)
                self.assertIn("to start at", done.stderr)


if __name__ == "__main__":
    unittest.main()
