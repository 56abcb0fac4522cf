"""Does a run that is given too little memory end in a sentence, and never wait for memory that does not come?"""
import os
import subprocess
import unittest

import harness
from harness import STEMMA, ZOO, EndToEnd

MIB = 1 << 20


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


if __name__ == "__main__":
    unittest.main()
