"""Does slurm/audit.sbatch run an audit on the nodes of a real Slurm cluster as it runs without one, and end with its exit code?"""
import pathlib
import re
import shutil
import tempfile
import unittest

import h5py

import harness
import slurm_cluster
from harness import SOURCE, STEMMA, ZOO
from slurm_cluster import Cluster, until

SCRIPT = SOURCE / "slurm/audit.sbatch"
# Two launchers; srun is what the script takes by itself where Slurm and Open MPI know PMIx.
LAUNCHERS = {"srun": {}, "mpirun": {"STEMMA_LAUNCHER": "mpirun"}}
# The nodes are one machine: their ranks share its cores, and none is tied to one that a rank of another node has too.
SHARED = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
          "OMPI_MCA_hwloc_base_binding_policy": "none"}
CORPUS = f"schema_version: 1\nname: family\nmodels:\n  - {ZOO}/aspen\n  - {{path: {ZOO}/aspen-lora-r8, base: aspen}}\n"


@unittest.skipIf(slurm_cluster.missing(), f"Slurm is not installed: no {', '.join(slurm_cluster.missing())}")
class Slurm(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(3)) if hasattr(cls, "enterClassContext") else cls.entered(Cluster(3))
        cls.srun_knows_pmix = cls.pmix_can_be_loaded()

    @classmethod
    def entered(cls, context):
        """enterClassContext of Python 3.11."""
        value = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        return value

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        (self.directory / "family.yaml").write_text(CORPUS)
