"""Does what cmake --install leaves work wherever it is moved, and do the recipes for Spack and Apptainer fit the build?"""
import ast
import glob
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import yaml

from harness import SOURCE, ZOO, EndToEnd

BUILD = pathlib.Path(os.environ.get("STEMMA_BUILD_DIR", SOURCE / "build/release"))
VERSION = re.search(r"(?m)^project\(stemma VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
MACHINES = SOURCE / "slurm/machines"
# How Spack calls what CMake looks for.
SPACK = {"fmt": "fmt", "nlohmann_json": "nlohmann-json", "yaml-cpp": "yaml-cpp", "OpenSSL": "openssl", "HDF5": "hdf5",
         "PkgConfig": "pkgconfig", "XXHASH": "xxhash", "HWY": "highway", "MPI": "mpi", "BLAS": "blas", "LAPACK": "lapack",
         "SCALAPACK": "scalapack", "ELPA": "elpa", "Eigen3": "eigen", "CLI11": "cli11", "GTest": "googletest", "PNG": "libpng",
         "ZLIB": "zlib-api"}
OF_THE_SYSTEM = {"Threads"}


def command(*words, code=0, **options):
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True, timeout=120, check=False, **options)
    assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


class Installed(EndToEnd):
    def setUp(self):
        super().setUp()
        command("cmake", "--install", BUILD, "--prefix", self.directory / "first")
        self.prefix = self.directory / "moved/elsewhere"
        self.prefix.parent.mkdir()
        (self.directory / "first").rename(self.prefix)
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("STEMMA")}

    def program(self, *words, **options):
        return command(self.prefix / "bin/stemma", *words, cwd=self.directory, env=self.env, **options)

    def test_files(self):
        share = self.prefix / "share"
        for name in ("man/man1/stemma.1", "bash-completion/completions/stemma", "stemma/configs/audit.yaml",
                     "stemma/configs/stemma.schema.json", "stemma/slurm/audit.sbatch", "stemma/slurm/sweep.sbatch",
                     "stemma/slurm/machines/debian.sh", "doc/stemma/README.md", "doc/stemma/CHANGELOG.md", "doc/stemma/LICENSE",
                     "doc/stemma/CITATION.cff", f"stemma/modulefile/stemma/{VERSION}"):
            self.assertTrue((share / name).is_file(), name)
        self.assertEqual((share / "man/man1/stemma.1").read_text(), self.program("schema", "--man").stdout)
        self.assertEqual((share / "bash-completion/completions/stemma").read_text(),
                         self.program("schema", "--completion", "bash").stdout)
        self.assertEqual(self.program("schema", "config").stdout, (share / "stemma/configs/stemma.schema.json").read_text())
        for path in share.rglob("*"):  # build trees and sources are not what it was installed from any more
            if path.is_file():
                self.assertNotIn(str(BUILD), path.read_text(encoding="utf-8"), path)

    def test_works_where_it_was_moved(self):
        self.assertEqual(self.program("schema", "--example", "demo").stdout, (SOURCE / "configs/demo.yaml").read_text())
        self.assertIn("architecture llama", self.program("inspect", ZOO / "aspen").stdout)

    def test_reads_its_own_data(self):
        """Not those of the source tree: a table that is taken away here is missed here."""
        tables = self.prefix / "share/stemma/architectures"
        (tables / "llama.yaml").rename(self.directory / "llama.yaml")
        done = self.program("inspect", ZOO / "aspen", code=2)
        self.assertTrue(all(line.startswith(f"{tables}/") for line in done.stderr.splitlines()), done.stderr)
        self.assertIn("there is no family llama", done.stderr)

    def test_needs_no_path_to_libraries(self):
        needed = command("ldd", self.prefix / "bin/stemma", env={**self.env, "LD_LIBRARY_PATH": ""}).stdout
        self.assertIn("libhdf5", needed)
        self.assertNotIn("not found", needed)

    def test_module(self):
        found = glob.glob("/usr/lib/*/modulecmd.tcl") + [path for path in [os.environ.get("MODULES_CMD", "")] if path]
        if not found:
            self.skipTest("Environment Modules are absent (Debian package environment-modules)")
        script = (f'module() {{ eval "$({found[0]} bash "$@")"; }}\nmodule use {self.prefix}/share/stemma/modulefile\n'
                  "module load stemma && command -v stemma && stemma --version && echo $STEMMA_ROOT && echo $MANPATH\n"
                  "module whatis stemma\nmodule unload stemma\ncommand -v stemma || echo gone\n")
        env = {**self.env, "PATH": "/usr/bin:/bin"}
        done = command("bash", "--norc", "-c", script, cwd=self.directory, env=env)
        where, version, root, manual, gone = done.stdout.splitlines()
        self.assertEqual((where, root, gone), (f"{self.prefix}/bin/stemma", str(self.prefix), "gone"))
        self.assertEqual(manual.split(":")[0], f"{self.prefix}/share/man")
        commit = re.fullmatch(rf"stemma {re.escape(VERSION)} \((\S*), .*\)", version)[1]
        self.assertIn(f"Stemma {VERSION} ({commit})", done.stderr)

    def test_batch_script_finds_the_program(self):
        """On the PATH, as the module leaves it, from the directory of the scripts."""
        self.write("c.yaml", f"schema_version: 1\nmodels: ['{ZOO}/aspen']\nanalyzers: {{content: {{}}}}\noutput: out\n")
        env = {**{n: v for n, v in self.env.items() if not n.startswith("SLURM")}, "STEMMA_LAUNCHER": "env",
               "PATH": f"{self.prefix}/bin:/usr/bin:/bin"}
        done = command("bash", self.prefix / "share/stemma/slurm/audit.sbatch", "c.yaml", cwd=self.directory, env=env)
        self.assertTrue(done.stdout.endswith("audit.sbatch: exit code 0\n"), done.stdout)


