"""Does slurm/audit.sbatch run an audit on the nodes of a real Slurm cluster as it runs without one, and end with its exit code?"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import h5py

import slurm_cluster
from harness import SOURCE, STEMMA, ZOO
from slurm_cluster import Cluster, until
from slurm_jobs import OURS, TWO_BY_TWO, Script, Submitted, needs_slurm

SCRIPT = SOURCE / "slurm/audit.sbatch"
# srun is what the script takes by itself where Slurm and Open MPI both know PMIx.
LAUNCHERS = {"srun": {}, "mpirun": {"STEMMA_LAUNCHER": "mpirun"}}


class Audit(Script):
    script = SCRIPT

    def setUp(self):
        super().setUp()
        self.write("family.yaml", f"schema_version: 1\nname: family\nmodels:\n  - {ZOO}/aspen\n"
                                  f"  - {{path: {ZOO}/aspen-lora-r8, base: aspen}}\n")
        self.write("wrong.yaml", f"schema_version: 1\nseeed: 1\nmodels: [{ZOO}/aspen]\n")


class Sentences(Audit):
    """What the script refuses before it starts anything; this needs no Slurm."""

    def test_what_is_missing(self):
        self.refused("no configuration was named", STEMMA=STEMMA)
        self.refused("no configuration was named", "", STEMMA=STEMMA)
        self.refused("configuration absent.yaml cannot be read", "absent.yaml", STEMMA=STEMMA)
        self.refused("configuration absent.yaml cannot be read", CONFIG="absent.yaml", STEMMA=STEMMA)
        self.refused("no program was found: set STEMMA", "family.yaml", PATH="/usr/bin:/bin")
        self.refused("STEMMA names nowhere/stemma, which is no program", "family.yaml", STEMMA="nowhere/stemma")
        self.refused("names slurm/machines/atlantis.sh", "family.yaml", STEMMA=STEMMA, STEMMA_MACHINE="atlantis")
        self.refused("names ./atlantis, which", "family.yaml", STEMMA=STEMMA, STEMMA_MACHINE="./atlantis")


class Receipts(Audit):
    """A launcher may say that all is well when it could start nothing. The launchers of these tests do; they need no Slurm."""

    def ended(self, launcher, code):
        """What the script says with this launcher, a script of the shell."""
        self.write("launcher", f"#!/bin/sh\n{launcher}\n").chmod(0o755)
        env = {**{name: value for name, value in os.environ.items() if name not in OURS and not name.startswith("SLURM_")},
               "STEMMA": STEMMA, "STEMMA_LAUNCHER": "./launcher"}
        done = subprocess.run(["bash", SCRIPT, "family.yaml"], cwd=self.directory, env=env, text=True, capture_output=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(list(self.directory.glob("*.receipt")), [])
        return done

    def test_a_run_that_was_launched(self):
        done = self.ended('exec "$@"', 0)
        self.assertTrue(done.stdout.endswith("audit.sbatch: exit code 0\n"))
        self.assertRegex(done.stderr, r" end +2 of 2 models whole")

    def test_a_run_that_was_not(self):
        """Also with a receipt of the job's first start in the directory."""
        self.write("stemma-none.receipt", "of another run")
        done = self.ended('[ "$2" = run ] || exec "$@"', 70)
        self.assertIn("./launcher says that all is well, but no run came to its end", done.stderr)
        self.assertTrue(done.stdout.endswith("audit.sbatch: exit code 70\n"))
        self.assertFalse((self.directory / "runs").exists())

    def test_other_codes_of_a_launcher_stay(self):
        done = self.ended('[ "$2" = run ] && exit 7; exec "$@"', 7)
        self.assertNotIn("all is well", done.stderr)


