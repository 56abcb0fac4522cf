"""Does the one command for all benchmarks run, compare with PyTorch where it is there, and write one document?"""
import json
import os
import pathlib
import subprocess
import sys
import unittest

import harness
from harness import EndToEnd

BUILD = pathlib.Path(os.environ.get("STEMMA_BUILD_DIR", harness.SOURCE / "build/release"))


class AllBenchmarks(EndToEnd):
    def test_small(self):
        done = subprocess.run([sys.executable, harness.SOURCE / "tests/bench/run_all.py", "--small", "--build", BUILD, "--json", "all.json"],
                              cwd=self.directory, text=True, capture_output=True, timeout=600, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        report = json.loads((self.directory / "all.json").read_text())
        self.assertEqual(report["schema"], "stemma.bench/1")
        self.assertEqual({b["name"] for b in report["benchmarks"]}, {p.name for p in (BUILD / "bench").glob("bench_*")})
        self.assertTrue(report["machine"]["blas_core"] or report["machine"]["blas_config"])
        judged = {b["name"] for b in report["benchmarks"] if b["targets"]}
        self.assertLessEqual({"bench_coordinator", "bench_schedule", "bench_work_stage"}, judged)
        read = next(b for b in report["benchmarks"] if b["name"] == "bench_read")
        self.assertTrue(all(t["met"] for t in read["targets"] if "read ratio" in t["figure"]))
        self.assertEqual([case["failed"] for case in report["memory"]["cases"]], [False])
        self.assertFalse(report["trace"]["failed"], report["trace"])
        self.assertFalse(report["assignment"]["failed"], report["assignment"])
        self.assertFalse(report["resume"]["failed"], report["resume"])
        self.assertGreater(report["resume"]["results"]["log_calls"]["write"]["calls"], 10)
        stemma = report["tinyllama"]["stemma"]
        self.assertEqual([rank["rank"] for rank in stemma["ranks"]], [0, 1])
        self.assertLess(stemma["read_ratio"], 1.2)
        self.assertGreater(stemma["lower_bound_seconds"], 0)
        self.assertTrue(20e6 < stemma["peak_rss_bytes"] < 2e9)
        for dtype, bound in (("float32", 1e-5), ("float64", 1e-12)):
            theirs = report["tinyllama"]["torch"][dtype]
            if "absent" in theirs:
                continue
            self.assertEqual(theirs["matrices"], 9)
            self.assertGreaterEqual(theirs["agreement"]["matrices"], 7)
            self.assertLess(theirs["agreement"]["largest_relative_difference"], bound)
            self.assertIn(f"times faster than torch {dtype}", done.stdout)
        self.assertEqual([p.name for p in self.directory.iterdir()], ["all.json"], "scratch files go away")

    def test_a_program_that_fails_is_a_failure(self):
        (self.directory / "bench").mkdir()
        (self.directory / "bench/bench_broken").write_text("#!/bin/sh\necho sad >&2\nexit 3\n")
        (self.directory / "bench/bench_broken").chmod(0o755)
        (self.directory / "stemma").symlink_to(harness.STEMMA)
        done = subprocess.run([sys.executable, harness.SOURCE / "tests/bench/run_all.py", "--build", ".", "--only", "broken", "--json", "b"],
                              cwd=self.directory, text=True, capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("bench_broken: failed", done.stdout)
        self.assertEqual(json.loads((self.directory / "b").read_text())["benchmarks"][0]["runs"][0]["stderr"], ["sad"])


if __name__ == "__main__":
    unittest.main()