class Recipes(unittest.TestCase):
    def test_spack_names_every_library(self):
        """What CMakeLists.txt looks for is what the recipe depends on, and nothing else."""
        text = "".join((SOURCE / name).read_text(encoding="utf-8") for name in ("CMakeLists.txt", "tests/CMakeLists.txt"))
        sought = set(re.findall(r"(?m)^ *(?:find_package|pkg_check_modules|pkg_search_module)\((\S+)", text)) - OF_THE_SYSTEM
        self.assertEqual(sought, set(SPACK))
        path = MACHINES / "spack/packages/stemma/package.py"
        tree = ast.parse(path.read_text(encoding="utf-8"), path)
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        named = {call.args[0].value for call in calls if call.func.id == "depends_on"}
        names = {re.match(r"[a-z0-9-]+", spec)[0] for spec in named}
        self.assertEqual(names - {"c", "cxx", "cmake", "openblas"}, set(SPACK.values()))
        self.assertEqual({call.args[0].value for call in calls if call.func.id == "version"}, {VERSION})
        options = {call.args[0].value for call in ast.walk(tree) if isinstance(call, ast.Call)
                   and isinstance(call.func, ast.Attribute) and call.func.attr == "define_from_variant"}
        for option in options - {"BUILD_TESTING"}:
            self.assertRegex(text, rf"(option|set)\({option} ")
        needed = re.search(r"cmake_minimum_required\(VERSION (\S+)\)", text)[1]
        self.assertIn(f"cmake@{needed}:", named)
        self.assertEqual(yaml.safe_load((MACHINES / "spack/repo.yaml").read_text()), {"repo": {"namespace": "stemma"}})

    def test_image_is_built_as_the_demo_is(self):
        text = (MACHINES / "stemma.def").read_text(encoding="utf-8")
        sections = dict(re.findall(r"(?ms)^%(\w+)[^\n]*\n(.*?)(?=^%|\Z)", text))
        self.assertEqual(set(sections), {"files", "post", "environment", "runscript", "test", "help"})
        for name in ("post", "environment", "runscript", "test"):
            script = "#!/bin/bash\n" + sections[name]
            command("bash", "-n", "-c", script)
            if shutil.which("shellcheck"):
                command("shellcheck", "--shell=bash", "--exclude=SC1091,SC2154", "-", input=script)
        packages = 'source tests/harness/prepare.sh; printf "%s\\n" "${build_packages[@]%%|*}"'
        listed = command("bash", "-c", packages, cwd=SOURCE).stdout.split()
        self.assertIn("libopenblas-serial-dev", listed)
        self.assertFalse([name for name in listed if "|" in name])
        self.assertIn('"${build_packages[@]%%|*}"', sections["post"])
        presets = (SOURCE / "CMakePresets.json").read_text(encoding="utf-8")
        self.assertIn('"release"', presets)


if __name__ == "__main__":
    unittest.main()
