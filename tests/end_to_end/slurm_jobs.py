"""How do tests submit the batch scripts to a cluster of their own, and what do they look at afterwards?"""
import os
import re
import subprocess
import unittest

import slurm_cluster
from harness import STEMMA, EndToEnd
from slurm_cluster import Cluster

# The nodes are one machine: their ranks share its cores, and none is tied to one that a rank of another node has too.
SHARED = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
          "OMPI_MCA_hwloc_base_binding_policy": "none"}
OURS = ("STEMMA", "STEMMA_MACHINE", "STEMMA_LAUNCHER", "STEMMA_SLURM", "STEMMA_STORE", "CONFIG")
TWO_BY_TWO = ["--nodes=2", "--ntasks-per-node=2"]
needs_slurm = unittest.skipIf(slurm_cluster.why_not(), slurm_cluster.why_not())


class Script(EndToEnd):
    """A test of the batch script `script`."""

    def refused(self, says, *arguments, **environment):
        """The script ends with one sentence before it starts anything; this needs no Slurm."""
        env = {name: value for name, value in os.environ.items() if name not in OURS} | environment
        done = subprocess.run(["bash", self.script, *arguments], cwd=self.directory, env=env, text=True, capture_output=True,
                              timeout=30, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertRegex(done.stderr, rf"\A{re.escape(self.script.name)}: [^\n]*{re.escape(says)}[^\n]*\.\n\Z")


class Submitted(Script):
    """A test of the script as a job; all tests of a class share a cluster."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(3)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def submit(self, *arguments, options=TWO_BY_TWO, output="output", on=None, script=None, **environment):
        """The number of a new job, which writes to the file `output`. None takes a variable out of the environment."""
        cluster = on or self.cluster
        env = {**SHARED, "STEMMA": STEMMA, **environment}
        given = {name: value for name, value in env.items() if value is not None}
        unset = [word for name in OURS if env.get(name) is None for word in ("-u", name)]
        (self.directory / output).unlink(missing_ok=True)
        options = ["--parsable", f"--output={self.directory}/{output}", *options]
        return cluster.ask("env", *unset, "sbatch", *options, script or self.script, *arguments, cwd=self.directory,
                           env=given).stdout.strip()

    def output(self, name="output"):
        path = self.directory / name
        return path.read_text(errors="replace") if path.exists() else ""

    def ended(self, job, state, code, output="output", seconds=60):
        """The output of a job that has ended so."""
        found = self.cluster.finished(job, seconds)
        self.assertEqual((found["JobState"], found["ExitCode"]), (state, code), self.output(output))
        return self.output(output)

    def canonical_exact(self, run):
        """Of the archive of a run, computed anew."""
        line = self.stemma("verify", run, "--hash").stdout.splitlines()[0]
        self.assertRegex(line, "^canonical_exact [0-9a-f]{64}$")
        return line.split()[1]
