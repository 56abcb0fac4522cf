"""Does STEMMA_ELPA decide what a build uses, and is what was found said at the end of configuring?"""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("STEMMA_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))


class ElpaOption(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def configure(self, elpa, **environment):
        """What CMake says; one build directory, as a user changes his mind."""
        command = ["cmake", "-S", SOURCE, "-B", self.directory / "build", "-G", "Ninja", "-DBUILD_TESTING=OFF", f"-DSTEMMA_ELPA={elpa}"]
        done = subprocess.run(command, text=True, capture_output=True, timeout=300, check=False, env={**os.environ, **environment})
        return done.returncode, done.stdout, " ".join(done.stderr.split())

    def compiled_with_elpa(self):
        return "STEMMA_HAS_ELPA" in (self.directory / "build/compile_commands.json").read_text(encoding="utf-8")

    def without_elpa(self):
        """A directory for pkg-config with everything but ELPA in it."""
        place = self.directory / "pkgconfig"
        place.mkdir()
        path = subprocess.run(["pkg-config", "--variable", "pc_path", "pkg-config"], text=True, capture_output=True, check=True).stdout
        for directory in reversed(path.strip().split(":")):
            for file in pathlib.Path(directory).glob("*.pc"):
                if not file.name.startswith("elpa"):
                    (place / file.name).unlink(missing_ok=True)
                    (place / file.name).symlink_to(file)
        return str(place)

    def test_off_and_auto(self):
        code, said, _ = self.configure("auto")
        self.assertEqual(code, 0)
        there = subprocess.run(["pkg-config", "--exists", "elpa"], check=False).returncode == 0
        self.assertEqual(self.compiled_with_elpa(), there)
        self.assertRegex(said, r"\n-- ELPA +\d{4}\." if there else r"\n-- ELPA +not found")
        for row in ("compiler", "MPI", "BLAS", "LAPACK", "ScaLAPACK", "HDF5", "tests"):
            self.assertEqual(len(re.findall(rf"\n-- {row} +\S", said)), 1, row)
        code, said, _ = self.configure("off")
        self.assertEqual((code, self.compiled_with_elpa()), (0, False))
        self.assertIn("none (STEMMA_ELPA=off): teams of ranks use ScaLAPACK's solver\n", said)

    def test_where_there_is_none(self):
        environment = {"PKG_CONFIG_LIBDIR": self.without_elpa()}
        code, _, said = self.configure("on", **environment)
        self.assertEqual(code, 1)
        self.assertIn("STEMMA_ELPA is on, and pkg-config finds no ELPA (Debian package libelpa-dev).", said)
        code, said, _ = self.configure("auto", **environment)
        self.assertEqual((code, self.compiled_with_elpa()), (0, False))
        self.assertIn("not found (Debian package libelpa-dev): teams of ranks use ScaLAPACK's solver\n", said)

    def test_another_word(self):
        code, _, said = self.configure("perhaps")
        self.assertEqual(code, 1)
        self.assertIn("STEMMA_ELPA = perhaps: write auto, on or off", said)


if __name__ == "__main__":
    unittest.main()
