"""Does every line of manifest.json hold against something that did not write it?"""
import hashlib
import json
import os
import pathlib
import platform
import re
import subprocess
import unittest

import h5py

import harness
from harness import ZOO, EndToEnd


class Manifest(EndToEnd):
    def setUp(self):
        super().setUp()
        entries = ", ".join(f'"{ZOO / name}"' for name in ("aspen", "aspen-lora-r8"))
        self.configuration = f"schema_version: 1\nname: m\nmodels: [{entries}]\n"
        self.write("m.yaml", self.configuration)
        self.stemma("run", "m.yaml", "seed=7", "analyzers.content.sha256=true", "--output", "run", ranks=2,
                    SLURM_JOB_ID="123", SLURM_ARRAY_TASK_ID="4", SLURM_JOB_PARTITION="fast", OPENBLAS_VERBOSE="0",
                    HDF5_USE_FILE_LOCKING="FALSE", LOADEDMODULES="gcc/12:openmpi", SECRET_TOKEN="hush", OMPIX="no", MY_OMP_X="no")
        self.run = self.directory / "run"
        self.text = (self.run / "manifest.json").read_text()
        self.manifest = json.loads(self.text)

    def test_tool_and_libraries(self):
        tool, libraries = self.manifest["tool"], self.manifest["libraries"]
        printed = self.stemma("--version").stdout
        commit = tool["commit"] + ("+" if tool["dirty"] else "")
        self.assertEqual(printed, f"stemma {tool['version']} ({commit}, {tool['build_type']}, {tool['compiler']})\n")
        cache = (pathlib.Path(os.environ.get("STEMMA_BUILD_DIR", harness.SOURCE / "build/release")) / "CMakeCache.txt").read_text()
        kind = tool["build_type"].upper()
        for name in ("CMAKE_CXX_FLAGS", f"CMAKE_CXX_FLAGS_{kind}"):
            self.assertIn(re.search(rf"^{name}:\w+=(.*)$", cache, re.M)[1], tool["flags"])
        loaded = subprocess.run(["ldd", harness.STEMMA], capture_output=True, text=True, check=True).stdout
        for name, soname in (("elpa", "libelpa"), ("scalapack", "libscalapack"), ("yaml_cpp", "libyaml-cpp"), ("hdf5", "libhdf5")):
            self.assertEqual(bool(libraries[name]), soname in loaded, name)
        for name, package in (("elpa", "elpa"), ("yaml_cpp", "yaml-cpp")):
            if libraries[name]:
                known = subprocess.run(["pkg-config", "--modversion", package], capture_output=True, text=True, check=False)
                if known.returncode == 0:
                    self.assertEqual(libraries[name], known.stdout.strip())
        self.assertTrue(libraries["hdf5"].startswith(".".join(map(str, h5py.h5.get_libversion()))))
        self.assertEqual(libraries["libc"], " ".join(platform.libc_ver()))
        self.assertRegex(libraries["blas"], r"\d")
        self.assertTrue(libraries["blas_core"])
        self.assertIn("MPI", libraries["mpi"])

    def test_run_config_and_methods(self):
        run, config = self.manifest["run"], self.manifest["config"]
        with h5py.File(self.run / "m.h5") as archive:
            provenance = archive["provenance"]
            self.assertEqual((run["uuid"], run["argv"], run["started"]),
                             tuple(provenance[name].asstr()[0] for name in ("uuid", "argv", "started")))
            self.assertEqual(run["plan_digest"], archive.attrs["plan_digest"])
            self.assertEqual(self.manifest["methods"], {**self.manifest["methods"], **{
                name: int(group.attrs["version"]) for name, group in archive["methods"].items() if group.attrs["version"] > 0}})
            self.assertEqual(config["resolved_sha256"], archive.attrs["config_sha256"])
            self.assertEqual(self.manifest["guarantees"], {"canonical_exact": archive.attrs["canonical_exact"],
                                                          "canonical_all": archive.attrs["canonical_all"],
                                                          "read_ratio": provenance["read_ratio"][0]})
        self.assertEqual((run["ranks"], run["nodes"], run["seed"], run["exit_code"]), (2, 1, 7, 0))
        self.assertLessEqual(run["started"], run["ended"])
        self.assertLessEqual(set(run["cores_of_first_rank"]), os.sched_getaffinity(0))
        self.assertEqual(config["sha256"], hashlib.sha256(self.configuration.encode()).hexdigest())
        self.assertEqual(config["overrides"], ["seed=7", "analyzers.content.sha256=true"])

    def test_inputs_and_outputs(self):
        self.assertEqual([entry["id"] for entry in self.manifest["inputs"]], ["aspen", "aspen-lora-r8"])
        for entry in self.manifest["inputs"]:
            for file in entry["files"]:
                content, facts = pathlib.Path(file["path"]).read_bytes(), os.stat(file["path"])
                self.assertEqual((file["bytes"], file["mtime_ns"], file["sha256"], file["sha256_source"]),
                                 (len(content), facts.st_mtime_ns, hashlib.sha256(content).hexdigest(), "computed"))
        outputs = {entry["file"]: entry for entry in self.manifest["outputs"]}
        here = {p.name for p in self.run.iterdir() if p.is_file()} - {"manifest.json", "status.json"}
        self.assertEqual(set(outputs), here)
        self.assertLessEqual({"m.h5", "pairs.tsv", "verdicts.json", "config.yaml"}, set(outputs))
        for name in here:
            content = (self.run / name).read_bytes()
            self.assertEqual((outputs[name]["bytes"], outputs[name]["sha256"]), (len(content), hashlib.sha256(content).hexdigest()))

    def test_machine_job_and_environment(self):
        (host,) = self.manifest["machine"]["hosts"]
        self.assertEqual((host["name"], host["selftest"]), (platform.node(), True))
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            self.assertIn(host["cpu"], file.read())
        self.assertEqual(self.manifest["slurm"], {"job": "123", "array_task": "4", "partition": "fast"})
        environment = self.manifest["environment"]
        self.assertEqual((environment["LOADEDMODULES"], environment["HDF5_USE_FILE_LOCKING"], environment["OMP_NUM_THREADS"],
                          environment["OPENBLAS_VERBOSE"]), ("gcc/12:openmpi", "FALSE", "1", "0"))
        for name in environment:
            self.assertRegex(name, r"\A(LOADEDMODULES|APPTAINER_CONTAINER|(OMP|OMPI|OPENBLAS|HDF5)_.*)\Z")
        self.assertNotIn("hush", self.text)


if __name__ == "__main__":
    unittest.main()
