"""Does doctor find what is wrong with a place to run, say what to change, and does a run refuse a BLAS that multiplies wrongly?"""
import json
import os
import pathlib
import subprocess
import unittest

import h5py
import harness
from harness import STEMMA, ZOO, EndToEnd

TOPICS = ["MPI", "cores", "threads", "BLAS", "self-test", "SIMD", "memory", "teams", "shared memory", "directory", "archive"]
WRONG_BLAS = pathlib.Path(os.environ.get("STEMMA_BUILD_DIR", harness.SOURCE / "build/release")) / "tests/wrong_blas.so"
UNSAFE = harness.PATIENCE > 1  # sanitizers want to be loaded first, and map terabytes


class Doctor(EndToEnd):
    def asked(self, *arguments, code=0, **options):
        """{topic: check} of the JSON document; the text must say the same."""
        text = self.stemma("doctor", *arguments, code=code, **options).stdout
        document = json.loads(self.stemma("doctor", *arguments, "--json", code=code, **options).stdout)
        self.assertEqual(document["schema"], "stemma.doctor/1")
        self.assertEqual([check["topic"] for check in document["checks"]], TOPICS)
        for check in document["checks"]:
            self.assertIn(check["verdict"], ("ok", "advice", "problem"))
            self.assertEqual(check["change"] == "", check["verdict"] == "ok", check)
            self.assertRegex(text, rf"(?m)^  {check['verdict']} +{check['topic']} ")
        worst = max((c["verdict"] for c in document["checks"]), key=["ok", "advice", "problem"].index)
        self.assertEqual(document["verdict"], worst)
        self.ranks = document["ranks"]
        return {check["topic"]: check for check in document["checks"]}

    def test_here(self):
        checks = self.asked()
        for topic in ("MPI", "threads", "self-test", "SIMD", "archive"):
            self.assertEqual(checks[topic]["verdict"], "ok", checks[topic])
        self.assertIn("passed on 1 rank", checks["self-test"]["found"])
        self.assertIn(f"HDF5 {'.'.join(map(str, h5py.version.hdf5_version_tuple))}", checks["archive"]["found"])
        self.assertLess(self.ranks[0]["algebra"]["seconds"], 3 * harness.PATIENCE)
        self.assertEqual(os.listdir(self.directory), [], "nothing is left behind")

    def test_several_ranks(self):
        more = len(os.sched_getaffinity(0)) + 1
        checks = self.asked(ranks=more)
        self.assertIn(f"{more} ranks on 1 host", checks["MPI"]["found"])
        self.assertIn(f"passed on {more} ranks", checks["self-test"]["found"])
        self.assertEqual(checks["cores"]["verdict"], "advice")
        self.assertRegex(checks["cores"]["change"], rf"Start at most {more - 1} ranks? there")
        self.assertEqual(len(self.ranks), more)

    def test_ranks_share_the_memory(self):
        self.asked()
        alone = self.ranks[0]["memory"]
        self.asked(ranks=2)
        for rank in self.ranks:
            self.assertLess(rank["memory"], 0.75 * alone)

    def test_threads(self):
        self.assertEqual(self.asked(OMP_NUM_THREADS="4")["threads"]["verdict"], "advice")
        env = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        done = subprocess.run([STEMMA, "doctor"], cwd=self.directory, env=env, text=True, capture_output=True, timeout=60, check=False)
        self.assertRegex(done.stdout, r"advice +threads +OMP_NUM_THREADS not set\n +-> Set OMP_NUM_THREADS=1")
        self.assertEqual(done.returncode, 0)

    def test_directories(self):
        checks = self.asked("/proc", code=2)
        self.assertEqual(checks["archive"]["verdict"], "problem")
        self.assertIn("a directory that you may write to", checks["archive"]["change"])
        for ranks in (1, 2):
            checks = self.asked("absent", code=2, ranks=ranks)
            self.assertEqual(checks["directory"]["verdict"], "problem")
            self.assertIn("absent is no directory for rank 0", checks["directory"]["found"])

    @unittest.skipIf(UNSAFE, "a sanitizer needs its own memory")
    def test_little_memory(self):
        done = subprocess.run(["bash", "-c", f"ulimit -v 200000; exec {STEMMA} doctor --json"], cwd=self.directory, text=True,
                              env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        checks = {check["topic"]: check for check in json.loads(done.stdout)["checks"]}
        self.assertIn("not run on rank 0", checks["self-test"]["found"])
        self.assertTrue(checks["self-test"]["change"].startswith("Raise ulimit -v"))
        self.assertIn("195 MiB for each rank, set by limit of address space", checks["memory"]["found"])
        self.assertEqual(checks["memory"]["verdict"], "problem")


@unittest.skipIf(UNSAFE, "a sanitizer wants to be loaded first")
class WrongBlas(EndToEnd):
    def bad(self, rank):
        return {"LD_PRELOAD": str(WRONG_BLAS), "STEMMA_WRONG_RANK": str(rank)}

    def test_a_run_refuses(self):
        self.write("c.yaml", f"schema_version: 1\nmodels: [{ZOO}/aspen]\noutput: out\n")
        for ranks, bad in ((1, 0), (2, 0), (3, 1), (3, 2)):
            with self.subTest(ranks=ranks, bad=bad):
                done = self.stemma("run", "c.yaml", "--fresh", ranks=ranks, code=70, **self.bad(bad))
                said = [line for line in done.stderr.splitlines() if line.startswith("stemma: ")]
                self.assertEqual(len(said), 1, done.stderr)
                self.assertRegex(said[0], rf"the linear algebra of rank {bad} on \S+ computes wrongly \(dsyrk N of 7 x 5 is wrong and "
                                          r"\d+ more complaints; OpenBLAS")
                self.assertIn("OPENBLAS_CORETYPE", said[0])
                self.assertNotIn("  survey  ", done.stderr)
                self.assertFalse((self.directory / "out/c.h5").exists())
        self.stemma("run", "c.yaml", "--fresh", ranks=2, **self.bad(7))  # the same library, harmless

    def test_doctor_says_where(self):
        done = self.stemma("doctor", ranks=2, code=2, **self.bad(1))
        self.assertRegex(done.stdout, r"problem +self-test +the linear algebra of rank 1 on")


class Provenance(EndToEnd):
    def test_the_archive_names_its_linear_algebra(self):
        with h5py.File(self.fingerprint("a.h5", ZOO / "aspen", ranks=2)) as archive:
            host = archive["provenance"]
            self.assertEqual(list(host["selftest"]), [1])
            self.assertNotEqual(host["blas_config"][0], b"")
            doctor = json.loads(self.stemma("doctor", "--json").stdout)["ranks"][0]["algebra"]
            self.assertEqual(host["blas_core"][0].decode(), doctor["core"])
            self.assertEqual(host["blas_config"][0].decode(), doctor["config"])


if __name__ == "__main__":
    unittest.main()
