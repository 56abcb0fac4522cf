"""Do the tables know the names that the transformers library writes? Skipped where it is not installed."""
import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import harness
from library_models import MODELS

ABSENT = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]


@unittest.skipIf(ABSENT, f"this Python has no {' and no '.join(ABSENT)}")
class Library(unittest.TestCase):
    def test_every_model_that_it_can_build(self):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="stemma_"))
        self.addCleanup(shutil.rmtree, directory, ignore_errors=True)
        writer = pathlib.Path(__file__).with_name("library_models.py")
        subprocess.run([sys.executable, writer, directory], check=True, stdout=sys.stderr)
        models = sorted(directory.iterdir())
        self.assertGreater(len(models), 30)
        done = harness.stemma("inspect", *models, "--tensors", "--json", cwd=directory)
        for model, told in zip(models, json.loads(done.stdout)["targets"]):
            with self.subTest(model.name):
                self.assertEqual(told["architecture"], MODELS[model.name][0])
                self.assertEqual([f for f in told["findings"] if f["severity"] != "note"], [])
                self.assertEqual([t for t in told["tensors"] if t["role"].startswith("unknown/")], [])


if __name__ == "__main__":
    unittest.main()