@needs_slurm
class Jobs(Audit, Submitted):
    def equals_a_run_without_slurm(self, job):
        self.stemma("run", "family.yaml", "--output", "alone")
        for run in ("alone", "runs/family"):
            self.stemma("verify", run)
        self.assertEqual(self.canonical_exact("alone"), self.canonical_exact("runs/family"))
        for table in ("pairs.tsv", "verdicts.tsv"):
            self.assertEqual((self.directory / "alone" / table).read_bytes(), (self.directory / "runs/family" / table).read_bytes())
        with h5py.File(self.directory / "runs/family/family.h5") as archive:
            made = archive["provenance"]
            self.assertEqual((made["ranks"][0], made["job_id"][0].decode()), (4, job))
            if self.cluster.named:
                self.assertEqual(made["nodes"][0], 2)
                self.assertEqual([name.decode() for name in made["name"][:]], ["n1", "n2"])

    def test_is_accepted(self):
        done = self.cluster.ask("sbatch", "--test-only", SCRIPT, cwd=self.directory)
        self.assertRegex(done.stderr, r"\Asbatch: Job \d+ to start at \S+ using 4 processors on nodes n\d in partition test\n\Z")

    def test_audit_with_srun(self):
        """Nothing is said to the script but CONFIG: it finds program and launcher."""
        (self.directory / "build/release").mkdir(parents=True)
        (self.directory / "build/release/stemma").symlink_to(STEMMA)
        job = self.submit(CONFIG="family.yaml", STEMMA=None)
        text = self.ended(job, "COMPLETED", "0:0")
        self.assertIn(f"job {job}, 4 ranks on n[1-2], started by srun --mpi=pmix ", text)
        if self.cluster.named:
            self.assertRegex(text, r"(?m)^  ok +MPI .*, 4 ranks on 2 hosts$")
            self.assertRegex(text, r"(?m)^  ok +cores +2 ranks on")
        self.assertRegex(text, r"(?m)^  ok +threads +OMP_NUM_THREADS=1$")
        self.assertTrue(text.endswith("audit.sbatch: exit code 0\n"))
        self.equals_a_run_without_slurm(job)

    def test_audit_with_mpirun(self):
        """A file with the settings of a machine names program and launcher, and arguments change the configuration."""
        self.write("slurm/machines/here.sh", f"export STEMMA={STEMMA} STEMMA_LAUNCHER=mpirun\n")
        job = self.submit("family.yaml", "description=changed by an argument", STEMMA=None, STEMMA_MACHINE="here")
        text = self.ended(job, "COMPLETED", "0:0")
        self.assertIn(f"job {job}, 4 ranks on n[1-2], started by mpirun --quiet\n", text)
        self.assertIn("changed by an argument", (self.directory / "runs/family/config.resolved.yaml").read_text())
        self.equals_a_run_without_slurm(job)

    def test_mpirun_is_taken_where_slurm_knows_no_pmix(self):
        installed = re.search(r"(?m)^PluginDir *= (\S+)$", self.cluster.ask("scontrol", "show", "config").stdout)[1]
        plugins = self.directory / "plugins"
        plugins.mkdir()
        for path in pathlib.Path(installed).glob("*.so"):
            if not path.name.startswith("mpi_pmix"):
                (plugins / path.name).symlink_to(path)
        with Cluster(1, f"PluginDir={plugins}\n") as cluster:
            self.assertNotIn("pmix", cluster.ask("srun", "--mpi=list").stdout)
            job = self.submit("wrong.yaml", options=["--ntasks-per-node=2"], on=cluster)
            found = cluster.finished(job)
        self.assertIn(f"job {job}, 2 ranks on n1, started by mpirun --quiet\n", self.output())
        self.assertEqual((found["JobState"], found["ExitCode"]), ("FAILED", "2:0"), self.output())
        self.assertIn("seeed is not a known key", self.output())

    def test_exit_codes(self):
        """2 of a wrong configuration and 4 of a model that cannot be read are those of the job."""
        shutil.copytree(ZOO / "birch", self.directory / "broken")
        os.truncate(self.directory / "broken/model.safetensors", 5000)
        self.write("broken.yaml", f"schema_version: 1\nmodels: [{ZOO}/aspen, broken]\n")
        for launcher, environment in LAUNCHERS.items():
            for config, code, says in (("wrong.yaml", 2, "seeed is not a known key"), ("broken.yaml", 4, "exit 4")):
                with self.subTest(launcher=launcher, config=config):
                    output = f"--output={launcher}"
                    text = self.ended(self.submit(config, output, **environment), "FAILED", f"{code}:0")
                    self.assertIn(says, text)
                    self.assertTrue(text.endswith(f"audit.sbatch: exit code {code}\n"))

    def test_doctor_ends_a_job_that_would_fail(self):
        job = self.submit(self.directory / "family.yaml", options=[*TWO_BY_TWO, "--chdir=/proc"])
        text = self.ended(job, "FAILED", "2:0")
        self.assertRegex(text, r"(?m)^  problem +archive ")
        self.assertNotIn("  start  ", text)

    def test_what_is_nearly_done_is_done_in_spite_of_a_warning(self):
        self.write("zoo.yaml", f"schema_version: 1\nmodels: [{{glob: '{ZOO}/*/'}}]\n")
        job = self.submit("zoo.yaml")
        until("the run begins", 60, lambda: "  start  " in self.output())
        self.cluster.ask("scancel", "--batch", "--signal=USR1", job)
        text = self.ended(job, "COMPLETED", "0:0")
        self.assertIn("audit.sbatch: the run was asked to end soon", text)
        self.assertTrue(text.endswith("audit.sbatch: exit code 0\n"))

    def test_a_cancelled_job_goes_on_when_it_is_submitted_again(self):
        self.write("zoo.yaml", f"schema_version: 1\nmodels: [{{glob: '{ZOO}/*/'}}]\ntrace: {{pairs: all}}\n")
        job = self.submit("zoo.yaml")
        kept = (self.directory / "runs").glob
        until("there are results", 60, lambda: any(path.stat().st_size > 10_000 for path in kept("*/store/*.rec")))
        self.cluster.ask("scancel", job)
        self.assertEqual(self.cluster.finished(job)["JobState"], "CANCELLED", self.output())
        text = self.ended(self.submit("zoo.yaml", options=["--nodes=1", "--ntasks-per-node=2"]), "COMPLETED", "0:0")
        self.assertRegex(text, r"resume +work: \d+ of \d+ items known already")
        self.stemma("run", "zoo.yaml", "--output", "alone")
        self.assertEqual(self.canonical_exact("alone"), self.canonical_exact(next((self.directory / "runs").iterdir())))

    def test_nothing_is_left_of_a_cancelled_job(self):
        self.write("zoo.yaml", f"schema_version: 1\nmodels: [{{glob: '{ZOO}/*/'}}]\n")
        for launcher, environment in LAUNCHERS.items():
            with self.subTest(launcher):
                job = self.submit("zoo.yaml", f"--output={launcher}", **environment)
                until("the run begins", 60, lambda: "  start  " in self.output())
                self.cluster.ask("scancel", job)
                found = self.cluster.finished(job)
                self.assertEqual(found["JobState"], "CANCELLED", self.output())
                until("processes of the job have ended", 20, lambda: self.cluster.left() <= self.cluster.processes)


