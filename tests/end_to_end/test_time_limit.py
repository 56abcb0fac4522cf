"""Does a run end in time, however it is asked to, keep what it has, and go on there?"""
import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest

import harness
from harness import llama_config, llama_tensors, write_checkpoint
from interrupted import Interrupted
from slurm_cluster import until


class Limited(Interrupted):
    def setUp(self):
        super().setUp()
        self.write("large.yaml", "schema_version: 1\nname: large\nmodels: [large]\n")
        self.make_model(3)

    def make_model(self, layers):
        """Singular values for a second a layer and more, in items of an eighth."""
        config = llama_config(layers, hidden_size=1024, intermediate_size=1024, head_dim=64)
        shutil.rmtree(self.directory / "large", ignore_errors=True)
        write_checkpoint(self.directory / "large", llama_tensors(config, 1), config)

    def start(self, output, *arguments, ranks=1):
        command = [*(harness.mpirun(ranks) if ranks > 1 else []), harness.STEMMA, "run", "large.yaml", "--output", output, *arguments]
        return subprocess.Popen(command, cwd=self.directory, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                env={**os.environ, "OMP_NUM_THREADS": "1"})

    def has_results(self, output):
        return any(path.stat().st_size > 10_000 for path in (self.directory / output / "store").glob("*.rec"))

    def status(self, output):
        return json.loads((self.directory / output / "status.json").read_text(encoding="utf-8"))

    def goes_on(self, output, at_least=1, ranks=1):
        """The same command ends, knows what was done, and has the hash of a run that nobody disturbed."""
        done = self.stemma("run", "large.yaml", "--output", output, ranks=ranks)
        known, items, _ = self.known(done.stderr)
        self.assertGreaterEqual(known, at_least)
        self.assertLess(known, items)
        if not (self.directory / "alone").exists():
            self.stemma("run", "large.yaml", "--output", "alone")
        hashes = [self.stemma("verify", path, "--hash").stdout.splitlines()[0] for path in (output, "alone")]
        self.assertEqual(*hashes)


