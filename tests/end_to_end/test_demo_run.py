"""Does the demo give the same archive on any number of ranks, and numpy's numbers?"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import h5py
import numpy as np
import xarray

STEMMA = os.environ["STEMMA"]
SOURCE = pathlib.Path(os.environ["STEMMA_SOURCE_DIR"])


def run(ranks, output):
    environment = dict(os.environ, OMPI_MCA_rmaps_base_oversubscribe="1", OMP_NUM_THREADS="1")
    launcher = [] if ranks == 1 else ["mpirun", "--quiet", "--allow-run-as-root", "-n", str(ranks)]
    return subprocess.run(launcher + [STEMMA, "run", str(SOURCE / "configs/demo.yaml"), "--output", output, "-q"],
                          env=environment, capture_output=True, text=True, timeout=120)


def read_tensors(path):
    """An independent reader: bfloat16 widened by shifting its bits."""
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:8 + length])
    header.pop("__metadata__", None)
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        assert entry["dtype"] == "BF16"
        codes = np.frombuffer(raw[begin:end], "<u2").astype(np.uint32) << 16
        yield name, codes.view(np.float32).astype(np.float64)


class DemoRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory()
        cls.outputs, cls.results = {}, {}
        for ranks in (1, 2, 3, 4):
            cls.outputs[ranks] = os.path.join(cls.place.name, f"on{ranks}")
            cls.results[ranks] = run(ranks, cls.outputs[ranks])
        cls.archive = os.path.join(cls.outputs[2], "demo.h5")

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def test_every_run_succeeds_and_says_what_a_score_is_worth(self):
        for ranks, result in self.results.items():
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("ABSTAIN(too_few_layers)", result.stdout)
            self.assertIn("A curve score alone decides nothing", result.stdout)

    def test_the_canonical_hashes_do_not_depend_on_the_ranks(self):
        hashes = {subprocess.run([STEMMA, "verify", "--hash", output], capture_output=True, text=True).stdout
                  for output in self.outputs.values()}
        self.assertEqual(len(hashes), 1)
        self.assertIn("canonical_exact ", hashes.pop())

    def test_every_std_is_that_of_numpy(self):
        with h5py.File(self.archive) as f:
            ids, names = f["models/id"].asstr()[:], f["tensors/name"].asstr()[:]
            owner, std = f["tensors/model_index"][:], f["moments/std_unbiased"][:]
        stored = {(ids[owner[i]], names[i]): std[i] for i in range(len(names))}
        compared = 0
        for model in ids:
            for name, values in read_tensors(SOURCE / "tests/data/zoo" / model / "model.safetensors"):
                self.assertLessEqual(abs(stored[model, name] / values.std(ddof=1) - 1), 1e-12, (model, name))
                compared += 1
        self.assertEqual(compared, len(names))

    def test_xarray_opens_the_layers_with_names_on_every_dimension(self):
        part = xarray.open_dataset(self.archive, engine="h5netcdf")["part"]
        layers = xarray.open_dataset(self.archive, group="layers", engine="h5netcdf").assign_coords(part=part)
        self.assertEqual(layers["std"].dims, ("layer_row", "part"))
        self.assertTrue(np.isfinite(layers["std"].sel(part="q")).any())

    def test_the_archive_is_sound_and_the_tables_are_there(self):
        verified = subprocess.run([STEMMA, "verify", self.archive], capture_output=True, text=True)
        self.assertEqual(verified.returncode, 0, verified.stdout)
        rows = pathlib.Path(self.outputs[3], "pairs.tsv").read_text().splitlines()
        self.assertEqual(len(rows), 1 + 28)
        for name in ("models", "evidence", "verdicts", "features", "findings", "failures"):
            self.assertTrue(pathlib.Path(self.outputs[3], name + ".tsv").read_text().count("\t") > 3, name)


if __name__ == "__main__":
    unittest.main()