@needs_slurm
class StartsAndEnds(unittest.TestCase):
    """The cluster is part of these tests: nothing of it may outlive them, also when a test fails."""

    def test_nothing_is_left(self):
        with self.assertRaises(ZeroDivisionError), Cluster(2) as cluster:
            self.assertGreaterEqual(len(cluster.left()), 4)  # munged, slurmctld, two of slurmd
            cluster.ask("sbatch", "--output=none", "--wrap=sleep 600", cwd=cluster.root)
            until("the job runs", 20, lambda: " R " in cluster.ask("squeue", "--noheader").stdout)
            1 / 0
        self.assertEqual((cluster.left(), cluster.root.exists()), (set(), False))

    def test_nothing_is_left_of_a_killed_test(self):
        killed = ("import os, signal, slurm_cluster\nwith slurm_cluster.Cluster(1) as cluster:\n"
                  "    cluster.ask('sbatch', '--output=none', '--wrap=sleep 600', cwd=cluster.root)\n"
                  "    slurm_cluster.until('the job runs', 20, lambda: ' R ' in cluster.ask('squeue', '--noheader').stdout)\n"
                  "    print(cluster.root, flush=True)\n    os.kill(os.getpid(), signal.SIGKILL)\n")
        done = subprocess.run([sys.executable, "-c", killed], cwd=pathlib.Path(__file__).parent, text=True, capture_output=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)
        root = pathlib.Path(done.stdout.strip())
        until("the guard has cleared up", 30, lambda: not slurm_cluster.processes_of(root) and not root.exists())

    def test_a_cluster_that_does_not_start(self):
        cluster = Cluster(1)
        with tempfile.TemporaryDirectory(prefix="stemma_") as empty, self.assertRaisesRegex(RuntimeError, "did not start"):
            pathlib.Path(empty, "slurmd").write_text("#!/bin/sh\nexit 3\n")
            pathlib.Path(empty, "slurmd").chmod(0o755)
            cluster.path = f"{empty}:{slurm_cluster.PATH}"
            with cluster:
                self.fail("it has no node")
        self.assertEqual((cluster.left(), cluster.root.exists()), (set(), False))


if __name__ == "__main__":
    unittest.main()