class TimeLimit(Limited):
    def test_a_deadline_is_kept(self):
        self.make_model(12)
        begun = time.time()
        self.stemma("run", "large.yaml", "--output", "alone")
        span = 2 + max(1, int((time.time() - begun) / 2.5))  # of which two seconds are kept for the end
        log, codes = "", []
        for _ in range(20):
            begun = time.time()
            run = self.start("out", "--deadline", f"@{int(begun) + span + 1}", "--deadline-margin", "2s")
            log = run.communicate(timeout=120)[1]
            codes.append(run.returncode)
            if run.returncode != 85:
                break
            self.assertLess(time.time(), int(begun) + span + 1)
            self.assertRegex(log, r"stemma: stopped early, because its time ends at \d{4}-\S+Z: \d+ of \d+ items of this stage done")
            self.assertEqual((self.status("out")["stage"], self.status("out")["exit_code"]), ("stopped", 85))
            self.assertFalse((self.directory / "out/large.h5").exists())
            for path in (self.directory / "out/store").glob("*.rec"):
                self.assertEqual(path.stat().st_mode & 0o777, 0o444)
        self.assertEqual(codes[-1], 0, log)
        self.assertGreater(len(codes), 1, "it was done at once")
        self.assertEqual(*(self.stemma("verify", path, "--hash").stdout for path in ("out", "alone")))

    def test_a_time_in_which_nothing_fits_is_a_mistake(self):
        done = self.stemma("run", "large.yaml", "--deadline", "+10s", code=2)
        self.assertRegex(done.stderr, r"stemma: nothing could be done in time: its time ends at \S+, none of \d+ items is sure to end before that")
        done = self.stemma("run", "large.yaml", "--deadline", "later", code=2)
        self.assertIn("runtime.deadline = later is no moment: write auto, none, +4h, @1795228378", done.stderr)

    def test_the_end_of_a_slurm_job_is_known(self):
        run = subprocess.run([harness.STEMMA, "run", "large.yaml", "--output", "out"], cwd=self.directory, text=True, capture_output=True,
                             timeout=60, env={**os.environ, "SLURM_JOB_END_TIME": str(int(time.time()) + 60)}, check=False)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("nothing could be done in time: its time ends at ", run.stderr)

    def test_signals(self):
        self.make_model(6)
        for name, ranks in ((signal.SIGTERM, 1), (signal.SIGUSR1, 1), (signal.SIGUSR1, 2)):
            with self.subTest(name=name, ranks=ranks):
                output = f"out-{name}-{ranks}"
                # After USR1 so much is kept for the end that nothing more is begun.
                run = self.start(output, "--deadline-margin", "10min", ranks=ranks)
                until("there are results", 60, lambda out=output: self.has_results(out))
                run.send_signal(name)
                begun = time.monotonic()
                log = run.communicate(timeout=60)[1]
                self.assertLess(time.monotonic() - begun, 20)
                self.assertEqual(run.returncode, 85, log)
                self.assertIn("stemma: stopped early, because it was asked to end", log)
                self.goes_on(output, ranks=ranks)

    def test_a_rank_that_is_asked_tells_the_others(self):
        self.make_model(10)  # enough to be told in the middle of it
        run = self.start("out", "--deadline-margin", "10min", ranks=2)
        until("there are results", 60, lambda: self.has_results("out"))
        ranks = [int(n) for n in subprocess.run(["pgrep", "--parent", str(run.pid)], text=True, capture_output=True, check=True).stdout.split()]
        os.kill(max(ranks), signal.SIGUSR1)
        log = run.communicate(timeout=60)[1]
        self.assertEqual(run.returncode, 85, log)
        self.goes_on("out")

    def test_a_line_of_progress_may_be_asked_for(self):
        run = self.start("out", "--progress=none")
        until("it works", 60, lambda: self.has_results("out"))
        run.send_signal(signal.SIGUSR2)
        log = run.communicate(timeout=60)[1]
        self.assertEqual(run.returncode, 0, log)
        self.assertEqual(len(re.findall(r"(?m)^\S+  work +\d+/\d+ items ", log)), 1, log)

    def test_a_second_interrupt_ends_it_there_and_then(self):
        run = self.start("out")
        until("it begins", 60, (self.directory / "out/store").exists)
        run.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 30
        while run.poll() is None and time.monotonic() < deadline:
            time.sleep(1.1)
            run.send_signal(signal.SIGINT)
        run.communicate(timeout=30)
        self.assertIn(run.returncode, (85, 130))


class Shards(Limited):
    def shard(self, which, output="out"):
        return self.stemma("run", "large.yaml", "--output", output, "--shard", which).stderr

    def test_the_last_one_makes_the_archive(self):
        for which in ("2/3", "0/3"):
            log = self.shard(which)
            self.assertRegex(log, rf"stemma: shard {which} is done, \d+ items of it now\. The last shard to end makes the archive")
            self.assertFalse((self.directory / "out/large.h5").exists())
        self.assertNotIn("of other shards", self.shard("1/3"))
        self.assertIn("shard 0/3 is done, and another makes the archive, or has made it.", self.shard("0/3"))
        self.stemma("run", "large.yaml", "--output", "alone")
        self.assertEqual(*(self.stemma("verify", path, "--hash").stdout for path in ("out", "alone")))

    def test_at_the_same_time_with_one_that_dies(self):
        runs = [self.start("out", "--shard", f"{i}/3") for i in range(3)]
        until("there are results", 60, lambda: self.has_results("out"))
        runs[1].kill()
        for run in runs:
            run.communicate(timeout=120)
        self.assertEqual([runs[0].returncode, runs[2].returncode], [0, 0])
        self.goes_on("out", at_least=2)

    def test_what_is_no_shard(self):
        for text in ("3/3", "1", "1/0", "a/b", "-1/3", "1/3/4", "0/200000"):
            done = self.stemma("run", "large.yaml", f"--shard={text}", code=2)
            self.assertIn(f"--shard {text} is no part of the work: write I/N", done.stderr)


if __name__ == "__main__":
    unittest.main()
