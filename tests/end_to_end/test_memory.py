"""Does a run that is given too little memory end in a sentence, and does an item never take more than its plan promised?"""
import json
import os
import pathlib
import subprocess
import sys
import unittest

import harness
from harness import STEMMA, ZOO, EndToEnd

MIB = 1 << 20
BUILD = pathlib.Path(os.environ.get("STEMMA_BUILD_DIR", harness.SOURCE / "build/release"))


@unittest.skipIf(harness.PATIENCE > 1, "sanitizers map terabytes, so address space cannot be limited")
class LittleMemory(EndToEnd):
    def ends(self, mib, ranks, threads=1):
        """The run under a limit of address space for each rank; a run that waits for ever fails here."""
        limit = f"ulimit -v {mib * 1024}; exec \"$@\""
        command = ["bash", "-c", limit, "bash", STEMMA, "run", "c.yaml", "--output", f"r{mib}-{ranks}-{threads}"]
        if ranks > 1:
            command = harness.mpirun(ranks) + command
        env = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        return subprocess.run(command, cwd=self.directory, env=env, text=True, capture_output=True, timeout=60, check=False)

    def setUp(self):
        super().setUp()
        self.write("c.yaml", f"schema_version: 1\nname: t\nmodels: [{ZOO}/aspen, {ZOO}/birch]\n")

    def sweep(self, ranks, sizes, threads=1):
        """From too little to enough: no run waits, every refusal for BLAS says all that helps, and some run is whole."""
        refused = whole = 0
        for mib in sizes:
            with self.subTest(mib=mib, ranks=ranks, threads=threads):
                done = self.ends(mib, ranks, threads)
                self.assertIn(done.returncode, (0, 2, 4, 70), done.stderr)
                whole += done.returncode == 0
                if "BLAS needs" not in done.stderr:
                    continue
                refused += 1
                self.assertEqual(done.returncode, 2, done.stderr)
                sentence = [line for line in done.stderr.splitlines() if "BLAS needs" in line]
                self.assertEqual(len(sentence), 1, done.stderr)
                self.assertRegex(sentence[0], r"^rank \d on \S+: ")
                for words in ("192 MiB", f"limit of address space is {mib} MiB", "ulimit -v", "fewer ranks per node"):
                    self.assertIn(words, sentence[0])
                self.assertNotIn("  work  ", done.stderr)
        self.assertGreater(refused, 0)
        self.assertGreater(whole, 0)

    def test_one_rank(self):
        self.sweep(1, (170, 190, 210, 238, 255, 270, 285, 300, 350, 500, 1000))

    def test_one_rank_where_blas_wants_threads(self):
        self.sweep(1, (190, 240, 300, 400, 1500), threads=2)

    def test_two_ranks(self):
        self.sweep(2, (320, 350, 400, 430, 450, 470, 1500))


@unittest.skipIf(harness.PATIENCE > 1, "sanitizers keep a shadow of all memory")
class Promises(EndToEnd):
    def test_a_matrix_takes_no_more_than_was_promised(self):
        """Sizes at which one more copy of the matrix, or of its Gram matrix, would break the promise of a rank alone, and two more
        copies of a rank's part that of a team."""
        cases = ("3072x3072:BF16:1", "2048x6144:F32:1", "3072x3072:BF16:2")
        done = subprocess.run([sys.executable, harness.SOURCE / "tests/bench/bench_memory.py", "--build", BUILD, "--directory", ".",
                               *cases], cwd=self.directory, text=True, capture_output=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        measured = json.loads(done.stdout)["cases"]
        self.assertEqual([m["case"] for m in measured], list(cases))
        for m in measured:
            self.assertLessEqual(m["peak_bytes"], m["promised_bytes"], m)
            self.assertGreater(m["peak_bytes"], m["promised_bytes"] / 2, m)


if __name__ == "__main__":
    unittest.main()
